"""The api room's ears: kept answers go when something changed."""

from __future__ import annotations

from datetime import date

import pytest

from room_doubles import FixedClock, ListBus
from truetape.adapters.memory_cache import MemoryCache
from truetape.domain.mail import MAIL
from truetape.domain.messages import BatchStored, FactorsChanged, IndexChanged, Message
from truetape.services.api.service import ApiService

STORED = BatchStored(
    kind="bars",
    round_id="rnd_1",
    instrument_id="ins_apple",
    timeframe="1d",
    start=date(2005, 2, 24),
    end=date(2005, 3, 3),
    ts_known=1,
    new=1,
    corrected=0,
    repeated=0,
    quarantined=0,
    store_version=1,
)


def test_the_room_hears_what_it_is_sent() -> None:
    """It subscribes to exactly the messages that the mail list gives it."""
    bus = ListBus()
    ApiService(bus=bus, cache=MemoryCache(max_bytes=1000, clock=FixedClock())).subscribe()

    assert {kind.__name__ for kind, rooms in MAIL.items() if "api" in rooms} == {kind for kind, _ in bus.heard}


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (STORED, None),
        (FactorsChanged(instrument_id="ins_apple", ts_known=1, changed=1), None),
        (FactorsChanged(instrument_id="ins_apple", ts_known=1, changed=0), b"answer"),
        (IndexChanged(index_id="EW5", ts_known=1, changed=1), None),
        (IndexChanged(index_id="EW5", ts_known=1, changed=0), b"answer"),
    ],
)
async def test_changes_drop_answers_and_nothing_else(message: Message, kept: bytes | None) -> None:
    """A change forgets the api's keys; other rooms' keys stay."""
    cache = MemoryCache(max_bytes=1000, clock=FixedClock())
    await cache.put("api/1/v1/bars?", b"answer")
    await cache.put("latest/ins_apple/1d", b"bar")
    room = ApiService(bus=ListBus(), cache=cache)
    match message:
        case BatchStored():
            await room.on_batch_stored(message)
        case FactorsChanged():
            await room.on_factors_changed(message)
        case IndexChanged():
            await room.on_index_changed(message)

    assert await cache.get("api/1/v1/bars?") == kept
    assert await cache.get("latest/ins_apple/1d") == b"bar"
