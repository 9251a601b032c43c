"""What a process does until it is killed: seeded steps, each acknowledged, and what must be there after so many.

Add a workload of your own to `workloads`: steps are numbered from 1 over all lives of the folder, each does the same
whenever it is done again, and `found` after a kill must be `expected` after as many steps as were acknowledged, or
after one more.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol, Self

import polars as pl

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.folder_objects import FolderObjects
from truetape.adapters.read_segments import SegmentedStore
from truetape.adapters.read_segments.building import Builder, Load
from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.tiered_store import ColdFiles, ColdTiers, TieredStore
from truetape.app.segments import segmented
from truetape.domain.messages import RawCaptured
from truetape.domain.plans import Spending, Window
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS, to_datetime
from truetape.ports.ledger import Grant
from truetape.ports.objects import Objects
from truetape.ports.store import Selection
from truetape.ports.tiering import Move, Span

STORE = "truetape.duckdb"
MINUTE_NS = 60 * 10**9
NOON = 1_772_452_800 * 10**9
SHARED = "ins_shared"  # of live appends and a backfill at the same time


@dataclass(frozen=True)
class Ground:
    """What is kept in one folder, opened: a store with tiers and read segments, the archive, and the ledger."""

    store: SegmentedStore
    cold: TieredStore
    hot: DuckdbStore
    tiers: ColdTiers
    archive: FileArchive
    ledger: SqliteLedger

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> Self:
        """Open or make it; `read_only` changes nothing in the store and the archive."""
        folder.mkdir(exist_ok=True)
        archive = FileArchive(folder / "archive", read_only=read_only)
        ledger = SqliteLedger(folder / "ledger.sqlite", clock=SetClock(NOON))
        hot = DuckdbStore(folder / STORE, read_only=read_only)
        places: dict[str, Objects] = {tier: FolderObjects(folder / tier) for tier in ("warm", "archive")}
        cold = TieredStore(hot, ColdFiles(places))
        tiers = ColdTiers(cold, hot=hot, places=places, scratch=folder / "scratch")
        store = segmented(cold, folder / STORE, place="segments", reads_cold=True)
        return cls(store, cold, hot, tiers, archive, ledger)

    async def close(self) -> None:
        await self.store.close()
        await self.ledger.close()
        self.archive.close()


class Workload(Protocol):
    """Steps of one caller, one after the other."""

    @property
    def name(self) -> str:
        """Return its name, without "=", unlike all others'."""

    async def step(self, ground: Ground, number: int) -> None:
        """Do what `number` stands for; when this returns it must survive a kill."""

    async def found(self, ground: Ground, done: int) -> object:
        """Return what is there of all steps, in a form to compare; about `done` were done."""

    def expected(self, done: int) -> object:
        """Return what must be there after `done` steps."""


def bars(instrument: str, instants: list[int], closes: list[float], versions: list[int]) -> pl.DataFrame:
    """Bars of a minute each: what is not given is blank."""
    columns = TABLES["bars"].columns
    given: dict[str, Any] = {
        "instrument_id": pl.lit(instrument),
        "timeframe": pl.lit("1m"),
        "ts_event": pl.Series(instants, dtype=pl.Int64),
        "close": pl.Series(closes, dtype=pl.Float64),
        "version": pl.Series(versions, dtype=pl.UInt32),
        "ts_known": pl.Series([NOON + one for one in versions], dtype=pl.Int64),
    }
    blanks = {pl.String(): "", pl.Boolean(): True, pl.UInt32(): 0}
    every = {name: given.get(name, pl.lit(blanks.get(dtype))) for name, dtype in columns.items()}
    return pl.DataFrame({"ts_event": given["ts_event"]}).select(**every).cast(dict(columns))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Appends:
    """Live bars: each step adds the next five minutes of one instrument, or with `back` the five before the first."""

    name: str
    instrument: str
    back: bool = False
    rows: int = 5

    async def step(self, ground: Ground, number: int) -> None:
        minutes = range((number - 1) * self.rows, number * self.rows)
        instants = [self._instant(minute) for minute in minutes]
        frame = bars(self.instrument, instants, [minute * 0.25 for minute in minutes], [1] * self.rows)
        await ground.store.commit({"bars": frame})

    async def found(self, ground: Ground, done: int) -> object:
        middle = to_datetime(NOON).date()
        selection = Selection(
            equal={"instrument_id": (self.instrument,)},
            columns=("close",),
            start=None if self.back else middle,
            end=to_datetime(NOON - DAY_NS).date() if self.back else None,
        )
        closes = (await ground.store.read("bars", selection))["close"]
        return (closes.reverse() if self.back else closes).to_list()

    def expected(self, done: int) -> object:
        return [minute * 0.25 for minute in range(done * self.rows)]

    def _instant(self, minute: int) -> int:
        noon = NOON // DAY_NS * DAY_NS
        return noon - (minute + 1) * MINUTE_NS if self.back else noon + minute * MINUTE_NS


