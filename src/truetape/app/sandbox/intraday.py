"""What happened within a day: minutes, trades and quotes of a daily bar, invented so that they add up to it exactly.

Equal days give equal minutes, whatever range they are asked in. Prices keep the venue's tick (0.01, below one unit of
currency 0.0001) unless the daily bar itself is finer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

from truetape.domain.decoding import OHLC, Column, decoded
from truetape.domain.errors import BadInput
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.domain.time import DAY_NS, NANOSECONDS
from truetape.services.reference.calendars import sessions

Hours = Callable[[pl.Series], pl.DataFrame]
Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]

MINUTE_NS: Final = 60 * NANOSECONDS
MINUTES: Final = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60}
VENUE: Final = "XNYS"  # whose sessions all equities keep
TRADES_PER_MINUTE: Final = 4
QUOTE_DELAY_NS: Final = 1_000_001  # a quote follows its trade
_OFFSETS: Final = np.array([0, 17_123_456_789, 38_987_654_321, 58_123_456_789], dtype=np.int64)
_WIDTH: Final = 0.35  # of a day's wandering, as a share of its range
_REGULAR: Final = "@"  # the condition of a regular sale


def regular_hours(days: pl.Series) -> pl.DataFrame:
    """Return `open` and `close` (instants) of New York's sessions of `days`, early closes and clock changes included.

    A day that the calendar does not know as a session has the hours of a regular one, 09:30 to 16:00.
    """
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    known = _known_hours(first.year, last.year)
    local = pl.col("session").cast(pl.Datetime("ns"))
    custom = [
        (local + pl.duration(minutes=minutes)).dt.replace_time_zone("America/New_York").cast(INSTANT).alias(name)
        for name, minutes in (("usual_open", 9 * 60 + 30), ("usual_close", 16 * 60))
    ]
    joined = pl.DataFrame({"session": days}).join(known, on="session", how="left", maintain_order="left")
    return joined.with_columns(custom).select(
        pl.coalesce("open", "usual_open").alias("open"), pl.coalesce("close", "usual_close").alias("close")
    )


def around_the_clock(days: pl.Series) -> pl.DataFrame:
    """Return `open` and `close` of markets that never close: 00:00 UTC of each of `days` and of the day after."""
    start = days.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").cast(INSTANT)
    return pl.DataFrame({"open": start, "close": (start + timedelta(days=1)).cast(INSTANT)})


@lru_cache(maxsize=16)
def _known_hours(first_year: int, last_year: int) -> pl.DataFrame:
    return sessions(VENUE, start=date(first_year, 1, 1), end=date(last_year, 12, 31)).select("session", "open", "close")


def minutes(
    bars: pl.DataFrame, *, timeframe: str = "1m", hours: Hours = regular_hours, clock: bool = False
) -> pl.DataFrame:
    """Return bars of `timeframe` (1m, 5m, 15m, 30m or 1h) that add up to the daily `bars` exactly.

    Args:
        bars: Raw daily bars, schema DECODED["bars"], ascending. A day without open, high, low or close has no minutes.
        timeframe: Length of a bar.
        hours: When the market is open.
        clock: Longer bars begin at full multiples of their length in UTC, as some providers have them; else at the
            open and its multiples, so that the first hour of a regular session begins at 09:30.

    Returns:
        Schema DECODED["bars"], ascending, basis raw: every minute of every session. A minute's volume may be 0, and is
        null where the day's is.

    Raises:
        BadInput: `timeframe` is none of these.
    """
    if timeframe not in MINUTES:
        raise BadInput(parameter="timeframe", value=timeframe, fix=f"Choose one of {', '.join(MINUTES)}.")
    sound = bars.filter(~pl.any_horizontal(pl.col(*OHLC).is_null()))
    if sound.is_empty():
        return empty(DECODED["bars"])
    ones = _ones(sound, hours)
    if timeframe == "1m":
        return ones
    return resample(ones, timeframe=timeframe, clock=clock)


def resample(ones: pl.DataFrame, *, timeframe: str, clock: bool = False) -> pl.DataFrame:
    """Return minute bars `ones` of schema DECODED["bars"] as bars of `timeframe`; see `minutes`.

    A session begins where a minute does not follow the one before, or at 00:00 UTC.
    """
    step = MINUTES[timeframe] * MINUTE_NS
    stamp = pl.col("ts_event").cast(pl.Int64)
    begins = (stamp.diff().fill_null(0) != MINUTE_NS) | (stamp % DAY_NS == 0)
    opened = pl.lit(0) if clock else stamp.filter(begins).first().over(begins.cum_sum())
    bucket = ((stamp - opened) // step * step + opened).cast(INSTANT)
    first, last = pl.col("open").first(), pl.col("close").last()
    volume = pl.when(pl.col("volume").is_not_null().any()).then(pl.col("volume").sum()).alias("volume")
    grouped = ones.group_by(bucket.alias("ts_event"), maintain_order=True).agg(
        first, pl.col("high").max(), pl.col("low").min(), last, volume, pl.col("symbol", "currency").first()
    )
    return grouped.with_columns(
        pl.lit(timeframe).alias("timeframe"),
        pl.lit(None, pl.Float64).alias("adj_close"),
        pl.lit("raw").alias("basis"),
        pl.lit(value=False).alias("running"),
    ).select(list(DECODED["bars"]))


def _ones(bars: pl.DataFrame, hours: Hours) -> pl.DataFrame:
    days = bars["ts_event"].dt.date()
    open_close = hours(days)
    opens = open_close["open"].cast(pl.Int64).to_numpy()
    counts = (open_close["close"].cast(pl.Int64).to_numpy() - opens) // MINUTE_NS
    parts = [
        _day(row, int(count), seed=crc32(f"{bars['symbol'][0]}:{day}".encode()))
        for row, count, day in zip(bars.select(*OHLC, "volume").iter_rows(), counts, days, strict=True)
    ]
    prices = np.concatenate(parts)
    stamps = np.concatenate(
        [start + MINUTE_NS * np.arange(count, dtype=np.int64) for start, count in zip(opens, counts, strict=True)]
    )
    columns = dict(zip((*OHLC, "volume"), prices.T, strict=True))
    frame = pl.DataFrame({"ts_event": pl.Series(stamps).cast(INSTANT), **columns}).with_columns(
        pl.col("volume").fill_nan(None)
    )
    known = {"symbol": bars["symbol"][0], "currency": bars["currency"][0]}
    return decoded("bars", frame.to_dict(), timeframe="1m", basis="raw", running=False, **known)


def _day(row: tuple[float, ...], count: int, *, seed: int) -> Floats:
    """Return one day's minutes, a row of open, high, low, close and volume for each."""
    start, high, low, end, volume = row
    generator = np.random.default_rng(seed)
    places = 2 if low >= 1 else 4
    steps = np.cumsum(generator.normal(size=count))
    bridge = steps - steps[-1] * np.arange(1, count + 1) / count
    scale = (high - low) * _WIDTH / max(float(np.abs(bridge).max()), 1e-12)
    drift = start + (end - start) * np.arange(1, count + 1) / count
    closes = np.clip(np.round(drift + bridge * scale, places), min(low, high), max(low, high))
    closes[-1] = end
    opens = np.concatenate([[start], closes[:-1]])
    room = np.round(generator.random((2, count)) * (high - low) / count, places)
    highs = np.minimum(np.maximum(opens, closes) + room[0], high)
    lows = np.maximum(np.minimum(opens, closes) - room[1], low)
    highs, lows = np.round(highs, 10), np.round(lows, 10)
    highs[generator.integers(count)] = high
    lows[generator.integers(count)] = low
    return np.column_stack(
        [opens, np.minimum(highs, high), np.maximum(lows, low), closes, _volumes(volume, count, generator)]
    )


