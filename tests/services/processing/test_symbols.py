"""The map of tickers while the master changes beneath it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from room_doubles import rows
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.watched_store import WatchedStore
from truetape.domain.symbology import Symbology
from truetape.ports.store import Selection
from truetape.services.processing.symbols import SymbolMap

STATES = 12
DAY = date(2024, 6, 10)
PAIRS = 5  # tickers whose listings change together


def listed(number: int) -> pl.DataFrame:
    """Every ticker named instrument `number` since a day of its own; the listing before it has ended."""
    since = [date(2000 + one, 1, 1) for one in range(number + 1)]
    parts = [
        rows(
            "listings",
            instrument_id=[f"ins_{ticker}_{one}" for one in range(number + 1)],
            symbol=f"T{ticker}",
            mic="XNYS",
            valid_from=since,
            valid_to=[*since[1:], None],
            version=[*[2] * number, 1],
            ts_known=DAY,
        )
        for ticker in range(PAIRS)
    ]
    return pl.concat(parts)


class CountedStore:
    """A store that says how often a table was read."""

    def __init__(self, store: WatchedStore) -> None:
        self.store = store
        self.reads: list[str] = []

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        self.reads.append(table)
        await asyncio.sleep(0)
        return await self.store.read(table, selection)

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        return await self.store.commit(writes, withdrawals=withdrawals)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


def who(symbology: Symbology) -> list[str | None]:
    asked = pl.DataFrame({"symbol": [f"T{one}" for one in range(PAIRS)], "date": [DAY] * PAIRS})
    return symbology.resolve(asked)["instrument_id"].to_list()


def states_of(found: list[str | None]) -> set[int]:
    return {int(str(one).rpartition("_")[2]) for one in found}


async def test_nobody_misses_and_nobody_mixes_while_the_map_is_exchanged(tmp_path: Path) -> None:
    """Twenty readers resolve all the time while all tickers go to other instruments, commit by commit.

    Each sees every ticker at one state, never an earlier one than was stored when it asked, and never goes back.
    """
    store = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True)
    symbols = SymbolMap(store)
    await store.commit({"listings": listed(0)})
    stored = [0]
    over = asyncio.Event()
    seen: list[int] = []

    async def read() -> None:
        last = 0
        while not over.is_set():
            least = stored[-1]
            found = states_of(who(await symbols.current()))
            assert len(found) == 1
            state = found.pop()
            assert state >= max(least, last)
            last = state
            seen.append(state)
            await asyncio.sleep(0)

    async def write() -> None:
        while not seen:  # noqa: ASYNC110  the first state is seen before the next one is written
            await asyncio.sleep(0.001)
        for number in range(1, STATES):
            now = listed(number)
            before = listed(number - 1)
            await store.commit({"listings": now.join(before, on=now.columns, how="anti", nulls_equal=True)})
            stored.append(number)
            await asyncio.sleep(0.01)
        over.set()

    await asyncio.gather(write(), *(read() for _ in range(20)))
    await store.close()

    assert {0, STATES - 1} <= {*seen, *states_of(who(await symbols.current()))}


async def test_who_waits_for_a_change_waits_together(tmp_path: Path) -> None:
    """A hundred that ask after a change read the store once; while nothing changes it is not read at all."""
    inner = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True)
    store = CountedStore(inner)
    symbols = SymbolMap(store)  # type: ignore[arg-type]
    await inner.commit({"listings": listed(0)})

    maps = await asyncio.gather(*(symbols.current() for _ in range(100)))
    await inner.commit({"bars": rows("bars", instrument_id=["ins_a"], timeframe="1d", ts_event=[DAY], ts_known=DAY)})
    again = await symbols.current()
    await inner.close()

    assert 1 == len({id(one) for one in (*maps, again)})
    assert ["listings", "merges"] == store.reads


async def test_a_merged_record_is_found_as_the_one_that_stands_for_it(tmp_path: Path) -> None:
    """From the commit of the merge on, and no longer once it is taken back."""
    store = WatchedStore(DuckdbStore(tmp_path / "store.duckdb"), is_alone=True)
    symbols = SymbolMap(store)
    await store.commit({"listings": listed(0)})
    told = {"instrument_id": ["ins_0_0"], "into": "ins_other", "actor": "ann", "why": "w", "evidence": "e"}
    found = [who(await symbols.current())[0]]

    for version, stands in ((1, True), (2, False)):
        await store.commit({"merges": rows("merges", **told, stands=stands, version=version, ts_known=DAY)})
        found.append(who(await symbols.current())[0])
    await store.close()

    assert ["ins_0_0", "ins_other", "ins_0_0"] == found
