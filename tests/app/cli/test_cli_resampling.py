"""truetape resample on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app

DAYS = "Date,Open,High,Low,Close,Volume\n2024-01-04,3,4,2,3,10\n2024-01-05,4,5,3,4,20\n"
TRADES = "time,price,size\n2024-01-05T14:30:00Z,10,100\n2024-01-05T14:30:01Z,11,100\n"


def run(folder: Path, text: str, *arguments: str) -> Result:
    (folder / "in.csv").write_text(text)
    return CliRunner().invoke(app, ["resample", str(folder / "in.csv"), *arguments])


def test_a_week_of_days(tmp_path: Path) -> None:
    """It says of how many bars how many were made."""
    result = run(tmp_path, DAYS, "--timeframe", "1w", "-o", str(tmp_path / "out.csv"))

    assert (0, f"1 bars of 2 bars of 1d: {tmp_path / 'out.csv'}\n") == (result.exit_code, result.stdout)
    assert ["date,open,high,low,close,volume", "2024-01-01,3.0,5.0,2.0,4.0,30.0"] == (
        (tmp_path / "out.csv").read_text().splitlines()
    )


def test_bars_of_trades(tmp_path: Path) -> None:
    """As JSON, for programs."""
    result = run(tmp_path, TRADES, "--by", "ticks", "2", "-o", str(tmp_path / "out.parquet"), "--json")

    told = {"rows": 2, "source": "", "bars": 1, "output": str(tmp_path / "out.parquet")}
    assert told == json.loads(result.stdout)
    assert "1 bars of 2 trades" in run(tmp_path, TRADES, "--by", "volume", "1e6", "-o", str(tmp_path / "o.csv")).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say --timeframe for bars of bars, or --by for bars of trades."),
        (["--timeframe", "1w", "--by", "ticks", "2"], "Say --timeframe for bars of bars, or --by for bars of trades."),
        (["--timeframe", "1w", "--venue", "NOPE"], "No calendar is known for this MIC"),
    ],
)
def test_what_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    """In one sentence, with exit code 2."""
    result = run(tmp_path, DAYS, *arguments, "-o", str(tmp_path / "out.csv"))

    assert 2 == result.exit_code
    assert words in result.stderr.replace("\n", " ")
