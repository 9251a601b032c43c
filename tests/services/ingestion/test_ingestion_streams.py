"""The ingestion room hears streams, heals their gaps by history, and goes on after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from pipeline_doubles import BOTH, NOW, BothTimes, DictArchive, Heard, Script, filled, provider
from stream_doubles import PatientClock, ScriptedSockets, Step, WordFeed
from truetape.domain.asks import Ask
from truetape.domain.capability import Offer
from truetape.domain.messages import InstrumentsChanged, RoundClosed, StreamCaptured
from truetape.domain.ticks import Gap
from truetape.domain.time import DAY_NS, NANOSECONDS
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.connection import Ways
from truetape.services.ingestion.rounds import recall, retold
from truetape.services.ingestion.service import IngestionService
from truetape.services.ingestion.streams import StreamsConfig

TODAY = datetime.fromtimestamp(NOW / NANOSECONDS, UTC).date()
CHANGED = InstrumentsChanged(instrument_ids=("ins_a",), ts_known=NOW)


class Room:
    """An ingestion room with one instrument and a provider that streams it and has its minutes."""

    def __init__(self, *scripts: Sequence[Step], archive: DictArchive | None = None, channels: bool = True) -> None:
        self.clock, self.bus, self.store = PatientClock(NOW, pause_s=0.004), Heard(), BothTimes()
        self.archive = archive or DictArchive()
        self.history = Script(b"raw,10")
        made = provider("p", self.history, decode=BOTH)
        minutes = msgspec.structs.replace(made.declaration, offers=(Offer(kind="bars", timeframes=("1d", "1m")),))
        listing: dict[str, Any] = {"instrument_id": "ins_a", "symbol": "A", "mic": "XNAS", "valid_from": None}
        origin = {"ts_known": NOW, "version": 1, "simulated": False}
        self.store.rows["listings"] = filled("listings", 1, {**listing, "valid_to": None, **origin})
        self.service = IngestionService(
            bus=self.bus,
            store=self.store,
            archive=self.archive,
            clock=self.clock,
            providers={"p": replace(made, declaration=minutes, feed=WordFeed, spell=str.upper)},
            config=IngestionConfig(
                start=TODAY,
                end=date(2024, 6, 7),
                streams=StreamsConfig(channels={"p": ("trades",)} if channels else {}, seed=1),
            ),
            ways=Ways(ScriptedSockets(self.clock, *scripts)),
        )

    async def live(self, seconds: float) -> None:
        """Start, and work and listen for so long."""
        await self.service.resume()
        await self.service.on_instruments_changed(CHANGED)
        tasks = [asyncio.create_task(self.service.work()), asyncio.create_task(self.service.listen())]
        await self.clock.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def minutes_asked(self) -> list[Ask]:
        return [ask for ask in self.history.asks if ask.timeframe == "1m"]

    def healed(self) -> list[RoundClosed]:
        return [one for one in self.bus.of(RoundClosed) if one.partial]


async def test_a_gap_is_healed_by_the_minutes_of_its_day() -> None:
    """Asked for once, when the provider should have them; the day counts as asked for by nobody else."""
    room = Room(["in", 1.0, "A 10 1", 20.0, "A 11 1", 20.0, "A 11 1", 25.0, "A 11 1", 25.0, "A 12 1", 29.0, "A 1 1"])
    await room.live(200)

    assert [("A", TODAY, TODAY)] == [(ask.symbol, ask.start, ask.end) for ask in room.minutes_asked()]
    (closed,) = room.healed()
    assert ("ins_a", "bars", "1m", ("p",)) == (closed.instrument_id, closed.kind, closed.timeframe, closed.providers)
    assert {} == room.service.healing.open
    assert ("ins_a", "bars", "1m") not in room.service.intervals.settled


async def test_what_a_crash_left_open_is_done_by_the_next_process() -> None:
    """Segments that the store has not are told again in their order; a gap is healed; the time between is one too."""
    first = Room(["in", 1.0, "A 10 1", 5.0, "gap A", 60.0])
    await first.live(10)
    segments = first.bus.of(StreamCaptured)
    second = Room(["in", 1.0, "A 10 1", 60.0], archive=first.archive)
    await second.live(8)

    assert segments == second.bus.of(StreamCaptured)[: len(segments)]
    gap = next(gap for one in second.bus.of(StreamCaptured)[len(segments) :] for gap in one.gaps)
    assert max(one.ts_known for one in segments) == gap.since
    assert [("p", "ins_a")] == list(second.service.healing.open)


async def test_segments_that_the_store_has_are_not_told_again() -> None:
    """Nor those that are older than what a store can lack."""
    room = Room(["in", 1.0, "A 10 1", 60.0])
    await room.live(5)
    told = room.bus.of(StreamCaptured)
    old = msgspec.structs.replace(told[0], ts_known=NOW - 8 * DAY_NS, connection="old")
    room.archive.entries.insert(0, old)
    second = Room(archive=room.archive, channels=False)
    second.store.rows["segments"] = filled("segments", 1, {**dict.fromkeys(SEGMENT), **row(told[0])})
    await second.service.resume()

    assert told[1:] == second.bus.of(StreamCaptured)


SEGMENT = ("frames", "trades", "quotes", "gaps", "told_from", "told_to", "ended")


def row(message: StreamCaptured) -> dict[str, Any]:
    return {
        "provider": "p",
        "connection": message.connection,
        "number": message.number,
        "ts_event": message.ts_known,
        "payload": message.key,
        "ts_known": message.ts_known,
        "simulated": False,
    }


async def test_nothing_is_heard_unless_it_is_wanted() -> None:
    """Without channels the room does not even wait for instruments."""
    room = Room(channels=False)
    await room.service.listen()

    assert [] == room.bus.of(StreamCaptured)


@pytest.mark.parametrize("read", [frozenset(), frozenset({("c", 0)})])
def test_the_journal_says_until_when_a_stream_was_heard(read: frozenset[tuple[str, int]]) -> None:
    """And which segments nobody has read."""
    gap = Gap(symbol="A", channel="t", ts_event=NOW, since=0, words="")
    segments = [
        StreamCaptured(
            provider="p", connection="c", number=number, key="k", ts_known=NOW - number, frames=1,
            channels=("trades",), instruments={"A": "ins_a"}, gaps=(gap,),
        )
        for number in range(2)
    ]  # fmt: skip
    history = recall(segments, read=read)

    assert {"p": NOW} == history.heard_until
    assert segments[len(read) :] == history.unread == list(retold(history))
