"""Cells of anybody's tables, by value: dates, instants, numbers and texts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest

from truetape.domain import cells
from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.schema import INSTANT

PAYLOAD = Payload(provider="p", kind="k", body=b"")
SESSION = date(2024, 3, 8)
OPENS = datetime(2024, 3, 8, 14, 30, tzinfo=UTC)
EPOCH = 1_709_908_200
WALL = datetime(2024, 3, 8, 14, 30)  # noqa: DTZ001 - a table may hold times without a zone
NEW_YORK = timezone(timedelta(hours=-5))


def column(*values: Any, dtype: Any = None) -> pl.Series:
    return pl.Series("x", values, dtype=dtype, strict=False)


@pytest.mark.parametrize(
    "values",
    [
        column("2024-03-08"),
        column(" 2024-03-08 "),
        column("20240308"),
        column("2024-03-08T23:59:59-05:00"),
        column("2024-03-08 00:00:00+00:00"),
        column(SESSION),
        column(WALL),
        column(OPENS),
        column(20240308),
        column(20240308, dtype=pl.UInt32),
        column(EPOCH),
        column(EPOCH * 1000),
        column(str(EPOCH)),
    ],
)
def test_days(values: pl.Series) -> None:
    """A moment counts as the date that it is written with."""
    assert cells.days(PAYLOAD, values).to_list() == [SESSION]


@pytest.mark.parametrize(
    "values",
    [
        column("2024-03-08T14:30:00Z"),
        column("2024-03-08 09:30:00-05:00"),
        column("2024-03-08T09:30:00.000-0500"),
        column("2024-03-08 14:30:00"),
        column("2024-03-08T14:30:00"),
        column("2024-03-08 14:30"),
        column(EPOCH),
        column(EPOCH * 1_000, dtype=pl.UInt64),
        column(EPOCH * 1_000_000),
        column(str(EPOCH * 1_000_000_000)),
        column(WALL),
        column(OPENS),
        column(datetime(2024, 3, 8, 9, 30, tzinfo=NEW_YORK), dtype=pl.Datetime("ms", "America/New_York")),
    ],
)
def test_instants(values: pl.Series) -> None:
    """Texts, numbers and typed columns say the same instant; what names no zone is meant in the one given."""
    read = cells.instants(PAYLOAD, values, zone="UTC")
    assert (read.dtype, read.to_list()) == (INSTANT, [OPENS])


@pytest.mark.parametrize("clock", ["15:30:00", "15:30", "153000", "1530"])
@pytest.mark.parametrize("day", ["2024-03-08", "20240308"])
def test_dates_with_a_clock(day: str, clock: str) -> None:
    """Date and time in two columns, of Warsaw, where it is one hour later than in UTC."""
    read = cells.instants(PAYLOAD, column(day), zone="Europe/Warsaw", clock=column(clock))
    assert read.to_list() == [OPENS]


def test_typed_walls_are_meant_in_the_zone() -> None:
    """In summer Warsaw is two hours ahead; of the hour that comes twice the first is meant."""
    walls = column(datetime(2024, 7, 1, 12), datetime(2024, 10, 27, 2, 30))  # noqa: DTZ001
    read = cells.instants(PAYLOAD, walls, zone="Europe/Warsaw")
    assert read.to_list() == [datetime(2024, 7, 1, 10, tzinfo=UTC), datetime(2024, 10, 27, 0, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (column("1.5", " 2 ", "", "NaN", "N/A", None), [1.5, 2.0, None, None, None, None]),
        (column(1, None), [1.0, None]),
        (column(1.5, float("nan")), [1.5, None]),
        (column(None, None), [None, None]),
    ],
)
def test_numbers(values: pl.Series, expected: list[float | None]) -> None:
    """NaN and words for missing are null."""
    assert cells.numbers(PAYLOAD, values).to_list() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [(column(" a ", None), ["a", None]), (column("a", dtype=pl.Categorical), ["a"]), (column(9988), ["9988"])],
)
def test_texts(values: pl.Series, expected: list[str | None]) -> None:
    """Categories and numbers are texts too."""
    assert cells.texts(PAYLOAD, values).to_list() == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (column("2024-03-08"), True),
        (column("20240308"), True),
        (column(20240308), True),
        (column(SESSION), True),
        (column("2024-03-08 00:00"), False),
        (column(str(EPOCH)), False),
        (column(EPOCH), False),
        (column(OPENS), False),
    ],
)
def test_bare_dates(values: pl.Series, expected: bool) -> None:
    """A column of dates alone cannot hold bars of minutes."""
    assert cells.bare(values) is expected


def instants(payload: Payload, values: pl.Series) -> pl.Series:
    return cells.instants(payload, values, zone="Europe/Warsaw")


@pytest.mark.parametrize(
    ("read", "values", "named"),
    [
        (cells.days, column("2024-13-01"), "x was '2024-13-01'"),
        (cells.days, column("2024-03-08x"), "x was '2024-03-08x'"),
        (cells.days, column("2024-03-08", None), "x was 'None'"),
        (cells.days, column(date(1700, 1, 1)), "no moment from"),
        (cells.days, column(SESSION, None), "no moment from"),
        (cells.days, column(2**31 - 1, dtype=pl.Int32).cast(pl.Date), "no moment from"),
        (cells.days, column(2**63 - 1).cast(pl.Datetime("us")), "no moment from"),
        (cells.days, column(1, dtype=pl.Int8), None),
        (cells.days, column(1.5), "x had the type Float64"),
        (cells.days, column(20240308, None), "x was 'None'"),
        (instants, column("soon"), "x was 'soon'"),
        (instants, column("2024-03-08T09:30:00Z", "2024-03-08"), "x was '2024-03-08'"),
        (instants, column("2024-03-31 02:30:00"), "x was '2024-03-31 02:30:00'"),
        (instants, column(datetime(2024, 3, 31, 2, 30)), "no time of Europe/Warsaw"),  # noqa: DTZ001
        (instants, column(OPENS, None), "no moment from"),
        (instants, column(datetime(9999, 1, 1)), "no moment from"),  # noqa: DTZ001
        (instants, column(2**63 - 1), "no moment from"),
        (instants, column(2**64 - 1, dtype=pl.UInt64), "no moment from"),
        (instants, column("9" * 19), "no moment from"),
        (instants, column(-(2**63), 2**62), "no moment from"),
        (instants, column(True), "x had the type Boolean"),
        (cells.numbers, column("12k"), "x was '12k'"),
        (cells.numbers, column(float("inf")), "x was infinite"),
        (cells.numbers, column([1]), "x had the type List"),
        (cells.texts, column(b"a"), "x had the type Binary"),
    ],
)
def test_defects_are_named(
    read: Callable[[Payload, pl.Series], pl.Series], values: pl.Series, named: str | None
) -> None:
    """What cannot be read is said with the column's name."""
    if named is None:
        assert read(PAYLOAD, values).to_list() == [date(1970, 1, 1)]
        return
    with pytest.raises(UndecodablePayload) as caught:
        read(PAYLOAD, values)
    assert named in caught.value.reason
