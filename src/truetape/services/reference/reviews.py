"""What each new list of listings differs in from the one before it: events, or why they are not believed."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl
import structlog

from truetape.domain.listed import DELISTED, snapshot
from truetape.domain.listing_changes import EVENT_COLUMNS, Changes, changes
from truetape.domain.register_messages import ListingsReviewed
from truetape.domain.schema import DECODED, TABLES, empty
from truetape.ports.bus import Bus
from truetape.ports.store import Selection, Store

log = structlog.get_logger()

_ORIGIN: Final = ("payload", "provider")
_SERIES: Final = ("provider", "page", "instrument_id")  # lists of one series follow each other


class ListingReviews:
    """Compare every list of listings with the last one of its series that was believed, each payload once."""

    def __init__(self, *, bus: Bus, store: Store, most_gone: float) -> None:
        self._bus = bus
        self._store = store
        self._most_gone = most_gone
        self._looked: int | None = None  # the version of the store up to which nothing is due

    async def review(self) -> None:
        """Write the events of every list that was not compared yet, the oldest first, and tell of them.

        Raises:
            StoreUnavailable: The claims cannot be read, or the events cannot be written now.
        """
        version = self._store.version()
        if version == self._looked:
            return
        wanted = Selection(equal={"kind": ("listings",)}, columns=(*_ORIGIN, *_SERIES[1:], "ts_known", "simulated"))
        captures = await self._store.read("captures", wanted)
        done = await self._store.read("listing_reviews")
        due = captures.join(done, on=_ORIGIN, how="anti").sort("ts_known", "payload")
        believed = captures.join(done.filter(pl.col("words") == ""), on=_ORIGIN, how="semi")
        for capture in due.unique(_ORIGIN, keep="first", maintain_order=True).iter_slices(1):
            before = believed.join(capture, on=_SERIES, how="semi").sort("ts_known", "payload").tail(1)
            if await self._compare(before, capture):
                believed = pl.concat([believed, capture])
        self._looked = version

    async def _compare(self, before: pl.DataFrame, capture: pl.DataFrame) -> bool:
        """Compare one list with the one before, if there is one; return whether it is believed."""
        older = before["payload"][0] if len(before) else ""
        new = await self._claims(capture)
        if new.is_empty():
            return False
        old = await self._claims(before) if older else new.clear()
        found, live = await asyncio.to_thread(_changes, old, new, self._most_gone, first=not older)
        origin = capture.select(*_ORIGIN, "ts_known", "simulated")
        words = "; ".join(f"{one.reason}: {one.words}" for one in found.findings)
        counted = {"live": live, "events": len(found.events), "held": len(found.held)}
        told = {"old_payload": older, "words": "" if found.is_believed else words, **counted}
        writes = {"listing_reviews": _shaped(origin.with_columns(_literals(told)), "listing_reviews")}
        events = _events(found, origin, older=older, words=words)
        if len(events):
            writes["listing_events"] = events
        await self._store.commit(writes)
        await self._tell(found, origin, words)
        return found.is_believed

    async def _claims(self, capture: pl.DataFrame) -> pl.DataFrame:
        mine = Selection(equal={name: capture[name].to_list() for name in _ORIGIN})
        claims = await self._store.read("listing_claims", mine)
        return claims.sort("number").select(list(DECODED["listings"]))

    async def _tell(self, found: Changes, origin: pl.DataFrame, words: str) -> None:
        payload, provider, known, simulated = origin.with_columns(pl.col("ts_known").cast(pl.Int64)).row(0)
        about = {"provider": provider, "payload": payload, "ts_known": known, "simulated": simulated}
        log.info("reference.reviewed", provider=provider, counts=found.counts, held=len(found.held))
        await self._bus.publish(ListingsReviewed(**about, counts=found.counts, held=len(found.held), words=words))


def _changes(old: pl.DataFrame, new: pl.DataFrame, most_gone: float, *, first: bool) -> tuple[Changes, int]:
    """Return what changed, nothing of a first list, and how many listings of the new list go on."""
    if first:  # it may be of a million listings, of which nobody asks more than their number
        told = new.filter(pl.col("symbol") != "", pl.col("status").fill_null("") != DELISTED)
        return Changes(events=empty(EVENT_COLUMNS), held=empty(EVENT_COLUMNS), findings=()), told["symbol"].n_unique()
    after = snapshot(new)
    return changes(snapshot(old), after, most_gone=most_gone), len(after.live)


def _events(found: Changes, origin: pl.DataFrame, *, older: str, words: str) -> pl.DataFrame:
    """Return rows of the table listing_events: those that are believed, then those held back."""
    rows = pl.concat([found.events.with_columns(held=pl.lit("")), found.held.with_columns(held=pl.lit(words))])
    numbered = rows.with_columns(_literals({"old_payload": older}), number=pl.int_range(pl.len(), dtype=pl.UInt32))
    return _shaped(numbered.join(origin, how="cross"), "listing_events")


def _literals(told: dict[str, str | int]) -> list[pl.Expr]:
    return [pl.lit(value).alias(name) for name, value in told.items()]


def _shaped(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(dtype) for name, dtype in TABLES[table].columns.items())
