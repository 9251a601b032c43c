"""What a venue's hours answer about many instants at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT
from truetape.domain.time import from_datetime
from truetape.domain.trading_hours import TradingHours, open_pieces

MONDAY, TUESDAY, FRIDAY = date(2024, 6, 10), date(2024, 6, 11), date(2024, 6, 14)
FIRST, LAST = date(2024, 6, 8), date(2024, 6, 16)
MINUTE_NS = 60_000_000_000


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 6, day, hour, minute, tzinfo=UTC)


def instants(*moments: datetime | None) -> pl.Series:
    return pl.Series(moments, dtype=INSTANT)


def days(*dates: date | None) -> pl.Series:
    return pl.Series(dates, dtype=pl.Date)


def lunching() -> TradingHours:
    """Return Monday, Tuesday and Friday from 1:00 to 7:00 with lunch from 3:00 to 4:00; on Friday until 3:00, none."""
    schedule = pl.DataFrame(
        {
            "session": days(MONDAY, TUESDAY, FRIDAY),
            "open": instants(at(10, 1), at(11, 1), at(14, 1)),
            "close": instants(at(10, 7), at(11, 7), at(14, 3)),
            "break_start": instants(at(10, 3), at(11, 3), None),
            "break_end": instants(at(10, 4), at(11, 4), None),
        }
    )
    return TradingHours(schedule, first=FIRST, last=LAST)


def nightly() -> TradingHours:
    """Return Monday and Tuesday of futures: each opens at 22:00 the day before, and closes when the next one opens."""
    schedule = pl.DataFrame(
        {
            "mic": ["XCME", "XCME"],
            "session": days(MONDAY, TUESDAY),
            "open": instants(at(9, 22), at(10, 22)),
            "close": instants(at(10, 22), at(11, 22)),
        }
    )
    return TradingHours(schedule, first=FIRST, last=LAST)


def test_a_venue_is_open_from_the_open_to_before_the_close_but_for_lunch() -> None:
    """The open and the end of lunch are inside, the start of lunch and the close are not."""
    asked = instants(at(10, 0), at(10, 1), at(10, 2), at(10, 3), at(10, 4), at(10, 7), at(12, 2), at(14, 2), at(14, 3))

    assert [False, True, True, False, True, False, False, True, False] == lunching().is_open(asked).to_list()


def test_an_instant_belongs_to_its_session_lunch_included() -> None:
    """Outside all sessions it belongs to none; the one before and the one after are found from anywhere."""
    asked = instants(at(10, 0), at(10, 1), at(10, 3), at(10, 7), at(13, 5), at(14, 3))
    hours = lunching()

    assert [None, MONDAY, MONDAY, None, None, None] == hours.session_at(asked).to_list()
    assert [MONDAY, TUESDAY, TUESDAY, TUESDAY, FRIDAY, None] == hours.next_session(asked).to_list()
    assert [None, None, None, MONDAY, TUESDAY, FRIDAY] == hours.previous_session(asked).to_list()


def test_sessions_over_midnight_belong_to_their_date() -> None:
    """Sunday evening is Monday's session, and the next one begins where it ends."""
    asked = instants(at(9, 21), at(9, 23), at(10, 22), at(11, 22))
    hours = nightly()

    assert [False, True, True, False] == hours.is_open(asked).to_list()
    assert [None, MONDAY, TUESDAY, None] == hours.session_at(asked).to_list()
    assert [MONDAY, TUESDAY, None, None] == hours.next_session(asked).to_list()
    assert [None, None, MONDAY, TUESDAY] == hours.previous_session(asked).to_list()


def test_days_and_the_sessions_beside_them() -> None:
    """A session after a day, the second one, and one before it; a day without a session has neighbours too."""
    asked = days(MONDAY, date(2024, 6, 12), FRIDAY)
    hours = lunching()

    assert [True, False, True] == hours.is_session(asked).to_list()
    assert [TUESDAY, FRIDAY, None] == hours.session_after(asked).to_list()
    assert [FRIDAY, None, None] == hours.session_after(asked, sessions=2).to_list()
    assert [None, TUESDAY, TUESDAY] == hours.session_before(asked).to_list()
    assert [None, MONDAY, MONDAY] == hours.session_before(asked, sessions=2).to_list()


