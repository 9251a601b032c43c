"""Daily bars as they lie in LEAN's folder, given to truetape factors and truetape adjust as they are."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from lean_folder import LeanFolder
from truetape.app.cli import app
from truetape.app.plain_files import read_bar_sheet
from truetape.domain.errors import BadInput

CLOSES = {date(2024, 1, 4): 100.0, date(2024, 1, 5): 102.0, date(2024, 1, 8): 51.0}
FACTORS = "20240104,0.9,0.5,1\n20240105,0.9,0.5,102\n20501231,1,1,0\n"
BARS = "20240104 00:00,1000000,1010000,990000,1005000,7\n20240105 00:00,20000,20000,20000,20000,8\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.parametrize("option", ["factors", "adjust"])
def test_the_zip_of_a_ticker_is_a_file_of_bars(tmp_path: Path, option: str) -> None:
    """In dollars, under our headers, with the factor file beside it."""
    folder = LeanFolder(tmp_path)
    folder.daily("x", CLOSES)
    folder.factors("x", *FACTORS.split())
    bars, file = folder.base / "daily" / "x.zip", folder.base / "factor_files" / "x.csv"

    if option == "factors":
        assert FACTORS == run("factors", "--bars", bars, "--actions", file, "--as", "lean").stdout
    else:
        done = run("adjust", "--bars", bars, "--factors", file, "--mode", "Adjusted", "-o", tmp_path / "out.csv")
        found = pl.read_csv(tmp_path / "out.csv")
        assert 0 == done.exit_code, done.stderr
        assert ["date", "open", "high", "low", "close", "volume"] == found.columns
        assert [45.0, 45.9, 51.0] == pytest.approx(found["close"].to_list())
        assert [200.0, 202.0, 102.0] == found["volume"].to_list()


def test_what_was_unpacked_is_known_by_its_lines(tmp_path: Path) -> None:
    """It has no header, and begins with a date and a time."""
    (tmp_path / "x.csv").write_text(BARS)
    (tmp_path / "ours.csv").write_text("date,open,high,low,close,volume\n2024-01-04,1,1,1,1,1\n")

    assert [(date(2024, 1, 4), 100.0, 101.0, 99.0, 100.5, 7.0)] == read_bar_sheet(str(tmp_path / "x.csv")).frame.rows()[
        :1
    ]
    assert ["2024-01-04"] == read_bar_sheet(str(tmp_path / "ours.csv")).frame["date"].to_list()


@pytest.mark.parametrize(
    ("place", "body", "said"),
    [
        ("crypto/coinbase/daily/x.csv", BARS, "it is LEAN's folder of crypto/coinbase; only equities of the USA"),
        ("x.csv", "20240104 00:00,1,1\n", "it had 3 columns, not six"),
        ("x.csv", BARS + "20240106 00:00,a,1,1,1,1\n", "line 3: its open was 'a'"),
        ("x.csv", BARS.replace("20240105 00", "20240104 10"), "a line of it is of a time of day: 20240104 10:00"),
        ("x.zip", "hello", "it had 1 columns, not six"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, place: str, body: str, said: str) -> None:
    """The file, and what was found in it."""
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(body)

    with pytest.raises(BadInput, match=re.escape(f"It cannot be read as daily bars of LEAN's: {said}")):
        read_bar_sheet(str(path))
