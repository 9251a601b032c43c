"""Cells of tables of anybody's making: dates, instants, numbers and texts, whatever types the columns have."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from truetape.domain.decoding import FIRST_DAY, LAST_DAY, Payload
from truetape.domain.schema import INSTANT
from truetape.domain.time import day_start_ns

MISSING: Final = ("nan", "NaN", "NaT", "null", "NULL", "None", "N/A", "n/a", "N/D", "-")

_FIRST_NS: Final = day_start_ns(FIRST_DAY)
_LAST_NS: Final = day_start_ns(LAST_DAY)
_SECOND: Final = 1_000_000_000
_UNITS: Final = (_SECOND, 1_000_000, 1_000, 1)
_COUNT: Final = r"^-?\d{9,19}$"
_COMPACT: Final = r"^(\d{4})(\d\d)(\d\d)$"
_DASHED: Final = r"^\d{4}-\d\d-\d\d$"
_CLOCK: Final = r"^(\d\d):?(\d\d):?(\d\d)?$"
_ZONE: Final = r"(Z|[+-]\d\d:?\d\d)$"
_DATE_LENGTH: Final = len("2024-03-08")
_LAST_COMPACT: Final = 21_991_231


def texts(payload: Payload, column: pl.Series) -> pl.Series:
    """Return a column as texts without blanks around them.

    Raises:
        UndecodablePayload: It holds neither texts nor whole numbers.
    """
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null) and not column.dtype.is_integer():
        raise payload.defect(f"the column {column.name[:40]} had the type {column.dtype}"[:200])
    return column.cast(pl.String).str.strip_chars()


def numbers(payload: Payload, column: pl.Series) -> pl.Series:
    """Return a column as float64; NaN, blanks and the usual words for missing are null.

    Raises:
        UndecodablePayload: A value is no finite number.
    """
    if not column.dtype.is_numeric():
        if column.dtype == pl.String and _all_finite(values := column.cast(pl.Float64, strict=False)):
            return values
        return payload.numbers(texts(payload, column), field=column.name[:40], missing=("", *MISSING))
    values = column.cast(pl.Float64).fill_nan(None)
    if values.is_infinite().any():
        raise payload.defect(f"a value of {column.name[:40]} was infinite")
    return values


def days(payload: Payload, column: pl.Series) -> pl.Series:
    """Return a column as the dates that are written there: 2024-03-08, 20240308, or the first part of a moment.

    Raises:
        UndecodablePayload: A value is no date from 1800 to 2199.
    """
    name = column.name[:40]
    if column.dtype == pl.Date:
        _inside(payload, column, column.is_between(FIRST_DAY, LAST_DAY, closed="left"))
        return column
    if column.dtype == pl.Datetime:
        _inside_moments(payload, column)
        return column.dt.date()
    if column.dtype.is_integer() and not _compact(column):
        return instants(payload, column, zone="UTC").dt.date()
    if column.dtype == pl.String and _dashed(column):
        return payload.dates(column, field=name)
    spelled = texts(payload, column).str.replace(_COMPACT, "${1}-${2}-${3}")
    if _counted(spelled):
        return instants(payload, spelled, zone="UTC").dt.date()
    split = spelled.str.slice(_DATE_LENGTH, 1).is_in(["T", " "])
    return payload.dates(spelled.str.slice(0, _DATE_LENGTH).zip_with(split.fill_null(value=False), spelled), field=name)


def instants(payload: Payload, column: pl.Series, *, zone: str, clock: pl.Series | None = None) -> pl.Series:
    """Return a column as instants: ISO 8601 with a zone or in `zone`, or numbers since 1970.

    The unit of numbers is the largest in which all of them lie before 2200: seconds, milli-, micro- or nanoseconds.

    Args:
        payload: Where the column comes from.
        column: Moments, or dates where `clock` is given.
        zone: IANA zone of moments that name none.
        clock: Times of day, 15:30, 15:30:00 or 153000.

    Raises:
        UndecodablePayload: A value is no such moment from 1800 to 2199.
    """
    name = column.name[:40]
    if clock is not None:
        day = days(payload, column).cast(pl.String)
        time = texts(payload, clock).str.replace(_CLOCK, "${1}:${2}:${3}").str.replace(":$", ":00")
        return payload.wall_times(day + " " + time, zone=zone, field=name)
    if column.dtype == pl.Datetime:
        return _typed(payload, column, zone=zone)
    if column.dtype.is_integer():
        return _since_epoch(payload, column)
    spelled = texts(payload, column)
    if _counted(spelled):
        return _since_epoch(payload, spelled.cast(pl.Int64, strict=False))
    if spelled.str.contains(_ZONE).fill_null(value=False).any():
        return payload.moments(spelled.str.replace(" ", "T", literal=True), field=name)
    walls = spelled.str.replace("T", " ", literal=True).str.replace(r"^(.{16})$", "${1}:00")
    return payload.wall_times(walls, zone=zone, field=name)


def _all_finite(values: pl.Series) -> bool:
    return not values.null_count() and bool(np.isfinite(values.to_numpy()).all())


def bare(column: pl.Series) -> bool:
    """Return whether a column holds dates without a time of day."""
    if column.dtype == pl.String:
        return bool((column.str.len_bytes() <= _DATE_LENGTH).all()) and not _counted(column)
    return column.dtype == pl.Date or (column.dtype.is_integer() and _compact(column))


def _dashed(column: pl.Series) -> bool:
    """Return whether all texts look like 2024-03-08: this alone needs no other reading."""
    return bool(column.str.contains(_DASHED).all(ignore_nulls=False))


def _compact(column: pl.Series) -> bool:
    """Return whether whole numbers are dates: 20240308."""
    return bool(column.cast(pl.Int64, strict=False).is_between(FIRST_DAY.year * 10_000, _LAST_COMPACT).all())


def _typed(payload: Payload, column: pl.Series, *, zone: str) -> pl.Series:
    _inside_moments(payload, column)
    exact = column.dt.cast_time_unit("ns")
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        return exact.cast(INSTANT)
    local = exact.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if local.null_count():
        raise payload.defect(f"a value of {column.name[:40]} was no time of {zone}")
    return local.cast(INSTANT)


def _inside_moments(payload: Payload, column: pl.Series) -> None:
    seconds = column.dt.epoch("s")
    _inside(payload, column, seconds.is_between(_FIRST_NS // _SECOND, _LAST_NS // _SECOND, closed="left"))


def _inside(payload: Payload, column: pl.Series, inside: pl.Series) -> None:
    """Raise a defect unless all are inside; no value is shown, since polars gives up on a date out of its own range."""
    if not inside.fill_null(value=False).all():
        raise payload.defect(f"a value of {column.name[:40]} was no moment from {FIRST_DAY} to {LAST_DAY}")


def _counted(spelled: pl.Series) -> bool:
    """Return whether texts are whole numbers that count from 1970."""
    return len(spelled) > 0 and bool(spelled.str.contains(_COUNT).fill_null(value=False).all())


def _since_epoch(payload: Payload, column: pl.Series) -> pl.Series:
    values = column.cast(pl.Int64, strict=False)
    ends = [value for value in (values.min(), values.max()) if isinstance(value, int)]
    for unit in _UNITS:
        if not values.null_count() and all(_FIRST_NS <= value * unit < _LAST_NS for value in ends):
            return (values * unit).cast(INSTANT)
    raise payload.defect(f"a value of {column.name[:40]} was no moment from {FIRST_DAY} to {LAST_DAY}")
