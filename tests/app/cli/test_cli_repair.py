"""truetape repair FILE: by hand arithmetic, in each file's own columns, with a reason for each change."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app
from walking_series import walk

CLOSES = [100 + row % 5 for row in range(40)]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["repair", *map(str, arguments)])


def stooq(folder: Path, *, flipped: tuple[int, ...] = (20,)) -> Path:
    """A file of Stooq's with bars in another unit, whole numbers where they are whole, and columns of its own."""
    lines = ["<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"]
    for row, close in enumerate(CLOSES):
        price = f"{close * 100}" if row in flipped else f"{close}.00"
        lines.append(f"X.UK,D,202001{row + 1:02d},000000,{price},{price},{price},{price},1000,0")
    return written(folder, "\n".join(lines[:32]))


def written(folder: Path, text: str, *, name: str = "prices.csv") -> Path:
    path = folder / name
    path.write_text(text + "\n")
    return path


def yahoo(folder: Path) -> Path:
    """A file of Yahoo's, newest first, that does not know of the dividend of 2 on the fourth day of five."""
    lines = [
        "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits,Note",
        "2020-01-07 00:00:00+01:00,98.0,98.5,97.5,98.0,98.0,500,0.0,0.0,e",
        "2020-01-06 00:00:00+01:00,98.0,98.5,97.5,98.1,98.1,500,2.0,0.0,d",
        "2020-01-03 00:00:00+01:00,100.0,100.5,99.5,100.0,100.0,500,0.0,0.0,c",
        "2020-01-02 00:00:00+01:00,100.0,100.5,99.5,100.2,100.2,500,0.0,0.0,b",
        "2020-01-01 00:00:00+01:00,100.0,100.5,99.5,100.0,100.0,500,0.0,0.0,a",
    ]
    return written(folder, "\n".join(lines))


def test_a_unit_is_repaired_in_the_files_own_columns(tmp_path: Path) -> None:
    """2000 hundredths become 20; every other byte stays, columns that nobody knows among them."""
    file = stooq(tmp_path)
    result = run(file, "-o", tmp_path / "out.csv")
    before, after = file.read_text().splitlines(), (tmp_path / "out.csv").read_text().splitlines()

    assert (0, "") == (result.exit_code, result.stderr)
    assert [21] == [line for line, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert "X.UK,D,20200121,000000,100,100,100,100,1000,0" == after[21]
    assert "4 cells changed by 1 repair in 31 bars of 1d" in result.stdout
    assert "unit_flip" in result.stdout


def test_the_newest_first_stay_first(tmp_path: Path) -> None:
    """A dividend of 2 from 100 leaves 98 % to the days before it; other cells keep their spelling."""
    file = yahoo(tmp_path)
    assert 0 == run(file, "-o", tmp_path / "out.csv").exit_code
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))

    assert ["98.0", "98.1", "98.0", pytest.approx(98.196), "98.0"] == [
        row["Adj Close"] if row["Note"] != "b" else float(row["Adj Close"]) for row in rows
    ]
    assert ["e", "d", "c", "b", "a"] == [row["Note"] for row in rows]
    assert ["500"] * 5 == [row["Volume"] for row in rows]


def test_nothing_to_repair(tmp_path: Path) -> None:
    """The file is written as it was."""
    file = stooq(tmp_path, flipped=())
    result = run(file, "-o", tmp_path / "out.csv")

    assert file.read_bytes() == (tmp_path / "out.csv").read_bytes()
    assert f"Nothing to repair in 31 bars of 1d: {tmp_path / 'out.csv'}\n" == result.stdout


def test_what_was_done_as_json(tmp_path: Path) -> None:
    """One object: each repair with its reason, dates as the file writes them."""
    result = run("--json", yahoo(tmp_path), "--output", tmp_path / "out.csv", "--currency", "EUR", "--venue", "XETR")
    told = json.loads(result.stdout)

    assert (5, "1d", 3, None) == tuple(told[name] for name in ("rows", "timeframe", "cells", "report"))
    assert [
        {
            "kind": "adjustment_missing",
            "first": "2020-01-01 00:00:00+01:00",
            "last": "2020-01-03 00:00:00+01:00",
            "columns": ["Adj Close"],
            "cells": 3,
            "factor": pytest.approx(0.98),
        }
    ] == [
        {name: one[name] for name in ("kind", "first", "last", "columns", "cells", "factor")} for one in told["repairs"]
    ]
    assert 0.5 < told["repairs"][0]["confidence"] <= 1
    assert told["repairs"][0]["evidence"].startswith("A dividend of 2 was 2.00% of the price before")