def _volumes(volume: float | None, count: int, generator: np.random.Generator) -> Floats:
    """Return whole volumes of a day's minutes, most of them at its ends; a fraction of a share goes to the last."""
    if volume is None:
        return np.full(count, np.nan)
    smile = 1 + 2 * (2 * np.arange(count) / max(count - 1, 1) - 1) ** 2
    weights = smile * generator.uniform(0.5, 1.5, size=count)
    shares: Floats = np.floor(weights / weights.sum() * np.floor(volume))
    shares[-1] = volume - shares[:-1].sum()
    return shares


def trades(bars: pl.DataFrame, *, hours: Hours = regular_hours) -> pl.DataFrame:
    """Return the trades that the minutes of the daily `bars` were built of: four in each minute with a volume.

    Their first, highest, lowest and last price and their sum of sizes are the minute's exactly. Ids are ascending whole
    numbers, unique in a symbol's whole history; sizes below four shares a minute are fractions.

    Returns:
        Schema DECODED["trades"], ascending; instants of nanoseconds.
    """
    ones = minutes(bars, hours=hours).filter(pl.col("volume") > 0)
    if ones.is_empty():
        return empty(DECODED["trades"])
    rising = (ones["close"] >= ones["open"]).to_numpy()
    start, high, low, end = (ones[name].to_numpy() for name in OHLC)
    prices = np.column_stack([start, np.where(rising, low, high), np.where(rising, high, low), end]).ravel()
    stamps = ones["ts_event"].cast(pl.Int64).to_numpy()
    ids = np.repeat(stamps // MINUTE_NS * TRADES_PER_MINUTE, TRADES_PER_MINUTE) + np.tile(
        np.arange(TRADES_PER_MINUTE), len(stamps)
    )
    sizes = _sizes(ones["volume"].to_numpy())
    rose = np.diff(prices, prepend=prices[0]) >= 0
    columns: dict[str, Column] = {
        "ts_event": pl.Series((stamps[:, None] + _OFFSETS).ravel()).cast(INSTANT),
        "price": pl.Series(prices),
        "size": pl.Series(sizes),
        "trade_id": pl.Series(ids).cast(pl.String),
        "side": pl.Series(rose).replace_strict({True: "buy", False: "sell"}, return_dtype=pl.String),
    }
    return decoded(
        "trades",
        columns,
        symbol=ones["symbol"][0],
        currency=ones["currency"][0],
        conditions=_REGULAR,
        venue="N",
    )


