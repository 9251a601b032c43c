"""A data folder with claims that were kept out, and how decisions about them are made and looked at.

Of BBB, yahoo was a hundred times off on two days, and finnhub stood still for the last five.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import msgspec
import polars as pl

from small_platform import declared_settings, tape
from truetape.adapters.data_folder import STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app import library
from truetape.app.desk import settings_of
from truetape.app.run import Platform
from truetape.app.sandbox import Fault, Sandbox
from truetape.app.sandbox.dataset import read
from truetape.domain.schema import TABLES
from truetape.ports.store import Selection
from truetape.services.api.ruling import Ruling

FAULTS = (
    Fault(provider="yahoo", kind="hundredfold", symbol="BBB", rows=2),
    Fault(provider="finnhub", kind="stale", symbol="BBB", sessions=5),
)
_MADE: list[Path] = []  # by this process
COUNTED = "quality_daily"  # keeps counts of what was found in between, too
SETTLED = "index_levels"


def acquired(folder: Path) -> Path:
    """Make the data folder in `folder`, by a whole run of the platform where none was made before; return its path."""
    made = next((one for one in _MADE if one.exists()), None)
    if made is not None:
        return Path(shutil.copytree(made, folder / "data"))

    async def acquire() -> None:
        sandbox = Sandbox(read(tape(folder)), FAULTS)
        settings = declared_settings(folder / "data", sandbox_url=await sandbox.start())
        try:
            async with Platform(settings, command="test") as platform:
                await platform.recover()
                await platform.declare()
                await platform.acquire()
        finally:
            await sandbox.stop()

    asyncio.run(acquire())
    shutil.copytree(folder / "data", folder / "kept")
    _MADE.append(folder / "kept")
    return folder / "data"


async def table(data: Path, name: str, *, history: bool = False) -> pl.DataFrame:
    store = DuckdbStore(data / STORE, read_only=True)
    try:
        return await store.read(name, Selection(history=history))
    finally:
        await store.close()


async def contents(data: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, every version included; of what is settled once for many changes the values alone."""
    store = DuckdbStore(data / STORE, read_only=True)
    try:
        found = {}
        for name, one in TABLES.items():
            if name == COUNTED:
                continue
            history = one.versioned and name != SETTLED
            columns = tuple(column for column in one.columns if history or column not in {"version", "ts_known"})
            rows = await store.read(name, Selection(history=history, columns=columns))
            found[name] = sorted(rows.rows(), key=repr)
        return found
    finally:
        await store.close()


def listed(data: Path, *, reason: str) -> list[str]:
    """The ids of the claims that were kept out for `reason`, by date."""
    with library.open(data) as session:
        rows = session.quarantine(reason=reason).sort("ts_event")
    return list(rows["id"])


def ruling(action: str, **given: object) -> Ruling:
    return msgspec.convert({"action": action, "why": f"to {action}", "actor": "ann", **given}, Ruling)


async def decided(data: Path, *rulings: tuple[str, Ruling]) -> None:
    """Make the rulings, one after the other, by one process."""
    async with Platform(settings_of(data), command="test") as platform:
        await platform.recover()
        await platform.parts.bus.drain()
        for target, one in rulings:
            await platform.decide(target, one)
            await platform.parts.bus.drain()
        await platform.settle()


async def changed(data: Path, *rulings: tuple[str, Ruling]) -> pl.DataFrame:
    """Make the rulings, and return the golden rows that differ from before."""
    before = await table(data, "bars")
    await decided(data, *rulings)
    after = await table(data, "bars")
    values = [name for name in after.columns if name not in {"version", "ts_known"}]
    assert len(before) == len(after)
    return after.join(before, on=values, how="anti", nulls_equal=True)
