"""A small data folder to back up, and jobs that die in the middle of a backup or a restore."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from truetape.adapters.data_folder import ARCHIVE, LEDGER, STORE, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.system_clock import SystemClock
from truetape.app.backups.catalogue import Manifest
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.restoring import Chosen, choose, restore
from truetape.app.backups.sealing import Opener
from truetape.domain.messages import RawCaptured
from truetape.domain.plans import Spending, Window
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS
from truetape.ports.objects import Objects, Stat

DAY = DAY_NS


def rows(table: str, *given: dict[str, Any]) -> pl.DataFrame:
    """Rows of `table`: what is not given is null, instants are nanoseconds."""
    columns = TABLES[table].columns
    whole = {name: [row.get(name) for row in given] for name in columns}
    plain = {name: pl.Int64() if isinstance(kind, pl.Datetime) else kind for name, kind in columns.items()}
    return pl.DataFrame(whole, schema=plain).cast(dict(columns))  # type: ignore[arg-type]


def bar(day: int, close: float, *, version: int = 1, known: int) -> dict[str, Any]:
    """A daily bar of day `day` after 1970."""
    about = {"instrument_id": "ins_a", "timeframe": "1d", "ts_event": day * DAY, "provider": "yahoo"}
    return {**about, "close": close, "version": version, "ts_known": known, "simulated": False}


def captured(key: str, *, known: int) -> RawCaptured:
    """A capture whose payload is `key`."""
    return RawCaptured(
        provider="yahoo", kind="bars", key=key, ts_known=known, round_id=f"r{known}", instrument_id="ins_a",
        symbol="A", timeframe="1d", start=date(2005, 2, 25), end=date(2005, 3, 1),
    )  # fmt: skip


class Tape:
    """A data folder into which a day after the other is written."""

    def __init__(self, folder: Path, *, seed: int = 0) -> None:
        self.folder = folder
        self._luck = random.Random(seed)
        self._lock = DataFolder.open(folder, simulated=False)
        self.store = DuckdbStore(folder / STORE)
        self.archive = FileArchive(folder / ARCHIVE)
        self.known: list[int] = []  # when each day became known

    async def day(self, *, known: int = 0, bars: int = 3, payload: int = 2_000) -> None:
        """Write a day: a payload, its entry, and bars, some of which correct or quarantine earlier ones."""
        number = len(self.known) + 1
        known = known or number * 100
        key = self.archive.put(self._luck.randbytes(payload))
        self.archive.record(captured(key, known=known))
        corrected = [
            bar(self._luck.randrange(20), self._luck.random(), version=number, known=known) for _ in range(bars)
        ]
        quarantined = {"instrument_id": "ins_a", "timeframe": "1d", "ts_event": number * DAY, "provider": "tiingo"}
        await self.store.commit(
            {
                "bars": rows("bars", *corrected, bar(100 + number, 1.0, known=known)),
                "quarantine": rows("quarantine", quarantined | {"round_id": f"r{number}", "ts_known": known}),
                "decisions": rows("decisions", {"decision_id": f"d{number}", "target": "x", "ts_known": known}),
            }
        )
        self.known.append(known)

    async def close(self) -> None:
        """Give the folder back."""
        await self.store.close()
        self.archive.close()
        self._lock.close()


async def tape(folder: Path, *, days: int, seed: int = 0) -> Tape:
    """Return a data folder with so many days, and a ledger, which is open."""
    made = Tape(folder, seed=seed)
    ledger = SqliteLedger(folder / LEDGER, clock=SystemClock())
    await ledger.reserve(Spending(provider="yahoo", account="a", calls=1, credits=1), (Window(limit=5, period="day"),))
    await ledger.close()
    for _ in range(days):
        await made.day()
    return made


async def restored(objects: Objects, into: Path, *, identities: tuple[str, ...] = (), **which: Any) -> Chosen:
    """Restore what `which` says, and return what was chosen."""
    chosen = await choose(objects, **which)
    await restore(chosen, into=into, opener=Opener(objects, identities))
    return chosen


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a data folder that a backup is of; not the ledger, whose copy has other bytes."""
    passing = {"lock", "backups", "incoming", "server.json", LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm"}
    found = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in names.items() if not passing & set(name.split("/"))}


def spent(folder: Path) -> list[str]:
    """What the ledger of a data folder holds, as SQL."""
    with contextlib.closing(sqlite3.connect(folder / LEDGER)) as connection:
        return list(connection.iterdump())


class Dying(FolderObjects):
    """A place at which this process is killed by the `last` call that puts or gets something."""

    def __init__(self, folder: Path, *, last: int, after: bool) -> None:
        super().__init__(folder)
        self._left = last
        self._after = after

    def _count(self, *, after: bool) -> None:
        if after == self._after:
            self._left -= 1
            if self._left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    async def put(self, key: str, body: bytes | Path, *, only_new: bool = False) -> bool:
        """Put it, or die before or after that."""
        self._count(after=False)
        is_new = await super().put(key, body, only_new=only_new)
        self._count(after=True)
        return is_new

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Get it, or die before or after that."""
        self._count(after=False)
        body = await super().get(key, start=start, length=length)
        self._count(after=True)
        return body

    async def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Yield what is there."""
        async for one in super().list(prefix):
            yield one


def back_up(folder: Path, place: Path, last: int, after: bool) -> None:
    """Make a backup, and die on the way."""

    async def work() -> Manifest:
        store = DuckdbStore(folder / STORE)
        return await create(Wish(folder=folder), store, Dying(place, last=last, after=after))

    asyncio.run(work())


def bring_back(place: Path, into: Path, at: int, last: int, after: bool) -> None:
    """Restore, and die on the way."""
    asyncio.run(restored(Dying(place, last=last, after=after), into, at=at or None))
