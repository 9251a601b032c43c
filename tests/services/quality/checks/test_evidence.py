"""Records in the order of their series, with the columns that checks share."""

from __future__ import annotations

from datetime import date, datetime
from math import log

import polars as pl
import pytest

from evidence_doubles import around, bars, calendar, day, moment
from truetape.services.quality.checks import CHECKS, SHARED, Surroundings, needed, prepare

WEEK = [day(number) for number in range(5)]


def shared(name: str, records: pl.DataFrame, known: Surroundings | None = None) -> list[object]:
    return prepare(records, surroundings=known, needs=[name])[name].to_list()


def test_rows_are_ordered_by_series_and_time() -> None:
    """Rows are numbered in their order, and remember their place before."""
    mixed = pl.concat([bars([3.0, 4.0], instrument_id="b"), bars([2.0, 1.0]).reverse()])
    evidence = prepare(mixed, needs=[])

    assert evidence.select("instrument_id", "close", "row", "place").rows() == [
        ("a", 2.0, 0, 3),
        ("a", 1.0, 1, 2),
        ("b", 3.0, 2, 0),
        ("b", 4.0, 3, 1),
    ]
    assert prepare(mixed, needs=[]).drop("row", "place").equals(prepare(mixed.reverse(), needs=[]).drop("row", "place"))


def test_a_series_in_two_pieces_is_put_together() -> None:
    """Time ascends in each piece, and yet the rows are not in order."""
    first, second = bars([1.0]), bars([2.0], ts_event=[day(1)])
    evidence = prepare(pl.concat([first, bars([9.0], instrument_id="b"), second]), needs=[])

    assert evidence["close"].to_list() == [1.0, 2.0, 9.0]


def test_a_place_that_is_known_is_kept() -> None:
    """A file counts its rows itself."""
    assert prepare(bars([1.0, 2.0]).with_columns(place=pl.Series([7, 9])), needs=[])["place"].to_list() == [7, 9]


def test_missing_columns_are_null() -> None:
    """A series of closes is evidence too; so are records without an instrument."""
    evidence = prepare(bars([1.0]).select("ts_event", "close"), needs=[])

    assert evidence.select("instrument_id", "provider", "timeframe", "open", "volume").row(0) == (
        "",
        "",
        "",
        None,
        None,
    )


def test_nothing_looks_over_the_edge_of_a_series() -> None:
    """The first row of a series has none before it."""
    both = pl.concat([bars([1.0, 2.0]), bars([8.0, 4.0], instrument_id="b")])

    assert shared("starts", both) == [True, False, True, False]
    assert shared("series", both) == [0, 0, 1, 1]
    assert shared("previous_close", both) == [None, 1.0, None, 8.0]
    assert shared("ratio", both) == [None, 2.0, None, 0.5]
    assert shared("log_return", both) == [None, log(2.0), None, log(0.5)]


def test_a_ratio_is_of_positive_prices() -> None:
    """Zero and negative prices have none."""
    assert shared("ratio", bars([1.0, 0.0, -2.0, 1.0, 3.0])) == [None, None, None, None, 3.0]


def test_a_session_is_numbered_in_its_calendar() -> None:
    """Tuesday and Wednesday are left out, Saturday is no session."""
    records = bars([1.0, 2.0, 3.0], ts_event=[day(0), day(3), date(2024, 6, 8)])
    known = around(sessions=calendar(WEEK))

    assert shared("is_session", records, known) == [True, True, False]
    assert shared("sessions_until", records, known) == [1, 4, 5]
    assert shared("sessions_since", records, known) == [None, 3, 1]
    assert shared("is_session", records) == [None, None, None]
    assert shared("sessions_since", records.clear(), known) == []


def test_listings_say_the_venue_and_the_increment() -> None:
    """Where all say the same and where one says nothing."""
    records = pl.concat([bars([1.0], instrument_id=name) for name in "ab"])

    assert shared("increment", records, around(increment=0.05, instruments="ab")) == [0.05, 0.05]
    assert shared("venue", records, around(instruments="b")) == [None, "XTST"]
    assert shared("venue", records.with_columns(venue=pl.lit("XOWN")), around(instruments="ab")) == ["XOWN", "XOWN"]


