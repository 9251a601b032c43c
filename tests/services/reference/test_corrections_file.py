"""Corrections as people write them down: what lines mean, and which are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from truetape.domain.calendar_corrections import CORRECTION
from truetape.domain.errors import BadInput
from truetape.services.reference.calendars import believed_hours, corrections_of
from truetape.services.reference.corrections import built_in, read_corrections, rules

HEADER = "mic,session,what,known,open,close,break_start,break_end,why,source"


def read(*lines: str, header: str = HEADER) -> pl.DataFrame:
    frame = pl.read_csv("\n".join([header, *lines]).encode(), infer_schema=False)
    return read_corrections(frame, zone_of=lambda mic: {"XNYS": "America/New_York", "XTKS": "Asia/Tokyo"}[mic])


def test_times_are_those_of_the_venues_clock_or_instants() -> None:
    """Tokyo's nine o'clock is midnight in UTC; an instant may lie on the day before the session."""
    found = read(
        "XTKS,2024-06-10,open,,09:00,11:30,,,a storm,the venue",
        "XNYS, 2024-06-10 ,OPEN,,2024-06-09T22:00Z,,12:00,12:30:30,,",
    )

    assert CORRECTION == dict(found.schema)
    at = {name: found[name].to_list() for name in ("open", "close", "break_start", "break_end")}
    assert [datetime(2024, 6, 10, 0, 0, tzinfo=UTC), datetime(2024, 6, 9, 22, 0, tzinfo=UTC)] == at["open"]
    assert [datetime(2024, 6, 10, 2, 30, tzinfo=UTC), None] == at["close"]
    assert [None, datetime(2024, 6, 10, 16, 0, tzinfo=UTC)] == at["break_start"]
    assert [None, datetime(2024, 6, 10, 16, 30, 30, tzinfo=UTC)] == at["break_end"]
    assert [("open", "a storm", "the venue"), ("open", "", "")] == found.select("what", "why", "source").rows()


def test_a_date_of_knowledge_stands_for_its_end() -> None:
    """So that nobody seems to have known it too early; an instant stands for itself, and nothing for ever."""
    found = read(
        "XNYS,2024-06-12,closed,2024-06-10,,,,,,",
        "XNYS,2024-06-12,closed,2024-06-10T14:00:00-04:00,,,,,,",
        "XNYS,2024-06-12,closed,,,,,,,",
    )

    expected = [datetime(2024, 6, 11, tzinfo=UTC), datetime(2024, 6, 10, 18, tzinfo=UTC), None]
    assert expected == found["known"].to_list()


def test_columns_may_stand_in_any_order_and_be_dates() -> None:
    """As a Parquet file has them; what is not known is left aside."""
    frame = pl.DataFrame(
        {
            "What": ["closed"],
            "SESSION": [date(2024, 6, 12)],
            "note": [7],
            "mic": ["XNYS"],
            "known": [datetime(2024, 6, 10, 12, tzinfo=UTC)],
        }
    )

    found = read_corrections(frame, zone_of=lambda _: "America/New_York")

    assert [("XNYS", date(2024, 6, 12), datetime(2024, 6, 10, 12, tzinfo=UTC), "closed", "")] == found.select(
        "mic", "session", "known", "what", "why"
    ).rows()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("XNYS,12.6.2024,closed,,,,,,,", "row 1, session was '12.6.2024'", id="no date"),
        pytest.param("XNYS,1500-01-01,closed,,,,,,,", "from 1800-01-01 to 2099-12-31", id="too long ago"),
        pytest.param("XNYS,2024-06-12,shut,,,,,,,", "what was 'shut'. Write one of closed, open, no_break", id="what"),
        pytest.param(
            "XNYS,2024-06-12,closed,,09:30,,,,,", "closed has no hours; leave them out", id="closed with hours"
        ),
        pytest.param(
            "XNYS,2024-06-12,open,,9.30,,,,,",
            "open was '9.30'. Write a time of the venue's clock such as 09:30",
            id="no time",
        ),
        pytest.param("XNYS,2024-06-12,open,,2024-06-20T09:30Z,,,,,", "beside the session of 2024-06-12", id="far"),
        pytest.param("XNYS,2024-06-12,open,,16:00,09:30,,,,", "close must come after open", id="order"),
        pytest.param("XNYS,2024-06-12,open,,,12:00,13:00,14:00,,", "close must come after break_end", id="late break"),
        pytest.param("XNYS,2024-06-12,closed,soon,,,,,,", "known was 'soon'", id="no instant"),
        pytest.param("XNYS,2024-06-12,closed,9999-12-31,,,,,,", "between the years 1678 and 2262", id="never"),
        pytest.param(
            "XNYS,2024-06-12,closed,0001-01-01T00:00+14:00,,,,,,", "between the years 1678 and 2262", id="before time"
        ),
        pytest.param("XNYS,2024-06-12,closed,2024-06-10T12:00,,,,,,", "The zone is missing", id="no zone"),
    ],
)
def test_lines_that_cannot_be_are_refused(line: str, words: str) -> None:
    """The error says where, which value, and what to write."""
    with pytest.raises(BadInput) as refused:
        read(line)

    assert words in str(refused.value)


def test_a_file_without_its_columns_is_refused() -> None:
    """Venue, day and what must be there."""
    with pytest.raises(BadInput, match=r"The header was 'mic, day'.*mic, session, what must be there"):
        read("XNYS,2024-06-12", header="mic,day")


def test_our_own_corrections_end_with_what_the_rules_say() -> None:
    """They date what the package knows: taken all together they change no session of it."""
    own = built_in()
    late = own.filter(pl.col("known").is_not_null())

    assert {*own["mic"]} == {"XNYS", "XLON", "XTKS"}
    assert own.filter(pl.col("source") == "").is_empty()
    for (mic,), days in late.group_by("mic"):
        start, end = days.select(pl.col("session").min().alias("first"), pl.col("session").max().alias("last")).row(0)
        sessions = believed_hours(str(mic), start=start, end=end)["session"]
        expected = days.filter(pl.col("what") == "open")["session"].to_list()
        assert expected == [day for day in days["session"] if day in sessions]
    assert rules().startswith("exchange_calendars ")


@pytest.mark.parametrize(
    ("mic", "day", "as_of", "expected"),
    [
        pytest.param("XNAS", date(2001, 9, 11), "2001-09-11T13:00", True, id="the morning before"),
        pytest.param("XNAS", date(2001, 9, 11), "2001-09-11T14:00", False, id="it did not open"),
        pytest.param("XNYS", date(2025, 1, 9), "2024-12-29T12:00", True, id="before the announcement"),
        pytest.param("XNYS", date(2025, 1, 9), "2025-01-02T12:00", False, id="after it"),
        pytest.param("XLON", date(2020, 5, 4), "2019-01-01T00:00", False, id="the old bank holiday"),
        pytest.param("XLON", date(2020, 5, 4), "2020-01-01T00:00", True, id="which was moved"),
        pytest.param("XTKS", date(2019, 5, 1), "2018-06-01T00:00", True, id="before the law"),
    ],
)
def test_what_was_believed_of_days_of_history(mic: str, day: date, as_of: str, expected: bool) -> None:
    """A day counts as others did until it was known that it does not; venues that borrow believe the same."""
    known = int(datetime.fromisoformat(as_of).replace(tzinfo=UTC).timestamp()) * 10**9

    assert expected is (not believed_hours(mic, start=day, end=day, as_of=known).is_empty())


def test_a_correction_of_ones_own_counts_more_than_ours() -> None:
    """Known at the same instant, the operator's stands last; corrections of other venues do not concern a calendar."""
    own = read("XNYS,2018-12-05,open,2018-12-01,,,,,me,me", "XTKS,2018-12-05,closed,2018-12-01,,,,,me,me")

    assert not believed_hours("XNYS", start=date(2018, 12, 5), end=date(2018, 12, 5), corrections=own).is_empty()
    assert {"XNYS"} == {*corrections_of("XNAS", own)["mic"]}
