"""When the rows of a file happened: dates and instants in the spellings that providers use."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.app.plain_files.sheet import Sheet
from truetape.domain.decoding import FIRST_DAY, LAST_DAY
from truetape.domain.errors import BadInput
from truetape.domain.kinds import INSTANT
from truetape.domain.time import NANOSECONDS

_FIX: Final = "Write a date as 2005-02-28, or an instant as 2005-02-28 09:30:00-05:00 or in Unix seconds."
_TEXT: Final = (
    r"^(?<year>\d{4})[-/]?(?<month>\d\d)[-/]?(?<day>\d\d)"
    r"(?:[T ]+(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<part>\d{1,9}))?)?)?"
    r"\s*(?:(?<utc>Z|UTC)|(?<sign>[+-])(?<ahead>\d\d):?(?<more>\d\d))?$"
)
_CLOCK: Final = r"^(\d{1,2}):?(\d\d)(?::?(\d\d))?$"
_UNIX: Final = r"^\d{9,19}$"
_DIGITS: Final = {range(9, 12): NANOSECONDS, range(12, 15): 1_000_000, range(15, 18): 1_000, range(18, 20): 1}


def read_moments(sheet: Sheet, *, moment: str, clock: str | None) -> pl.DataFrame:
    """Return `ts` (UTC) and `date` (as written) of each row; an instant without a zone counts as UTC.

    Args:
        sheet: The file.
        moment: The header of its dates or instants.
        clock: The header of its times of day, where they stand in a column of their own.

    Raises:
        BadInput: A row has no date, or none between the years 1800 and 2200.
    """
    column = sheet.frame[moment]
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        times = _typed(column)
    elif column.dtype.is_integer():
        times = _written(column.cast(pl.String))
    elif column.dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        times = _written(column.cast(pl.String).str.strip_chars())
    else:
        raise BadInput(parameter=f"The type of {moment} in {sheet.file}", value=str(column.dtype), fix=_FIX)
    sound = times["date"].is_between(FIRST_DAY, LAST_DAY, closed="left") & times["ts"].is_not_null()
    wrong = (~sound).fill_null(value=True).arg_true()
    if len(wrong):
        raise sheet.defect(wrong[0], column=moment, value=_shown(column[wrong[0]]), fix=_FIX)
    return times if clock is None else _with_clock(sheet, times, clock)


def _typed(column: pl.Series) -> pl.DataFrame:
    if column.dtype == pl.Date:
        return pl.select(ts=pl.lit(column).cast(pl.Datetime("ns")).cast(INSTANT), date=pl.lit(column))
    zone = getattr(column.dtype, "time_zone", None)
    instants = pl.lit(column) if zone else pl.lit(column).dt.replace_time_zone("UTC")
    return pl.select(ts=instants.dt.cast_time_unit("ns").dt.convert_time_zone("UTC"), date=pl.lit(column).dt.date())


def _written(texts: pl.Series) -> pl.DataFrame:
    """Return `ts` and `date` of texts, null where one is no moment."""
    parts = pl.DataFrame({"text": texts}).with_columns(
        pl.col("text").str.extract_groups(_TEXT).struct.unnest(), pl.col("text").str.contains(_UNIX).alias("unix")
    )
    plain = pl.col("unix") & (pl.col("text").str.len_chars() > 8)  # noqa: PLR2004  eight digits are a date
    day = pl.concat_str("year", pl.lit("-"), "month", pl.lit("-"), "day").str.to_date("%Y-%m-%d", strict=False)
    local = day.cast(pl.Datetime("ns")).cast(pl.Int64) + _seconds("hour", "minute", "second") * NANOSECONDS
    part = pl.col("part").str.pad_end(9, "0").cast(pl.Int64).fill_null(0)
    ahead = _seconds("ahead", "more") * NANOSECONDS * pl.when(pl.col("sign") == "-").then(-1).otherwise(1)
    instant = pl.when(plain).then(_unix()).otherwise(local + part - ahead).cast(INSTANT)
    sound = _below("hour", 24) & _below("minute", 60) & _below("second", 61)
    return parts.select(
        pl.when(sound).then(instant).alias("ts"),
        pl.when(plain).then(instant.dt.date()).otherwise(day).alias("date"),
    )


def _seconds(*names: str) -> pl.Expr:
    """Return hours, minutes and seconds as seconds; those that are missing are 0."""
    scales = (3600, 60, 1)
    parts = [pl.col(name).cast(pl.Int64).fill_null(0) * scale for name, scale in zip(names, scales, strict=False)]
    return pl.sum_horizontal(parts)


def _below(name: str, limit: int) -> pl.Expr:
    return pl.col(name).cast(pl.Int64).fill_null(0) < limit


def _unix() -> pl.Expr:
    """Return the nanoseconds of digits, whose number tells their unit: s, ms, us or ns."""
    count = pl.col("text").str.len_chars()
    number = pl.col("text").cast(pl.Int64, strict=False)
    return pl.coalesce(
        pl.when(count.is_between(digits.start, digits.stop - 1)).then(number * scale)
        for digits, scale in _DIGITS.items()
    )


def _with_clock(sheet: Sheet, times: pl.DataFrame, clock: str) -> pl.DataFrame:
    """Return `times` with the times of day of the column `clock` added; blanks are midnight."""
    column = sheet.frame[clock]
    if isinstance(column.dtype, pl.Time):
        later = pl.Series(column).cast(pl.Int64).fill_null(0)
        return times.with_columns((pl.col("ts").cast(pl.Int64) + later).cast(INSTANT))
    texts = column.cast(pl.String).str.strip_chars().fill_null("0:00")
    padded = pl.when(pl.lit(texts).str.contains(r"^\d{3,5}$")).then(pl.lit(texts).str.zfill(6)).otherwise(pl.lit(texts))
    parts = pl.select(padded.str.extract_groups(_CLOCK).struct.rename_fields(["hour", "minute", "second"]).alias("p"))
    seconds = parts.unnest("p").select(
        pl.when(pl.col("hour").is_not_null() & _below("hour", 24) & _below("minute", 60) & _below("second", 61)).then(
            _seconds("hour", "minute", "second")
        )
    )
    wrong = seconds.to_series().is_null().arg_true()
    if len(wrong):
        fix = "Write a time of day as 09:30:00 or 093000."
        raise sheet.defect(wrong[0], column=clock, value=_shown(column[wrong[0]]), fix=fix)
    return times.with_columns((pl.col("ts").cast(pl.Int64) + seconds.to_series() * NANOSECONDS).cast(INSTANT))


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:80]