def test_actions_take_effect_with_the_first_row_on_or_after_their_ex_date() -> None:
    """A split and a dividend on a Saturday are Monday's; what comes after the last row has no effect yet."""
    records = pl.concat([bars([1.0] * 7), bars([1.0] * 7, instrument_id="b")])
    saturday = date(2024, 6, 8)
    known = around(
        actions=[
            (saturday, "split", 2.0),
            (day(5), "split", 3.0),
            (day(1), "dividend", 0.25),
            (day(1), "dividend", 0.5),
            (date(2025, 1, 1), "split", 7.0),
        ]
    )

    assert shared("split", records, known) == [None] * 5 + [6.0] + [None] * 8
    assert shared("dividend", records, known) == [None, 0.75] + [None] * 12
    assert shared("split", records.clear(), known) == []


def test_bars_of_several_providers_are_met() -> None:
    """Two providers tell of Monday, three of nothing."""
    records = pl.concat([bars([1.0, 5.0], provider="p"), bars([3.0], provider="q")])

    assert shared("providers", records) == [2, 1, 2]
    assert shared("middle", records) == [2.0, 5.0, 2.0]
    assert shared("key_number", records) == [0, 1, 0]
    assert shared("providers", bars([1.0])) == [1]
    assert shared("middle", bars([1.0])) == [1.0]
    assert shared("key_number", bars([1.0])) == [None]


def test_short_bars_belong_to_the_session_that_opened_before_them() -> None:
    """A session that opens on the evening before, in UTC, is the next day's; daily bars keep their label."""
    opened = calendar(WEEK).with_columns((pl.col("open") - pl.duration(hours=16)).alias("open"))
    short = bars([1.0, 2.0], ts_event=[moment("2024-06-03 23:00"), moment("2024-06-04 01:00")], timeframe="1h")
    known = around(sessions=opened)

    assert shared("day", short, known) == [day(1), day(1)]
    assert shared("day", pl.concat([bars([1.0]), short]), known) == [day(0), day(1), day(1)]
    assert shared("day", short) == [day(0), day(1)]
    assert shared("session_open", short, known) == [moment("2024-06-03 22:00")] * 2
    assert shared("session_close", short, known) == [moment("2024-06-04 21:00")] * 2


def test_the_present_is_an_instant_or_unknown() -> None:
    """It is the same for all rows."""
    now = datetime.fromisoformat("2024-06-03T12:00:00+00:00")

    assert shared("now", bars([1.0]), around(now=now)) == [now]
    assert shared("now", bars([1.0])) == [None]


@pytest.mark.parametrize("kind", ["bars", "quotes", "trades", "actions"])
def test_every_kind_is_evidence_of_what_it_has(kind: str) -> None:
    """Columns that a kind cannot have are left out; whatever a check needs can be made for all its kinds."""
    moments = {"ts_event": [moment("2024-06-03 14:00")]} if kind != "actions" else {"ex_date": [day(0)]}
    prices = {"bars": ["close"], "quotes": ["price", "bid", "ask"], "trades": ["price", "size"], "actions": ["value"]}
    records = pl.DataFrame({**moments, **{name: [1.0] for name in prices[kind]}})
    evidence = prepare(records, kind=kind)

    assert needed(check for check in CHECKS.values() if kind in check.kinds) <= {*evidence.columns}
    assert evidence.schema["ts_event"] == pl.Datetime("ns", "UTC")


def test_every_shared_column_says_what_it_holds_and_rests_on_earlier_ones() -> None:
    """They are made in their order."""
    names = list(SHARED)

    assert all(one.sentence for one in SHARED.values())
    assert [
        (name, other)
        for name, one in SHARED.items()
        for other in one.rests_on
        if other in SHARED and names.index(other) >= names.index(name)
    ] == []
