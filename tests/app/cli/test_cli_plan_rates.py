"""What a backfill of exchange rates would take, before anybody is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from truetape.app.cli.commands import app


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """A settings file with a bank that tells rates and a provider that does not."""
    file = tmp_path / "truetape.toml"
    file.write_text(
        'data = "data"\nstart = 2024-01-02\nend = 2024-03-28\n[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n'
        "[providers.ecb]\n[providers.yahoo]\n"
    )
    return str(file)


def test_pairs_are_planned_like_symbols(settings: str) -> None:
    """One round for each pair; who has no rates is not asked."""
    shown = CliRunner().invoke(app, ["plan", "EUR/USD,USD/JPY", "--config", settings])
    assert (0, True) == (shown.exit_code, "yahoo is not asked: it has no fx_rates." in shown.output)
    assert "2 pairs, daily rates from 2024-01-02 to 2024-03-28: 2 rounds to run" in shown.output
    told = json.loads(CliRunner().invoke(app, ["plan", "EUR/USD", "--config", settings, "--json"]).stdout)
    assert (1, 1, ["ecb"]) == (told["rounds"], told["symbols"], [one["provider"] for one in told["estimates"]])


def test_pairs_and_symbols_are_two_questions(settings: str) -> None:
    """They are of different kinds, so it is said to ask one after the other."""
    mixed = CliRunner().invoke(app, ["plan", "EUR/USD,AAPL", "--config", settings])
    assert (2, True) == (mixed.exit_code, "ask for them one after the other" in " ".join(mixed.output.split()))
