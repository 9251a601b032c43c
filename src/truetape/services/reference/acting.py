"""Bring what announced corporate actions say of tickers into the master."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import polars as pl
import structlog

from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.versions import decide, withdraw
from truetape.ports.store import Selection, Store
from truetape.services.reference.acted import TELLING, acted
from truetape.services.reference.hours import Changes

log = structlog.get_logger()

Commit = Callable[[Changes, int], Awaitable[None]]  # with the knowledge time
NEVER: Final = -1


class ActedListings:
    """Read announcements, and say which listings and instruments are others by them."""

    def __init__(self, *, store: Store, commit: Commit) -> None:
        self._store = store
        self._commit = commit
        self._until = NEVER  # when the newest announcement that was considered was known

    async def settle(self) -> None:
        """Write what announcements since the last time change of the master.

        Raises:
            StoreUnavailable: The store cannot be read or written now.
        """
        announced = await self._store.read("announcements", Selection(equal={"type": TELLING}))
        fresh = announced.filter(pl.col("ts_known").cast(pl.Int64) > self._until)
        if fresh.is_empty():
            return
        known = int(fresh["ts_known"].cast(pl.Int64).max())  # type: ignore[arg-type]
        about = (*fresh["instrument_id"].unique(),)
        every = announced.filter(pl.col("instrument_id").is_in(about))
        await self._commit(await self._changes(every, await self._listings(every), known), known)
        self._until = known

    async def applied(self, listed: pl.DataFrame) -> pl.DataFrame:
        """Return `listed`, rows of listings that somebody declares, as actions leave them.

        A ticker that an action has ended stays ended, though the settings still name it.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        ids = (*listed["instrument_id"].unique(),)
        announced = await self._store.read("announcements", Selection(equal={"type": TELLING, "instrument_id": ids}))
        if announced.is_empty():
            return listed
        key = list(TABLES["listings"].key)
        held = (await self._listings(announced)).join(listed, on=key, how="anti", nulls_equal=True)
        found = acted(announced, pl.concat([held, listed]), await self._instruments(announced))
        ends = {place: row["valid_to"] for place, row in found.listings.items()}
        until = [ends.get(row[:-1], row[-1]) for row in listed.select(*key, "valid_to").iter_rows()]
        return listed.with_columns(pl.Series("valid_to", until, dtype=pl.Date))

    async def _changes(self, announced: pl.DataFrame, listings: pl.DataFrame, known: int) -> Changes:
        instruments = await self._instruments(announced)
        found = acted(announced, listings, instruments)
        for one in found.refused:
            log.warning("reference.ticker_taken", announcement=one)
        changes = Changes()
        key = list(TABLES["listings"].key)
        ended = pl.DataFrame(
            [*found.gone], schema={name: TABLES["listings"].columns[name] for name in key}, orient="row"
        )
        gone = listings.join(ended, on=key, how="semi", nulls_equal=True)
        rows = _rows("listings", [*found.listings.values()], known)
        changes.add(
            "listings",
            decide(listings, rows, TABLES["listings"], withdrawn=await self._withdrawn(rows)).write,
            gone=withdraw(gone, TABLES["listings"], ts_known=known),
        )
        new = _rows("instruments", [*found.instruments.values()], known)
        changes.add("instruments", decide(instruments, new, TABLES["instruments"]).write)
        return changes

    async def _listings(self, announced: pl.DataFrame) -> pl.DataFrame:
        """Return the listings of the instruments of `announced`, and those of their new symbols."""
        own = Selection(equal={"instrument_id": (*announced["instrument_id"].unique(),)})
        named = Selection(equal={"symbol": (*announced["new_symbol"].unique(),)})
        both = [await self._store.read("listings", wanted) for wanted in (own, named)]
        return pl.concat(both).unique(TABLES["listings"].key, maintain_order=True)

    async def _instruments(self, announced: pl.DataFrame) -> pl.DataFrame:
        ids = (*announced["instrument_id"].unique(),)
        return await self._store.read("instruments", Selection(equal={"instrument_id": ids}))

    async def _withdrawn(self, rows: pl.DataFrame) -> pl.DataFrame:
        ids = (*rows["instrument_id"].unique(),)
        columns = (*TABLES["listings"].key, "version")
        return await self._store.read(
            "listings", Selection(equal={"instrument_id": ids}, withdrawn=True, columns=columns)
        )


def _rows(table: str, rows: list[Mapping[str, Any]] | list[dict[str, Any]], known: int) -> pl.DataFrame:
    columns = TABLES[table].columns
    frame = pl.DataFrame([{**row, "ts_known": known} for row in rows], schema={**columns, "ts_known": pl.Int64()})
    return frame.with_columns(pl.col("ts_known").cast(INSTANT))
