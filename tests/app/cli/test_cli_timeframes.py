"""truetape timeframes: what was acquired, what is derived, and where acquired bars disagree."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from exported_market import market
from truetape.app.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(market(tmp_path_factory.mktemp("timeframes") / "data"))


def test_a_person_sees_where_bars_come_from(folder: Path) -> None:
    """Minutes, hours and days of AAPL were acquired; the rest is made of minutes, and weeks of days."""
    result = CliRunner().invoke(app, ["timeframes", "AAPL", "--data", str(folder)])

    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]
    assert [
        ["1m", "4", "acquired", "-"],
        ["5m", "2", "1m", "-"],
        ["15m", "2", "1m", "-"],
        ["30m", "2", "1m", "-"],
        ["1h", "2", "acquired", "1 of 1 with 1m"],
        ["1d", "6", "acquired", "1 of 1 with 1m"],
        ["1w", "2", "1d", "-"],
        ["1mo", "2", "1d", "-"],
    ] == [[row[0], row[1], row[4], row[5]] for row in rows]
    assert 1 == result.exit_code


def test_an_acquired_hour_that_its_minutes_do_not_bear_out(folder: Path) -> None:
    """Of the hours one has minutes; its low and its close are others. A day of two disagrees too."""
    result = CliRunner().invoke(app, ["timeframes", "AAPL", "--json", "--data", str(folder)])

    told = {one["timeframe"]: one for one in json.loads(result.stdout)}
    assert ("1m", 1, 1) == tuple(told["1h"][name] for name in ("compared_with", "compared", "different"))
    assert (None, 0, 0) == tuple(told["1w"][name] for name in ("compared_with", "compared", "different"))
    assert ("2005-02-21T00:00Z", "1d") == (told["1w"]["first"], told["1w"]["derived_from"])


def test_an_instrument_of_days_alone(folder: Path) -> None:
    """Nothing makes up its minutes, nothing contradicts its days."""
    result = CliRunner().invoke(app, ["timeframes", "META", "--json", "--data", str(folder)])

    told = {one["timeframe"]: (one["bars"], one["derived_from"]) for one in json.loads(result.stdout)}
    assert {"1m": (0, None), "1h": (0, None), "1d": (2, None), "1w": (1, "1d")}.items() <= told.items()
    assert 0 == result.exit_code
