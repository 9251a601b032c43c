"""What is due and what is late, by the calendar and the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.kinds import INSTANT
from truetape.domain.time import from_datetime
from truetape.services.quality.freshness import (
    ARRIVED,
    LATE,
    SERIES_COLUMNS,
    changes,
    freshness_findings,
    late_series,
    still_open,
    wanted_series,
)
from truetape.services.quality.objectives import Objective, Objectives, objective_of

HOUR = 3600 * 10**9
FRIDAY, MONDAY, TUESDAY, THURSDAY = date(2024, 7, 5), date(2024, 7, 8), date(2024, 7, 9), date(2024, 7, 4)
TWO_HOURS = Objective(within_s=7200.0, after="close")
FIVE_MINUTES = Objective(within_s=300.0)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ns(text: str) -> int:
    return from_datetime(at(text))


# 4 July is no session; 3 July ends early, at 17:00 UTC
LUNCH = {"open": "00:00", "close": "06:00", "break_start": "02:50", "break_end": "03:30"}
SESSIONS = pl.DataFrame(
    [
        ("XNYS", date(2024, 7, 3), at("2024-07-03 13:30"), at("2024-07-03 17:00")),
        ("XNYS", FRIDAY, at("2024-07-05 13:30"), at("2024-07-05 20:00")),
        ("XNYS", MONDAY, at("2024-07-08 13:30"), at("2024-07-08 20:00")),
        ("XLON", FRIDAY, at("2024-07-05 07:00"), at("2024-07-05 15:30")),
        ("XLON", MONDAY, at("2024-07-08 07:00"), at("2024-07-08 15:30")),
    ],
    schema={"mic": pl.String(), "session": pl.Date(), "open": INSTANT, "close": INSTANT},
    orient="row",
)


def series(
    *, kind: str = "1d", last: str = "", mic: str = "XNYS", after: str = "close", **settled: Any
) -> pl.DataFrame:
    within = 2 * HOUR if after else HOUR // 12
    row = {"instrument_id": "ins_a", "mic": mic, "kind": kind, "within": within, "after": after}
    whole = {**row, "last": at(last) if last else None, "settled": None, "settled_at": None, **settled}
    return pl.DataFrame({name: pl.Series([whole[name]], dtype=dtype) for name, dtype in SERIES_COLUMNS.items()})


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        ("2024-07-03", "2024-07-04 23:00", None),  # a holiday
        ("2024-07-03", "2024-07-05 21:59", None),  # not yet due
        ("2024-07-03", "2024-07-05 22:00", (FRIDAY, 1)),  # two hours after the close
        ("2024-07-02", "2024-07-03 18:59", None),  # half a day ends at 17:00
        ("2024-07-02", "2024-07-03 19:01", (date(2024, 7, 3), 1)),
        ("2024-07-05", "2024-07-07 12:00", None),  # a weekend
        ("2024-07-03", "2024-07-08 23:00", (FRIDAY, 2)),
        ("2024-07-08", "2024-07-08 23:00", None),
        ("", "2024-07-03 23:00", (date(2024, 7, 3), 1)),  # nothing is there
    ],
)
def test_a_day_is_late_when_its_session_is_over_for_so_long(last: str, now: str, expected: Any) -> None:
    """By the venue's own close; the first session that is missing is named, and how many are."""
    found = late_series(series(last=last), SESSIONS, now_ns=ns(now))

    assert ([expected] if expected else []) == [
        (day.date(), count) for day, count in found.select("ts_event", "sessions").iter_rows()
    ]


def test_after_the_open() -> None:
    """Two hours after 13:30, of what is known early."""
    one = series(last="2024-07-03", after="open")
    sizes = [len(late_series(one, SESSIONS, now_ns=ns(now))) for now in ("2024-07-05 15:29", "2024-07-05 15:30")]

    assert [0, 1] == sizes


@pytest.mark.parametrize(
    ("settled", "known", "late"),
    [
        (FRIDAY, "2024-07-05 23:00", False),  # asked in time, and nobody has it: it was halted
        (FRIDAY, "2024-07-05 21:00", True),  # asked too early
        (THURSDAY, "2024-07-05 23:00", True),  # asked about another day
    ],
)
def test_a_day_of_which_nobody_has_anything_is_not_late(settled: date, known: str, late: bool) -> None:
    """A halted instrument has no bar to come."""
    one = series(last="2024-07-03", settled=settled, settled_at=at(known))

    assert late == bool(len(late_series(one, SESSIONS, now_ns=ns("2024-07-06 12:00"))))


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ("2024-07-05 14:00", "2024-07-05 14:05", None),
        ("2024-07-05 14:00", "2024-07-05 14:06", "2024-07-05 14:05"),
        ("2024-07-03 16:59", "2024-07-05 13:34", None),  # the session has just begun
        ("2024-07-03 16:59", "2024-07-05 13:36", "2024-07-05 13:35"),
        ("", "2024-07-05 13:36", "2024-07-05 13:35"),
        ("2024-07-05 14:00", "2024-07-05 20:00", None),  # it is over
        ("2024-07-03 16:59", "2024-07-04 15:00", None),  # a holiday
        ("2024-07-05 14:00", "2024-07-06 15:00", None),
    ],
)
def test_trades_are_late_during_a_session_only(last: str, now: str, due: str | None) -> None:
    """Five minutes after the last one, or after the open."""
    found = late_series(series(kind="trades", last=last, after=""), SESSIONS, now_ns=ns(now))

    assert ([at(due)] if due else []) == found["due"].to_list()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2024-07-05 02:31", "2024-07-05 02:30"),  # half an hour of silence before lunch
        ("2024-07-05 03:00", None),  # lunch, from 02:50 on
        ("2024-07-05 03:33", None),  # it has just gone on
        ("2024-07-05 03:36", "2024-07-05 03:35"),
    ],
)
def test_nothing_is_late_at_lunch(now: str, due: str | None) -> None:
    """Nor for five minutes after it; a session goes on at 03:30."""
    tokyo = (
        SESSIONS.filter(pl.col("session") == FRIDAY)
        .head(1)
        .with_columns(
            pl.lit("XTKS").alias("mic"),
            *(pl.lit(at(f"2024-07-05 {time}"), dtype=INSTANT).alias(name) for name, time in LUNCH.items()),
        )
    )

    found = late_series(series(kind="trades", last="2024-07-05 02:25", after="", mic="XTKS"), tokyo, now_ns=ns(now))

    assert ([at(due)] if due else []) == found["due"].to_list()


