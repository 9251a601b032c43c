"""Reading providers' bytes: bounded and typed, with a frame or a stated defect as the only ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from truetape.domain.drift import drifted
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import Failure
from truetape.domain.schema import DECODED, INSTANT
from truetape.domain.time import NANOSECONDS

MAX_BYTES: Final = 64 * 1024 * 1024
FIRST_DAY: Final = date(1800, 1, 1)
LAST_DAY: Final = date(2200, 1, 1)
# Below each size, 32-bit floats lie closer than one over the scale: a decimal of that scale with the same bits is the
# only one, and so the shortest.
UNIQUE: Final = ((16, 1e6), (128, 1e5), (1_024, 1e4), (131_072, 1e2))  # sizes are powers of two
MANTISSA_BITS: Final = 52
MOST_EXPONENT: Final = 0x7FF
SCALES: Final = np.array(  # by the exponent of a 64-bit float; NaN where no scale is unique
    [
        next((scale for below, scale in UNIQUE if exponent < 1023 + np.log2(below)), np.nan)
        for exponent in range(MOST_EXPONENT + 1)
    ]
)
DAY_S: Final = 86_400
FIRST_DAY_NUMBER: Final = (FIRST_DAY - date(1970, 1, 1)).days
FIRST_US: Final = FIRST_DAY_NUMBER * DAY_S * 1_000_000
LAST_US: Final = (LAST_DAY - date(1970, 1, 1)).days * DAY_S * 1_000_000
UNSURE: Final = DAY_S  # no zone is that far ahead
KEPT_ZONES: Final = 16  # half a megabyte each
KEPT_VALUES: Final = 1_024
OHLC: Final = ("open", "high", "low", "close")

Stamp = Annotated[int, msgspec.Meta(ge=-5_364_662_400, le=7_258_118_400)]  # Unix seconds, FIRST_DAY to LAST_DAY
Numbers = list[float | None]
Column = pl.Series | Sequence[Any]

T = TypeVar("T")


@dataclass(frozen=True)
class Payload:
    """One body on its way into a frame, with the names that its defects are reported under."""

    provider: str
    kind: str
    body: bytes
    limit: int = MAX_BYTES

    def defect(self, reason: str) -> UndecodablePayload:
        """Return the error that says why this body is not readable."""
        return UndecodablePayload(provider=self.provider, kind=self.kind, reason=reason)

    def bounded(self) -> None:
        """Check the size before anything reads the body.

        Raises:
            UndecodablePayload: The body has more bytes than `limit`.
        """
        if len(self.body) > self.limit:
            raise self.defect(f"its size was {len(self.body)} bytes, the most is {self.limit}")

    def parse(self, decoder: msgspec.json.Decoder[T]) -> T:
        """Return the body as the JSON value that `decoder` expects.

        Raises:
            UndecodablePayload: The body is too large, no JSON, too deep or of another shape.
        """
        return self.parsed(decoder.decode)

    def parse_or_refuse(self, decoder: msgspec.json.Decoder[T], refusal: Callable[[bytes], Failure | None]) -> T:
        """Return the body as the JSON value that `decoder` expects; what is no such value may be a refusal.

        Raises:
            ProviderRefused: The body is what `refusal` knows as an error.
            UndecodablePayload: It is neither.
        """
        try:
            return self.parse(decoder)
        except UndecodablePayload:
            failure = refusal(self.body)
            if failure is None:
                raise
            raise ProviderRefused(provider=self.provider, failure=failure) from None

    def parsed(self, decode: Callable[[bytes], T]) -> T:
        """Return what `decode`, a function of msgspec's, makes of the body.

        Raises:
            UndecodablePayload: The body is too large, no JSON, too deep or of another shape.
        """
        self.bounded()
        try:
            return decode(self.body)
        except msgspec.ValidationError as error:
            raise self.defect(f"{error}{drifted(decode, self.body)}") from None
        except (msgspec.DecodeError, UnicodeError) as error:
            raise self.defect(str(error)) from None
        except RecursionError:
            raise self.defect("it was nested too deeply") from None

    def series(self, values: Column, dtype: pl.DataType, *, field: str) -> pl.Series:
        """Return `values` as a column.

        Raises:
            UndecodablePayload: A value is of another type; the reason names `field`.
        """
        try:
            return pl.Series(values, dtype=dtype)
        except (TypeError, OverflowError, ValueError, pl.exceptions.PolarsError):
            raise self.defect(f"a value of {field} was no {dtype}") from None

    def numbers(self, texts: Column, *, field: str, missing: Sequence[str] = ()) -> pl.Series:
        """Return decimal `texts` as float64; null and the words in `missing` are null.

        Raises:
            UndecodablePayload: A text is no finite number; the reason names `field` and the first such text.
        """
        column = self.series(texts, pl.String(), field=field)
        values = column.cast(pl.Float64, strict=False)
        if not values.null_count() and np.isfinite(values.to_numpy()).all():
            return values
        wrong = column.is_not_null() & ~column.is_in(list(missing)) & ~values.is_finite().fill_null(value=False)
        if wrong.any():
            raise self.defect(f"a value of {field} was {column.filter(wrong)[0][:40]!r}, no finite number")
        return values.fill_nan(None)

    def finite(self, values: Sequence[float | None], *, field: str) -> pl.Series:
        """Return numbers, read by a decoder that takes texts for numbers too, as float64; null is null.

        Raises:
            UndecodablePayload: A number is endless or none; the reason names `field`.
        """
        column = pl.Series(values, dtype=pl.Float64)
        if not column.is_finite().all():
            raise self.defect(f"a value of {field} was no finite number")
        return column

    def dates(self, texts: Column, *, field: str, missing: Sequence[str] | None = None) -> pl.Series:
        """Return texts of the form YYYY-MM-DD as dates; null and the words in `missing`, where given, are null.

        Raises:
            UndecodablePayload: A text is no date from 1800 to 2199; the reason names `field` and the first such text.
        """
        column = self.series(texts, pl.String(), field=field)
        if missing is not None:
            absent = column.is_null() | column.is_in(list(missing))
            return self.dates(column.set(absent, str(FIRST_DAY)), field=field).set(absent, None)
        values = column.str.to_date("%Y-%m-%d", strict=False)
        whole = column.str.len_bytes() == len("YYYY-MM-DD")
        wrong = ~(whole & values.is_between(FIRST_DAY, LAST_DAY, closed="left")).fill_null(value=False)
        if wrong.any():
            raise self.defect(f"a value of {field} was {str(column.filter(wrong)[0])[:40]!r}, no date")
        return values

    def moments(self, texts: Column, *, field: str) -> pl.Series:
        """Return ISO 8601 texts with a zone (Z, +hh:mm or +hhmm) and up to nine decimals of a second as instants.

        Raises:
            UndecodablePayload: A text is no such moment from 1800 to 2199; the reason names `field` and the first one.
        """
        column = self.series(texts, pl.String(), field=field)
        decimals = ".000" if str(column.first()).endswith(".000Z") else ""
        whole = column.str.to_datetime(f"%Y-%m-%dT%H:%M:%S{decimals}Z", time_unit="ns", strict=False)  # far faster
        values = whole.dt.replace_time_zone("UTC")
        if values.null_count():
            values = column.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="ns", strict=False).cast(INSTANT)
        year = column.str.slice(0, 4)
        sound = year.is_between(pl.lit(str(FIRST_DAY.year)), pl.lit(str(LAST_DAY.year)), closed="left")
        wrong = ~(sound & values.is_not_null()).fill_null(value=False)
        if wrong.any():
            raise self.defect(f"a value of {field} was {str(column.filter(wrong)[0])[:40]!r}, no moment with a zone")
        return values

    def wall_times(self, texts: Column, *, zone: str, field: str) -> pl.Series:
        """Return texts of the form YYYY-MM-DD HH:MM:SS, wall-clock times of `zone`, as instants.

        Of the hour that comes twice in autumn the first is meant.

        Raises:
            UndecodablePayload: `zone` is no IANA zone, or a text is no such time from 1800 to 2199, or one that the
                clocks of `zone` leap over; the reason names `field` and the first such text.
        """
        column = self.series(texts, pl.String(), field=field)
        times = column.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
        whole = column.str.len_bytes() == len("YYYY-MM-DD HH:MM:SS")
        sound = whole & times.cast(pl.Int64).is_between(FIRST_US, LAST_US, closed="left")
        if not sound.all(ignore_nulls=False):
            times = times.set(~sound.fill_null(value=False), None)
        walls = times.cast(pl.Datetime("ns"))
        try:
            local = walls.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        except pl.exceptions.PolarsError:
            raise self.defect(f"the time zone was {zone[:40]!r}, no IANA zone") from None
        if local.null_count():
            wrong = str(column.filter(local.is_null())[0])[:40]
            raise self.defect(f"a value of {field} was {wrong!r}, no date and time of {zone[:40]}")
        return local.dt.convert_time_zone("UTC")

    def aligned(self, columns: Mapping[str, Sequence[Any] | None], *, length: int) -> None:
        """Check that parallel arrays are there and equally long.

        Raises:
            UndecodablePayload: One is missing or has another length; the reason names it.
        """
        for name, values in columns.items():
            if values is None:
                raise self.defect(f"the field {name} was missing")
            if len(values) != length:
                raise self.defect(f"the field {name} had {len(values)} values, the stamps had {length}")

    def local_time(self, stamp: int, zone: str) -> datetime:
        """Return Unix seconds as an aware datetime of `zone`.

        Raises:
            UndecodablePayload: `zone` is no IANA zone.
        """
        try:
            return datetime.fromtimestamp(stamp, ZoneInfo(zone))
        except (KeyError, ValueError, OSError):
            raise self.defect(f"the time zone was {zone[:40]!r}, no IANA zone") from None

    def localized(self, stamps: pl.Series, zone: str) -> pl.Series:
        """Return Unix seconds, none missing, as wall-clock times of `zone` (Datetime("ns") without a zone).

        Raises:
            UndecodablePayload: `zone` is no IANA zone.
        """
        try:
            offsets = _offsets(zone)
        except pl.exceptions.PolarsError:
            raise self.defect(f"the time zone was {zone[:40]!r}, no IANA zone") from None
        seconds = stamps.to_numpy()
        ahead = offsets.take(seconds // DAY_S - FIRST_DAY_NUMBER)
        walls = ((seconds + ahead) * NANOSECONDS).astype("datetime64[ns]")
        changing = np.flatnonzero(ahead == UNSURE)
        if changing.size:
            walls[changing] = _walls(instants(stamps.gather(changing)), zone).to_numpy()
        return pl.Series(stamps.name, walls)


def _walls(moments: pl.Series, zone: str) -> pl.Series:
    return moments.dt.convert_time_zone(zone).dt.replace_time_zone(None)


@lru_cache(maxsize=KEPT_ZONES)
def _offsets(zone: str) -> npt.NDArray[np.int64]:
    """Return the seconds that `zone` is ahead of UTC on each UTC day since FIRST_DAY; UNSURE where clocks change."""
    midnights = pl.datetime_range(FIRST_DAY, LAST_DAY, "1d", time_unit="ns", time_zone="UTC", eager=True)
    ahead = (_walls(midnights, zone).to_physical() - midnights.to_physical()).to_numpy() // NANOSECONDS
    return np.where(ahead[:-1] == ahead[1:], ahead[:-1], UNSURE)


def instants(stamps: pl.Series) -> pl.Series:
    """Return Unix seconds as instants."""
    return (stamps.cast(pl.Int64) * NANOSECONDS).cast(INSTANT)


def label(dates: pl.Series) -> pl.Series:
    """Return dates, or wall-clock times, as the instants that daily bars are labelled with: 00:00 UTC of the date."""
    return dates.cast(pl.Date).cast(pl.Datetime("ns")).cast(INSTANT)


def snapped(prices: pl.Series) -> pl.Series:
    """Return 32-bit floats widened to 64 bits as the shortest decimals that have the same 32 bits; others unchanged.

    187.14999389648438 becomes 187.15; 187.149993 stays, since it is no 32-bit float.
    """
    values = prices.to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
    is_single = single == values
    if is_single.all():
        return pl.Series(prices.name, _shortest(values, single))
    widened, mixed = np.flatnonzero(is_single), values.copy()
    mixed[widened] = _shortest(values[widened], single[widened])
    return pl.Series(prices.name, mixed, nan_to_null=True)


def _shortest(values: npt.NDArray[np.float64], single: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the shortest decimals of 32-bit floats, given in both widths."""
    with np.errstate(over="ignore", invalid="ignore"):
        exponents = values.view(np.int64) >> MANTISSA_BITS
        exponents &= MOST_EXPONENT
        scale = SCALES.take(exponents)
        rounded: npt.NDArray[np.float64] = values * scale
        np.rint(rounded, out=rounded)
        rounded /= scale
        same = rounded.astype(np.float32) == single
    if not same.all():
        left = np.flatnonzero(~same)
        rounded[left] = pl.Series(single[left]).cast(pl.String).cast(pl.Float64).to_numpy()
    return rounded


