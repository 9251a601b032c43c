"""The rules of keys and times that all stores follow."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from truetape.domain.errors import BadInput
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.stored_rows import (
    FARTHEST,
    Bound,
    clamped,
    event_bounds,
    event_column,
    has_repeats,
    instant_span,
    sorted_by,
    table_named,
    without,
)

DAY, DAY_NS = date(1970, 1, 2), 86_400 * 10**9


def _rows(*instants: int | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"instrument_id": ["a"] * len(instants), "ts_event": pl.Series(instants, dtype=pl.Int64).cast(INSTANT)}
    )


def test_tables_are_found_by_name() -> None:
    """An unknown one is refused with those that there are."""
    assert TABLES["bars"] is table_named("bars")
    with pytest.raises(BadInput, match=r"table was 'bar'.*Tables are .*bars"):
        table_named("bar")


@pytest.mark.parametrize(("table", "expected"), [("bars", "ts_event"), ("actions", "ex_date"), ("listings", None)])
def test_one_column_at_most_says_when(table: str, expected: str | None) -> None:
    """An instant, a date, or nothing."""
    assert expected == event_column(TABLES[table])


@pytest.mark.parametrize(
    ("table", "start", "end", "expected"),
    [
        ("bars", DAY, DAY, [Bound("ts_event", ">=", DAY_NS), Bound("ts_event", "<", 2 * DAY_NS)]),
        ("bars", None, date.max, []),
        ("bars", date.min, None, [Bound("ts_event", ">=", -FARTHEST)]),
        ("actions", DAY, DAY, [Bound("ex_date", ">=", DAY), Bound("ex_date", "<=", DAY)]),
        ("listings", None, None, []),
    ],
)
def test_both_bounds_are_inclusive(table: str, start: date | None, end: date | None, expected: list[Bound]) -> None:
    """A date as the end takes in all instants of its day; dates beyond what nanoseconds reach bound nothing."""
    assert expected == event_bounds(TABLES[table], start=start, end=end)


def test_a_table_without_event_time_has_no_bounds() -> None:
    """The bound that was given is named."""
    with pytest.raises(BadInput, match=r"end was '1970-01-02'.*no event time"):
        event_bounds(TABLES["listings"], start=None, end=DAY)


def test_what_is_the_same_everywhere_is_not_sorted_by() -> None:
    """Of one instrument the timeframe and the time are left, and the version if all versions are wanted."""
    one, bars = {"instrument_id": ("a",), "timeframe": ("1d", "1m")}, TABLES["bars"]
    assert ("timeframe", "ts_event") == sorted_by(bars, equal=one, history=False)
    assert ("timeframe", "ts_event", "version") == sorted_by(bars, equal=one, history=True)


@pytest.mark.parametrize(
    ("rows", "key", "expected"),
    [
        (_rows(7, 5, 6), ("instrument_id", "ts_event"), ("ts_event", 5, 7)),
        (_rows(7, None), ("instrument_id", "ts_event"), None),
        (_rows(), ("instrument_id", "ts_event"), None),
        (_rows(7), ("instrument_id",), None),
    ],
)
def test_rows_reach_from_their_first_to_their_last_instant(
    rows: pl.DataFrame, key: tuple[str, ...], expected: tuple[str, int, int] | None
) -> None:
    """Without an instant, or with one that is not known, nothing is bounded."""
    assert expected == instant_span(rows, key)


def test_keys_that_come_twice_are_found() -> None:
    """By the time alone, by the whole key, and where the key has no time."""
    key = ("instrument_id", "ts_event")
    other = _rows(1).with_columns(instrument_id=pl.lit("b"))
    assert [False, True, False] == [
        has_repeats(one, key) for one in (_rows(1, 2), _rows(1, 1), pl.concat([_rows(1), other]))
    ]
    assert [True, False] == [has_repeats(one, ("instrument_id",)) for one in (_rows(1, 2), _rows(1))]


def test_known_rows_are_left_out() -> None:
    """In the order of the others; null is a key like any other."""
    rows = pl.DataFrame({"key": ["c", None, "a", "b"]})
    assert ["c", "b"] == without(rows, pl.DataFrame({"key": [None, "a"]}), ("key",))["key"].to_list()
    assert without(rows, rows.clear(), ("key",)) is rows


def test_numbers_stay_finite() -> None:
    """The greatest number of 64 bits stands for never, and is no instant."""
    assert [FARTHEST, -FARTHEST, 5] == [clamped(number) for number in (2**70, -(2**70), 5)]
