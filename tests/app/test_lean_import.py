"""truetape import lean, resolve and get over a folder that has securities of every shape."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import truetape as tt
from lean_folder import WEEK, LeanFolder, closes, resolved, run
from truetape.domain.messages import DeclaredListing
from truetape.domain.naming import resolve
from truetape.services.reference.master import identify

PAST, LATER = WEEK[:4], WEEK[4:]  # until Friday the 5th, from Monday the 8th


def shapes(folder: LeanFolder) -> None:
    """Write a spin-off, mergers, class changes, a reverse split, a bankruptcy, re-used tickers, and missing files."""
    rising = {day: 100.0 + number for number, day in enumerate(WEEK)}
    folder.map("spin", "20240102,spin,N", "20501231,spin,N")  # a fifth of 103 is spun off on the 8th
    folder.factors("spin", "20240102,0.8,1,1", "20240105,0.8,1,103", "20501231,1,1,0")
    folder.daily("spin", rising)
    folder.map("reverse", "20240102,reverse,Q", "20501231,reverse,Q")  # one for ten on the 8th, 3 of 40 on the 10th
    folder.factors("reverse", "20240102,0.925,10,1", "20240105,0.925,10,4", "20240109,0.925,1,40", "20501231,1,1,0")
    folder.daily("reverse", dict.fromkeys(PAST, 4.0) | dict.fromkeys(LATER, 40.0))
    folder.map("broke.1", "20240102,broke,N", "20240104,broke,N", "20240105,brokq")  # bankrupt, then its ticker again
    folder.daily("broke", dict.fromkeys(WEEK[:3], 2.0) | dict.fromkeys(LATER, 30.0))
    folder.daily("brokq", dict.fromkeys([PAST[-1]], 0.05))
    folder.map("broke.2", "20240108,broke,Q", "20240109,broke,Q")  # bought after two days
    folder.map("broke", "20240110,broke,A", "20501231,broke,A")
    folder.map("both", "20240102,one,Q", "20240104,two,Q", "20240108,one,Q", "20501231,both,N")  # many lines
    for number, ticker in enumerate(("one", "two", "both"), start=1):
        folder.daily(ticker, dict.fromkeys(WEEK, 10.0 * number))
    folder.map("late", "20240108,late,Q", "20501231,late,Q")  # bars of another security stand before
    folder.factors("late", "20240108,1,1,1", "20501231,1,1,0")
    folder.daily("late", dict.fromkeys(WEEK, 7.0))
    folder.factors("bare", "20240103,0.5,1,20", "20501231,1,1,0")  # no map file
    folder.daily("bare", dict.fromkeys(WEEK, 20.0))
    folder.map("unwritten", "20240102,unwritten,N", "20501231,unwritten,N")
    folder.factors("unwritten", "20240103,1,inf,1", "20240105,0.5,1,10", "20501231,1,1,0")
    folder.daily("unwritten", dict.fromkeys(WEEK, 10.0))
    folder.map("nothing", "20240102,nothing,N", "20501231,nothing,N")  # no bars
    folder.map("twin", "20240108,late,Q", "20501231,late,Q")  # says what late says


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    """The folder, a data folder that it was imported into, and what was said."""
    place = tmp_path_factory.mktemp("lean")
    shapes(LeanFolder(place / "Data"))
    done = run("import", "lean", place / "Data", "--into", place / "data", "--json")
    assert 0 == done.exit_code, done.stdout
    return place / "Data", place / "data", json.loads(done.stdout)


@pytest.fixture(scope="module")
def session(made: tuple[Path, Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tt.Session]:
    """A copy of the data folder, open for reading."""
    copy = tmp_path_factory.mktemp("read") / "data"
    shutil.copytree(made[1], copy)
    with tt.open(copy) as opened:
        yield opened


def test_what_was_imported_is_said(made: tuple[Path, Path, dict[str, Any]]) -> None:
    """Securities, listings and bars; no file was broken, and what a user should know is noted."""
    told = made[2]

    assert (10, 14) == (told["securities"], told["listings"])
    assert 10 == told["rounds"]
    assert 9 + 9 + 4 + 2 + 3 + 9 + 5 + 9 + 9 == told["bars"]
    assert 1 + 2 + 1 + 1 == told["actions"]
    assert "2024-01-02" == told["start"]
    assert {} == told["broken"]
    assert [
        "twin: other securities have its tickers on all its days; it was left out",
        "factor_files/unwritten.csv: LEAN could not write the factors of line 1; they were skipped",
        "daily/both.zip: bars from 2024-01-02 until 2024-01-09 were left out: no map file has the ticker then",
        "daily/late.zip: bars from 2024-01-02 until 2024-01-08 were left out: no map file has the ticker then",
        "daily/two.zip: bars from 2024-01-02 until 2024-01-03 were left out: no map file has the ticker then",
    ] == told["notes"]


@pytest.mark.parametrize(
    ("symbol", "adjustment", "expected"),
    [
        ("SPIN", "raw", [100, 101, 102, 103, 104, 105, 106, 107, 108]),
        ("SPIN", "split", [100, 101, 102, 103, 104, 105, 106, 107, 108]),
        ("SPIN", "all", [80, 80.8, 81.6, 82.4, 104, 105, 106, 107, 108]),
        ("REVERSE", "raw", [4, 4, 4, 4, 40, 40, 40, 40, 40]),
        ("REVERSE", "split", [40, 40, 40, 40, 40, 40, 40, 40, 40]),
        ("REVERSE", "all", [37, 37, 37, 37, 37, 37, 40, 40, 40]),
        ("BROKQ", "raw", [2, 2, 2, 0.05]),
        ("BROKE", "raw", [30, 30, 30]),
        ("BOTH", "raw", [10, 20, 20, 10, 10, 30, 30, 30, 30]),
        ("LATE", "all", [7, 7, 7, 7, 7]),
        ("BARE", "all", [10, 10, 20, 20, 20, 20, 20, 20, 20]),
        ("UNWRITTEN", "all", [5, 5, 5, 5, 10, 10, 10, 10, 10]),
        ("NOTHING", "raw", []),
    ],
)
def test_each_series_is_leans_own(session: tt.Session, symbol: str, adjustment: str, expected: list[float]) -> None:
    """Price x price factor x split factor, over renames, and without days of others."""
    assert expected == closes(session, symbol, adjustment)


@pytest.mark.parametrize(
    ("symbol", "start", "end", "expected"),
    [
        ("BROKE", "2024-01-02", "2024-01-05", [2, 2, 2, 0.05]),
        ("BROKE", "2024-01-08", "2024-01-09", [30, 30]),
        ("BROKE", "2024-01-10", "2024-01-12", [30, 30, 30]),
        ("ONE", "2024-01-02", "2024-01-03", [10, 20]),
        ("TWO", "2024-01-10", "2024-01-12", [30, 30, 30]),
    ],
)
def test_a_ticker_of_any_time_finds_the_series(
    session: tt.Session, symbol: str, start: str, end: str, expected: list[float]
) -> None:
    """Who had it in the range is meant, or else who ever had it; re-used tickers stay apart."""
    assert expected == closes(session, symbol, start=start, end=end)


@pytest.mark.parametrize(
    ("ticker", "day", "then", "now", "mic", "until"),
    [
        ("BROKE", "2024-01-02", "BROKE", "BROKQ", "XNYS", "2024-01-05"),
        ("BROKE", "2024-01-04", "BROKE", "BROKQ", "XNYS", "2024-01-05"),
        ("BROKE", "2024-01-05", "BROKQ", "BROKQ", "XXXX", "2024-01-05"),
        ("BROKQ", "2024-01-05", "BROKQ", "BROKQ", "XXXX", "2024-01-05"),
        ("BROKE", "2024-01-08", "BROKE", "BROKE", "XNAS", "2024-01-09"),
        ("BROKE", "2024-01-09", "BROKE", "BROKE", "XNAS", "2024-01-09"),
        ("BROKE", "2024-01-10", "BROKE", "BROKE", "XASE", None),
        ("ONE", "2024-01-02", "ONE", "BOTH", "XNAS", None),
        ("ONE", "2024-01-03", "TWO", "BOTH", "XNAS", None),
        ("ONE", "2024-01-05", "ONE", "BOTH", "XNAS", None),
        ("TWO", "2024-01-04", "TWO", "BOTH", "XNAS", None),
        ("BOTH", "2024-01-08", "ONE", "BOTH", "XNAS", None),
        ("BOTH", "2024-01-09", "BOTH", "BOTH", "XNYS", None),
        ("LATE", "2024-01-08", "LATE", "LATE", "XNAS", None),
        ("BARE", "1999-01-04", "BARE", "BARE", "XXXX", None),
    ],
)
def test_every_boundary_is_resolved(
    session: tt.Session, ticker: str, day: str, then: str, now: str, mic: str, until: str | None
) -> None:
    """Ticker then, ticker now, venue, and until when it was listed; the same instrument by its id."""
    listings, on = session.instruments(), date.fromisoformat(day)

    found = resolve(listings, ticker, on=on)

    listed_until = date.fromisoformat(until) if until else None
    assert (then, now, mic, listed_until) == (
        found.ticker_then,
        found.ticker_now,
        found.mic_then,
        found.listed_until,
    )
    assert found.instrument_id == resolve(listings, found.instrument_id, on=on).instrument_id


@pytest.mark.parametrize("on", ["2024-01-03", date(2024, 1, 3), datetime(2024, 1, 3, 15, tzinfo=UTC)])
def test_the_library_resolves_too(session: tt.Session, on: Any) -> None:
    """A day as text, as a date or out of a datetime; without one the last that there was."""
    assert ("TWO", "BOTH") == (session.resolve("one", on=on).ticker_then, session.resolve("one", on=on).ticker_now)
    assert date(2024, 1, 5) == session.resolve("BROKQ").date


def test_reused_tickers_are_three_instruments(made: tuple[Path, Path, dict[str, Any]]) -> None:
    """Each with the id of its first listing, which never changes."""
    days = ("2024-01-02", "2024-01-08", "2024-01-10")
    ids = [resolved(made[1], "BROKE", day)["instrument_id"] for day in days]

    expected = [
        identify(DeclaredListing(symbol="BROKE", mic=mic, valid_from=date.fromisoformat(day)))
        for mic, day in zip(("XNYS", "XNAS", "XASE"), days, strict=True)
    ]
    assert expected == ids


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["BROKQ", "--date", "2024-01-08"], "Nothing that had this ticker was listed then."),
        (["NOPE"], "No listing has this ticker."),
        (["LATE", "--mic", "XNYS"], "those that are known are on XNAS"),
        (["LATE", "--date", "then"], "--date was 'then'"),
    ],
)
def test_what_cannot_be_resolved_is_said(
    made: tuple[Path, Path, dict[str, Any]], arguments: list[str], said: str
) -> None:
    """In a sentence and as JSON, with exit code 2."""
    spoken = run("resolve", *arguments, "--data", made[1])
    as_json = run("resolve", *arguments, "--data", made[1], "--json")

    assert (2, 2, "") == (spoken.exit_code, as_json.exit_code, spoken.stdout)
    assert said in spoken.stderr
    assert said in json.loads(as_json.stdout)["error"]


def test_a_person_is_told_in_lines(made: tuple[Path, Path, dict[str, Any]]) -> None:
    """Without a date today is meant, or the last day of what is gone."""
    lines = run("resolve", "TWO", "--date", "2024-01-10", "--data", made[1]).stdout.splitlines()
    gone = run("resolve", "BROKQ", "--data", made[1]).stdout.splitlines()

    assert "TWO on 2024-01-10 (by a ticker that it had at another time; then it was BOTH)" == lines[0]
    assert "  ticker now   BOTH on XNYS" in lines
    assert "  called       TWO on XNAS from 2024-01-03 to 2024-01-04" in lines
    assert "BROKQ on 2024-01-05" == gone[0]
    assert "  listed       from 2024-01-02, until 2024-01-05" in gone


def counts(data: Path) -> dict[str, int]:
    """How many rows each table has, past ones included."""
    import duckdb

    path = next(data.rglob("*.duckdb"))
    with duckdb.connect(path, read_only=True) as store:
        names = [row[0] for row in store.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: store.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0] for name in names}


def test_a_second_run_changes_nothing(made: tuple[Path, Path, dict[str, Any]], tmp_path: Path) -> None:
    """Nothing is read again, and no table has another row."""
    shutil.copytree(made[1], tmp_path / "data")
    before = counts(tmp_path / "data")

    again = run("import", "lean", made[0], "--into", tmp_path / "data", "--json")

    assert (0, 0) == (again.exit_code, json.loads(again.stdout)["rounds"])
    assert before == counts(tmp_path / "data")


def test_the_import_is_replayed_from_its_archive(made: tuple[Path, Path, dict[str, Any]], tmp_path: Path) -> None:
    """The folder is not needed any more: bars, actions, factors and listings come out as they were."""
    done = run("replay", "--data", made[1], "--into", tmp_path / "again")

    assert 0 == done.exit_code, done.stderr
    for symbol in ("SPIN", "REVERSE", "BROKQ", "BOTH"):
        assert closes(made[1], symbol, "all") == closes(tmp_path / "again", symbol, "all")
    assert tt.instruments(data=made[1]).equals(tt.instruments(data=tmp_path / "again"))