def test_a_report_has_a_reason_for_each_cell(tmp_path: Path) -> None:
    """CSV a row, JSON an object per repair; both with line, date, column, and the value before and after."""
    file = yahoo(tmp_path)
    for name in ("report.csv", "report.json"):
        assert 0 == run(file, "-o", tmp_path / "out.csv", "--report", tmp_path / name).exit_code
    rows = list(csv.DictReader((tmp_path / "report.csv").read_text().splitlines()))
    told: list[dict[str, Any]] = json.loads((tmp_path / "report.json").read_text())

    assert [("line 6", "Adj Close", 100.0), ("line 5", "Adj Close", 100.2), ("line 4", "Adj Close", 100.0)] == [
        (row["place"], row["column"], float(row["before"])) for row in rows
    ]
    assert pytest.approx([98.0, 98.196, 98.0]) == [float(row["after"]) for row in rows]
    assert {told[0]["id"]} == {row["id"] for row in rows}
    assert ["2020-01-01", "2020-01-02", "2020-01-03"] == [cell["date"][:10] for cell in told[0]["changes"]]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    """Whole volumes stay whole numbers where they can; dates stay dates; CSV may become Parquet."""
    right = walk(60, split={30: 4.0})
    split = right.frame.select(
        pl.col("date").alias("Date"),
        *[
            pl.when(pl.int_range(pl.len()) < 30).then(pl.col(name) * 4).otherwise(pl.col(name)).cast(pl.Float32)
            for name in ("open", "high", "low", "close")
        ],
        pl.when(pl.int_range(pl.len()) < 30)
        .then((pl.col("volume") / 4).round())
        .otherwise("volume")
        .cast(pl.Int64)
        .alias("Volume"),
        pl.col("splits").alias("Stock Splits"),
    )
    split.write_parquet(tmp_path / "prices.parquet")
    assert 0 == run(tmp_path / "prices.parquet", "-o", tmp_path / "out.parquet").exit_code
    after = pl.read_parquet(tmp_path / "out.parquet")

    assert split.schema == after.schema
    assert pytest.approx(right.frame["close"].to_list(), rel=1e-6) == after["close"].to_list()
    assert 0 == run(stooq(tmp_path), "-o", tmp_path / "stooq.parquet").exit_code


def test_a_bad_bar_comes_from_finer_ones(tmp_path: Path) -> None:
    """Two half-days tell the day's high."""
    days = [f"2020-02-{day:02d}" for day in range(1, 29)]
    bars = "\n".join(
        ["date,open,high,low,close"]
        + [
            f"{day},100,{180 if day.endswith('14') else 101 + row % 2},99,{100 + row % 2}"
            for row, day in enumerate(days)
        ]
    )
    hours = "\n".join(
        ["datetime,open,high,low,close"]
        + [
            f"{day}T{hour}:00:00Z,100,{101 + row % 2},99,{100 + row % 2}"
            for row, day in enumerate(days)
            for hour in ("09", "10")
        ]
    )
    file, finer = written(tmp_path, bars), written(tmp_path, hours, name="hours.csv")
    result = run(file, "-o", tmp_path / "out.csv", "--finer", finer, "--json")

    assert ["bar_rebuilt"] == [one["kind"] for one in json.loads(result.stdout)["repairs"]]
    assert "2020-02-14,100,102,99,101" == (tmp_path / "out.csv").read_text().splitlines()[14]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        pytest.param("Date,Close\n2020-01-01,x", [], "prices.csv, line 2, Close was 'x'", id="no number"),
        pytest.param("Date,Close\n2020-01-01,inf", [], "Close was 'inf'", id="no finite number"),
        pytest.param("Date,Close\n2020-13-01,1", [], "line 2, Date was '2020-13-01'", id="no date"),
        pytest.param("Date,Close\n,1", [], "line 2, Date was ''", id="a date is missing"),
        pytest.param("Date,Price level\n2020-01-01,1", [], "None of these is a close", id="no close"),
        pytest.param("Close\n1", [], "None of these is a date", id="no date column"),
        pytest.param("Date,Close", [], "It has no rows", id="no rows"),
        pytest.param("Date,Close,Symbol\n2020-01-01,1,A\n2020-01-02,1,B", [], "was 'A, B'", id="two symbols"),
        pytest.param("Date,Close\n2020-01-01,1,2", [], "3 fields, the header has 2", id="ragged"),
        pytest.param("Date,Time,Close\n20200101,2561,1", [], "Time was '2561'", id="no time of day"),
        pytest.param("Date,Close\n2020-01-01,1", ["--timeframe", "2d"], "Choose one of 1m", id="no timeframe"),
        pytest.param("Date,Close\n2020-01-01,1", ["--report", "r.txt"], "must end in one of .csv, .json", id="report"),
        pytest.param("Date,Close\n2020-01-01,1", ["--finer", "prices.csv"], "must be shorter than 1d", id="no finer"),
        pytest.param("Date,Close\n2020-01-01,1", ["-o", "out.xlsx"], "must end in one of", id="output"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_bad_input_is_told_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, options: list[str], said: str, *, as_json: bool
) -> None:
    """Exit 2, one sentence, nothing written."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, text)
    output = [] if "-o" in options else ["-o", "out.csv"]
    result = run("prices.csv", *output, *options, *(["--json"] if as_json else []))

    assert 2 == result.exit_code
    assert said in (json.loads(result.stdout)["error"] if as_json else result.stderr.replace("\n", ""))
    assert ["prices.csv"] == [path.name for path in tmp_path.iterdir()]


def test_help_says_how(tmp_path: Path) -> None:
    """Of the group and of its first command; without an output nothing is done."""
    assert "truetape repair FILE -o FILE" in " ".join(run("--help").stdout.split())
    assert "--finer" in run("file", "--help").stdout
    assert 2 == run(stooq(tmp_path)).exit_code
