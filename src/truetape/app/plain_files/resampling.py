"""Longer bars of a file of bars, and bars by number, volume or money of a file of trades, symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.app.plain_files.moments import read_moments
from truetape.app.plain_files.names import recognized
from truetape.app.plain_files.prices import known_timeframe, read_prices
from truetape.app.plain_files.sheet import Sheet
from truetape.domain.adjust import PRICES
from truetape.domain.errors import BadInput
from truetape.domain.resampling import LENGTHS_NS, resample
from truetape.domain.schema import TABLES
from truetape.domain.spans import endless_spans, trading_spans
from truetape.domain.time import TIMEFRAMES
from truetape.services.processing.trade_bars import money_bars, tick_bars, volume_bars
from truetape.services.reference.calendars import schedule

MEASURES: Final = ("ticks", "volume", "money")
CLOSING: Final = timedelta(minutes=1)  # after the close, in which a bar may begin that holds the closing auction

_DAY: Final = timedelta(days=1)
_SIZES: Final = ("size", "qty", "quantity", "amount", "volume", "vol", "v", "q")
_VALUES: Final = (*PRICES, "volume")


@dataclass(frozen=True)
class Resampled:
    """What was made of a file: the bars, of how many rows, and of which timeframe those were ("" for trades)."""

    frame: pl.DataFrame
    rows: int
    source: str


def resampled(sheet: Sheet, *, timeframe: str, source: str | None = None, venue: str | None = None) -> Resampled:
    """Return the longer bars that the bars of `sheet` make up.

    Args:
        sheet: As `read_prices` takes it, but of any number of symbols if it has a column for them.
        timeframe: Of time.TIMEFRAMES, longer than that of the file.
        source: The file's; where it is not given, the distances between rows tell it.
        venue: The MIC whose sessions and lunch breaks cut the bars; without one, days are those of UTC.

    Returns:
        `symbol` where the file has it, `date` (or `ts_event`, UTC, of bars below a day), and those of open, high, low,
        close and volume that the file has.

    Raises:
        BadInput: The file cannot be read, or bars of `timeframe` cannot be made of its bars.
    """
    target = known_timeframe(timeframe)
    own = list(_of_symbols(sheet))
    longest = max((one for _, one in own), key=lambda one: len(one.frame), default=sheet)
    told = read_prices(longest, timeframe=source, venue=venue).series.timeframe
    if TIMEFRAMES.index(target) <= TIMEFRAMES.index(told):
        fix = f"The file holds bars of {told}: choose a longer timeframe, or say with --from what they are."
        raise BadInput(parameter="--timeframe", value=timeframe, fix=fix)
    parts = [_longer(one, symbol, source=told, target=target, venue=venue) for symbol, one in own]
    return Resampled(frame=pl.concat(parts), rows=len(sheet.frame), source=told)


def _longer(sheet: Sheet, symbol: str | None, *, source: str, target: str, venue: str | None) -> pl.DataFrame:
    series = read_prices(sheet, timeframe=source, venue=venue).series.frame
    held = [name for name in _VALUES if name in series.columns]
    missing = [pl.lit(None, pl.Float64).alias(name) for name in _VALUES if name not in held]
    bars = series.select(pl.col("ts").alias("ts_event"), *held).with_columns(missing)
    spans = spans_of(bars["ts_event"], venue)
    made = resample(bars, source=source, target=target, spans=spans, by=())
    when = pl.col("ts_event") if target in LENGTHS_NS else pl.col("ts_event").dt.date().alias("date")
    return made.select(*([pl.lit(symbol).alias("symbol")] if symbol is not None else []), when, *held)


def trade_bars(sheet: Sheet, *, by: str, amount: float) -> Resampled:
    """Return bars that hold `amount` of trades (ticks), of units (volume) or of money each; the last may hold less.

    Args:
        sheet: A time, a price and a size for each trade, in any order, of any number of symbols.
        by: Of MEASURES.
        amount: Of one bar; a trade is never split.

    Returns:
        `symbol` where the file has it, and the columns of TRADE_BARS but for the instrument's id.

    Raises:
        BadInput: There is no such measure, a column is missing, or a value is not usable.
    """
    if by not in MEASURES:
        raise BadInput(parameter="--by", value=by, fix=f"Choose one of {', '.join(MEASURES)}.")
    trades = _trades(sheet)
    match by:
        case "ticks":
            made = tick_bars(trades, count=int(amount), sales={})
        case "volume":
            made = volume_bars(trades, volume=amount, sales={})
        case _:
            made = money_bars(trades, money=amount, sales={})
    frame = made.rename({"instrument_id": "symbol"})
    if "symbol" not in recognized(sheet.frame.columns):
        frame = frame.drop("symbol")
    return Resampled(frame=frame, rows=len(sheet.frame), source="")


def _of_symbols(sheet: Sheet) -> Iterator[tuple[str | None, Sheet]]:
    """Yield the rows of each symbol as a sheet of their own, in the order in which they first come."""
    header = recognized(sheet.frame.columns).get("symbol")
    if header is None:
        yield None, sheet
        return
    symbols = sheet.frame[header].cast(pl.String)
    for symbol in symbols.unique(maintain_order=True):
        yield symbol, sheet.of_rows((symbols.eq_missing(symbol)).arg_true().cast(pl.Int64))


def spans_of(stamps: pl.Series, venue: str | None) -> pl.DataFrame:
    """Return when `venue` (a MIC with a calendar; None: one that never closes) trades on the days of `stamps`."""
    days = stamps.dt.date()
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    if venue is None:
        return endless_spans(first, end=last)
    found = schedule(venue, start=first - _DAY, end=last + _DAY)
    return trading_spans(found.drop("mic"), closing=CLOSING)


def _trades(sheet: Sheet) -> pl.DataFrame:
    """Return the rows of `sheet` as rows of the table trades."""
    names = recognized(sheet.frame.columns)
    size = next((own for name in _SIZES if (own := sheet.named(name)) is not None), None)
    found = ", ".join(sheet.frame.columns)[:200]
    for needed, header in (("time", names.get("moment")), ("price", names.get("close")), ("size", size)):
        if header is None:
            fix = f"None of these is the {needed} of a trade; name one {needed}."
            raise BadInput(parameter=f"The header of {sheet.file}", value=found, fix=fix)
    times = read_moments(sheet, moment=names["moment"], clock=names.get("clock"))
    symbols = sheet.frame[names["symbol"]].cast(pl.String) if "symbol" in names else pl.lit("")
    number = pl.int_range(pl.len(), dtype=pl.UInt32)
    told = {
        "instrument_id": symbols,
        "ts_event": times["ts"],
        "price": _numbers(sheet, names["close"]),
        "size": _numbers(sheet, size or ""),
        "trade_id": number.cast(pl.String),
        "place": number,
        "correction": pl.lit(""),
        "payload": pl.lit(""),
        "provider": pl.lit(""),
        "venue": pl.lit(""),
    }
    columns = TABLES["trades"].columns
    frame = sheet.frame.select([_typed(value, name) for name, value in told.items()])
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in told]
    return frame.with_columns(missing).select([pl.col(name).cast(dtype) for name, dtype in columns.items()])


def _typed(value: pl.Expr | pl.Series, name: str) -> pl.Expr:
    return (pl.lit(value) if isinstance(value, pl.Series) else value).alias(name)


def _numbers(sheet: Sheet, header: str) -> pl.Series:
    column = sheet.frame[header]
    texts = column.cast(pl.String).str.strip_chars() if not column.dtype.is_numeric() else column
    values = texts.cast(pl.Float64, strict=False).fill_nan(None)
    wrong = (~values.is_finite().fill_null(value=False)).arg_true()
    if len(wrong):
        fix = "Write a number with a decimal point."
        raise sheet.defect(wrong[0], column=header, value=str(column[wrong[0]])[:80], fix=fix)
    return values
