"""The quality room tells what is late, once, and when it arrives; across restarts."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from pipeline_doubles import BothTimes, Heard, SteppingClock
from room_doubles import rows
from truetape.domain.messages import FindingsMade
from truetape.domain.time import from_datetime
from truetape.domain.wire import unpack
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.objectives import Objective, Objectives
from truetape.services.quality.service import QualityService, late_now

FRIDAY, MONDAY = date(2024, 7, 5), date(2024, 7, 8)
DAILY = Objectives(everywhere={"1d": Objective(within_s=7200.0, after="close")})
STREAM = Objectives(everywhere={"trades": Objective(within_s=300.0), "1m": Objective(within_s=600.0)})


def ns(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def at(*texts: str) -> list[datetime]:
    return [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]


def store(**more: pl.DataFrame) -> BothTimes:
    listed = {"mic": "XNYS", "valid_from": None, "valid_to": None}
    return BothTimes(
        listings=rows("listings", instrument_id=["a", "b"], symbol=["AAA", "BBB"], ts_known=[FRIDAY] * 2, **listed),
        sessions=rows(
            "sessions",
            mic="XNYS",
            session=[FRIDAY, MONDAY],
            open=at("2024-07-05 13:30", "2024-07-08 13:30"),
            close=at("2024-07-05 20:00", "2024-07-08 20:00"),
            ts_known=[FRIDAY] * 2,
        ),
        **more,
    )


def bar(day: date, *instruments: str) -> pl.DataFrame:
    days = [day] * len(instruments)
    return rows("bars", instrument_id=list(instruments), timeframe="1d", ts_event=days, ts_known=days)


class Room:
    """A quality room over doubles."""

    def __init__(self, kept: BothTimes, objectives: Objectives = DAILY) -> None:
        self.bus, self.store = Heard(), kept
        config = QualityConfig(freshness=objectives)
        self.service = QualityService(bus=self.bus, store=self.store, config=config)

    def told(self) -> list[tuple[Any, ...]]:
        frames = [unpack(one.findings) for one in self.bus.of(FindingsMade)]
        return [row for one in frames for row in one.select("instrument_id", "timeframe", "check").iter_rows()]

    async def keep(self) -> None:
        """Store what was told, as the storage room does."""
        for one in self.bus.of(FindingsMade):
            await self.store.commit({"findings": unpack(one.findings)})


async def test_what_is_late_is_told_once_and_when_it_arrives() -> None:
    """Two hours after the close the second stock has no bar; then it has."""
    room = Room(store(bars=bar(FRIDAY, "a")))
    for now in ("2024-07-05 21:59", "2024-07-05 22:01", "2024-07-05 23:00"):
        await room.service.look(now_ns=ns(now))
    assert [("b", "1d", "late")] == room.told()
    await room.store.commit({"bars": bar(FRIDAY, "b")})
    await room.service.look(now_ns=ns("2024-07-05 23:30"))

    assert [("b", "1d", "late"), ("b", "1d", "arrived")] == room.told()


async def test_a_restart_does_not_tell_again() -> None:
    """What is late is remembered by its findings; what arrived meanwhile is told."""
    room = Room(store(bars=bar(FRIDAY, "a")))
    await room.service.look(now_ns=ns("2024-07-05 22:01"))
    await room.keep()
    again = Room(room.store)
    await again.service.recall()
    await again.service.look(now_ns=ns("2024-07-05 22:02"))
    assert [] == again.told()
    await room.store.commit({"bars": bar(FRIDAY, "b")})
    await again.service.look(now_ns=ns("2024-07-05 22:03"))

    assert [("b", "1d", "arrived")] == again.told()


async def test_a_halted_stock_is_not_late() -> None:
    """Everybody was asked after it was due, and nobody has a bar."""
    mark = rows(
        "rounds", round_id="r", instrument_id="b", kind="bars", timeframe="1d", start=[FRIDAY], end=[FRIDAY],
        providers="p", golden=0, quarantined=0, ts_known=at("2024-07-05 22:30"),
    )  # fmt: skip
    room = Room(store(bars=bar(FRIDAY, "a"), rounds=mark))
    await room.service.look(now_ns=ns("2024-07-05 23:00"))

    assert [] == room.told()


async def test_what_comes_during_a_session_is_watched_too() -> None:
    """Minutes ten minutes after the last or the open; trades five minutes after we began to listen."""
    minute = rows(
        "bars", instrument_id="a", timeframe="1m", ts_event=at("2024-07-05 14:00"), ts_known=at("2024-07-05 14:01")
    )
    room = Room(store(bars=minute), STREAM)
    await room.service.look(now_ns=ns("2024-07-05 14:09"))
    assert [("b", "1m", "late")] == room.told()
    await room.service.look(now_ns=ns("2024-07-05 14:15"))

    assert [("a", "1m", "late"), ("a", "trades", "late"), ("b", "trades", "late")] == room.told()[1:]


async def test_without_listening_the_store_is_asked() -> None:
    """A trade of a minute ago is fresh; of the other stock there is none since the open."""
    trade = rows(
        "trades", instrument_id="a", ts_event=at("2024-07-05 14:08"), provider="p", ts_known=at("2024-07-05 14:08")
    )
    only = Objectives(everywhere={"trades": Objective(within_s=300.0)})
    late, names = await late_now(store(trades=trade), only, now_ns=ns("2024-07-05 14:09"))

    assert ([("b", "trades")], "AAA") == (list(late.select("instrument_id", "kind").iter_rows()), names["a"])


async def test_without_objectives_nothing_is_read() -> None:
    """An empty store without a single table would fail otherwise."""
    room = Room(BothTimes(), Objectives())
    room.store.rows.clear()
    await room.service.look(now_ns=ns("2024-07-05 23:00"))

    assert [] == room.told()


async def test_objectives_of_nobody_are_kept() -> None:
    """No listing: nothing is late."""
    room = Room(BothTimes())
    await room.service.look(now_ns=ns("2024-07-05 23:00"))

    assert [] == room.told()


async def test_it_watches_for_ever() -> None:
    """Once a minute."""
    room, clock = Room(store()), SteppingClock()
    watching = asyncio.create_task(room.service.watch(clock))
    while len(clock.slept) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    watching.cancel()

    assert [60.0] * 3 == clock.slept[:3]
