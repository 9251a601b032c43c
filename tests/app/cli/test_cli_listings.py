"""`truetape listings diff` on two small lists, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from truetape.app.cli.commands import app

HEAD = "symbol,name,exchange,assetType,ipoDate,delistingDate,status\n"
KEPT = "".join(f"K{number:03},Keeper {number},NYSE,Stock,2001-02-03,null,Active\n" for number in range(30))
GONE = "FB,Facebook Inc,NASDAQ,Stock,2000-05-18,null,Active\nGONE,Gone Inc,NYSE,Stock,2000-01-01,null,Active\n"
OLD = HEAD + GONE + KEPT
NEW = f"{HEAD}META,Meta Inc,NASDAQ,Stock,2000-05-18,null,Active\n{KEPT}" + "".join(
    f"N{number:02},New {number},NYSE,Stock,2022-02-03,null,Active\n" for number in range(12)
)


@pytest.fixture
def lists(tmp_path: Path) -> tuple[str, str]:
    for name, text in (("old.csv", OLD), ("new.csv", NEW)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / "old.csv"), str(tmp_path / "new.csv")


def diff(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["listings", "diff", *words], env={"COLUMNS": "140"})
    assert code == done.exit_code, done.output
    return done.stdout


def test_people_read_tables(lists: tuple[str, str]) -> None:
    """Each kind has its number and its first ten, with how sure each is and why."""
    shown = diff(*lists)

    assert "old: 32 rows of alpha_vantage in " in shown
    assert "listing: 12" in shown
    assert "2 more: --json or -o FILE tells all" in shown
    assert "FB > META" in shown
    assert "GONE" in shown
    assert "listing:" not in diff(*lists, "--kind", "rename")
    assert "Nothing changed." in diff(lists[0], lists[0])


def test_programs_read_json(lists: tuple[str, str], tmp_path: Path) -> None:
    """Counts, events and what was held back; a file holds all events."""
    told: dict[str, Any] = json.loads(diff(*lists, "--json", "--kind", "rename", "-o", str(tmp_path / "e.csv")))

    assert {"listing": 12, "delisting": 1, "rename": 1} == told["counts"]
    assert [("FB", "META", 0.7)] == [(one["old_symbol"], one["symbol"], one["confidence"]) for one in told["events"]]
    assert {"file": lists[0], "source": "alpha_vantage", "rows": 32, "whole": True} == told["old"]
    assert [] == told["held_back"]
    assert 14 == len(pl.read_csv(tmp_path / "e.csv"))
    assert (
        "14 events written"
        in CliRunner().invoke(app, ["listings", "diff", *lists, "-o", str(tmp_path / "e.json")]).stderr
    )
    assert 14 == len(json.loads((tmp_path / "e.json").read_text(encoding="utf-8")))


def test_what_was_held_back_is_told(lists: tuple[str, str], tmp_path: Path) -> None:
    """A list that ends early says so, and tells no delisting."""
    cut = tmp_path / "cut.csv"
    cut.write_text("".join(OLD.splitlines(keepends=True)[:15]), encoding="utf-8")

    shown = diff(lists[0], str(cut))
    assert "Nothing changed." in shown
    assert "Held back 18 events (mass disappearance): 18 of 32 tickers are missing" in shown
    told = json.loads(diff(lists[0], str(cut), "--json", "--most-gone", "0.9"))
    assert [("cut_short", 18)] == [(one["reason"], one["events"]) for one in told["held_back"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kind", "wedding"), "Choose one of listing, delisting, rename"),
        (("--source", "nobody"), "Choose one of sec, nasdaq_trader"),
        (("-o", "x.doc"), "End the name with one of .csv, .parquet, .json."),
    ],
)
def test_what_is_wrong_is_told(lists: tuple[str, str], words: tuple[str, ...], said: str) -> None:
    """In a sentence, with exit code 2."""
    assert said in json.loads(diff(*lists, *words, "--json", code=2))["error"]
