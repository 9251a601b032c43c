"""Corrections that arrive while the room runs: what is stored then, what is told, and what was known before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from room_doubles import ListBus
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.calendar_corrections import CORRECTION
from truetape.domain.messages import CalendarsCorrected, DeclaredListing, InstrumentsChanged, InstrumentsDeclared
from truetape.domain.wire import pack
from truetape.ports.store import Selection
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.master import identify
from truetape.services.reference.service import ReferenceService

AAPL = DeclaredListing(symbol="AAPL", mic="XNAS")
IEX = DeclaredListing(symbol="I", mic="IEXG")  # which follows the New York calendar
TOYOTA = DeclaredListing(symbol="7203", mic="XTKS")
MONDAY, TUESDAY, WEDNESDAY, FRIDAY = (date(2024, 6, day) for day in (10, 11, 12, 14))
START, END = MONDAY, FRIDAY
RULES = "exchange_calendars 0.1, corrections 0"


class Room:
    """The reference room on a real store, after it has heard of listings at knowledge time 5."""

    def __init__(self, store: DuckdbStore) -> None:
        self.store, self.bus = store, ListBus()
        self.service = ReferenceService(bus=self.bus, store=store, config=ReferenceConfig())

    async def declare(
        self, *listings: DeclaredListing, ts_known: int = 5, start: date = START, end: date = END
    ) -> None:
        message = InstrumentsDeclared(listings=listings, start=start, end=end, ts_known=ts_known)
        await self.service.on_instruments_declared(message)

    async def correct(self, *said: dict[str, object], ts_known: int = 9) -> None:
        rows = [{name: one.get(name) for name in CORRECTION} for one in said]
        frame = pl.DataFrame(rows, schema=CORRECTION, orient="row")
        await self.service.on_calendars_corrected(CalendarsCorrected(corrections=pack(frame), ts_known=ts_known))

    async def sessions(self, mic: str, *, as_of: int | None = None) -> list[date]:
        rows = await self.store.read("sessions", Selection(equal={"mic": (mic,)}, as_of=as_of))
        return rows["session"].to_list()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    store = DuckdbStore(tmp_path / "store.duckdb")
    yield Room(store)
    await store.close()


def said(mic: str, day: date, what: str, **told: object) -> dict[str, object]:
    return {"mic": mic, "session": day, "what": what, "why": "w", "source": "s", **told}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


async def test_a_closure_withdraws_the_session_and_those_who_trade_there_hear_of_it(room: Room) -> None:
    """From the correction on there is no session; as of the instant before there was one. Venues that borrow follow."""
    await room.declare(AAPL, IEX, TOYOTA)
    week = [date(2024, 6, day) for day in range(10, 15)]

    await room.correct(said("XNYS", TUESDAY, "closed"))

    assert [one for one in week if one != TUESDAY] == await room.sessions("XNAS") == await room.sessions("IEXG")
    assert week == await room.sessions("XTKS") == await room.sessions("XNAS", as_of=8)
    concerned = tuple(sorted([identify(AAPL), identify(IEX)]))
    assert InstrumentsChanged(instrument_ids=concerned, ts_known=9, end=END) == room.bus.told[-1]


async def test_a_closure_that_is_taken_back_is_a_session_again(room: Room) -> None:
    """The row comes back with a version beyond its withdrawal; each state stays readable."""
    await room.declare(AAPL)
    await room.correct(said("XNAS", TUESDAY, "closed"))

    await room.correct(said("XNAS", TUESDAY, "open", known=at(MONDAY, 12)), ts_known=20)

    days = {as_of: TUESDAY in await room.sessions("XNAS", as_of=as_of) for as_of in (8, 10, 20, None)}
    assert {8: True, 10: False, 20: True, None: True} == days
    row = await room.store.read("sessions", Selection(equal={"mic": ("XNAS",)}, start=TUESDAY, end=TUESDAY))
    assert [(at(TUESDAY, 13, 30), at(TUESDAY, 20), 3)] == row.select("open", "close", "version").rows()


async def test_other_hours_and_breaks_are_new_versions(room: Room) -> None:
    """Tokyo closes early on Monday, before lunch is over, and trades through on Tuesday."""
    await room.declare(TOYOTA)

    await room.correct(said("XTKS", MONDAY, "open", close=at(MONDAY, 3)), said("XTKS", TUESDAY, "no_break"))

    sessions = await room.store.read("sessions", Selection(end=TUESDAY, columns=("session", "close", "version")))
    assert [(MONDAY, at(MONDAY, 3), 2), (TUESDAY, at(TUESDAY, 6), 1)] == sessions.rows()
    rested = await room.store.read("session_breaks", Selection(columns=("session",)))
    assert [WEDNESDAY, date(2024, 6, 13), FRIDAY] == rested["session"].to_list()
    kept = await room.store.read("calendar_corrections", Selection(columns=("mic", "session", "what")))
    assert [("XTKS", MONDAY, "open"), ("XTKS", TUESDAY, "no_break")] == kept.rows()


async def test_what_is_heard_before_any_venue_counts_for_those_that_come(room: Room) -> None:
    """A closure that was told first is no session when an instrument is declared, nor when the calendar goes on."""
    await room.correct(said("XNYS", TUESDAY, "closed"), said("XNYS", date(2024, 6, 17), "closed"), ts_known=3)
    assert [] == room.bus.told

    await room.declare(AAPL)
    await room.declare(AAPL, end=date(2024, 6, 18), ts_known=30)

    expected = [date(2024, 6, day) for day in (10, 12, 13, 14, 18)]
    assert expected == await room.sessions("XNAS")


async def test_the_same_correction_again_changes_nothing(room: Room) -> None:
    """It is kept once, and nobody is told; nor of one that says what the calendar knows already, or of none."""
    await room.declare(AAPL)
    await room.correct(said("XNAS", TUESDAY, "closed"))
    told, version = len(room.bus.told), room.store.version()

    await room.correct(said("XNAS", TUESDAY, "closed"), ts_known=12)
    await room.correct(ts_known=13)
    assert (told, version) == (len(room.bus.told), room.store.version())

    await room.correct(said("XNAS", date(2024, 6, 15), "closed"), ts_known=14)
    assert (told, version + 1) == (len(room.bus.told), room.store.version())


async def test_other_rules_are_noticed_and_only_what_differs_is_written(room: Room) -> None:
    """A session that only an older release had stands no longer, one that it lacked is there; both since now."""
    await room.declare(AAPL)
    await as_an_older_release_left_it(room)

    await room.declare(AAPL, ts_known=30)

    assert [date(2024, 6, day) for day in range(10, 15)] == await room.sessions("XNAS")
    assert [date(2024, 6, day) for day in (10, 11, 12, 13, 16)] == await room.sessions("XNAS", as_of=29)
    rules = await room.store.read("calendars", Selection(history=True, columns=("rules", "version")))
    assert [1, 2, 3] == sorted(rules["version"])
    assert RULES not in (await room.store.read("calendars"))["rules"]


async def as_an_older_release_left_it(room: Room) -> None:
    """Let the stored week lack its Friday, and have a session on Sunday, by rules of another release."""
    held = await room.store.read("sessions")
    friday = held.filter(pl.col("session") == FRIDAY)
    known = pl.lit(7).cast(held.schema["ts_known"]).alias("ts_known")
    second = pl.lit(2, dtype=pl.UInt32).alias("version")
    sunday = friday.with_columns(pl.lit(date(2024, 6, 16)).alias("session"), known)
    calendar = (await room.store.read("calendars")).with_columns(
        pl.lit(RULES).alias("rules"), pl.lit(date(2024, 6, 16)).alias("last"), known, second
    )
    await room.store.commit(
        {"sessions": sunday, "calendars": calendar},
        withdrawals={
            "sessions": friday.with_columns(known, second).select("mic", "session", "ts_known", "version", "simulated")
        },
    )


async def test_an_earlier_first_day_is_computed_too(room: Room) -> None:
    """Days before those that are stored are added; the calendar then reaches from the first to the last of all."""
    await room.declare(AAPL)

    await room.declare(AAPL, start=date(2024, 6, 6), end=TUESDAY, ts_known=6)

    assert [date(2024, 6, day) for day in (6, 7, 10, 11, 12, 13, 14)] == await room.sessions("XNAS")
    reach = await room.store.read("calendars", Selection(columns=("keeper", "zone", "first", "last")))
    assert [("XNAS", "America/New_York", date(2024, 6, 6), FRIDAY)] == reach.rows()