def test_nothing_is_guessed_beyond_the_known_days() -> None:
    """Before the first day, after the last, and of null, every answer is null."""
    far = instants(at(7, 23, 59), at(17, 0), None)
    far_days = days(date(2024, 6, 7), date(2024, 6, 17), None)
    hours = lunching()
    answers = [
        hours.is_open(far),
        hours.session_at(far),
        hours.next_session(far),
        hours.previous_session(far),
        hours.is_session(far_days),
        hours.session_after(far_days),
        hours.session_before(far_days),
        hours.bar_count(far, far, timeframe="1h"),
    ]

    assert [[None] * 3] * 8 == [one.to_list() for one in answers]
    assert [False] == hours.is_open(instants(at(8, 0))).to_list()


@pytest.mark.parametrize(
    ("timeframe", "start", "end", "expected"),
    [
        pytest.param("1h", at(8, 0), at(17, 0), 5 + 5 + 2, id="all hours: two before lunch and three after it"),
        pytest.param("1m", at(10, 1), at(10, 1, 1), 1, id="the first minute"),
        pytest.param("1m", at(10, 2, 58), at(10, 4, 2), 4, id="over lunch"),
        pytest.param("30m", at(10, 1, 1), at(10, 2, 1), 2, id="from within a bar: it is labelled before"),
        pytest.param("1h", at(10, 3), at(10, 4), 0, id="lunch"),
        pytest.param("1d", at(10, 0), at(11, 0), 1, id="a day is labelled at midnight"),
        pytest.param("1d", at(10, 0, 1), at(15, 0), 2, id="from a minute after midnight"),
        pytest.param("1w", at(10, 0), at(17, 0), 1, id="one week"),
        pytest.param("1mo", at(8, 0), at(17, 0), 0, id="the month is labelled with its first day"),
        pytest.param("1h", at(11, 7), at(10, 1), 0, id="the end before the start"),
    ],
)
def test_bars_to_be_expected(timeframe: str, start: datetime, end: datetime, expected: int) -> None:
    """As many labels as the count says lie from the start, inclusive, to the end, exclusive."""
    hours = lunching()
    labels = hours.bar_labels(from_datetime(start), from_datetime(end), timeframe=timeframe)

    assert [expected] == hours.bar_count(instants(start), instants(end), timeframe=timeframe).to_list()
    assert (expected, INSTANT) == (len(labels), labels.dtype)
    assert labels.to_list() == sorted({one for one in labels if start <= one < end})


def test_bars_begin_with_the_session_and_anew_after_lunch() -> None:
    """The bars of Monday, of an hour and of half one; a session of futures has 24 hours, over midnight."""
    hours = lunching()
    monday = [from_datetime(one) for one in (at(10, 0), at(11, 0))]

    assert [at(10, hour) for hour in (1, 2, 4, 5, 6)] == hours.bar_labels(*monday, timeframe="1h").to_list()
    night = nightly().bar_labels(0, 2**62, timeframe="1h")
    assert [at(9, 22) + timedelta(hours=number) for number in range(48)] == night.to_list()
    assert [at(10, 0), at(11, 0)] == nightly().bar_labels(0, 2**62, timeframe="1d").to_list()


def test_a_last_bar_may_be_short() -> None:
    """Six and a half hours have seven bars of an hour; the last is half an hour long."""
    schedule = pl.DataFrame({"session": days(MONDAY), "open": instants(at(10, 13, 30)), "close": instants(at(10, 20))})
    hours = TradingHours(schedule, first=MONDAY, last=MONDAY)

    assert [7] == hours.bar_count(instants(at(10, 0)), instants(at(11, 0)), timeframe="1h").to_list()
    assert at(10, 19, 30) == hours.bar_labels(0, 2**62, timeframe="1h")[-1]


def test_venues_are_open_in_pieces_between_their_breaks() -> None:
    """Lunch cuts a session in two; without breaks, sessions are the pieces. Each venue's ascend."""
    lunch = lunching().schedule.with_columns(pl.lit("XTKS").alias("mic"))
    plain = nightly().schedule.with_columns(pl.lit(None, INSTANT).alias(name) for name in ("break_start", "break_end"))

    found = open_pieces(pl.concat([lunch, plain.select(lunch.columns)]))

    assert [
        ("XCME", at(9, 22), at(10, 22)),
        ("XCME", at(10, 22), at(11, 22)),
        ("XTKS", at(10, 1), at(10, 3)),
        ("XTKS", at(10, 4), at(10, 7)),
        ("XTKS", at(11, 1), at(11, 3)),
        ("XTKS", at(11, 4), at(11, 7)),
        ("XTKS", at(14, 1), at(14, 3)),
    ] == found.rows()
    assert nightly().schedule.select("mic", "open", "close").equals(open_pieces(nightly().schedule))


