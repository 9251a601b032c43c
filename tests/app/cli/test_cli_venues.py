"""truetape venues on the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from room_doubles import rows
from truetape.adapters.data_folder import STORE, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cli import app
from truetape.app.cli.venues import MOST_ROWS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that knows a venue with very many markets."""
    folder = tmp_path_factory.mktemp("data")

    async def fill() -> None:
        store = DuckdbStore(folder / STORE)
        mics = ["XJPX", *(f"X{number:03d}" for number in range(100))]
        told = {"operating_mic": "XJPX", "level": ["operating", *["segment"] * 100], "name": "JAPAN", "country": "JP"}
        await store.commit({"venues": rows("venues", mic=mics, **told, status="active", ts_known=date(2024, 1, 1))})
        await store.close()

    DataFolder.open(folder, simulated=False, command="test").close()
    asyncio.run(fill())
    return folder


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["venues", *arguments, "--data", str(data)], env={"COLUMNS": "160"})


def test_markets_stand_under_their_venue(data: Path) -> None:
    """Indented, and not more than a screen can show."""
    shown = run(data).stdout

    cells = [line.split("│")[1] for line in shown.splitlines() if line.startswith("│")]
    assert [" XJPX   ", "   X000 "] == cells[:2]
    assert MOST_ROWS == len(cells)
    assert "101 venues; 41 of them only with --json\n" in shown


def test_programs_read_all_of_it(data: Path) -> None:
    """One venue by a part of its code."""
    (found,) = json.loads(run(data, "x077", "--json").stdout)

    assert ("X077", "XJPX", "segment") == (found["mic"], found["operating_mic"], found["level"])


def test_where_there_is_none_it_says_how_to_get_them(data: Path) -> None:
    """With the command that fetches the list."""
    assert "truetape reference fetch iso10383" in run(data, "--country", "fr").stdout
