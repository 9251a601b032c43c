"""Longer bars out of shorter ones: by hand, and that it composes whatever the bars are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT
from truetape.domain.resampling import resample
from truetape.domain.spans import SPANS, clock_spans, endless_spans, trading_spans
from truetape.domain.time import TIMEFRAMES, day_start_ns, from_datetime

FIELDS = ("open", "high", "low", "close", "volume")
NOTHING = pl.DataFrame(schema=SPANS)
MONDAY = date(2024, 6, 10)


def instants(*texts: str) -> pl.Series:
    stamps = [from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC)) for text in texts]
    return pl.Series(stamps, dtype=pl.Int64).cast(INSTANT)


def series(rows: list[tuple[object, ...]], *, of: str = "a") -> pl.DataFrame:
    """Bars of one instrument: when, in UTC, and open to volume."""
    values = {name: pl.Series([row[place] for row in rows], dtype=pl.Float64) for place, name in enumerate(FIELDS, 1)}
    return pl.DataFrame(
        {"instrument_id": [of] * len(rows), "ts_event": instants(*(str(row[0]) for row in rows)), **values}
    )


def flat(*times: str) -> pl.DataFrame:
    return series([(when, 1, 1, 1, 1, 1) for when in times])


def texts(made: pl.DataFrame) -> list[str]:
    return made["ts_event"].dt.strftime("%Y-%m-%dT%H:%M").to_list()


def hong_kong(*days: date) -> pl.DataFrame:
    """Sessions from 01:30 to 08:00 UTC with lunch from 04:00 to 05:00."""
    clock = {"open": (1, 30), "break_start": (4, 0), "break_end": (5, 0), "close": (8, 0)}
    columns = {
        name: pl.Series([day_start_ns(day) + (hour * 60 + minute) * 60 * 10**9 for day in days]).cast(INSTANT)
        for name, (hour, minute) in clock.items()
    }
    return pl.DataFrame({"session": pl.Series(days, dtype=pl.Date), **columns})


def test_first_greatest_least_last_and_sum() -> None:
    """Five minutes make one bar; the minute of the next five makes its own; a stretch without trades makes none."""
    minutes = series(
        [
            ("2024-06-10T01:30", 10, 12, 9, 11, 100),
            ("2024-06-10T01:34", 11, 15, 11, 14, 50),
            ("2024-06-10T01:35", 14, 14, 8, 8, 25),
            ("2024-06-10T01:50", 8, 9, 7, 9, 5),
        ]
    )

    made = resample(minutes, source="1m", target="5m", spans=trading_spans(hong_kong(MONDAY)))

    assert ["2024-06-10T01:30", "2024-06-10T01:35", "2024-06-10T01:50"] == texts(made)
    assert [(10, 15, 9, 14, 150), (14, 14, 8, 8, 25), (8, 9, 7, 9, 5)] == made.select(FIELDS).rows()
    assert [False] * 3 == made["running"].to_list()


def test_what_is_missing_is_not_guessed() -> None:
    """Unknown prices are passed over, one unknown volume makes the sum unknown, and a row of nothing is no bar."""
    minutes = series(
        [
            ("2024-06-10T01:30", None, None, None, None, 1000),
            ("2024-06-10T01:31", None, 12, None, 11, 100),
            ("2024-06-10T01:32", 11, None, 10, None, None),
            ("2024-06-10T01:35", None, None, None, None, None),
        ]
    )

    made = resample(minutes, source="1m", target="5m", spans=trading_spans(hong_kong(MONDAY)))

    assert [(11, 12, 10, 11, None)] == made.select(FIELDS).rows()


def test_hours_count_from_the_open_and_again_from_lunch() -> None:
    """The last hour before lunch and that before the close are short; minutes at lunch and outside make up nothing."""
    minutes = flat(*(f"2024-06-10T{hour:02}:{minute:02}" for hour in range(10) for minute in (0, 29, 30, 59)))

    made = resample(minutes, source="1m", target="1h", spans=trading_spans(hong_kong(MONDAY)))

    expected = ["01:30", "02:30", "03:30", "05:00", "06:00", "07:00"]
    assert [f"2024-06-10T{clock}" for clock in expected] == texts(made)
    assert [4, 4, 2, 4, 4, 4] == made["volume"].to_list()


def test_hours_of_the_clock_begin_before_the_open() -> None:
    """The first is labelled with the full hour; of the hour before the open nothing is in it."""
    spans = clock_spans(hong_kong(MONDAY), zone="Asia/Hong_Kong")
    minutes = flat("2024-06-10T01:29", "2024-06-10T01:30", "2024-06-10T02:00", "2024-06-10T03:59", "2024-06-10T07:59")

    hours = resample(minutes, source="1m", target="1h", spans=spans)
    days = resample(hours, source="1h", target="1d", spans=spans)

    assert ["2024-06-10T01:00", "2024-06-10T02:00", "2024-06-10T03:00", "2024-06-10T07:00"] == texts(hours)
    assert ([4.0], ["2024-06-10T00:00"]) == (days["volume"].to_list(), texts(days))


def test_the_closing_auction_belongs_to_the_last_bar() -> None:
    """As long after the close as it lasts, and no longer."""
    spans = trading_spans(hong_kong(MONDAY), closing=timedelta(minutes=10))
    minutes = flat("2024-06-10T07:59", "2024-06-10T08:00", "2024-06-10T08:09", "2024-06-10T08:10")

    assert [("2024-06-10T07:30", 3.0)] == labelled(resample(minutes, source="1m", target="30m", spans=spans))
    assert [("2024-06-10T00:00", 3.0)] == labelled(resample(minutes, source="1m", target="1d", spans=spans))


def labelled(made: pl.DataFrame) -> list[tuple[str, float]]:
    return list(zip(texts(made), made["volume"], strict=True))


def test_days_are_labelled_with_their_session_which_may_begin_the_day_before() -> None:
    """A session may open the evening before; weeks are labelled with Monday, months with the first."""
    sessions = pl.DataFrame(
        {
            "session": [date(2024, 6, 10), date(2024, 7, 2)],
            "open": instants("2024-06-09T22:00", "2024-07-01T22:00"),
            "close": instants("2024-06-10T21:00", "2024-07-02T21:00"),
        }
    )
    hours = flat("2024-06-09T22:00", "2024-06-10T20:00", "2024-06-10T21:00", "2024-07-02T01:00")
    made = {
        target: labelled(resample(hours, source="1h", target=target, spans=trading_spans(sessions)))
        for target in ("1d", "1w", "1mo")
    }

    assert [("2024-06-10T00:00", 2.0), ("2024-07-02T00:00", 1.0)] == made["1d"]
    assert [("2024-06-10T00:00", 2.0), ("2024-07-01T00:00", 1.0)] == made["1w"]
    assert [("2024-06-01T00:00", 2.0), ("2024-07-01T00:00", 1.0)] == made["1mo"]


def test_daily_bars_need_no_spans() -> None:
    """A week over new year is one week; before 1970 too, Monday is Monday."""
    days = flat("1969-12-31", "1970-01-02", "2024-12-30", "2025-01-03", "2025-01-06")

    weeks = resample(days, source="1d", target="1w", spans=NOTHING)
    months = resample(days, source="1d", target="1mo", spans=NOTHING)

    assert [("1969-12-29T00:00", 2.0), ("2024-12-30T00:00", 2.0), ("2025-01-06T00:00", 1.0)] == labelled(weeks)
    assert ["1969-12-01", "1970-01-01", "2024-12-01", "2025-01-01"] == [text[:10] for text in texts(months)]


def test_minutes_without_spans_make_up_nothing() -> None:
    """Where no session is known, no bar can be placed."""
    assert 0 == len(resample(flat("2024-06-10T01:30"), source="1m", target="1h", spans=NOTHING))


@pytest.mark.parametrize(
    ("target", "until", "expected"),
    [
        ("1h", "2024-06-11T02:29", [False, True]),
        ("1h", "2024-06-11T02:30", [False, False]),
        ("1d", "2024-06-10T08:00", [False, True]),
        ("1d", "2024-06-10T07:59", [True, True]),
        ("1d", "2024-06-11T08:00", [False, False]),
        ("1w", "2024-06-11T08:00", [True]),  # the last session that is known may not be the week's last
        ("1w", "2024-06-17T00:00", [False]),
        ("1mo", "2024-06-30T23:59", [True]),
        ("1mo", "2024-07-01T00:00", [False]),
    ],
)
def test_a_bar_runs_until_its_span_has_ended(target: str, until: str, expected: list[bool]) -> None:
    """Until when bars are complete says which of the longer ones are."""
    minutes = flat("2024-06-10T01:30", "2024-06-11T01:31")
    complete = from_datetime(datetime.fromisoformat(until).replace(tzinfo=UTC))
    spans = trading_spans(hong_kong(MONDAY, MONDAY + timedelta(days=1)))

    made = resample(minutes, source="1m", target=target, spans=spans, complete_until=complete)

    assert expected == made["running"].to_list()


def test_a_week_ends_with_its_last_session_where_a_later_one_is_known() -> None:
    """On Friday evening the week is complete; the last hour before lunch ends with lunch."""
    friday, next_monday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=7)
    spans = trading_spans(hong_kong(MONDAY, friday, next_monday))
    evening = from_datetime(datetime(2024, 6, 14, 8, tzinfo=UTC))
    lunch = from_datetime(datetime(2024, 6, 14, 4, tzinfo=UTC))

    week = resample(flat("2024-06-10"), source="1d", target="1w", spans=spans, complete_until=evening)
    hour = resample(flat("2024-06-14T03:59"), source="1m", target="1h", spans=spans, complete_until=lunch)
    strange = resample(flat("2024-06-03"), source="1d", target="1w", spans=spans, complete_until=evening)

    assert [False] == week["running"].to_list()
    assert [False] == hour["running"].to_list()
    assert [False] == strange["running"].to_list()


def test_a_running_minute_makes_its_hour_run() -> None:
    """Other columns keep their last value, and the timeframe is the new one."""
    minutes = flat("2024-06-10T01:30", "2024-06-10T01:31", "2024-06-10T02:30").with_columns(
        timeframe=pl.lit("1m"), running=pl.Series([True, None, False]), currency=pl.Series(["HKD", "HKD", "USD"])
    )

    made = resample(minutes, source="1m", target="1h", spans=trading_spans(hong_kong(MONDAY)))

    assert [("1h", True, "HKD"), ("1h", False, "USD")] == made.select("timeframe", "running", "currency").rows()
    assert minutes.columns == made.columns


def test_series_do_not_mix_and_need_no_order() -> None:
    """Rows of many instruments in any order give the bars that each alone gives; one series needs no name."""
    spans = trading_spans(hong_kong(MONDAY))
    one = series([("2024-06-10T01:30", 1, 2, 1, 2, 1), ("2024-06-10T01:31", 2, 3, 1, 3, 1)])
    two = one.with_columns(instrument_id=pl.lit("b"), open=pl.col("open") + 10)
    mixed = pl.concat([two[1:], one, two[:1]])

    made = resample(mixed, source="1m", target="1d", spans=spans)
    alone = resample(one.reverse().drop("instrument_id"), source="1m", target="1d", spans=spans, by=())

    assert [("a", 1.0, 3.0), ("b", 11.0, 3.0)] == made.select("instrument_id", "open", "close").rows()
    assert [(1.0, 3.0)] == alone.select("open", "close").rows()


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("1h", "5m", "target was '5m'. Bars of 1h make up bars of 1d, 1w, 1mo."),
        ("1d", "1d", "target was '1d'. Bars of 1d make up bars of 1w, 1mo."),
        ("1w", "1mo", "target was '1mo'. Bars of 1w make up bars of no longer timeframe."),
        ("2m", "1h", "source was '2m'. Write one of 1m, 5m, 15m, 30m, 1h, 1d, 1w, 1mo."),
    ],
)
def test_what_cannot_be_made_is_refused(source: str, target: str, words: str) -> None:
    """The error says what could be made."""
    with pytest.raises(BadInput) as caught:
        resample(flat("2024-06-10"), source=source, target=target, spans=NOTHING)

    assert words == str(caught.value)


STEPS = [("1m", "5m", "15m", "30m", "1h", "1d", "1w"), ("1m", "15m", "1h", "1d", "1mo")]
price = st.one_of(st.none(), st.integers(1, 1000).map(float))
minute = st.tuples(st.sampled_from("ab"), st.integers(0, 2 * 1440), price, price, price, price, price)


@settings(max_examples=60)
@given(rows=st.lists(minute, max_size=60, unique_by=lambda row: row[:2]), steps=st.sampled_from(STEPS))
@pytest.mark.parametrize("venue", ["lunch", "clock", "endless"])
def test_resampling_composes(venue: str, rows: list[tuple[object, ...]], steps: tuple[str, ...]) -> None:
    """By way of every shorter bar the longer is the same, for a venue with lunch, by the clock, and around it."""
    spans = {
        "lunch": trading_spans(hong_kong(MONDAY, MONDAY + timedelta(days=1)), closing=timedelta(minutes=10)),
        "clock": clock_spans(hong_kong(MONDAY, MONDAY + timedelta(days=1)), zone="Asia/Kolkata"),
        "endless": endless_spans(MONDAY, end=MONDAY + timedelta(days=1)),
    }[venue]
    names = ["instrument_id", "minute", *FIELDS]
    schema = {"instrument_id": pl.String, "minute": pl.Int64, **dict.fromkeys(FIELDS, pl.Float64)}
    minutes = pl.DataFrame(rows, schema=schema, orient="row").select(
        pl.col(name)
        if name != "minute"
        else (pl.col(name) * 60 * 10**9 + day_start_ns(MONDAY)).cast(INSTANT).alias("ts_event")
        for name in names
    )
    way = minutes

    for shorter, longer in pairwise(steps):
        way = resample(way, source=shorter, target=longer, spans=spans)

    direct = resample(minutes, source="1m", target=steps[-1], spans=spans)
    assert direct.sort("instrument_id", "ts_event").rows() == way.sort("instrument_id", "ts_event").rows()
    assert set(steps) <= set(TIMEFRAMES)
