"""Segments of streams reach the watch of the quality room, and what is wrong is told once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import NOW, BothTimes, Heard
from room_doubles import rows
from truetape.domain.messages import FindingsMade, StreamCaptured, TicksHeard
from truetape.domain.schema import TABLES, empty
from truetape.domain.time import NANOSECONDS, to_datetime
from truetape.domain.wire import unpack
from truetape.services.processing.streamed import Said
from truetape.services.processing.ticks import ticks_heard
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.objectives import Objective, Objectives
from truetape.services.quality.service import QualityService
from truetape.services.quality.watch import Watch

TODAY = date(2024, 6, 10)  # that of NOW
NOTHING = Objectives()
Trade = tuple[str, float, float, str]  # instrument, seconds after NOW, price, id


def instants(seconds: list[float]) -> list[datetime]:
    return [to_datetime(NOW + round(one * NANOSECONDS)) for one in seconds]


def captured(number: int, at_s: float, **changes: Any) -> StreamCaptured:
    given: dict[str, Any] = {
        "provider": "p",
        "connection": "c",
        "number": number,
        "key": "k",
        "ts_known": NOW + round(at_s * NANOSECONDS),
        "frames": 1,
        "channels": ("trades",),
        "instruments": {},
    }
    return StreamCaptured(**{**given, **changes})


def said(*trades: Trade, at_s: float, quotes: tuple[tuple[str, float | None, float | None], ...] = ()) -> Said:
    known = to_datetime(NOW + round(at_s * NANOSECONDS))
    made = rows(
        "trades",
        instrument_id=[one[0] for one in trades],
        ts_event=instants([one[1] for one in trades]),
        price=[one[2] for one in trades],
        trade_id=[one[3] for one in trades],
        correction=["cancel" if one[3] == "x" else "" for one in trades],
        ts_known=[known] * len(trades),
    ) if trades else empty(TABLES["trades"].columns)  # fmt: skip
    told = rows(
        "quotes",
        instrument_id=[one[0] for one in quotes],
        ts_event=instants([at_s] * len(quotes)),
        bid=[one[1] for one in quotes],
        ask=[one[2] for one in quotes],
        ts_known=[known] * len(quotes),
    ) if quotes else empty(TABLES["quotes"].columns)  # fmt: skip
    return Said(made, told, empty(TABLES["bar_claims"].columns))


class Room:
    """A quality room over doubles that hears segments."""

    def __init__(self, objectives: Objectives = NOTHING, **tables: pl.DataFrame) -> None:
        self.bus, self.store, self.number = Heard(), BothTimes(**tables), -1
        config = QualityConfig(freshness=objectives)
        self.service = QualityService(bus=self.bus, store=self.store, config=config)

    async def hear(self, *trades: Trade, at_s: float, **more: Any) -> TicksHeard:
        self.number += 1
        message = ticks_heard(captured(self.number, at_s), said(*trades, at_s=at_s, **more))
        assert message is not None
        await self.service.on_ticks_heard(message)
        return message

    def told(self) -> list[tuple[Any, ...]]:
        frames = [unpack(one.findings) for one in self.bus.of(FindingsMade)]
        columns = ["provider", "timeframe", "instrument_id", "check"]
        return [row for one in frames for row in one.select(columns).iter_rows()]


async def test_a_stream_is_judged_as_it_comes() -> None:
    """Of trades strays and repeats, of quotes crossed books; cancelled trades are none."""
    room = Room()
    await room.hear(("a", 0, 100.0, "1"), ("b", 0, 5.0, "1"), at_s=1)
    assert [] == room.told()
    quotes = (("a", 11.0, 10.0), ("b", 10.0, 11.0), ("c", None, 10.0), ("d", 0.0, 10.0))
    await room.hear(("a", 1, 200.0, "2"), ("b", 1, 5.0, "1"), ("b", 1, 500.0, "x"), at_s=2, quotes=quotes)

    assert [
        ("p", "quotes", "a", "crossed"),
        ("p", "quotes", "d", "not_positive"),
        ("p", "trades", "a", "off_market"),
        ("p", "trades", "b", "duplicate_id"),
    ] == sorted(room.told())
    assert {("p", "off_market"): 1, ("p", "duplicate_id"): 1, ("p", "crossed"): 1, ("p", "not_positive"): 1} == (
        room.service.watched.counts
    )


async def test_a_segment_that_is_told_again_is_judged_once() -> None:
    """It gets the same answer and moves nothing; an older one gets none of its own."""
    room = Room()
    first = await room.hear(("a", 0, 100.0, "1"), at_s=1)
    second = await room.hear(("a", 1, 200.0, "2"), at_s=2)
    await room.service.on_ticks_heard(second)
    await room.service.on_ticks_heard(first)

    assert [("p", "trades", "a", "off_market")] * 3 == room.told()
    assert 1 == room.service.watched.counts["p", "off_market"]


@pytest.mark.parametrize("known", [True, False])
async def test_trades_outside_every_session(known: bool) -> None:
    """By the calendar of the instrument's venue; a calendar that changes is read again."""
    listed = rows(
        "listings", instrument_id="a", symbol="A", mic="XNYS", valid_from=None, valid_to=None, ts_known=[TODAY]
    )
    opened, closed = (datetime(2024, 6, 10, hour, tzinfo=UTC) for hour in (13, 20))
    session = rows("sessions", mic="XNYS", session=[TODAY], open=[opened], close=[closed], ts_known=[TODAY])
    room = Room(listings=listed)
    await room.hear(("a", 0, 1.0, "1"), at_s=1)
    await room.store.commit({"sessions": session})
    if known:
        await room.service.on_instruments_changed(None)  # type: ignore[arg-type]
    await room.hear(("a", 2, 1.0, "2"), at_s=2)

    assert ([("p", "trades", "a", "outside_session")] if known else []) == room.told()


