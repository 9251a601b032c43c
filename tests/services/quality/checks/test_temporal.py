"""What is missing, twice, late, too early, or labelled with another time than its own."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from evidence_doubles import MONDAY, around, bars, broken, calendar, day, found, moment

WEEKS = [day(number) for number in range(10)]
PRICES = [10.0 + number for number in range(10)]


def without(*left_out: int) -> pl.DataFrame:
    return bars(PRICES).filter(~pl.int_range(pl.len()).is_in(list(left_out)))


def test_sessions_without_a_bar_are_counted_at_the_next_one() -> None:
    """Wednesday and Thursday are missing: the bar of Friday says so; the weekend is none."""
    (row,) = found("missing_session", without(2, 3), around(sessions=calendar(WEEKS))).rows(named=True)

    assert (row["row"], row["value"], row["repair"], row["repair_value"]) == (2, 2.0, "acquire", 2.0)
    assert row["explanation"] == "sessions without a bar after 2024-06-04 and before this one: 2"
    assert broken("missing_session", bars(PRICES), around(sessions=calendar(WEEKS))) == []
    assert broken("missing_session", without(2, 3), around()) == []


def test_venues_have_their_own_calendars() -> None:
    """The Wednesday is a holiday in one venue only, and a venue without a calendar is not judged."""
    both = calendar(WEEKS).vstack(calendar([one for one in WEEKS if one != day(2)]).with_columns(venue=pl.lit("XOTH")))
    listed = pl.DataFrame(
        {"instrument_id": ["a", "b", "c"], "venue": ["XTST", "XOTH", "XNIL"]},
    ).with_columns(increment=pl.lit(None, dtype=pl.Float64), lot=pl.lit(None, dtype=pl.Float64))
    known = around(sessions=both)
    known = type(known)(listed=listed, sessions=both)
    records = pl.concat([without(2).with_columns(instrument_id=pl.lit(name)) for name in "abc"])

    assert found("missing_session", records, known)["instrument_id"].to_list() == ["a"]


def test_without_a_calendar_only_a_long_gap_is_told() -> None:
    """Fifteen days are longer than any holiday."""
    gap = bars([1.0, 2.0, 3.0], ts_event=[date(2024, 6, 3), date(2024, 6, 17), date(2024, 7, 2)])

    assert broken("long_gap", gap) == [2]
    assert broken("long_gap", gap, around(sessions=calendar(WEEKS))) == []


def test_a_bar_of_no_session_is_extra() -> None:
    """The calendar has no session on that Saturday."""
    extra = bars([1.0, 2.0, 3.0], ts_event=[date(2024, 6, 7), date(2024, 6, 8), date(2024, 6, 10)])
    (row,) = found("outside_session", extra, around(sessions=calendar(WEEKS))).rows(named=True)

    assert (row["row"], row["repair"]) == (1, "drop_row")
    assert row["explanation"] == "XTST has no session on 2024-06-08, a Saturday"


def test_a_label_may_be_off_by_a_day() -> None:
    """A bar on a day off is another day's if the session beside it has none; else it is extra."""
    week = [day(number) for number in range(5)]
    early = bars(PRICES[:4], ts_event=[*WEEKS[1:4], date(2024, 6, 8)])  # Friday's bar on Saturday
    late = bars(PRICES[:3], ts_event=[date(2024, 6, 7), date(2024, 6, 9), date(2024, 6, 11)])  # Monday's on Sunday
    extra = bars(PRICES[:3], ts_event=[date(2024, 6, 7), date(2024, 6, 9), date(2024, 6, 10)])
    known = around(sessions=calendar(WEEKS))

    assert found("wrong_day", early, known).select("row", "repair_value").rows() == [(3, 1.0)]
    assert found("wrong_day", late, known).select("row", "repair_value").rows() == [(1, -1.0)]
    assert found("wrong_day", extra, known).is_empty()
    assert found("wrong_day", bars(PRICES[:5], ts_event=week), known).is_empty()


def test_a_weekend_is_odd_where_there_are_no_others() -> None:
    """Coins trade every day; a calendar knows better."""
    always = bars(PRICES, ts_event=[MONDAY + timedelta(days=number) for number in range(10)])
    stock = bars([1.0] * 200, ts_event=[day(number) for number in range(199)] + [date(2024, 6, 8)])

    assert broken("weekend", always) == []
    assert found("weekend", stock)["explanation"].to_list() == [
        "2024-06-08 is a Saturday; the series has hardly any others"
    ]
    assert broken("weekend", stock, around(sessions=calendar(WEEKS))) == []
    assert broken("weekend", bars(PRICES)) == []


def minutes(*days: date, start: str = "14:00", count: int = 420, **given: Any) -> pl.DataFrame:
    """Bars of five minutes, `count` minutes a day from `start` UTC."""
    starts = [datetime.combine(one, moment(f"2024-06-03 {start}").time()) for one in days]
    times = [first + timedelta(minutes=number) for first in starts for number in range(0, count, 5)]
    return bars([10.0] * len(times), ts_event=times, timeframe="5m", **given)


def test_bars_missing_within_a_session_are_told_where_that_is_rare() -> None:
    """Two bars are missing on one of five days."""
    rows = minutes(*WEEKS[:5])
    gap = rows.filter(~pl.int_range(pl.len()).is_in([100, 101]))
    (row,) = found("missing_bar", gap).rows(named=True)

    assert (row["row"], row["value"], row["repair_value"]) == (100, 2.0, 2.0)
    assert broken("missing_bar", rows) == []
    assert broken("missing_bar", rows.gather_every(2).with_columns(timeframe=pl.lit("5m"))) == []


