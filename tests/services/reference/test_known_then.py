"""Who had a ticker on a day, as known on another day, beside a model that remembers everything that was said."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from lengths import usually
from room_doubles import ListBus
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import BadInput
from truetape.domain.merging import redirected, redirects, refuse_cycle
from truetape.domain.messages import DeclaredListing, InstrumentsDeclared, InstrumentsMerged
from truetape.domain.naming import resolve
from truetape.domain.symbology import Symbology
from truetape.ports.store import Selection
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.service import ReferenceService

FIRST, LAST = date(2000, 1, 3), date(2020, 1, 3)
TICKERS = [f"T{number}" for number in range(6)]
INSTRUMENTS = [f"ins_{number:02d}" for number in range(9)]
SEEDS = usually(2, long=20)
STEPS = usually(30, long=80)
MONDAY = date(2024, 6, 10)


@dataclass
class Model:
    """What was said, in its order."""

    listings: list[tuple[int, tuple[str, str, date], date | None]] = field(default_factory=list)
    merges: list[tuple[int, str, str, bool]] = field(default_factory=list)

    def held(self, known: int) -> dict[tuple[str, str, date], date | None]:
        return {key: ends for told, key, ends in self.listings if told <= known}

    def merged(self, known: int) -> dict[str, str]:
        newest = {one: (into, stands) for told, one, into, stands in self.merges if told <= known}
        return {one: into for one, (into, stands) in newest.items() if stands}

    def final(self, instrument: str, known: int) -> str:
        merged = self.merged(known)
        while instrument in merged:
            instrument = merged[instrument]
        return instrument

    def holders(self, ticker: str, day: date, known: int) -> set[str]:
        return {
            self.final(instrument, known)
            for (instrument, symbol, begins), ends in self.held(known).items()
            if symbol == ticker and begins <= day and (ends is None or day < ends)
        }

    def free(self, ticker: str, begins: date, ends: date | None, *, but: tuple[str, str, date] | None = None) -> bool:
        return not any(
            symbol == ticker and (instrument, symbol, since) != but and (ends is None or since < ends)
            and (until is None or begins < until)
            for (instrument, symbol, since), until in self.held(10**9).items()
        )  # fmt: skip


class World:
    """A room and the model, told the same things."""

    def __init__(self, store: DuckdbStore, seed: int) -> None:
        self.chance = random.Random(seed)
        self.model = Model()
        self.room = ReferenceService(bus=ListBus(), store=store, config=ReferenceConfig())
        self.now = 0

    async def step(self) -> None:
        self.now += 1
        await self.chance.choice([self.list_one, self.list_one, self.end_one, self.merge, self.unmerge])()

    async def list_one(self) -> None:
        """A ticker goes to an instrument: to a new one, or to one that had others."""
        begins = FIRST + timedelta(days=self.chance.randrange(5000))
        ends = begins + timedelta(days=self.chance.randrange(1, 2000)) if self.chance.random() < 0.7 else None
        instrument, ticker = self.chance.choice(INSTRUMENTS), self.chance.choice(TICKERS)
        if self.model.free(ticker, begins, ends) and (instrument, ticker, begins) not in self.model.held(self.now):
            await self._declare((instrument, ticker, begins), ends)

    async def end_one(self) -> None:
        """What was said of a listing's end is corrected."""
        held = self.model.held(self.now)
        if held:
            key = self.chance.choice(sorted(held))
            ends = key[2] + timedelta(days=self.chance.randrange(1, 2500))
            if self.model.free(key[1], key[2], ends, but=key):
                await self._declare(key, ends)

    async def merge(self) -> None:
        one, into = self.chance.sample(INSTRUMENTS, 2)
        known = {a: self.model.final(a, self.now) for a in self.model.merged(self.now)}
        try:
            refuse_cycle(one, into, known=known)
        except BadInput:
            return
        await self._merge(one, into, stands=True)

    async def unmerge(self) -> None:
        merged = self.model.merged(self.now)
        if merged:
            one = self.chance.choice(sorted(merged))
            await self._merge(one, merged[one], stands=False)

    async def _declare(self, key: tuple[str, str, date], ends: date | None) -> None:
        instrument, ticker, begins = key
        one = DeclaredListing(symbol=ticker, mic="XNYS", valid_from=begins, valid_to=ends, instrument_id=instrument)
        await self.room.on_instruments_declared(
            InstrumentsDeclared(listings=(one,), start=MONDAY, end=MONDAY, ts_known=self.now)
        )
        self.model.listings.append((self.now, key, ends))

    async def _merge(self, one: str, into: str, *, stands: bool) -> None:
        await self.room.on_instruments_merged(
            InstrumentsMerged(decision_id=f"dec_{self.now}", instrument_id=one, into=into, stands=stands,
                              actor="ann", why="w", ts_known=self.now)
        )  # fmt: skip
        self.model.merges.append((self.now, one, into, stands))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_tickers_resolve_on_any_day_as_known_on_any_day(seed: int, tmp_path: Path) -> None:
    """Re-used tickers, renames, corrected ends and merges that are taken back: in bulk and one by one."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    world = World(store, seed)
    for _ in range(STEPS):
        await world.step()
    for known in range(0, world.now + 1, 3):
        listings = await store.read("listings", Selection(as_of=known))
        merges = await store.read("merges", Selection(as_of=known))
        assert {one: world.model.final(one, known) for one in world.model.merged(known)} == redirects(merges)
        together = redirected(listings, merges)
        days = {day + timedelta(days=beside) for row in listings.select("valid_from", "valid_to").iter_rows()
                for day in row if day is not None for beside in (-1, 0, 1)} | {FIRST, LAST}  # fmt: skip
        asked = pl.DataFrame(
            [(ticker, day) for ticker in TICKERS for day in sorted(days)],
            schema={"symbol": pl.String, "date": pl.Date},
            orient="row",
        )
        found = Symbology(together).resolve(asked)
        for symbol, day, instrument, matches in found.iter_rows():
            holders = world.model.holders(symbol, day, known)
            assert (len(holders), next(iter(holders)) if len(holders) == 1 else None) == (matches, instrument)
        _one_by_one(world, together, asked.sample(min(len(asked), 8), seed=seed), known)
    await store.close()


def _one_by_one(world: World, listings: pl.DataFrame, asked: pl.DataFrame, known: int) -> None:
    named = listings.with_columns(*(pl.lit("").alias(name) for name in ("name", "asset_class", "currency")))
    for ticker, day in asked.iter_rows():
        holders = world.model.holders(ticker, day, known)
        if len(holders) == 1:
            found = resolve(named, ticker, on=day)
            assert (holders.pop(), ticker, "then") == (found.instrument_id, found.ticker_then, found.matched)