def _sizes(volumes: Floats) -> Floats:
    quarter = volumes / TRADES_PER_MINUTE
    share = np.where(quarter >= 1, np.floor(quarter), quarter)
    parts = np.repeat(share[:, None], TRADES_PER_MINUTE, axis=1)
    parts[:, -1] = volumes - share * (TRADES_PER_MINUTE - 1)
    sizes: Floats = parts.ravel()
    return sizes


def quotes(bars: pl.DataFrame, *, hours: Hours = regular_hours) -> pl.DataFrame:
    """Return the best bid and ask after every trade of `trades`, with the session's figures so far.

    A buyer's trade was at the ask, a seller's at the bid; the spread is one tick. `previous_close` is the close of the
    daily bar before, null for the first of `bars`.

    Returns:
        Schema DECODED["quotes"], ascending.
    """
    made = trades(bars, hours=hours)
    if made.is_empty():
        return empty(DECODED["quotes"])
    day = made["ts_event"].dt.convert_time_zone("America/New_York" if hours is regular_hours else "UTC").dt.date()
    before = bars.select(pl.col("ts_event").dt.date().alias("day"), pl.col("close").shift().alias("previous_close"))
    tick = pl.when(pl.col("price") >= 1).then(0.01).otherwise(0.0001)
    bought = pl.col("side") == "buy"
    price = pl.col("price")
    rows = (
        made.with_columns(day.alias("day"))
        .join(before, on="day", how="left", maintain_order="left")
        .with_columns(
            (pl.col("ts_event").cast(pl.Int64) + QUOTE_DELAY_NS).cast(INSTANT).alias("ts_event"),
            pl.when(bought).then((price - tick).round(4)).otherwise(price).alias("bid"),
            pl.when(bought).then(price).otherwise((price + tick).round(4)).alias("ask"),
            pl.lit(100.0).alias("bid_size"),
            pl.lit(200.0).alias("ask_size"),
            price.first().over("day").alias("open"),
            price.cum_max().over("day").alias("high"),
            price.cum_min().over("day").alias("low"),
            pl.col("size").cum_sum().over("day").alias("volume"),
        )
    )
    return rows.select(list(DECODED["quotes"]))
