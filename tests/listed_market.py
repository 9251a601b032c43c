"""A reference room on a store in memory, and lists of listings that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from room_doubles import FrameStore, ListBus, rows
from truetape.domain.identity import instrument_id
from truetape.domain.messages import InstrumentChanged
from truetape.ports.store import Selection
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.service import ReferenceService

FIRST = datetime(2024, 6, 10, 12, tzinfo=UTC)
APPLE_ISIN, APPLE_CUSIP, APPLE_FIGI, APPLE_CIK = "US0378331005", "037833100", "BBG000B9XRY4", "0000320193"
META_FIGI, META_ISIN = "BBG000MM2P62", "US30303M1027"
DAY = timedelta(days=1)


class Market:
    """A reference room on a store, and lists that it is given."""

    def __init__(self) -> None:
        self.store = FrameStore()
        self.bus = ListBus()
        self.room = ReferenceService(bus=self.bus, store=self.store, config=ReferenceConfig())
        self.lists = 0

    async def told(self, *listings: Mapping[str, object], provider: str = "tiingo", days: int = 0) -> None:
        """Let `provider` list `listings`, `days` after the first list, and settle that."""
        await self.said(*listings, provider=provider, days=days)
        await self.room.settle()

    async def said(self, *listings: Mapping[str, object], provider: str = "tiingo", days: int = 0) -> None:
        """Let `provider` list `listings`, `days` after the first list, and settle nothing yet."""
        self.lists += 1
        payload, known = f"{self.lists:064d}", FIRST + days * DAY
        names = {name for one in listings for name in one}
        columns = {name: [one.get(name) for one in listings] for name in names}
        claims = rows(
            "listing_claims",
            number=list(range(len(listings))),
            provider=provider,
            payload=payload,
            ts_known=known,
            **columns,
        )
        capture = rows("captures", payload=[payload], provider=provider, round_id="", page="", kind="listings",
                       instrument_id="", ts_known=known)  # fmt: skip
        await self.store.commit({"listing_claims": claims, "captures": capture})

    def changed(self) -> list[InstrumentChanged]:
        return [one for one in self.bus.told if isinstance(one, InstrumentChanged)]

    async def listed(self) -> list[tuple[object, ...]]:
        columns = ("symbol", "mic", "valid_from", "valid_to", "instrument_id")
        return (await self.store.read("listings", Selection(columns=columns))).sort(columns[:3]).rows()

    async def asked(self) -> list[str]:
        return sorted((await self.store.read("master_questions", Selection(columns=("kind",))))["kind"])

    async def of(self, table: str, *columns: str) -> list[tuple[object, ...]]:
        return (await self.store.read(table, Selection(columns=columns))).rows()


def own_id(symbol: str, mic: str = "XNAS", since: date | None = None) -> str:
    return instrument_id(mic=mic, symbol=symbol, valid_from=since)
