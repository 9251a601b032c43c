"""What lists of listings said since, brought into the master: payload by payload, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import polars as pl
import structlog

from truetape.domain.merging import redirected
from truetape.domain.schema import TABLES, empty
from truetape.domain.symbology import keyed
from truetape.domain.venue_suffixes import spelling_of
from truetape.domain.versions import decide
from truetape.ports.store import Selection, Store
from truetape.services.reference.matching import Master
from truetape.services.reference.settling import Settled, issuer_of, settle
from truetape.services.reference.stated import SECURITY

log = structlog.get_logger()

FEW: Final = 5_000  # listings of a payload for which only what they may be about is read
_ORIGIN: Final = ("payload", "provider")
_MASTER: Final = ("instruments", "listings", "identifiers", "instrument_details", "listing_details")

Commit = Callable[[dict[str, pl.DataFrame], int], Awaitable[None]]  # rows by table, and since when they are known


class ListingClaims:
    """Settle the claims of lists, each payload once."""

    def __init__(self, *, store: Store, commit: Commit, segments: Mapping[str, str]) -> None:
        self._store = store
        self._commit = commit
        self._segments = segments
        self._looked: int | None = None  # the version of the store up to which nothing is due

    async def settle(self) -> None:
        """Bring everything that was claimed and not settled into the master.

        Raises:
            StoreUnavailable: The claims or the master cannot be read or written now.
        """
        version = self._store.version()
        if version == self._looked:
            return
        for capture in (await self._due()).iter_slices(1):
            await self._settle(capture)
        self._looked = version

    async def _due(self) -> pl.DataFrame:
        """Return `payload`, `provider`, `ts_known` and `simulated` of lists that are not settled, the oldest first."""
        listings = Selection(equal={"kind": ("listings",)}, columns=(*_ORIGIN, "ts_known", "simulated"))
        claimed = await self._store.read("captures", listings)
        done = await self._store.read("settled_listings", Selection(columns=_ORIGIN))
        due = claimed.join(done, on=_ORIGIN, how="anti").sort("ts_known", "payload")
        return due.unique(_ORIGIN, keep="first", maintain_order=True)

    async def _settle(self, capture: pl.DataFrame) -> None:
        mine = Selection(equal={name: capture[name].to_list() for name in _ORIGIN})
        claims = await self._store.read("listing_claims", mine)
        settled = Settled({}, listings=0, added=0, questions=0)
        if len(claims):
            events = (await self._store.read("listing_events", mine)).filter(pl.col("held") == "")
            master = await self._master(claims, events)
            settled = await asyncio.to_thread(settle, claims, master, events=events, segments=self._segments)
        writes = await self._decided(settled)
        writes["settled_listings"] = _mark(capture, settled)
        await self._commit(writes, int(capture["ts_known"].cast(pl.Int64)[0]))
        counts = {"listings": settled.listings, "added": settled.added, "questions": settled.questions}
        log.info("reference.settled", provider=capture["provider"][0], **counts)

    async def _master(self, claims: pl.DataFrame, events: pl.DataFrame) -> Master:
        """Return what is known of all instruments, or of few claims only of those that they may be about."""
        merges = await self._store.read("merges")
        is_few = len(claims) <= FEW
        ids = await self._candidates(claims, events, merges) if is_few else ()
        frames = {name: await self._rows(name, "instrument_id", ids, is_few=is_few) for name in _MASTER}
        ciks = claims["cik"].drop_nulls().unique().to_list()
        issuers = await self._rows("issuers", "issuer_id", [issuer_of(one) for one in ciks], is_few=is_few)
        return Master(**{name: _redirected(frame, merges) for name, frame in frames.items()}, issuers=issuers)

    async def _rows(self, table: str, column: str, wanted: Sequence[str], *, is_few: bool) -> pl.DataFrame:
        """Return the rows of `table` whose `column` is one of `wanted`; where they are many, all rows."""
        if not is_few:
            return await self._store.read(table)
        if not wanted:
            return empty(TABLES[table].columns)
        return await self._store.read(table, Selection(equal={column: wanted}))

    async def _candidates(self, claims: pl.DataFrame, events: pl.DataFrame, merges: pl.DataFrame) -> Sequence[str]:
        """Return the ids of the records that have a ticker or an identifier of them, with those of their merges."""
        named = pl.concat([claims["symbol"], events["symbol"], events["old_symbol"].alias("symbol")]).drop_nulls()
        keys = keyed(named, spelling=spelling_of(claims["provider"][0]))["key"]
        symbols = pl.concat([keys.alias("symbol"), named]).unique().to_list()
        values = pl.concat([claims[one].str.to_uppercase() for one in SECURITY]).drop_nulls().unique().to_list()
        ids: set[str] = set()
        for table, column, wanted in (("listings", "symbol", symbols), ("identifiers", "value", values)):
            if wanted:
                one = Selection(equal={column: wanted}, columns=("instrument_id",))
                ids |= {*(await self._store.read(table, one))["instrument_id"]}
        together = merges.filter(pl.col("stands"))
        while True:
            near = together.filter(pl.col("instrument_id").is_in(ids) | pl.col("into").is_in(ids))
            more = ids | {*near["instrument_id"], *near["into"]}
            if more == ids:
                return sorted(ids)
            ids = more

    async def _decided(self, settled: Settled) -> dict[str, pl.DataFrame]:
        """Return what differs from what is stored."""
        writes = {}
        for table, rows in settled.writes.items():
            if rows.is_empty():
                continue
            name = TABLES[table].key[0]
            ids = rows[name].unique().to_list()
            equal = {name: ids} if len(ids) <= FEW else {}
            current = await self._store.read(table, Selection(equal=equal))
            decided = (await asyncio.to_thread(decide, current, rows, TABLES[table])).write
            if len(decided):
                writes[table] = decided
        return writes


def _redirected(rows: pl.DataFrame, merges: pl.DataFrame) -> pl.DataFrame:
    return redirected(rows.with_columns(record=pl.col("instrument_id")), merges)


def _mark(capture: pl.DataFrame, settled: Settled) -> pl.DataFrame:
    """Return the row that says that a payload is settled."""
    counts = {"rows": settled.listings, "added": settled.added, "questions": settled.questions}
    columns = TABLES["settled_listings"].columns
    told = [pl.lit(value).cast(columns[name]).alias(name) for name, value in counts.items()]
    return capture.with_columns(told).select(list(columns))
