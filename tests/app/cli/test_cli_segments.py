"""truetape store segments: bars as they are read fastest, made, listed and verified."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import truetape as tt
from small_market import filled_folder
from truetape.app.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a few bars and no segments."""
    return asyncio.run(filled_folder(tmp_path / "data"))


def asked(*words: str, folder: Path) -> tuple[int, str]:
    """The exit code and what stands on standard output."""
    found = CliRunner().invoke(app, ["store", "segments", *words, "--data", str(folder)])
    return found.exit_code, found.stdout


def test_segments_are_made_listed_and_verified(folder: Path) -> None:
    """The bars of the store stand in segments afterwards, all of them are whole, and sessions answer as before."""
    with tt.open(folder) as session:
        before = session.bars("AAPL")
    assert "no segments yet" in asked("list", folder=folder)[1]
    code, text = asked("build", "--json", folder=folder)
    made = json.loads(text)["segments"]
    assert (code, sum(one["rows"] for one in made), {one["behind"] for one in made}) == (0, total(folder), {0})
    assert json.loads(asked("list", "--json", folder=folder)[1])["segments"] == made
    assert f"{total(folder):,} bars in" in asked("list", folder=folder)[1]
    told = CliRunner().invoke(app, ["status", "--data", str(folder)]).stdout
    assert f"segments: {total(folder):,} bars in " in told
    assert asked("verify", "--json", folder=folder) == (0, f'{{"segments":{len(made)},"damages":[]}}\n')
    with tt.open(folder) as session:
        assert_frame_equal(session.bars("AAPL"), before)


def test_what_is_not_as_it_was_written_is_told(folder: Path) -> None:
    """A byte more in one file: verify names it and ends with 1, and a session reads the store instead."""
    with tt.open(folder) as session:
        before = session.bars("AAPL")
    asked("build", folder=folder)
    torn = next((folder / "segments").rglob("rows.arrow"))
    torn.write_bytes(torn.read_bytes() + b"x")
    code, text = asked("verify", folder=folder)
    assert (code, "rows.arrow was changed after it was written." in text) == (1, True)
    assert "1 files not as they were written." in text.replace("\n", " ")
    with tt.open(folder) as session:
        assert_frame_equal(session.bars("AAPL"), before)


def test_a_folder_in_use_is_left_alone(folder: Path) -> None:
    """The process that writes makes the segments; a folder without a store has none."""
    with duckdb.connect(str(folder / "truetape.duckdb")):
        script = "from truetape.app.cli import main; main()"
        words = [sys.executable, "-c", script, "store", "segments", "build", "--data", str(folder)]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (told.returncode, "FolderInUse" in told.stderr) == (2, True)
    assert asked("list", folder=folder.parent / "elsewhere")[0] == 2


def total(folder: Path) -> int:
    """The bars of the store."""
    with duckdb.connect(str(folder / "truetape.duckdb"), read_only=True) as connection:
        rows: pl.DataFrame = connection.sql("select count(*) as n from bars").pl()
    return int(rows["n"][0])