@dataclass(frozen=True)
class Corrections:
    """Each step replaces one of sixteen bars, or `rows` times as many at once."""

    name: str
    instrument: str
    rows: int = 1
    keys: int = 16
    pause_s: float = 0.0

    async def step(self, ground: Ground, number: int) -> None:
        key, version = self._place(number)
        instants = [(key * self.rows + row) * MINUTE_NS for row in range(self.rows)]
        closes, versions = [float(number)] * self.rows, [version] * self.rows
        await ground.store.commit({"bars": bars(self.instrument, instants, closes, versions)})
        await asyncio.sleep(self.pause_s)

    async def found(self, ground: Ground, done: int) -> object:
        equal = {"instrument_id": (self.instrument,)}
        columns = ("ts_event", "version", "close")
        held = await ground.store.read("bars", Selection(equal=equal, columns=columns, history=True))
        places = (pl.col("ts_event").cast(pl.Int64) // MINUTE_NS // self.rows).alias("key")
        counted = held.group_by(places, "version", "close").len().sort("close")
        return counted.select("key", "version", "close", "len").rows()

    def expected(self, done: int) -> object:
        return [(*self._place(number), float(number), self.rows) for number in range(1, done + 1)]

    def _place(self, number: int) -> tuple[int, int]:
        return (number - 1) % self.keys, (number - 1) // self.keys + 1


@dataclass(frozen=True)
class Withdrawals:
    """Steps write one of eight bars and withdraw it, by turns."""

    name: str
    instrument: str
    keys: int = 8

    async def step(self, ground: Ground, number: int) -> None:
        key, version = self._place(number)
        row = bars(self.instrument, [key * MINUTE_NS], [float(number)], [version])
        if number % 2:
            await ground.store.commit({"bars": row})
        else:
            await ground.store.commit({}, withdrawals={"bars": row.select(*TABLES["bars"].withdrawal)})

    async def found(self, ground: Ground, done: int) -> object:
        equal, columns = {"instrument_id": (self.instrument,)}, ("ts_event", "version")
        stands = await ground.store.read("bars", Selection(equal=equal, columns=columns))
        gone = await ground.store.read("bars", Selection(equal=equal, columns=columns, withdrawn=True))
        minutes = pl.col("ts_event").cast(pl.Int64) // MINUTE_NS
        return [one.select(minutes, "version").rows() for one in (stands, gone)]

    def expected(self, done: int) -> object:
        last = {key: (number, version) for number in range(1, done + 1) for key, version in [self._place(number)]}
        return [
            sorted((key, version) for key, (number, version) in last.items() if number % 2 == is_odd)
            for is_odd in (1, 0)
        ]

    def _place(self, number: int) -> tuple[int, int]:
        pair = (number - 1) // 2
        return pair % self.keys, 2 * (pair // self.keys) + 2 - number % 2


@dataclass(frozen=True)
class Moves:
    """Steps carry the bars of 1970, which others are writing, to colder tiers; what the others find stays the same."""

    name: str
    pause_s: float = 0.5

    async def step(self, ground: Ground, number: int) -> None:
        span = Span("bars", date(1970, 1, 1), date(1970, 12, 31))
        move = Move(span, "archive" if number % 3 == 0 else "warm", actor="test", why="kill")
        await ground.tiers.move(move, ts_known=NOON + number, simulated=True)
        await ground.tiers.sweep(older_than_ns=NOON)
        await asyncio.sleep(self.pause_s)

    async def found(self, ground: Ground, done: int) -> object:
        held = await ground.tiers.holdings()
        return {"warm", "archive"} >= set(held.filter(pl.col("tier") != "hot")["tier"])

    def expected(self, done: int) -> object:
        return True


@dataclass(frozen=True)
class Segments:
    """Steps make read segments of what is stored, which all others are read from; they say the same as the store."""

    name: str
    pause_s: float = 0.3

    async def step(self, ground: Ground, number: int) -> None:
        await Builder(ground.cold, ground.store.library, load=Load()).build()
        await asyncio.sleep(self.pause_s)

    async def found(self, ground: Ground, done: int) -> object:
        wanted = Selection(equal={"instrument_id": (SHARED,), "timeframe": ("1m",)})
        here, there = [await store.read("bars", wanted) for store in (ground.store, ground.cold)]
        return here.equals(there)

    def expected(self, done: int) -> object:
        return True


@dataclass(frozen=True)
class Payloads:
    """Each step archives a body and records it in the journal."""

    name: str
    looked_at: int = 30  # bodies that are read again after a kill

    async def step(self, ground: Ground, number: int) -> None:
        await asyncio.to_thread(self._archive, ground, number)

    def _archive(self, ground: Ground, number: int) -> None:
        key = ground.archive.put(self._body(number))
        start = to_datetime(NOON).date()
        ground.archive.record(
            RawCaptured(
                provider=self.name,
                kind="bars",
                key=key,
                ts_known=number,
                round_id="",
                instrument_id="",
                symbol="",
                timeframe="1d",
                start=start,
                end=start,
            )
        )

    async def found(self, ground: Ground, done: int) -> object:
        mine = [one for one in ground.archive.journal() if isinstance(one, RawCaptured) and one.provider == self.name]
        bodies = [ground.archive.get(one.key) for one in mine[-self.looked_at :]]
        return [one.ts_known for one in mine], bodies

    def expected(self, done: int) -> object:
        numbers = list(range(1, done + 1))
        return numbers, [self._body(number) for number in numbers[-self.looked_at :]]

    def _body(self, number: int) -> bytes:
        return f"{self.name} {number}\n".encode() * (number % 97 + 1)


@dataclass(frozen=True)
class Grants:
    """Each step asks for one request of a quota."""

    name: str

    async def step(self, ground: Ground, number: int) -> None:
        granted = await ground.ledger.reserve(Spending(provider=self.name, account="k"), (self._window,))
        assert isinstance(granted, Grant)

    async def found(self, ground: Ground, done: int) -> object:
        (standing,) = await ground.ledger.standing(self.name, "k", (self._window,))
        return standing.used

    def expected(self, done: int) -> object:
        return float(done)

    @property
    def _window(self) -> Window:
        return Window(limit=1e9, period="day")


def workloads() -> list[Workload]:
    """Return every workload of a life; all go on side by side."""
    small = [Appends(f"small {number}", f"ins_{number}") for number in range(8)]
    return [
        *small,
        Appends("append", SHARED),
        Appends("backfill", SHARED, back=True, rows=50),
        Corrections("correct", "ins_corrected"),
        Corrections("correct many", "ins_many", rows=1100, keys=4, pause_s=0.2),
        Withdrawals("withdraw", "ins_withdrawn"),
        Moves("move"),
        Segments("compact"),
        Payloads("archive"),
        Grants("quota"),
    ]
