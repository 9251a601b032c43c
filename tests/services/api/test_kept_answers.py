"""Kept answers: never stale, kept while others are written, made once for all who ask at once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from room_doubles import FrameStore, rows
from small_market import APPLE, META, NOW_NS, golden, tables
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock
from truetape.adapters.watched_store import Closable, WatchedStore
from truetape.domain.errors import UnknownSymbol
from truetape.ports.store import Selection
from truetape.services.api.asking import Teller
from truetape.services.api.config import ApiConfig
from truetape.services.api.kept import KeptAnswers
from truetape.services.api.parameters import checked
from truetape.services.api.receipts import Question

CLOCK = SetClock(NOW_NS)
CONFIG = ApiConfig()
FIRST = date(2020, 1, 1)
QUESTIONS: list[tuple[str, dict[str, str]]] = [
    ("bars", {"symbols": "AAPL"}),
    ("bars", {"symbols": "AAPL", "adjustment": "all"}),
    ("bars", {"symbols": "META"}),
    ("bars", {"symbols": "AAPL,META", "adjustment": "split", "timeframe": "1w"}),
    ("bars", {"symbols": "META", "as_of": "2024-02-01"}),
    ("actions", {"symbols": "AAPL"}),
    ("instruments", {"q": "a"}),
    ("levels", {"index": "EW5"}),
    ("quarantine", {}),
    ("repairs", {"symbols": "AAPL"}),
    ("snapshots", {}),
]


class Room:
    """A store that is watched, and those who answer from it, with and without keeping."""

    def __init__(self, store: Closable, *, max_bytes: int = 1 << 20) -> None:
        self.kept = 0
        self.store = WatchedStore(store, is_alone=True)
        self.plain = Teller(store=store, archive=None, clock=CLOCK, config=CONFIG)
        teller = Teller(store=self.store, archive=None, clock=CLOCK, config=CONFIG)
        cache = MemoryCache(max_bytes=max_bytes, clock=CLOCK)
        self.keeping = KeptAnswers(teller, cache=cache, config=CONFIG, on_kept=self._count)

    def _count(self) -> None:
        self.kept += 1

    def question(self, name: str, given: Mapping[str, str], form: str = "csv") -> Question:
        return Question(name, {}, checked(given, self.plain.endpoints[name].parameters), form)

    async def ask(self, name: str, given: Mapping[str, str]) -> bytes:
        return (await self.keeping.answer(self.question(name, given))).body

    async def ask_anew(self, name: str, given: Mapping[str, str]) -> bytes:
        return (await self.plain.answer(self.question(name, given))).rendered.body


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    await store.commit(tables())
    yield Room(store)
    await store.close()


def a_commit(chance: random.Random, number: int) -> dict[str, pl.DataFrame]:
    """Something of any kind: bars of a series, factors, actions, a listing, a level, or nothing new."""
    instrument = chance.choice((APPLE, META, "ins_other"))
    day = FIRST + timedelta(days=chance.randrange(30))
    known = datetime(2024, 1, 20, tzinfo=UTC) + timedelta(days=number)
    of = {"version": number + 10, "ts_known": known, "simulated": True}
    kind = chance.randrange(6)
    match kind:
        case 0:
            return {"factors": rows("factors", instrument_id=instrument, ex_date=[day], split=2.0, dividend=0.5, **of)}
        case 1:
            about = {"instrument_id": instrument, "ex_date": [day], "type": "dividend", "value": float(number)}
            return {"actions": rows("actions", **about, **of)}
        case 2 if number % 5 == 0:
            return {"listings": rows("listings", instrument_id=instrument, symbol=[f"N{number}"], mic="XNAS", **of)}
        case 3:
            return {"index_levels": rows("index_levels", index_id="EW5", ts_event=[day], level=float(number), **of)}
        case _:
            return {"bars": golden(instrument, [day], [float(number)], [1.0], **of)}


async def test_kept_answers_are_those_of_a_fresh_read(room: Room) -> None:
    """Random questions between random commits: every answer is what the store says now."""
    chance = random.Random(7)
    for number in range(30):
        await room.store.commit(a_commit(chance, number))
        for name, given in chance.sample(QUESTIONS, 5):
            assert await room.ask(name, given) == await room.ask_anew(name, given), (number, name, given)

    assert room.kept > 25


async def test_answers_are_right_while_the_store_is_written(room: Room) -> None:
    """Readers beside a writer see states that the store had, never an older one after a newer."""
    closes = [float(number) for number in range(1, 20)]

    async def write() -> None:
        for number, close in enumerate(closes, start=2):
            of = {"version": number, "ts_known": datetime(2024, 2, 1, tzinfo=UTC), "simulated": True}
            await room.store.commit({"bars": golden(META, [FIRST], [close], [1.0], **of)})

    async def read() -> list[float]:
        seen = []
        while not writing.done():
            body = await room.ask("bars", {"symbols": "META", "end": "2020-12-31"})
            frame = pl.read_csv(body, schema_overrides={"close": pl.Float64()})
            seen.append(frame["close"][0] if len(frame) else 0.0)
            await asyncio.sleep(0)
        return seen

    writing = asyncio.create_task(write())
    reads = await asyncio.gather(*(read() for _ in range(4)))
    await writing

    for seen in reads:
        assert sorted(seen) == seen
        assert {*seen} <= {0.0, *closes}
    last = await room.ask("bars", {"symbols": "META", "end": "2020-12-31"})
    assert last == await room.ask_anew("bars", {"symbols": "META", "end": "2020-12-31"})


async def test_answers_are_kept_while_others_are_written(room: Room) -> None:
    """Commits about other instruments, and about minutes of the same one, cost no answer; one about it does."""
    for number in range(20):
        other = golden(f"ins_{number}", [FIRST], [1.0], [1.0])
        minutes = golden(APPLE, [FIRST + timedelta(days=number)], [1.0], [1.0], timeframe="1m")
        await room.store.commit({"bars": pl.concat([other, minutes])})
        await room.ask("bars", {"symbols": "AAPL", "adjustment": "all"})
    assert 19 == room.kept

    await room.store.commit({"bars": golden(APPLE, [FIRST], [1.0], [1.0])})
    await room.ask("bars", {"symbols": "AAPL", "adjustment": "all"})
    assert 19 == room.kept


async def test_what_is_asked_at_a_snapshot_is_kept_for_ever(room: Room) -> None:
    """No commit changes it."""
    named = rows("snapshots", name=["eod"], as_of=date(2024, 1, 12), store_version=1, ts_known=date(2024, 1, 12))
    await room.store.commit({"snapshots": named})
    asked = {"symbols": "AAPL", "snapshot": "eod"}
    before = await room.ask("bars", asked)
    await room.store.commit({"bars": golden(APPLE, [FIRST], [1.0], [1.0])})

    assert before == await room.ask("bars", asked) == await room.ask_anew("bars", asked)
    assert 1 == room.kept


class Counted(FrameStore):
    """A store that counts the reads of bars, each of which takes a moment."""

    def __init__(self, **frames: pl.DataFrame) -> None:
        super().__init__(**frames)
        self.reads = 0

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        self.reads += table == "bars"
        await asyncio.sleep(0.01)
        return await super().read(table, selection)

    async def close(self) -> None:
        """Do nothing."""


async def test_many_who_ask_at_once_cause_one_read() -> None:
    """A hundred get the answer that one read made, and one who leaves takes it from nobody."""
    store = Counted(**tables())
    room = Room(store)
    asking = [asyncio.create_task(room.ask("bars", {"symbols": "AAPL"})) for _ in range(100)]
    await asyncio.sleep(0.005)
    asking[0].cancel()
    bodies = {await one for one in asking[1:]}

    assert (1, 1) == (store.reads, len(bodies))


async def test_an_error_reaches_all_and_is_not_kept() -> None:
    """Everybody who asked at once is told, and the next asks the store again."""
    store = Counted(listings=tables()["listings"])
    room = Room(store)
    told = await asyncio.gather(*(room.ask("bars", {"symbols": "NONE"}) for _ in range(3)), return_exceptions=True)
    await room.store.commit({"listings": rows("listings", instrument_id=["ins_none"], symbol="NONE", mic="XNAS")})

    assert [UnknownSymbol] * 3 == [type(one) for one in told]
    assert b"symbol" in await room.ask("bars", {"symbols": "NONE"})


async def test_kept_answers_have_bounded_bytes(tmp_path: Path) -> None:
    """What was asked longest ago goes first; answers stay right."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    await store.commit(tables())
    room = Room(store, max_bytes=2000)
    for day in ("2005-02-24", "2005-02-25", "2005-02-28", "2005-02-24"):
        asked = {"symbols": "AAPL", "start": day}
        assert await room.ask("bars", asked) == await room.ask_anew("bars", asked)
    await store.close()

    assert 0 == room.kept