def test_a_venue_without_any_session_is_never_open() -> None:
    """Days that are known to have no session have no bars either."""
    schedule = lunching().schedule.clear()
    hours = TradingHours(schedule, first=FIRST, last=LAST)
    asked = instants(at(10, 2))

    assert [False] == hours.is_open(asked).to_list()
    assert [None, None, None] == [
        one(asked)[0] for one in (hours.session_at, hours.next_session, hours.previous_session)
    ]
    assert [False] == hours.is_session(days(MONDAY)).to_list()
    assert [0] == hours.bar_count(asked, instants(at(11, 0)), timeframe="1m").to_list()
    assert [] == hours.bar_labels(0, 2**62, timeframe="1m").to_list()


def test_unknown_timeframes_and_endless_answers_are_refused() -> None:
    """The error names the timeframes, or says how many bars it would be."""
    with pytest.raises(BadInput, match=r"timeframe was '2h'.*1m, 5m"):
        lunching().bar_count(instants(at(10, 0)), instants(at(11, 0)), timeframe="2h")
    forever = TradingHours(
        pl.DataFrame(
            {
                "session": days(date(1900, 1, 1)),
                "open": instants(datetime(1900, 1, 1, tzinfo=UTC)),
                "close": instants(datetime(2000, 1, 1, tzinfo=UTC)),
            }
        ),
        first=FIRST,
        last=LAST,
    )
    with pytest.raises(BadInput, match=r"52,594,560 bars.*shorter"):
        forever.bar_labels(-(2**62), 2**62, timeframe="1m")


@given(
    lengths=st.lists(st.tuples(st.integers(0, 50), st.integers(2, 90), st.booleans()), min_size=1, max_size=6),
    asked=st.lists(st.integers(-10, 700), min_size=1, max_size=20),
    timeframe=st.sampled_from(["1m", "5m", "15m", "30m", "1h"]),
)
def test_any_schedule_is_answered_as_a_walk_over_its_minutes_would(
    lengths: list[tuple[int, int, bool]], asked: list[int], timeframe: str
) -> None:
    """Sessions of any length and distance, some with a break in the middle, minute by minute."""
    step = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}[timeframe]
    base, rows, clock = at(10, 0), [], 0
    for number, (gap, length, rests) in enumerate(lengths):
        opened, closed = clock + gap, clock + gap + length
        pause = (opened + length // 3, opened + 2 * length // 3) if rests and length > 3 else (None, None)
        rows.append((MONDAY + timedelta(days=number), opened, closed, *pause))
        clock = closed
    moments = [[base + timedelta(minutes=one) if one is not None else None for one in row[1:]] for row in rows]
    names = ("open", "close", "break_start", "break_end")
    columns = {name: instants(*(row[place] for row in moments)) for place, name in enumerate(names)}
    schedule = pl.DataFrame({"session": days(*(row[0] for row in rows)), **columns})
    hours = TradingHours(schedule, first=FIRST, last=date(2024, 6, 30))
    pieces = [
        piece
        for _, opened, closed, start, end in rows
        for piece in ([(opened, closed)] if start is None else [(opened, start), (end, closed)])
    ]
    labels = [minute for opened, closed in pieces for minute in range(opened, closed, step)]

    stamps = instants(*(base + timedelta(minutes=one) for one in asked))
    is_open = [any(opened <= one < closed for opened, closed in pieces) for one in asked]
    at_them = [next((row[0] for row in rows if row[1] <= one < row[2]), None) for one in asked]
    after = [next((row[0] for row in rows if row[1] > one), None) for one in asked]
    before = [next((row[0] for row in reversed(rows) if row[2] <= one), None) for one in asked]
    assert is_open == hours.is_open(stamps).to_list()
    assert at_them == hours.session_at(stamps).to_list()
    assert after == hours.next_session(stamps).to_list()
    assert before == hours.previous_session(stamps).to_list()
    until = stamps.dt.offset_by("100m")
    expected = [sum(one <= label < one + 100 for label in labels) for one in asked]
    assert expected == hours.bar_count(stamps, until, timeframe=timeframe).to_list()
    whole = hours.bar_labels(from_datetime(base), from_datetime(base) + clock * MINUTE_NS, timeframe=timeframe)
    assert [base + timedelta(minutes=one) for one in labels] == whole.to_list()
