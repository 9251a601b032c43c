"""truetape get --plan: where bars come from."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from typer.testing import CliRunner

import truetape as tt
from small_market import filled_folder, serving
from truetape.app.cli import app


def asked(*words: str) -> str:
    found = CliRunner().invoke(app, ["get", "AAPL", "--plan", *words])
    assert 0 == found.exit_code, found.output
    return found.stdout


def test_people_and_programs_are_told(tmp_path: Path) -> None:
    """In a table with hints, in JSON, and by the library; the same from a server, but for the time it took."""
    folder = asyncio.run(filled_folder(tmp_path / "data"))
    text = asked("--data", str(folder))
    found = json.loads(asked("--data", str(folder), "--json", "--start", "2005-03-01"))
    with serving(folder) as address:
        remote = json.loads(asked("--url", address, "--json", "--start", "2005-03-01"))
        with tt.open(address) as session:
            assert 6 == session.plan("AAPL").rows

    assert "6 rows in " in text
    assert "6 bars came from the store, because there are no segments of 1d bars" in " ".join(text.split())
    assert (3, True) == (found["rows"], found["is_whole"])
    assert [3] == [one["rows"] for one in found["sources"] if one["table"] == "bars"]
    assert (found["rows"], found["store_version"]) == (remote["rows"], remote["store_version"])