async def test_silence_is_told_and_streams_are_fresh() -> None:
    """Forty trades in forty seconds, then nothing for two minutes; one that was heard a minute ago is not late."""
    listed = rows(
        "listings", instrument_id=["a", "b"], symbol=["A", "B"], mic="XNYS", valid_from=None, valid_to=None,
        ts_known=[TODAY] * 2,
    )  # fmt: skip
    opened, closed = to_datetime(NOW), to_datetime(NOW + 23_400 * NANOSECONDS)
    session = rows("sessions", mic="XNYS", session=[TODAY], open=[opened], close=[closed], ts_known=[TODAY])
    objectives = Objectives(everywhere={"trades": Objective(within_s=150.0)})
    room = Room(objectives, listings=listed, sessions=session)
    await room.service.look(now_ns=NOW)
    await room.hear(at_s=0, quotes=(("b", 1.0, 2.0),))
    for at_s in range(40):
        await room.hear(("a", at_s, 1.0, f"{at_s}"), at_s=at_s)
    await room.service.look(now_ns=NOW + 160 * NANOSECONDS)

    assert [("p", "trades", "a", "stale_feed"), ("", "trades", "b", "late")] == room.told()
    await room.hear(("a", 161, 1.0, "z"), at_s=161)
    await room.service.look(now_ns=NOW + 162 * NANOSECONDS)
    assert ("p", "trades", "a", "resumed") == room.told()[-1]


def test_a_segment_without_trades_and_quotes_is_not_told() -> None:
    """There is nothing to judge."""
    assert ticks_heard(captured(0, 0), Said.nothing()) is None


def test_connections_are_remembered_up_to_a_number() -> None:
    """Of three with room for two the oldest is forgotten: told again, it is judged again."""
    watch = Watch(simulated=False, most=2)
    segments = [
        ticks_heard(captured(0, 1, connection=f"c{number}"), said(("a", 0, 1.0, f"{number}"), at_s=1))
        for number in range(3)
    ]
    found = [watch.hear(one) for one in (*segments, *reversed(segments)) if one is not None]

    assert [0, 0, 0, 0, 0, 1] == [len(one) for one in found]


async def test_a_segment_of_quotes_alone() -> None:
    """It has no ids."""
    room = Room()
    await room.hear(at_s=1, quotes=(("a", 11.0, 10.0),))

    assert [("p", "quotes", "a", "crossed")] == room.told()
