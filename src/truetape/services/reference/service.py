"""The reference room: declared listings become instruments, dated listings and sessions."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Protocol

import polars as pl
import structlog

from truetape.domain.messages import InstrumentsChanged, InstrumentsDeclared, InstrumentsMerged
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.reference.calendars import breaks, covered, sessions
from truetape.services.reference.changed import changed_instruments
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.master import identify, instruments, listings, refuse_conflicts
from truetape.services.reference.merges import merge_row

log = structlog.get_logger()


class Calendar(Protocol):
    """What a venue's calendar tells of each of its days."""

    def __call__(self, mic: str, *, start: date, end: date) -> pl.DataFrame:
        """Return rows of the days from `start` to `end`, both inclusive."""
        ...


class ReferenceService:
    """Write the instrument master and sessions. The only writer of those tables."""

    def __init__(self, *, bus: Bus, store: Store, config: ReferenceConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(InstrumentsDeclared, group="reference", handler=self.on_instruments_declared)
        self._bus.subscribe(InstrumentsMerged, group="reference", handler=self.on_instruments_merged)

    async def on_instruments_declared(self, message: InstrumentsDeclared) -> None:
        """Write what is new or corrected, and tell of all the declared instruments, also when nothing changed.

        Raises:
            BadInput: Two listings claim one ticker at once, or a venue has no calendar.
        """
        if not message.listings:
            return
        known, simulated = message.ts_known, message.simulated
        listed = listings(message.listings, ts_known=known, simulated=simulated)
        refuse_conflicts(pl.concat([listed, await self._other_claims(listed)]))
        incoming = {
            "instruments": instruments(message.listings, ts_known=known, simulated=simulated),
            "listings": listed,
        }
        unknown = await self._without_sessions(message)
        if unknown:
            for table, read in (("sessions", sessions), ("session_breaks", breaks)):
                incoming[table] = await asyncio.to_thread(self._hours, message, unknown, table, read)
        days = (message.start, message.end)
        writes = {table: await self._decided(table, rows, days=days) for table, rows in incoming.items() if len(rows)}
        writes = {table: rows for table, rows in writes.items() if not rows.is_empty()}
        if writes:
            await self._commit(writes, ts_known=known)
        ids = tuple(sorted({identify(one) for one in message.listings}))
        await self._bus.publish(InstrumentsChanged(instrument_ids=ids, ts_known=known, end=message.end))

    async def on_instruments_merged(self, message: InstrumentsMerged) -> None:
        """Let one record stand for another from now on, or no longer."""
        rows = await self._decided("merges", merge_row(message))
        if len(rows):
            await self._commit({"merges": rows}, ts_known=message.ts_known)

    async def _commit(self, writes: dict[str, pl.DataFrame], *, ts_known: int) -> None:
        """Write, and tell of each instrument that the master says something else of it now."""
        await self._store.commit(writes)
        for told in changed_instruments(writes, ts_known=ts_known):
            await self._bus.publish(told)

    async def _other_claims(self, listed: pl.DataFrame) -> pl.DataFrame:
        """Return stored listings of the same tickers that `listed` does not replace."""
        tickers = {name: tuple(listed[name].unique()) for name in ("symbol", "mic")}
        stored = await self._store.read("listings", Selection(equal=tickers))
        return stored.join(listed, on=TABLES["listings"].key, how="anti", nulls_equal=True)

    async def _decided(
        self, table: str, rows: pl.DataFrame, *, days: tuple[date | None, date | None] = (None, None)
    ) -> pl.DataFrame:
        name = TABLES[table].key[0]
        dated = days if table in {"sessions", "session_breaks"} else (None, None)
        current = await self._store.read(
            table, Selection(equal={name: tuple(rows[name].unique())}, start=dated[0], end=dated[1])
        )
        return decide(current, rows, TABLES[table]).write

    async def _without_sessions(self, message: InstrumentsDeclared) -> list[str]:
        """Return the venues whose stored sessions do not reach from the message's first day to its last.

        What is stored already is not computed again, which would take seconds at every start. Where the first or the
        last day is no session, nothing shows that the calendar is complete, and it is computed.
        """
        mics = sorted({one.mic for one in message.listings})
        stored = await self._store.read(
            "sessions", Selection(equal={"mic": mics}, start=message.start, end=message.end, columns=("mic", "session"))
        )
        reach = stored.group_by("mic").agg(
            pl.col("session").min().alias("first"), pl.col("session").max().alias("last")
        )
        whole = (pl.col("first") == message.start) & (pl.col("last") == message.end)
        return sorted(set(mics) - set(reach.filter(whole)["mic"]))

    def _hours(self, message: InstrumentsDeclared, mics: list[str], table: str, read: Calendar) -> pl.DataFrame:
        """Return the rows of `table` that `read` finds in the calendars of `mics`."""
        frames = [self._calendar(mic, read, start=message.start, end=message.end) for mic in mics]
        columns = TABLES[table].columns
        known = pl.lit(message.ts_known).cast(columns["ts_known"]).alias("ts_known")
        rows = pl.concat(frames).with_columns(known, simulated=message.simulated, version=pl.lit(1, dtype=pl.UInt32))
        return rows.select(list(columns))

    def _calendar(self, mic: str, read: Calendar, *, start: date, end: date) -> pl.DataFrame:
        keeper = self._config.borrowed.get(mic, mic)
        first, last = covered(keeper, start=start, end=end)
        if (first, last) != (start, end) and read is sessions:
            log.warning("reference.calendar_ends", mic=mic, known_from=str(first), known_to=str(last))
        return read(keeper, start=start, end=end).with_columns(mic=pl.lit(mic))