def ascending(frame: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """Return `frame` sorted by the column `by`, which holds whole numbers or instants; of equal rows the last wins."""
    steps = np.diff(frame[by].cast(pl.Int64).to_numpy())
    if (steps > 0).all():
        return frame
    if (steps < 0).all():  # newest first, as many providers send
        return frame.reverse()
    return frame.sort(by, maintain_order=True).unique(by, keep="last", maintain_order=True)


def traded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `frame` that are bars: those with any of open, high, low and close."""
    if all(frame[name].null_count() == 0 for name in OHLC):
        return frame
    return frame.filter(~pl.all_horizontal(pl.col(*OHLC).is_null()))


def decoded(kind: str, columns: Mapping[str, Column], **same: object) -> pl.DataFrame:
    """Return a frame of schema DECODED[kind]; `same` holds the columns with one value for all rows.

    A column that is in neither is one that the provider does not tell: null.
    """
    schema = DECODED[kind]
    length = len(next(iter(columns.values())))
    every = [
        _column(name, columns[name], dtype)
        if name in columns
        else _single(name, same.get(name), dtype).new_from_index(0, length)
        for name, dtype in schema.items()
    ]
    return pl.DataFrame(every)


@lru_cache(maxsize=KEPT_VALUES)
def _single(name: str, value: object, dtype: pl.DataType) -> pl.Series:
    return pl.Series(name, [value], dtype=dtype)


def _column(name: str, values: Column, dtype: pl.DataType) -> pl.Series:
    if not isinstance(values, pl.Series):
        return pl.Series(name, values, dtype=dtype)
    typed = values if values.dtype == dtype else values.cast(dtype)
    return typed.alias(name)


def levels(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the closes of an index's bars as schema DECODED["index_levels"]; bars without a close are left out."""
    closed = bars.filter(pl.col("close").is_not_null())
    return closed.select("symbol", "ts_event", pl.col("close").alias("level"), "currency")
