"""`truetape late` on a folder of one listing and one session that ended two days ago."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from room_doubles import rows
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cli.commands import app


def answer(*words: str, code: int) -> str:
    done = CliRunner().invoke(app, ["late", *words], env={"COLUMNS": "120"})
    assert code == done.exit_code, done.output
    return done.output


SETTINGS = """
start = 2024-06-03
[[instruments]]
symbol = "AAA"
mic = "XNAS"
[providers.yahoo]
"""


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 2, "Write what is due when"),
        ('[quality.freshness]\n"1d" = "2h after close"', 1, "AAA 1d of "),
        ('[quality.freshness]\n"1d" = "3000d after close"', 0, "Nothing is late."),
        ('[quality.freshness]\n"1d" = "soon"', 2, "quality.freshness.1d was 'soon'"),
    ],
)
def test_what_is_late_is_told(tmp_path: Path, text: str, code: int, words: str) -> None:
    """By the objectives of the settings; something late leaves with 1, so that a script can ask."""
    asyncio.run(recent_session(tmp_path / "data"))
    config = tmp_path / "truetape.toml"
    config.write_text(SETTINGS + text, encoding="utf-8")

    assert words in answer("--config", str(config), code=code)


def test_what_is_late_is_told_in_json(tmp_path: Path) -> None:
    """With the seconds since it was due."""
    asyncio.run(recent_session(tmp_path / "data"))
    config = tmp_path / "truetape.toml"
    config.write_text(SETTINGS + '[quality.freshness]\n"1d" = "2h after close"', encoding="utf-8")
    (one,) = json.loads(answer("--config", str(config), "--json", code=1))

    assert ("AAA", "1d", 1, True) == (
        one["symbol"],
        one["kind"],
        one["sessions"],
        46 * 3600 <= one["late_s"] < 47 * 3600,
    )


async def recent_session(path: Path) -> None:
    """Add a session that ended two days ago, of which there is no bar."""
    close = datetime.now(UTC) - timedelta(days=2)
    given = {"mic": "XNAS", "session": [close.date()], "open": [close - timedelta(hours=6)], "close": [close]}
    folder = DataFolder.open(path, simulated=False, command="test")
    store = DuckdbStore(folder.store)
    listed = {"symbol": "AAA", "mic": "XNAS", "valid_from": None, "valid_to": None}
    listings = rows("listings", instrument_id="ins_a", **listed, ts_known=[close])
    await store.commit({"sessions": rows("sessions", **given, ts_known=[close]), "listings": listings})
    await store.close()
    folder.close()
