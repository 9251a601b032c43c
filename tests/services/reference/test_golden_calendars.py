"""Calendars beside those of others: golden sessions of nine venues, LEAN's holidays, the package's own methods."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import exchange_calendars
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pytest

from lengths import usually
from truetape.domain.trading_hours import TradingHours
from truetape.services.reference import exchange_rules
from truetape.services.reference.calendars import believed_hours, keeper_of

MOMENTS = ("open", "close", "break_start", "break_end")
LEAN_FROM, LEAN_TO = date(1998, 1, 1), date(2026, 12, 31)
ODD = usually(("24/7", "CMES", "XHKG"), long=("24/7", "CMES", "XHKG", "XKRX", "XMOS", "XTAE", "XNYS"))


def golden(path: Path) -> pl.DataFrame:
    instants = pl.col(MOMENTS).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ns", time_zone="UTC")
    rows = pl.read_csv(path, infer_schema=False)
    return rows.rename({"": "session"}).select(pl.col("session").str.head(10).str.to_date(), instants)


@pytest.mark.parametrize("venue", ["24-7", "cmes", "xbue", "xhkg", "xlon", "xnys", "xpar", "xtai", "xtks"])
def test_golden_calendars_are_reproduced(venue: str, recordings: Path) -> None:
    """Every session of nine venues over decades: opens, closes and lunch breaks, to the nanosecond."""
    expected = golden(recordings / "calendars" / f"{venue}.csv.gz")
    name = keeper_of(venue if "-" in venue else venue.upper())

    found = believed_hours(name, start=expected["session"][0], end=expected["session"][-1])

    assert len(expected) >= 366
    assert expected.equals(found.select(expected.columns))


def lean_usa(recordings: Path) -> tuple[set[date], dict[date, str]]:
    """Return LEAN's holidays on weekdays, and its early closes in the time of New York."""
    body = gzip.decompress((recordings / "lean" / "market-hours-database.json.gz").read_bytes())
    usa = json.loads(body)["entries"]["Equity-usa-[*]"]
    days = {datetime.strptime(text, "%m/%d/%Y").date() for text in usa["holidays"]}  # noqa: DTZ007  a date alone
    early = {datetime.strptime(text, "%m/%d/%Y").date(): at for text, at in usa["earlyCloses"].items()}  # noqa: DTZ007
    kept = {day for day in days if LEAN_FROM <= day <= LEAN_TO and day.weekday() < 5}
    return kept, {day: at for day, at in early.items() if LEAN_FROM <= day <= LEAN_TO and day.weekday() < 5}


def test_holidays_of_new_york_are_those_of_lean(recordings: Path) -> None:
    """Both know the same 272 weekdays without a session from 1998 to 2026."""
    holidays, _ = lean_usa(recordings)
    ours = believed_hours("XNYS", start=LEAN_FROM, end=LEAN_TO)["session"]
    weekdays = {day for day in pl.date_range(LEAN_FROM, LEAN_TO, eager=True) if day.weekday() < 5}

    assert len(holidays) == 272
    assert holidays == weekdays - {*ours}


def test_early_closes_of_new_york_are_those_of_lean_and_three_more(recordings: Path) -> None:
    """LEAN's list begins in November 1999, and leaves out the last session before the year 2000: it closed at one."""
    _, early = lean_usa(recordings)
    hours = believed_hours("XNYS", start=LEAN_FROM, end=LEAN_TO)
    local = hours.select("session", pl.col("close").dt.convert_time_zone("America/New_York").dt.strftime("%H:%M:%S"))
    ours = {day: at for day, at in local.iter_rows() if at != "16:00:00"}

    assert len(early) == 61
    assert {**early, **dict.fromkeys([date(1998, 11, 27), date(1998, 12, 24), date(1999, 12, 31)], "13:00:00")} == ours


@pytest.mark.parametrize("name", ODD)
def test_bulk_answers_are_those_of_the_package_one_by_one(name: str) -> None:
    """Open or not, the next open, the previous close, and the sessions of a week, at odd instants of a year."""
    peer = exchange_calendars.get_calendar(name, start="2015-12-01", end="2017-02-01")
    schedule = believed_hours(name, start=date(2015, 12, 1), end=date(2017, 2, 1))
    hours = TradingHours(schedule, first=date(2016, 1, 1), last=date(2016, 12, 31))
    at = pl.datetime_range(
        datetime(2016, 1, 4, tzinfo=UTC),
        datetime(2016, 12, 20, tzinfo=UTC),
        usually("1297m", long="61m"),
        time_unit="ns",
        eager=True,
    )
    stamps = [pd.Timestamp(one) for one in at]
    opens, closes = (dict(schedule.select("session", one).iter_rows()) for one in ("open", "close"))
    week = pd.Timedelta(days=7)

    assert [peer.is_open_at_time(one, side="left") for one in stamps] == hours.is_open(at).to_list()
    assert [peer.next_open(one).to_pydatetime() for one in stamps] == [opens[day] for day in hours.next_session(at)]
    before = [closes[day] for day in hours.previous_session(at.dt.offset_by("-1ns"))]
    assert [peer.previous_close(one).to_pydatetime() for one in stamps] == before
    found = hours.bar_count(at, at.dt.offset_by("7d"), timeframe="1d").to_list()
    midnights = [(one.ceil("D").tz_localize(None), (one + week).ceil("D").tz_localize(None)) for one in stamps]
    assert [len(peer.sessions_in_range(first, last - pd.Timedelta(days=1))) for first, last in midnights] == found


@pytest.mark.parametrize(
    "name", usually(ODD, long=sorted({exchange_rules.first_name(one) for one in exchange_rules.names()}))
)
def test_every_calendar_ascends_without_overlaps(name: str) -> None:
    """Sessions of any venue follow each other, none is empty, and breaks lie within; bars can be counted."""
    first, last = exchange_rules.bounds(name)
    start, end = max(first, date(2000, 1, 1)), min(last, date(2026, 12, 31))
    found = believed_hours(name, start=start, end=end)

    assert len(found) > 200
    assert found.select(
        (pl.col("open") < pl.col("close")).all()
        & (pl.col("open") >= pl.col("close").shift()).all()
        & (pl.col("break_start") > pl.col("open")).all()
        & (pl.col("break_end") < pl.col("close")).all()
        & (pl.col("break_start") < pl.col("break_end")).all()
    ).item()
    assert found["session"].is_sorted()
    hours = TradingHours(found, first=start, last=end)
    labels = hours.bar_labels(0, 2**62, timeframe="1h")
    assert labels.is_sorted()
    assert hours.is_open(labels).all()
    usual = exchange_rules.usual(name, days=found["session"])
    assert usual.select(pl.col("open").is_not_null().all() & (pl.col("open") < pl.col("close")).all()).item()
