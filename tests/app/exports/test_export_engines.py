"""Folders for NautilusTrader and zipline: what the engines themselves find in them."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import truetape as tt
from servers import ENGINES, ENGINES_PYTHON, require
from truetape.domain.errors import BadInput

SCRIPTS = Path(__file__).resolve().parents[2] / "engines"
LONGEST_S = 240


def told(script: str, *arguments: str | Path, root: Path) -> Any:
    """What a script says in the engines' own environment."""
    require(ENGINES)
    command = [str(ENGINES_PYTHON), str(SCRIPTS / script), *map(str, arguments)]
    environment = {"PATH": os.environ.get("PATH", ""), "ZIPLINE_ROOT": str(root), "HOME": str(root)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST_S, check=False, cwd=root, env=environment
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def ns(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000_000


def test_nautilus_finds_bars_and_instruments(exported: tt.Session, tmp_path: Path) -> None:
    """A daily bar is known when its session closes, 21:00 UTC in winter and 20:00 in summer; a coin's at midnight."""
    done = exported.export(["AAPL", "META", "BTC/USD"], tmp_path / "catalog", format="nautilus")

    (found,) = told("read_nautilus.py", tmp_path / "catalog", root=tmp_path)
    assert [
        ["CurrencyPair", "BTC/USD.XCBE", "BTC/USD", 5, 3],
        ["Equity", "AAPL.XNAS", "AAPL", 2, 0],
        ["Equity", "META.XNAS", "META", 2, 0],
    ] == sorted(found["instruments"])
    apple, meta, coin = (f"{one}-1-DAY-LAST-EXTERNAL" for one in ("AAPL.XNAS", "META.XNAS", "BTC/USD.XCBE"))
    assert {
        f"{apple},87.00,89.00,86.00,88.00,100,{ns(2005, 2, 24, 21)}",
        f"{apple},89.00,91.00,88.00,90.00,110,{ns(2005, 2, 25, 21)}",
        f"{apple},43.00,45.00,42.00,44.00,240,{ns(2005, 2, 28, 21)}",
        f"{apple},45.50,47.50,44.50,46.50,200,{ns(2005, 3, 1, 21)}",
        f"{apple},49.00,51.00,48.00,50.00,220,{ns(2005, 3, 2, 21)}",
        f"{apple},48.00,50.00,47.00,49.00,0,{ns(2005, 3, 3, 21)}",
        f"{meta},195.00,197.00,194.00,196.00,10,{ns(2022, 6, 8, 20)}",
        f"{meta},183.00,185.00,182.00,184.00,11,{ns(2022, 6, 9, 20)}",
        f"{coin},43999.00125,44001.00125,43998.00125,44000.00125,1.125,{ns(2024, 1, 7)}",
    } == set(found["bars"])
    assert ("Volumes that are not known and stand as 0: 1.",) == done.notes


def test_zipline_ingests_days_and_minutes(exported: tt.Session, tmp_path: Path) -> None:
    """Prices as traded, a split that halves what lies before, the dividend on its ex-date; minutes by their end."""
    exported.export("AAPL", tmp_path / "days", format="zipline")
    done = exported.export("AAPL", tmp_path / "minutes", format="zipline", timeframe="1m")

    daily, minutes = told("read_zipline.py", "daily", tmp_path / "days", "minute", tmp_path / "minutes", root=tmp_path)
    assert ["AAPL"] == daily["assets"]
    assert [
        [87, 89, 86, 88, 100],
        [89, 91, 88, 90, 110],
        [43, 45, 42, 44, 240],
        [45.5, 47.5, 44.5, 46.5, 200],
        [49, 51, 48, 50, 220],
        [48, 50, 47, 49, 0],
    ] == daily["bars"]["AAPL"]
    days = {name: ns(*day) // 1_000_000_000 for name, day in {"split": (2005, 2, 28), "paid": (2005, 3, 3)}.items()}
    assert {"splits": [[0.5, days["split"]]], "dividends": [[0.5, days["paid"]]]} == daily["adjusted"]
    assert {
        "2005-02-25 14:31:00+00:00": [88.75, 90.75, 87.75, 89.75, 20],
        "2005-02-25 14:32:00+00:00": [88.8, 90.8, 87.8, 89.8, 30],
        "2005-02-25 21:00:00+00:00": [89, 91, 88, 90, 40],
    } == minutes["bars"]["AAPL"]
    assert ("Minutes that were left out because they lie outside the regular session: 1.",) == done.notes


def test_two_instruments_of_one_ticker(exported: tt.Session, tmp_path: Path) -> None:
    """csvdir tells instruments by their tickers, so two of one newest ticker do not go into one folder."""
    with pytest.raises(BadInput, match=r"Two of the instruments have this newest ticker"):
        exported.export(["ins_meta", "ins_old"], tmp_path / "csvdir", format="zipline")
    assert [] == list(tmp_path.iterdir())


def test_an_action_without_a_bar_goes_to_the_next(exported: tt.Session, tmp_path: Path) -> None:
    """Without the bar of its ex-date a split stands on the next; without any later bar it is told."""
    exported.export("AAPL", tmp_path / "csvdir", format="zipline", start="2005-02-28", end="2005-03-02")

    lines = (tmp_path / "csvdir" / "daily" / "AAPL.csv").read_text().splitlines()
    assert "2005-02-28,43.0,45.0,42.0,44.0,240,0.0,2.0" == lines[1]
