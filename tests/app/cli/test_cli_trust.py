"""`truetape trust` on a folder whose votes are counted by hand."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from room_doubles import rows
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cli.commands import app

DAY = date(2024, 6, 3)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two rounds of alpha, one of bravo; alpha's weight is settled, charlie's fixed, delta's no longer."""
    asyncio.run(fill(tmp_path / "data"))
    return tmp_path / "data"


async def fill(path: Path) -> None:
    folder = DataFolder.open(path, simulated=False, command="test")
    store = DuckdbStore(folder.store)
    about = {"kind": "bars", "venue": "XNAS", "session": [DAY], "ts_known": [DAY]}
    for name, number, agreed, dissented in (("alpha", 1, 20.0, 5.0), ("alpha", 2, 25.0, 0.0), ("bravo", 1, 5.0, 0.0)):
        vote = rows("votes", round_id=f"rnd_{number}", provider=name, agreed=agreed, dissented=dissented, **about)
        await store.commit({"votes": vote})
    settled = {"agreed": 45.0, "dissented": 5.0, "rounds": 2, "since": [DAY], "ts_known": [DAY], "version": 1}
    learnt = rows("trust", provider="alpha", kind="bars", venue="XNAS", weight=0.9737, fixed=False, **settled)
    fixed = [
        rows("trust", provider=name, kind="", venue="", weight=weight, fixed=True, **settled)
        for name, weight in (("charlie", 2.0), ("delta", None))
    ]
    for row in (learnt, *fixed):
        await store.commit({"trust": row})
    await store.close()
    folder.close()


def answer(*words: str) -> str:
    done = CliRunner().invoke(app, ["trust", *words], env={"COLUMNS": "120"})
    assert 0 == done.exit_code, done.output
    return done.output


def test_weights_stand_beside_their_votes(data: Path) -> None:
    """Who was heard once only has the weight 1; who is fixed has it everywhere; who is set free is not shown."""
    lines = [line.split() for line in answer("--data", str(data)).splitlines() if line.strip()]

    assert [
        ["alpha", "bars", "XNAS", "0.9737", "2024-06-03", "90.00%", "45", "5", "2"],
        ["bravo", "bars", "XNAS", "1", "not", "yet", "100.00%", "5", "0", "1"],
        ["charlie", "all", "all", "2", "fixed", "2024-06-03", "0", "0", "0"],
    ] == lines[2:]


def test_json_has_every_number(data: Path) -> None:
    """Also when the last vote was cast."""
    told = json.loads(answer("--data", str(data), "--json"))

    assert ["alpha", "bravo", "charlie"] == [one["provider"] for one in told]
    assert {
        "provider": "alpha",
        "kind": "bars",
        "venue": "XNAS",
        "weight": 0.9737,
        "fixed": False,
        "since": "2024-06-03T00:00:00Z",
        "right": 0.9,
        "agreed": 45.0,
        "dissented": 5.0,
        "rounds": 2,
        "last_vote": "2024-06-03T00:00:00Z",
    } == told[0]


def test_without_votes_it_says_so(tmp_path: Path) -> None:
    """A new folder has learnt nothing."""
    folder = DataFolder.open(tmp_path / "data", simulated=False, command="test")
    asyncio.run(DuckdbStore(folder.store).close())
    folder.close()

    assert "No votes were cast yet" in answer("--data", str(tmp_path / "data"))
