"""The reference room: declared listings become instruments, dated listings and sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date

import polars as pl
import structlog

from truetape.domain.calendar_corrections import CORRECTION
from truetape.domain.class_messages import ClassesTold
from truetape.domain.messages import CalendarsCorrected, InstrumentsChanged, InstrumentsDeclared, InstrumentsMerged
from truetape.domain.schema import TABLES, empty
from truetape.domain.versions import decide
from truetape.domain.wire import unpack
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store
from truetape.services.reference.acting import ActedListings
from truetape.services.reference.calendars import covered
from truetape.services.reference.changed import changed_instruments
from truetape.services.reference.claimed import ListingClaims
from truetape.services.reference.classes import ClassTables
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.hours import (
    HELD,
    Changes,
    Origin,
    calendar_row,
    compared,
    correction_rows,
    hours_rows,
    names_of,
    to_compute,
)
from truetape.services.reference.master import (
    identifiers,
    identify,
    instruments,
    listing_details,
    listings,
    refuse_conflicts,
)
from truetape.services.reference.merges import merge_row
from truetape.services.reference.reviews import ListingReviews
from truetape.services.reference.venue_list import venue_rows

log = structlog.get_logger()


class ReferenceService:
    """Write the instrument master and sessions. The only writer of those tables."""

    def __init__(self, *, bus: Bus, store: Store, config: ReferenceConfig) -> None:
        self._bus = bus
        self._store = store
        self._config = config
        self._claims = ListingClaims(store=store, commit=self._keep, segments=config.segments)
        self._reviews = ListingReviews(bus=bus, store=store, most_gone=config.most_gone)
        self._classes = ClassTables(store=store)
        self._acted = ActedListings(store=store, commit=lambda changes, known: self._commit(changes, ts_known=known))
        self._venues_until: int | None = None  # when the newest list of venues that is settled was known
        self._declared: dict[str, str] = {}  # venues of the instruments that somebody follows, by their ids
        self._declared_until: date | None = None
        self._turn = asyncio.Lock()  # who reads the master to write it has it alone

    def subscribe(self) -> None:
        """Start to hear the others."""
        self._bus.subscribe(InstrumentsDeclared, group="reference", handler=self.on_instruments_declared)
        self._bus.subscribe(InstrumentsMerged, group="reference", handler=self.on_instruments_merged)
        self._bus.subscribe(CalendarsCorrected, group="reference", handler=self.on_calendars_corrected)
        self._bus.subscribe(ClassesTold, group="reference", handler=self._classes.on_classes_told)

    async def settle(self) -> None:
        """Bring what lists of listings said since into the master.

        Raises:
            StoreUnavailable: The claims or the master cannot be read or written now.
        """
        async with self._turn:
            await self._settle()

    async def _settle(self) -> None:
        await self._reviews.review()  # what it finds to have happened says what the newer list means
        await self._claims.settle()
        await self._acted.settle()
        await self._list_venues()

    async def _list_venues(self) -> None:
        """Bring what registers list of venues into their table, list by list, the oldest first."""
        lists = Selection(equal={"kind": ("venues",)}, columns=("payload", "provider", "ts_known"))
        captured = await self._store.read("captures", lists)
        until = await self._venues_known()
        due = captured.filter(pl.col("ts_known").cast(pl.Int64) > until).sort("ts_known", "payload")
        for payload, provider, known in due.with_columns(pl.col("ts_known").cast(pl.Int64)).iter_rows():
            said = Selection(equal={"payload": (payload,), "provider": (provider,)})
            rows = venue_rows(await self._store.read("venue_claims", said))
            if len(rows):
                current = await self._store.read("venues")
                await self._keep({"venues": decide(current, rows, TABLES["venues"]).write}, known)
            self._venues_until = known

    async def _venues_known(self) -> int:
        """Return when the newest list of venues that is settled was known, UTC nanoseconds."""
        if self._venues_until is None:
            stored = await self._store.read("venues", Selection(columns=("ts_known",)))
            self._venues_until = stored["ts_known"].cast(pl.Int64).max() if len(stored) else 0  # type: ignore[assignment]
        return self._venues_until or 0

    async def review(self) -> None:
        """Write what new lists of listings differ in from those before them, and tell of it.

        Raises:
            StoreUnavailable: The claims cannot be read, or the events cannot be written now.
        """
        async with self._turn:
            await self._reviews.review()

    async def on_instruments_declared(self, message: InstrumentsDeclared) -> None:
        """Write what is new or corrected, and tell of all the declared instruments, also when nothing changed.

        Raises:
            BadInput: Two listings claim one ticker at once, or a venue has no calendar.
        """
        if message.listings:
            async with self._turn:
                await self._settle()
                await self._declare(message)

    async def _declare(self, message: InstrumentsDeclared) -> None:
        known, simulated = message.ts_known, message.simulated
        listed = await self._acted.applied(listings(message.listings, ts_known=known, simulated=simulated))
        refuse_conflicts(pl.concat([listed, await self._other_claims(listed)]))
        incoming = {
            "instruments": instruments(message.listings, ts_known=known, simulated=simulated),
            "listings": listed,
            "listing_details": listing_details(message.listings, ts_known=known, simulated=simulated),
            "identifiers": await self._identifiers(message),
        }
        changes = await self._calendars(message)
        for table, rows in incoming.items():
            changes.add(table, await self._decided(table, rows) if len(rows) else rows)
        await self._commit(changes, ts_known=known)
        self._declared = {identify(one): one.mic for one in message.listings}
        self._declared_until = message.end
        ids = tuple(sorted(self._declared))
        await self._bus.publish(InstrumentsChanged(instrument_ids=ids, ts_known=known, end=message.end))

    async def on_instruments_merged(self, message: InstrumentsMerged) -> None:
        """Let one record stand for another from now on, or no longer."""
        async with self._turn:
            await self._settle()
            await self._keep({"merges": await self._decided("merges", merge_row(message))}, message.ts_known)

    async def _keep(self, writes: dict[str, pl.DataFrame], ts_known: int) -> None:
        changes = Changes()
        for table, rows in writes.items():
            changes.add(table, rows)
        await self._commit(changes, ts_known=ts_known)

    async def on_calendars_corrected(self, message: CalendarsCorrected) -> None:
        """Keep what is said of days, write their sessions anew, and tell of declared instruments that trade there."""
        origin = Origin(message.ts_known, message.simulated)
        said = correction_rows(unpack(message.corrections), origin=origin)
        if not said.is_empty():
            async with self._turn:
                await self._correct(said, origin)

    async def _correct(self, said: pl.DataFrame, origin: Origin) -> None:
        changes = Changes()
        changes.add("calendar_corrections", await self._decided("calendar_corrections", said))
        stored = await self._store.read("calendars")
        concerned = [
            (mic, keeper)
            for mic, keeper in stored.select("mic", "keeper").iter_rows()
            if {*names_of(mic, keeper=keeper)} & {*said["mic"]}
        ]
        days = said.select(pl.col("session").min().alias("first"), pl.col("session").max().alias("last")).row(0)
        corrections = pl.concat([await self._corrections(), said.select(list(CORRECTION))])
        await self._rework(changes, dict(concerned), days, corrections=corrections, origin=origin)
        await self._commit(changes, ts_known=origin.ts_known)
        mics = {mic for mic, _ in concerned}
        ids = tuple(sorted(one for one, mic in self._declared.items() if mic in mics))
        if ids and (changes.writes.keys() & {*HELD} or changes.withdrawals):
            told = InstrumentsChanged(instrument_ids=ids, ts_known=origin.ts_known, end=self._declared_until)
            await self._bus.publish(told)

    async def _commit(self, changes: Changes, *, ts_known: int) -> None:
        """Write, and tell of each instrument that the master says something else of it now."""
        if not changes.writes and not changes.withdrawals:
            return
        if changes.withdrawals:
            await self._store.commit(changes.writes, withdrawals=changes.withdrawals)
        else:
            await self._store.commit(changes.writes)
        for told in changed_instruments(changes.writes, ts_known=ts_known):
            await self._bus.publish(told)

    async def _identifiers(self, message: InstrumentsDeclared) -> pl.DataFrame:
        """Return the rows of identifiers that are declared.

        Raises:
            BadInput: One has a wrong check digit.
        """
        ids = {identify(one) for one in message.listings}
        known = await self._store.read("identifiers", Selection(equal={"instrument_id": sorted(ids)}))
        return identifiers(message.listings, known, ts_known=message.ts_known, simulated=message.simulated)

    async def _other_claims(self, listed: pl.DataFrame) -> pl.DataFrame:
        """Return stored listings of the same tickers that `listed` does not replace."""
        tickers = {name: tuple(listed[name].unique()) for name in ("symbol", "mic")}
        stored = await self._store.read("listings", Selection(equal=tickers))
        return stored.join(listed, on=TABLES["listings"].key, how="anti", nulls_equal=True)

    async def _decided(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        name = TABLES[table].key[0]
        current = await self._store.read(table, Selection(equal={name: tuple(rows[name].unique())}))
        return decide(current, rows, TABLES[table]).write

    async def _calendars(self, message: InstrumentsDeclared) -> Changes:
        """Return what is to be written of the calendars of the declared venues.

        What is stored already is not computed again, which would take seconds at every start, unless the rules are
        other ones now.
        """
        mics = sorted({one.mic for one in message.listings} | {*message.venues})
        stored = await self._store.read("calendars", Selection(equal={"mic": mics}))
        changes, origin = Changes(), Origin(message.ts_known, message.simulated)
        keepers = {mic: self._config.borrowed.get(mic, mic) for mic in mics}
        wanted = to_compute(keepers, stored, start=message.start, end=message.until or message.end)
        corrections = await self._corrections() if wanted else empty(CORRECTION)
        for mic, days in wanted.items():
            await self._rework(changes, {mic: keepers[mic]}, days, corrections=corrections, origin=origin)
        rows = [
            calendar_row(mic, keeper=keepers[mic], stored=stored, days=days, origin=origin)
            for mic, days in wanted.items()
        ]
        for row in rows:
            self._tell_of_ends(row, message)
            changes.add("calendars", decide(stored, row, TABLES["calendars"]).write)
        return changes

    async def _rework(
        self,
        changes: Changes,
        keepers: Mapping[str, str],
        days: tuple[date, date],
        *,
        corrections: pl.DataFrame,
        origin: Origin,
    ) -> None:
        """Add to `changes` what is other now of the sessions of these venues on `days`, both inclusive."""
        first, last = days
        for mic, keeper in keepers.items():
            found = await asyncio.to_thread(
                hours_rows, mic, keeper=keeper, start=first, end=last, corrections=corrections, origin=origin
            )
            for table in HELD:
                current, withdrawn = [
                    await self._store.read(
                        table, Selection(equal={"mic": (mic,)}, start=first, end=last, withdrawn=gone)
                    )
                    for gone in (False, True)
                ]
                rows, gone = compared(
                    table, found[table], current=current, withdrawn=withdrawn, ts_known=origin.ts_known
                )
                changes.add(table, rows, gone=gone)

    def _tell_of_ends(self, row: pl.DataFrame, message: InstrumentsDeclared) -> None:
        first, last = covered(row["keeper"][0], start=message.start, end=message.end)
        if (first, last) != (message.start, message.end):
            log.warning("reference.calendar_ends", mic=row["mic"][0], known_from=str(first), known_to=str(last))

    async def _corrections(self) -> pl.DataFrame:
        return (await self._store.read("calendar_corrections")).select(list(CORRECTION))
