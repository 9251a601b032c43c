"""The distribution room: latest bars and topics."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from room_doubles import FixedClock, FrameStore, ListBus, rows
from truetape.domain.messages import BatchStored, FactorsChanged, IndexChanged, InstrumentChanged
from truetape.domain.register_messages import ListingsReviewed
from truetape.services.distribution.config import DistributionConfig
from truetape.services.distribution.service import DistributionService
from truetape.services.distribution.topics import Event


class DictCache:
    """Keep values for ever."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.values.get(key)

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        self.values[key] = value

    async def drop(self, prefix: str) -> None:
        self.values = {key: value for key, value in self.values.items() if not key.startswith(prefix)}


def bars(*days: date, close: float = 5.0, version: int = 1) -> pl.DataFrame:
    return rows(
        "bars",
        instrument_id="ins_a",
        timeframe="1d",
        ts_event=list(days),
        close=close,
        flags=0,
        version=version,
        ts_known=date(2024, 6, 30),
    )


D1, D2, D3 = date(2024, 6, 10), date(2024, 6, 11), date(2024, 6, 12)


def stored(kind: str = "bars") -> BatchStored:
    return BatchStored(
        kind=kind,
        round_id="rnd_a",
        instrument_id="ins_a",
        timeframe="1d",
        start=D1,
        end=D3,
        ts_known=5,
        new=1,
        corrected=0,
        repeated=0,
        quarantined=0,
        store_version=1,
    )


def room(store: FrameStore, cache: DictCache | None = None, bus: ListBus | None = None) -> DistributionService:
    return DistributionService(
        bus=bus or ListBus(),
        store=store,
        cache=cache or DictCache(),
        clock=FixedClock(),
        config=DistributionConfig(),
    )


def latest(cache: DictCache) -> tuple[str, float, int]:
    bar = json.loads(cache.values["latest/ins_a/1d"])
    return bar["ts_event"][:10], bar["close"], bar["version"]


async def test_the_latest_bar_follows_the_store() -> None:
    """A new day, a correction of that day, and an older day that comes late."""
    store, cache = FrameStore(bars=bars(D2)), DictCache()
    service = room(store, cache)

    await service.on_batch_stored(stored())
    assert latest(cache) == ("2024-06-11", 5.0, 1)
    await store.commit({"bars": bars(D3)})
    await service.on_batch_stored(stored())
    assert latest(cache) == ("2024-06-12", 5.0, 1)
    await store.commit({"bars": bars(D3, close=6.0, version=2)})
    await service.on_batch_stored(stored())
    assert latest(cache) == ("2024-06-12", 6.0, 2)
    await store.commit({"bars": bars(D1)})
    await service.on_batch_stored(stored())
    assert latest(cache) == ("2024-06-12", 6.0, 2)


async def test_a_cached_bar_that_the_store_does_not_know_is_replaced_or_dropped() -> None:
    """The store is the truth: a cache left over from another folder does not survive the first batch."""
    cache = DictCache()
    await room(FrameStore(bars=bars(D3)), cache).on_batch_stored(stored())

    await room(FrameStore(bars=bars(D1)), cache).on_batch_stored(stored())
    assert latest(cache) == ("2024-06-10", 5.0, 1)
    await room(FrameStore(), cache).on_batch_stored(stored())
    assert cache.values == {}


@pytest.mark.parametrize(
    ("message", "topic", "source"),
    [
        (stored("bars"), "truetape/bars/1d/ins_a", "truetape/storage"),
        (stored("actions"), "truetape/actions/ins_a", "truetape/storage"),
        (
            FactorsChanged(instrument_id="ins_a", ts_known=5, changed=1),
            "truetape/factors/ins_a",
            "truetape/corporate_actions",
        ),
        (IndexChanged(index_id="EW5", ts_known=5, changed=9), "truetape/index_levels/EW5", "truetape/benchmarks"),
        (
            InstrumentChanged(instrument_id="ins_a", ts_known=5, changes=("listings",)),
            "truetape/instruments/ins_a",
            "truetape/reference",
        ),
        (
            InstrumentChanged(instrument_id="", ts_known=5, changes=("listings",), count=2000),
            "truetape/instruments/*",
            "truetape/reference",
        ),
        (
            ListingsReviewed(provider="sec", payload="k", ts_known=5, counts={"listing": 2}, held=0, words=""),
            "truetape/listings/sec",
            "truetape/reference",
        ),
    ],
)
async def test_every_message_is_told_in_its_envelope(
    message: BatchStored | FactorsChanged | IndexChanged | InstrumentChanged | ListingsReviewed, topic: str, source: str
) -> None:
    """The body is a CloudEvents envelope around the message; a repeat has the same id, so that it can be dropped."""
    service = room(FrameStore())
    on = {
        BatchStored: service.on_batch_stored,
        FactorsChanged: service.on_factors_changed,
        IndexChanged: service.on_index_changed,
        InstrumentChanged: service.on_instrument_changed,
        ListingsReviewed: service.on_listings_reviewed,
    }[type(message)]

    with service.topics.subscribe("truetape/**") as events:
        await on(message)  # type: ignore[operator]
        await on(message)  # type: ignore[operator]
    first, second = [one async for one in events if isinstance(one, Event)]

    envelope = json.loads(first.body)
    assert (first.topic, envelope["source"], envelope["specversion"]) == (topic, source, "1.0")
    assert envelope["type"] == f"truetape.{type(message).__name__}.v1"
    assert envelope["time"] == "2023-11-14T22:13:20Z"
    assert envelope["data"]["ts_known"] == 5
    assert json.loads(second.body)["id"] == envelope["id"]


async def test_it_hears_what_changes() -> None:
    """Six kinds of message, one group."""
    bus = ListBus()

    room(FrameStore(), bus=bus).subscribe()

    kinds = (
        "BatchStored",
        "FactorsChanged",
        "AnnouncementsChanged",
        "IndexChanged",
        "InstrumentChanged",
        "ListingsReviewed",
        "FindingsStored",
    )
    assert bus.heard == [(kind, "distribution") for kind in kinds]
