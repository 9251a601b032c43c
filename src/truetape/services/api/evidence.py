"""Gather the evidence about one price: from the store, and from the archive of the providers' bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.errors import CorruptArchive
from truetape.ports.archive import Archive
from truetape.ports.store import Selection
from truetape.services.api.answers import Answers
from truetape.services.api.directory import Listing
from truetape.services.api.explain import Evidence, Explanation, explain
from truetape.services.api.query import ExplainQuery
from truetape.services.api.reading import Reading

MOST_ROWS: Final = 500  # of each table, for one session
MOST_PAYLOADS: Final = 20  # that are read again to prove that they are whole


class Explainer:
    """Explain prices from what the store and the archive hold."""

    def __init__(self, reading: Reading, *, archive: Archive | None, answers: Answers) -> None:
        self._store = reading
        self._archive = archive
        self._answers = answers

    async def explain(self, query: ExplainQuery) -> Explanation:
        """Return everything known about one daily bar.

        Raises:
            UnknownSymbol, BadInput: The symbol means nothing, or too much.
            StoreUnavailable: The store cannot be read now.
        """
        listing = await self._answers.listing(query.symbol, start=query.day, end=query.day)
        one = {"instrument_id": (listing.instrument_id,)}
        names = await self._store.read("instruments", Selection(equal=one))
        return explain(
            await self._evidence(query, listing),
            symbol=query.symbol,
            listing=listing,
            name=(names["name"][0] if len(names) else None) or listing.symbol,
            day=query.day,
            as_of=self._store.told,
            store_version=self._store.version,
        )

    async def _evidence(self, query: ExplainQuery, listing: Listing) -> Evidence:
        one, day = {"instrument_id": (listing.instrument_id,)}, query.day
        daily = {**one, "timeframe": ("1d",)}
        claims = await self._day("bar_claims", daily, day)
        payloads = claims["payload"].unique().sort().to_list()
        return Evidence(
            bars=await self._day("bars", daily, day, history=True),
            withdrawals=await self._store.read("bars", replace(self._wanted(daily, day), history=True, withdrawn=True)),
            bar_claims=claims,
            quarantine=await self._day("quarantine", daily, day),
            findings=await self._day("findings", daily, day),
            sessions=await self._day("sessions", {"mic": (listing.mic,)}, day),
            actions=await self._store.read("actions", Selection(equal=one, as_of=self._store.as_of)),
            factors=await self._store.read("factors", Selection(equal=one, as_of=self._store.as_of)),
            payload_bytes=await asyncio.to_thread(self._sizes, payloads),
            decisions=await self._store.read("decisions", Selection(equal=daily, as_of=self._store.as_of)),
            repairs=await self._store.read("repairs", Selection(equal=daily, as_of=self._store.as_of)),
            captures=await self._store.read("captures", Selection(equal={"payload": payloads or ("",)})),
        )

    async def _day(
        self, table: str, equal: Mapping[str, tuple[str, ...]], day: date, *, history: bool = False
    ) -> pl.DataFrame:
        return await self._store.read(table, replace(self._wanted(equal, day), history=history))

    def _wanted(self, equal: Mapping[str, tuple[str, ...]], day: date) -> Selection:
        return Selection(equal=equal, start=day, end=day, as_of=self._store.as_of, limit=MOST_ROWS)

    def _sizes(self, keys: Iterable[str]) -> dict[str, int | None]:
        return {key: self._size(key) for key in list(keys)[:MOST_PAYLOADS]}

    def _size(self, key: str) -> int | None:
        if self._archive is None:
            return None
        try:
            return len(self._archive.get(key))
        except CorruptArchive:
            return None
