"""truetape import lean on files that are short, odd, empty or broken, and on classes that take each other's tickers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import truetape as tt
from lean_folder import WEEK, LeanFolder, closes, run

OPEN = "20501231"
RISING = {day: 100.0 + number for number, day in enumerate(WEEK)}  # the fourth is Friday the 5th
FACTOR_FILES = {
    "bare": ["20501231,1,1,0"],
    "blank": [""],
    "same": ["20240102,1,1,0", "20240104,1,1,0", "20501231,1,1,0"],
    "first": ["20240102,0.5,1,1", "20501231,1,1,0"],
    "later": ["20240102,0.5,1,1", "20240105,0.5,1,103", "21001231,1,1,0"],
    "endless": ["20240105,0.5,1,103"],
    "weekend": ["20240105,0.5,1,103", "20240106,0.5,1,103", "20240107,0.8,0.5,103", "20501231,1,1,0"],
    "shuffled": ["20501231,1,1,0", "20240105,0.5,1,103", "20240102,0.5,1,1", "20240105,0.1,1,103"],
}


def write(folder: LeanFolder) -> None:
    """Write a security for each factor file, map files of one line, classes, and what cannot be read."""
    for name, rows in FACTOR_FILES.items():
        folder.map(name, f"20240102,{name},N", f"{OPEN},{name},N")
        folder.factors(name, *rows)
        folder.daily(name, RISING)
    folder.map("ever", f"{OPEN},ever,N")
    folder.map("until", "20240105,until,N")
    folder.map("ab", "20240102,a,Q", "20240104,a,Q", f"{OPEN},ab,Q")  # class A was the only one
    folder.map("a", "20240103,aw,Q", "20240104,aw,Q", f"{OPEN},a,Q")  # class C, when issued, takes its ticker
    folder.map("av", "20240103,av,Q", "20240104,av,Q")
    for ticker, step in (("ever", 0), ("until", 0), ("a", 0), ("ab", 1), ("aw", 2), ("av", 3)):
        folder.daily(ticker, {day: close + 1000 * step for day, close in RISING.items()})
    for name in ("notzip", "zero", "nofactors"):
        folder.map(name, f"20240102,{name},N", f"{OPEN},{name},N")
    (folder.base / "daily" / "notzip.zip").write_bytes(b"hello")
    (folder.base / "daily" / "zero.zip").write_bytes(b"")
    folder.daily("nofactors", RISING)
    folder.factors("nofactors", "date,price,split,reference")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[tt.Session, dict[str, Any]]]:
    """What was imported, and what was said."""
    place = tmp_path_factory.mktemp("odd")
    write(LeanFolder(place / "Data"))
    done = run("import", "lean", place / "Data", "--into", place / "data", "--json")
    assert 1 == done.exit_code, done.stdout
    with tt.open(place / "data") as session:
        yield session, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("symbol", "adjustment", "until_friday", "later"),
    [
        ("BARE", "all", 1, 1),
        ("BLANK", "all", 1, 1),
        ("SAME", "all", 1, 1),
        ("LATER", "all", 0.5, 1),
        ("ENDLESS", "all", 0.5, 1),
        ("WEEKEND", "all", 0.5, 1),
        ("WEEKEND", "split", 1, 1),
        ("SHUFFLED", "all", 0.5, 1),
    ],
)
def test_factor_files_of_odd_lines(
    made: tuple[tt.Session, dict[str, Any]], symbol: str, adjustment: str, until_friday: float, later: float
) -> None:
    """Of each day the first line counts that is not before it, as LEAN reads them; the first of equal dates."""
    expected = [close * (until_friday if day <= WEEK[3] else later) for day, close in RISING.items()]

    assert expected == closes(made[0], symbol, adjustment)


def test_a_step_after_the_first_day_of_all(made: tuple[tt.Session, dict[str, Any]]) -> None:
    """A file whose first line is a step already halves the first day alone."""
    assert [50, *list(RISING.values())[1:]] == closes(made[0], "FIRST", "all")


@pytest.mark.parametrize(("symbol", "count"), [("EVER", 9), ("UNTIL", 4)])
def test_a_map_file_of_one_line_says_until_when(
    made: tuple[tt.Session, dict[str, Any]], symbol: str, count: int
) -> None:
    """Since when the ticker was borne, nothing says."""
    assert list(RISING.values())[:count] == closes(made[0], symbol)


@pytest.mark.parametrize(
    ("symbol", "day", "now", "close"),
    [
        ("A", "2024-01-04", "AB", 102.0),
        ("AB", "2024-01-04", "AB", 102.0),
        ("AW", "2024-01-04", "A", 2102.0),
        ("AV", "2024-01-04", "AV", 3102.0),
        ("A", "2024-01-05", "A", 103.0),
        ("AB", "2024-01-05", "AB", 1103.0),
        ("AW", "2024-01-05", "A", 103.0),
    ],
)
def test_a_class_that_takes_the_ticker_of_another(
    made: tuple[tt.Session, dict[str, Any]], symbol: str, day: str, now: str, close: float
) -> None:
    """On each day a ticker means who had it then; in a longer range, who has it in the end."""
    session = made[0]

    assert now == session.resolve(symbol, on=day).ticker_now
    assert [close] == closes(session, symbol, start=day, end=day)
    assert [2101.0, 2102.0, 103.0, 104.0, 105.0, 106.0, 107.0, 108.0] == closes(session, "A", start="2024-01-02")


def test_what_cannot_be_read_is_named(made: tuple[tt.Session, dict[str, Any]]) -> None:
    """By the names of its files, with what was found; all others are there."""
    broken = made[1]["broken"]

    assert ["nofactors", "notzip", "zero"] == sorted(broken)
    assert "notzip.zip: it had 1 columns, not six" in broken["notzip"]
    assert "zero.zip: it has no bytes" in broken["zero"]
    assert "factor_files/nofactors.csv: line 1 was 'date,price,split,reference'" in broken["nofactors"]
