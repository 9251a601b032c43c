"""truetape import lean on folders that are broken, have grown, or hold more than days."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import truetape as tt
from lean_folder import WEEK, LeanFolder, closes, resolved, run
from truetape.app.lean_import import Order, import_lean
from truetape.domain.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> LeanFolder:
    """Two securities, one of them with a broken file of prices."""
    small = LeanFolder(tmp_path / "Data")
    small.map("good", "20240102,good,N", "20501231,good,N")
    small.factors("good", "20240102,0.5,1,1", "20240103,0.5,1,10", "20501231,1,1,0")
    small.daily("good", dict.fromkeys(WEEK, 10.0))
    small.map("bad", "20240102,bad,N", "20501231,bad,N")
    small.zip("daily/bad.zip", "bad.csv", "20240102 00:00,1,1,1,1,5\n20240103 00:00,1,x,1,1,5\n")
    small.map("torn", "yesterday,torn")
    return small


def test_broken_files_stop_nothing_and_are_named(folder: LeanFolder, tmp_path: Path) -> None:
    """With exit code 1, the file, its line and what stands there; mended, the next run takes them."""
    first = run("import", "lean", folder.root, "--into", tmp_path / "data", "--json")

    told = json.loads(first.stdout)
    assert 1 == first.exit_code
    assert ["bad", "map_files/torn.csv"] == sorted(told["broken"])
    assert "bad.zip, line 2: its high was 'x'" in told["broken"]["bad"]
    assert "line 1 was 'yesterday,torn'" in told["broken"]["map_files/torn.csv"]
    assert 9 == len(closes(tmp_path / "data", "GOOD"))

    folder.daily("bad", dict.fromkeys(WEEK, 3.0))
    folder.map("torn", "20240102,torn,N", "20501231,torn,N")
    second = run("import", "lean", folder.root, "--into", tmp_path / "data")

    assert (0, "") == (second.exit_code, second.stdout)
    assert "3 securities with 3 listings from 2024-01-02" in second.stderr
    assert [3.0] * 9 == closes(tmp_path / "data", "BAD")


def test_files_that_cannot_be_read_are_named_and_taken_later(folder: LeanFolder, tmp_path: Path) -> None:
    """Here one that is too large; the others are taken, and the next run reads what is there then."""
    (folder.base / "map_files" / "torn.csv").unlink()
    with (folder.base / "daily" / "bad.zip").open("wb") as file:
        file.truncate(65 << 20)
    target = ("import", "lean", folder.root, "--into", tmp_path / "data", "--json")

    first = json.loads(run(*target).stdout)
    folder.daily("bad", dict.fromkeys(WEEK, 3.0))
    second = json.loads(run(*target).stdout)

    assert {"bad": "HTTP 413: the files have more than 67108864 bytes"} == first["broken"]
    assert ({}, 1, 9) == (second["broken"], second["rounds"], second["bars"])
    assert 9 == len(closes(tmp_path / "data", "GOOD"))


def test_a_folder_that_has_grown_is_read_again(folder: LeanFolder, tmp_path: Path) -> None:
    """A rename and a dividend of later keep the instrument, and nothing is there twice."""
    symbols = ("--symbols", "good,new")
    run("import", "lean", folder.root, "--into", tmp_path / "data", "--symbols", "good")
    before = resolved(tmp_path / "data", "GOOD", "2024-01-02")["instrument_id"]
    (folder.base / "map_files" / "good.csv").unlink()
    (folder.base / "factor_files" / "good.csv").unlink()
    folder.map("new", "20240102,good,N", "20240109,good,N", "20501231,new,N")
    folder.factors("new", "20240102,0.4,1,1", "20240103,0.4,1,10", "20240109,0.8,1,10", "20501231,1,1,0")
    folder.daily("new", dict.fromkeys(WEEK, 10.0))

    done = run("import", "lean", folder.root, "--into", tmp_path / "data", *symbols, "--json")

    after = resolved(tmp_path / "data", "NEW", "2024-01-02")
    assert 0 == done.exit_code, done.stdout
    assert (before, "GOOD", "NEW") == (after["instrument_id"], after["ticker_then"], after["ticker_now"])
    assert [4, 4, 8, 8, 8, 8, 10, 10, 10] == closes(tmp_path / "data", "NEW", "all")
    assert (1, 0, 0, 1) == tuple(json.loads(done.stdout)[name] for name in ("rounds", "bars", "corrected", "actions"))


def test_a_ticker_that_is_given_up_and_taken_by_another(folder: LeanFolder, tmp_path: Path) -> None:
    """The first keeps its id, its days and its bars; from its first day on the ticker means the other."""
    symbols = ("--symbols", "good")
    run("import", "lean", folder.root, "--into", tmp_path / "data", *symbols)
    before = resolved(tmp_path / "data", "GOOD", "2024-01-02")["instrument_id"]
    folder.map("good.1", "20240102,good,N", "20240105,good,N")
    folder.map("good", "20240109,good,N", "20501231,good,N")
    folder.daily("good", {day: 10.0 if day < WEEK[5] else 70.0 for day in WEEK})

    done = run("import", "lean", folder.root, "--into", tmp_path / "data", *symbols, "--json")

    assert 0 == done.exit_code, done.stdout
    gone, now = (resolved(tmp_path / "data", "GOOD", day) for day in ("2024-01-05", "2024-01-09"))
    assert (before, "2024-01-05") == (gone["instrument_id"], gone["listed_until"])
    assert before != now["instrument_id"]
    assert [10.0] * 4 == closes(tmp_path / "data", "GOOD", end="2024-01-05")
    assert [70.0] * 4 == closes(tmp_path / "data", "GOOD")
    assert "listed then" in run("resolve", "GOOD", "--date", "2024-01-08", "--data", tmp_path / "data").stderr


def test_hours_and_minutes_are_imported_on_demand(folder: LeanFolder, tmp_path: Path) -> None:
    """Labelled with the instants at which they begin, in UTC."""
    folder.hours("good", ("20240105 09:00", 10.0), ("20240105 10:00", 11.0))
    folder.minutes("good", "20240105", (34_200_000, 10.0), (34_260_000, 10.5), (71_940_000, 11.0))  # 19:59

    done = run(
        *("import", "lean", folder.root, "--into", tmp_path / "data"),
        *("--symbols", "GOOD", "--timeframe", "1d,1h,1m", "--json"),
    )

    assert 0 == done.exit_code, done.stdout
    hours = tt.bars("GOOD", timeframe="1h", data=tmp_path / "data")
    minutes = tt.bars("GOOD", timeframe="1m", data=tmp_path / "data")
    assert [(14, 10.0), (15, 11.0)] == [(row["ts_event"].hour, row["close"]) for row in hours.iter_rows(named=True)]
    assert [(5, 14, 30), (5, 14, 31), (6, 0, 59)] == [(one.day, one.hour, one.minute) for one in minutes["ts_event"]]
    assert 9 == len(closes(tmp_path / "data", "GOOD"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--symbols", "good,nope"], "--symbols was 'NOPE'. No map file and no file of prices has this ticker"),
        (["--timeframe", "5m"], "--timeframe was '5m'. Choose of 1d, 1h, 1m."),
        (["--timeframe", ","], "--timeframe was ''"),
    ],
)
def test_bad_options_are_said(folder: LeanFolder, tmp_path: Path, options: list[str], said: str) -> None:
    """Before anything is written."""
    done = run("import", "lean", folder.root, "--into", tmp_path / "data", *options)

    assert 2 == done.exit_code
    assert said in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("name", "said"), [("none", "No such file"), ("empty", "It has none of the folders")])
def test_a_folder_that_is_none_of_leans_is_refused(tmp_path: Path, name: str, said: str) -> None:
    """With what is missing."""
    (tmp_path / "empty").mkdir()

    done = run("import", "lean", tmp_path / name, "--into", tmp_path / "data", "--json")

    assert 2 == done.exit_code
    assert said in json.loads(done.stdout)["error"]


async def test_a_data_folder_with_other_listings_of_a_ticker_is_left_alone(folder: LeanFolder, tmp_path: Path) -> None:
    """Two instruments cannot have one ticker at once, and who imports is told so."""
    await import_lean(Order(folder=folder.root, into=tmp_path / "data", symbols=("good",)))
    (folder.base / "map_files" / "good.csv").unlink()
    folder.map("good", "20230102,good,N", "20501231,good,N")

    with pytest.raises(BadInput, match=r"It cannot take these listings: .* Two instruments claim it at once"):
        await import_lean(Order(folder=folder.root, into=tmp_path / "data", symbols=("good",)))