def test_the_most_specific_objective_holds() -> None:
    """An instrument's own, else its venue's, else the general one; "never" is none; what is delisted wants nothing."""
    listings = rows(
        "listings", instrument_id=["a", "b", "c", "d", "e"], symbol=["A", "B", "C", "D", "E"],
        mic=["XNYS", "XLON", "XNYS", "XNYS", "XNYS"], valid_from=[None, None, None, None, TUESDAY],
        valid_to=[None, None, None, MONDAY, None], ts_known=[FRIDAY] * 5,
    )  # fmt: skip
    objectives = Objectives(
        everywhere={"1d": TWO_HOURS, "trades": FIVE_MINUTES},
        venues={"XLON": {"1d": Objective(within_s=3600.0, after="open")}},
        instruments={"C": {"trades": Objective(within_s=0.0), "1d": Objective(within_s=60.0, after="close")}},
    )
    found = wanted_series(listings, objectives, today=MONDAY)

    assert [
        ("a", "1d", 2 * HOUR, "close"),
        ("a", "trades", HOUR // 12, ""),
        ("b", "1d", HOUR, "open"),
        ("b", "trades", HOUR // 12, ""),
        ("c", "1d", HOUR // 60, "close"),
    ] == list(found.select("instrument_id", "kind", "within", "after").iter_rows())
    assert (False, True) == (bool(Objectives()), bool(objectives))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("1d", "2h after close", TWO_HOURS),
        ("1d", " 30m after open ", Objective(within_s=1800.0, after="open")),
        ("1d", "2h", None),
        ("1d", "2h after lunch", None),
        ("1d", "soon after close", None),
        ("1d", "never", Objective(within_s=0.0)),
        ("trades", "5m", FIVE_MINUTES),
        ("trades", "5m after close", None),
        ("1m", "", None),
    ],
)
def test_objectives_are_read(kind: str, text: str, expected: Objective | None) -> None:
    """Strictly: what a day wants and what a stream wants differ."""
    assert expected == objective_of(kind, text)


def test_a_series_is_told_when_it_becomes_late_and_when_it_arrives() -> None:
    """Once each, in words, also over a restart."""
    now = ns("2024-07-08 23:30")
    late = late_series(series(last="2024-07-03"), SESSIONS, now_ns=now)
    fresh, over = changes(late.clear(), late)
    told = freshness_findings(fresh, over, names={"ins_a": "AAA"}, now_ns=now, simulated=False)
    restored = still_open(told)
    again = changes(restored, late)
    _, arrived = changes(restored, late.clear())
    ended = freshness_findings(late.clear(), arrived, names={}, now_ns=now + 1, simulated=True)

    assert [
        (LATE, "warning", "AAA 1d of 2024-07-05 and 1 after it was due at 2024-07-05T22:00:00Z; late by 3 d 1 h")
    ] == list(told.select("check", "severity", "explanation").iter_rows())
    assert [True, True] == [one.is_empty() for one in again]
    assert [(ARRIVED, "note", "ins_a 1d is late no more", True)] == list(
        ended.select("check", "severity", "explanation", "simulated").iter_rows()
    )
    assert ended["ts_event"].to_list() == told["ts_event"].to_list()
    assert still_open(pl.concat([told, ended])).is_empty()


def test_words_during_a_session() -> None:
    """Since when nothing came, and by how much that is too long."""
    now = ns("2024-07-05 14:06")
    late = late_series(series(kind="trades", last="2024-07-05 14:00", after=""), SESSIONS, now_ns=now)
    told = freshness_findings(late, late.clear(), names={"ins_a": "AAA"}, now_ns=now, simulated=False)

    assert ["AAA trades: nothing came since before 2024-07-05T14:05:00Z; late by 1 min"] == told[
        "explanation"
    ].to_list()


def test_nothing_late_makes_no_finding() -> None:
    """Of one session only the words say no number."""
    late = late_series(series(last="2024-07-05"), SESSIONS, now_ns=ns("2024-07-08 22:00"))
    one = freshness_findings(late, late.clear(), names={}, now_ns=ns("2024-07-08 22:10"), simulated=False)

    assert ["ins_a 1d of 2024-07-08 was due at 2024-07-08T22:00:00Z; late by 10 min"] == one["explanation"].to_list()
    assert freshness_findings(late.clear(), late.clear(), names={}, now_ns=0, simulated=False).is_empty()


def test_a_million_series_are_judged_quickly() -> None:
    """Venues and last days are judged, not series: ten thousand here, in less than a second."""
    many = pl.concat([series(last="2024-07-03")] * 10_000)
    begun = datetime.now(UTC)
    assert 10_000 == len(late_series(many, SESSIONS, now_ns=ns("2024-07-05 22:00")))
    assert datetime.now(UTC) - begun < timedelta(seconds=1)
