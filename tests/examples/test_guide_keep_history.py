"""The guide to cheap history: its settings are read, its commands run, and its query finds the rows."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from truetape.app.cli import app
from truetape.app.parts import embedded
from truetape.app.settings import load
from truetape.domain.kinds import INSTANT
from truetape.domain.schema import TABLES
from truetape.domain.time import day_start_ns

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "keep-history-cheaply.md"
REST = """
data = "data"
start = 2005-01-03
simulated = true
[[instruments]]
symbol = "AAPL"
mic = "XNAS"
[providers.yahoo]
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


async def fill(config: Path) -> None:
    """Ten bars of five years ago, one of them corrected."""
    year = datetime.now(UTC).year - 5
    columns = TABLES["bars"].columns
    bar = {name: {pl.String(): "x", pl.UInt32(): 1, pl.Boolean(): True}.get(dtype) for name, dtype in columns.items()}
    rows = [
        {**bar, "ts_event": day_start_ns(date(year, 3, day)), "ts_known": version, "version": version, "close": version}
        for day, version in [*((day, 1) for day in range(1, 11)), (4, 2)]
    ]
    plain = {name: pl.Int64() if dtype == INSTANT else dtype for name, dtype in columns.items()}
    parts = embedded(load(config, {}), command="test")
    frame = pl.DataFrame(rows, schema=plain, strict=False)
    await parts.store.commit({"bars": frame.with_columns(pl.col(name).cast(to) for name, to in columns.items())})
    await parts.close()


def test_the_guide_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands end well in the order of the text, and DuckDB finds the ten bars that stand."""
    monkeypatch.chdir(tmp_path)
    (settings,) = blocks("toml")
    Path("truetape.toml").write_text(REST + settings)
    asyncio.run(fill(Path("truetape.toml")))
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) == 7
    for command in commands:
        done = CliRunner().invoke(app, shlex.split(command)[1:], env={**os.environ, "USER": "anna"})
        assert (command, done.exit_code) == (command, 0), done.output
    (query,) = blocks("python")
    found: dict[str, pl.DataFrame] = {}
    exec(query, {}, found)
    assert sorted(found["standing"]["close"]) == [1.0] * 9 + [2.0]
