"""Spans: when a venue trades, and from where its bars are counted."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.spans import SPANS, clock_spans, endless_spans, outside, trading_spans


def at(*texts: str | None) -> pl.Series:
    return (
        pl.Series(texts, dtype=pl.String).str.to_datetime("%Y-%m-%dT%H:%MZ", time_unit="ns").dt.replace_time_zone("UTC")
    )


def texts(instants: pl.Series) -> list[str]:
    return instants.dt.strftime("%m-%dT%H:%M").to_list()


def tokyo() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "session": [date(2024, 6, 10), date(2024, 6, 11)],
            "open": at("2024-06-10T00:00Z", "2024-06-11T00:00Z"),
            "close": at("2024-06-10T06:00Z", "2024-06-11T02:30Z"),
            "break_start": at("2024-06-10T02:30Z", None),
            "break_end": at("2024-06-10T03:30Z", None),
        }
    )


def test_a_session_is_cut_at_lunch_and_each_part_counts_from_its_own_beginning() -> None:
    """A half day without a lunch break is one span; only the last span of a session has a closing auction."""
    spans = trading_spans(tokyo(), closing=timedelta(minutes=10))

    assert SPANS == dict(spans.schema)
    assert ["06-10T00:00", "06-10T03:30", "06-11T00:00"] == texts(spans["start"])
    assert ["06-10T02:30", "06-10T06:00", "06-11T02:30"] == texts(spans["end"])
    assert ["06-10T02:30", "06-10T06:10", "06-11T02:40"] == texts(spans["until"])
    assert spans["start"].to_list() == spans["anchor"].to_list()
    assert [date(2024, 6, 10), date(2024, 6, 10), date(2024, 6, 11)] == spans["session"].to_list()


def test_the_clock_of_the_zone_counts_from_the_full_hour() -> None:
    """New York opens at 09:30 and Mumbai, half an hour aside of UTC, at 09:15: both count from nine."""
    open_at = at("2024-03-08T14:30Z", "2024-03-11T13:30Z")  # the clocks change between
    sessions = pl.DataFrame({"session": [date(2024, 3, 8), date(2024, 3, 11)], "open": open_at, "close": open_at})
    mumbai = pl.DataFrame(
        {"session": [date(2024, 3, 8)], "open": at("2024-03-08T03:45Z"), "close": at("2024-03-08T10:00Z")}
    )

    assert ["03-08T14:00", "03-11T13:00"] == texts(clock_spans(sessions, zone="America/New_York")["anchor"])
    assert ["03-08T03:30"] == texts(clock_spans(mumbai, zone="Asia/Kolkata")["anchor"])


def test_a_venue_that_never_closes_has_utc_days() -> None:
    """Each day ends where the next begins."""
    spans = endless_spans(date(2024, 2, 28), end=date(2024, 3, 1))

    assert ["02-28T00:00", "02-29T00:00", "03-01T00:00"] == texts(spans["start"])
    assert ["02-29T00:00", "03-01T00:00", "03-02T00:00"] == texts(spans["end"])
    assert SPANS == dict(spans.schema)


def test_what_lies_outside_is_found() -> None:
    """Before the open, at lunch, at the close and after it; without spans, everything is outside."""
    stamps = at("2024-06-09T23:59Z", "2024-06-10T00:00Z", "2024-06-10T02:30Z", "2024-06-10T05:59Z", "2024-06-10T06:00Z")
    bars = pl.DataFrame({"ts_event": stamps})

    found = outside(bars, trading_spans(tokyo()))

    assert ["06-09T23:59", "06-10T02:30", "06-10T06:00"] == texts(found["ts_event"])
    assert 5 == len(outside(bars, pl.DataFrame(schema=SPANS)))
    assert INSTANT == found["ts_event"].dtype