def test_a_lunch_break_is_no_gap() -> None:
    """It is there on every day at the same time."""
    rows = minutes(*WEEKS[:5]).filter(~pl.col("ts_event").dt.hour().is_between(16, 16))

    assert broken("missing_bar", rows) == []


def test_bars_of_a_closed_venue_are_told_where_that_is_rare() -> None:
    """The venue closes at 21:00; a series that has the hours after it on all days means it."""
    known = around(sessions=calendar(WEEKS))
    one_late = pl.concat([minutes(*WEEKS), minutes(day(4), start="21:00", count=10)])

    assert found("outside_hours", one_late, known)["ts_event"].to_list() == [
        moment("2024-06-07 21:00"),
        moment("2024-06-07 21:05"),
    ]
    assert broken("outside_hours", minutes(*WEEKS), known) == []
    assert broken("outside_hours", minutes(*WEEKS, count=480), known) == []
    assert broken("outside_hours", one_late) == []


def test_nothing_is_traded_after_an_early_close() -> None:
    """On Wednesday the venue closes at 18:00; at 21:00 it is closed on every day."""
    known = around(sessions=calendar(WEEKS, early={day(2): 18}))
    rows = minutes(*WEEKS[:5], count=430)

    over = found("half_day_overrun", rows, known)["ts_event"]

    assert (over.min(), over.max()) == (moment("2024-06-05 18:00"), moment("2024-06-05 20:55"))
    assert broken("half_day_overrun", minutes(*WEEKS[:5]), around(sessions=calendar(WEEKS))) == []
    assert broken("half_day_overrun", rows, around(sessions=calendar(WEEKS))) == []


def test_a_missed_clock_change_shifts_whole_days() -> None:
    """From Thursday on the bars begin at 15:00, though the sessions open at 14:00 as before."""
    known = around(sessions=calendar(WEEKS))
    rows = pl.concat([minutes(*WEEKS[:7]), minutes(*WEEKS[7:], start="15:00")])
    shifted = found("shifted_hour", rows, known)

    assert shifted["ts_event"].dt.date().to_list() == WEEKS[7:]
    assert shifted.select("value", "repair", "repair_value").unique().rows() == [(1.0, "shift_hours", -1.0)]
    assert broken("shifted_hour", minutes(*WEEKS), known) == []
    assert broken("shifted_hour", minutes(*WEEKS, start="12:00"), known) == []


def test_an_instant_is_there_once() -> None:
    """The same row again is a smaller evil than another row."""
    days = [day(0), day(1), day(1), day(2), day(2)]
    twice = bars([1.0, 2.0, 2.0, 3.0, 4.0], ts_event=days, volume=7.0)

    assert found("duplicate", twice).select("row", "severity").rows() == [(2, "warning"), (4, "error")]
    assert found("duplicate", bars(PRICES)).is_empty()


def test_trades_may_share_an_instant() -> None:
    """They have ids of their own."""
    rows = {"instrument_id": "a", "provider": "p", "ts_event": moment("2024-06-03 14:00"), "price": 1.0, "size": 1.0}

    assert found("duplicate", pl.DataFrame([{**rows, "trade_id": "1"}] * 2), kind="trades").is_empty()


def stale(closes: list[float], *, bars_: float = 3, **changes: Any) -> list[int]:
    return broken("stale", bars(closes, **{"volume": 7.0, **changes}), bars=bars_)


def test_three_equal_bars_are_stale_but_for_the_first() -> None:
    """Two may be chance; how many is a limit; another volume is another bar; nothing traded may repeat."""
    assert stale([1, 2, 2, 3, 4, 4, 4, 4, 5]) == [5, 6, 7]
    assert stale([1, 2, 2, 3], bars_=2) == [2]
    assert stale([2, 2, 2, 2], volume=[7.0, 8.0, 9.0, 7.0]) == []
    assert stale([2, 2, 2, 2], volume=0.0) == []
    assert stale([2, 2, 2, 2], open=[1.0, 2.0, 1.0, 2.0]) == []


def test_a_stale_run_does_not_go_on_into_another_series() -> None:
    """Two providers that say the same are witnesses."""
    both = pl.concat([bars([2.0, 2.0], volume=7.0, provider=name) for name in "pq"])

    assert broken("stale", both) == []


def test_rows_stand_in_the_order_of_time() -> None:
    """One row of five is misplaced, whichever way the file runs; a file of two rows is never out of order."""
    rows = bars(PRICES[:5])

    assert broken("out_of_order", rows) == []
    assert broken("out_of_order", rows.reverse()) == []
    assert broken("out_of_order", rows[[0, 1, 3, 2, 4]]) == [3]
    assert broken("out_of_order", rows[[4, 2, 3, 1, 0]]) == [3]


def test_nothing_has_happened_yet() -> None:
    """A session's label may lie up to 14 hours ahead; a minute's may not; without a clock all is well."""
    days = bars([1.0, 2.0], ts_event=[date(2024, 6, 3), date(2024, 6, 4)])
    now = around(now=datetime.fromisoformat("2024-06-03T12:00:00+00:00"))

    assert broken("in_future", days, now) == []
    assert broken("in_future", bars([1.0], ts_event=[date(2024, 6, 5)]), now) == [0]
    assert broken("in_future", minutes(MONDAY, start="12:00", count=10), now) == [1]
    assert broken("in_future", days) == []
