"""What a currency is, without any data."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from truetape.app.cli.commands import app


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("JPY", "JPY: 0 decimals.\n"),
        ("GBp", "GBp: 100 of them make one GBP.\n"),
        ("ILS", "ILS: 2 decimals.\nQuoted in parts as ILA, ILa, ILX, ILx, ILs.\n"),
        ("DEM", "DEM: 2 decimals.\n1.95583 of it are one EUR since 1999-01-01.\n"),
    ],
)
def test_a_currency_in_words(code: str, words: str) -> None:
    """Its decimals, its parts, and what became of it."""
    assert words == CliRunner().invoke(app, ["fx", code]).output


def test_a_currency_for_programs_and_one_that_is_none() -> None:
    """JSON has every fact; the nearest codes are named."""
    told = json.loads(CliRunner().invoke(app, ["fx", "TRL", "--json"]).stdout)
    assert ("TRY", 1e6, "2005-01-01") == (told["successor"], told["ratio"], told["ended"])
    wrong = CliRunner().invoke(app, ["fx", "EUX1"])
    assert (2, True) == (wrong.exit_code, "Write a pair, or a code of ISO 4217" in wrong.output)
