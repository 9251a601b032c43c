"""Alpha Vantage's series, written: raw bars, newest first, every number a string under a numbered key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import days, first, text

MISSING: Final = "None"
PLACES: Final = 4
SERIES: Final = "Time Series (Daily)"
ZONE: Final = "US/Eastern"
PRICES: Final = ("open", "high", "low", "close")
QUOTED: Final = ("open", "high", "low", "price", "previous_close")
INTERVALS: Final = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "60min"}
LONGER: Final = {"1w": "Weekly", "1mo": "Monthly"}


def daily(bars: pl.DataFrame, *, symbol: str = "") -> bytes:
    """Return the body of TIME_SERIES_DAILY.

    Args:
        bars: Schema DECODED["bars"], basis raw, one symbol; its `adj_close` is not carried.
        symbol: What to call the series if `bars` is empty.
    """
    names = [f"{number}. {name}" for number, name in enumerate((*PRICES, "volume"), start=1)]
    columns = [*_prices(bars), _volumes(bars)]
    return _body("Daily Prices (open, high, low, close) and Volumes", bars, names, columns, symbol=symbol)


def daily_adjusted(bars: pl.DataFrame, actions: pl.DataFrame, *, symbol: str = "") -> bytes:
    """Return the body of TIME_SERIES_DAILY_ADJUSTED.

    Args:
        bars: Schema DECODED["bars"], basis raw, one symbol.
        actions: Schema DECODED["actions"], basis raw. An action is carried by the bar of its ex-date, or not at all;
            several dividends on one ex-date add up, several splits multiply.
        symbol: What to call the series if `bars` is empty.
    """
    cash = _by_day(actions, kind="dividend", total=pl.col("value").sum())
    split = _by_day(actions, kind="split", total=pl.col("value").product())
    columns = [
        *_prices(bars),
        _texts(bars["adj_close"]),
        _volumes(bars),
        [text(cash.get(day, 0.0), places=PLACES) for day in days(bars)],
        [text(split.get(day, 1.0), places=1) for day in days(bars)],
    ]
    fields = (*PRICES, "adjusted close", "volume", "dividend amount", "split coefficient")
    names = [f"{number}. {name}" for number, name in enumerate(fields, start=1)]
    return _body("Daily Time Series with Splits and Dividend Events", bars, names, columns, symbol=symbol)


def longer(bars: pl.DataFrame, ends: pl.Series, *, timeframe: str, symbol: str = "") -> bytes:
    """Return the body of TIME_SERIES_WEEKLY_ADJUSTED or TIME_SERIES_MONTHLY_ADJUSTED.

    Args:
        bars: Schema DECODED["bars"], basis raw, one symbol.
        ends: The last session date of each bar, which is how the provider labels it.
        timeframe: "1w" or "1mo".
        symbol: What to call the series if `bars` is empty.
    """
    period = LONGER[timeframe]
    fields = (*PRICES, "adjusted close", "volume", "dividend amount")
    names = [f"{number}. {name}" for number, name in enumerate(fields, start=1)]
    none = [text(0.0, places=PLACES)] * len(bars)
    columns = [*_prices(bars), _texts(bars["adj_close"]), _volumes(bars), none]
    stamps = ends.dt.to_string("%Y-%m-%d").to_list()
    meta = _meta(f"{period} Adjusted Prices and Volumes", first(bars["symbol"]) or symbol, stamps[-1] if stamps else "")
    return _series(meta, f"{period} Adjusted Time Series", stamps, names, columns)


def intraday(bars: pl.DataFrame, *, timeframe: str, symbol: str = "") -> bytes:
    """Return the body of TIME_SERIES_INTRADAY, stamped in New York's time.

    Args:
        bars: Schema DECODED["bars"], one symbol, of `timeframe`.
        timeframe: "1m", "5m", "15m", "30m" or "1h".
        symbol: What to call the series if `bars` is empty.
    """
    names = [f"{number}. {name}" for number, name in enumerate((*PRICES, "volume"), start=1)]
    stamps = bars["ts_event"].dt.convert_time_zone(ZONE).dt.to_string("%Y-%m-%d %H:%M:%S").to_list()
    interval = INTERVALS[timeframe]
    meta = {
        "1. Information": f"Intraday ({interval}) open, high, low, close prices and volume",
        "2. Symbol": first(bars["symbol"]) or symbol,
        "3. Last Refreshed": stamps[-1] if stamps else "",
        "4. Interval": interval,
        "5. Output Size": "Full size",
        "6. Time Zone": ZONE,
    }
    return _series(meta, f"Time Series ({interval})", stamps, names, [*_prices(bars), _volumes(bars)])


def pair(bars: pl.DataFrame, ends: pl.Series, *, base: str, quote: str, timeframe: str = "1d", coin: bool) -> bytes:
    """Return the body of FX_DAILY and its like, or of DIGITAL_CURRENCY_DAILY and its like, stamped in UTC.

    Args:
        bars: Schema DECODED["bars"] of the pair.
        ends: The last date of each bar of a day or longer; not read for shorter ones.
        base: What is priced.
        quote: What it is priced in.
        timeframe: Of `bars`.
        coin: Whether `base` is a coin, whose bars have a volume, or national money.
    """
    short = timeframe in INTERVALS
    stamps = bars["ts_event"].dt.to_string("%Y-%m-%d %H:%M:%S") if short else ends.dt.to_string("%Y-%m-%d")
    period = INTERVALS.get(timeframe) or LONGER.get(timeframe, "Daily")
    kind = ("Crypto" if short else "Digital Currency") if coin else "FX"
    key = f"Time Series {kind} ({period})" if short or not coin else f"Time Series ({kind} {period})"
    fields = (*PRICES, "volume") if coin else PRICES
    names = [f"{number}. {name}" for number, name in enumerate(fields, start=1)]
    columns = [*_prices(bars), *([_texts(bars["volume"])] if coin else [])]
    told = ("Digital Currency Code", "Market Code") if coin else ("From Symbol", "To Symbol")
    meta = {
        "1. Information": f"{kind} {period} Prices",
        f"2. {told[0]}": base,
        f"3. {told[1]}": quote,
        "4. Last Refreshed": stamps[-1] if len(stamps) else "",
        "5. Time Zone": "UTC",
    }
    return _series(meta, key, stamps.to_list(), names, columns)


def global_quote(quotes: pl.DataFrame) -> bytes:
    """Return the body of GLOBAL_QUOTE for the last row of `quotes`, schema DECODED["quotes"]; empty without one."""
    if quotes.is_empty():
        return msgspec.json.encode({"Global Quote": {}})
    row = quotes.row(-1, named=True)
    prices = {name: MISSING if row[name] is None else text(row[name], places=PLACES) for name in QUOTED}
    told = {
        "01. symbol": row["symbol"] or "",
        "02. open": prices["open"],
        "03. high": prices["high"],
        "04. low": prices["low"],
        "05. price": prices["price"],
        "06. volume": MISSING if row["volume"] is None else text(row["volume"], places=0),
        "07. latest trading day": row["ts_event"].astimezone(ZoneInfo(ZONE)).date().isoformat(),
        "08. previous close": prices["previous_close"],
    }
    return msgspec.json.encode({"Global Quote": told})


def exchange_rate(rates: pl.DataFrame) -> bytes:
    """Return the body of CURRENCY_EXCHANGE_RATE for the last row of `rates`, schema DECODED["fx_rates"]; {} without."""
    if rates.is_empty():
        return b"{}"
    row = rates.row(-1, named=True)
    prices = {name: "-" if row[name] is None else text(row[name], places=PLACES) for name in ("rate", "bid", "ask")}
    told = {
        "1. From_Currency Code": row["base"],
        "3. To_Currency Code": row["quote"],
        "5. Exchange Rate": prices["rate"],
        "6. Last Refreshed": row["ts_event"].strftime("%Y-%m-%d %H:%M:%S"),
        "7. Time Zone": "UTC",
        "8. Bid Price": prices["bid"],
        "9. Ask Price": prices["ask"],
    }
    return msgspec.json.encode({"Realtime Currency Exchange Rate": told})


def dividends(actions: pl.DataFrame, *, symbol: str) -> bytes:
    """Return the body of DIVIDENDS, newest first: the dividends of `actions`, schema DECODED["actions"], basis raw."""
    rows = actions.filter(pl.col("type") == "dividend").sort("ex_date", descending=True)
    dates = {"declaration_date": "declared_date", "record_date": "record_date", "payment_date": "pay_date"}
    data = [
        {
            "ex_dividend_date": row["ex_date"].isoformat(),
            **{theirs: row[ours].isoformat() if row[ours] else MISSING for theirs, ours in dates.items()},
            "amount": text(row["value"], places=PLACES),
        }
        for row in rows.iter_rows(named=True)
    ]
    return msgspec.json.encode({"symbol": symbol, "data": data})


def splits(actions: pl.DataFrame, *, symbol: str) -> bytes:
    """Return the body of SPLITS, newest first: the splits of `actions`, schema DECODED["actions"]."""
    rows = actions.filter(pl.col("type") == "split").sort("ex_date", descending=True)
    data = [
        {"effective_date": day.isoformat(), "split_factor": text(value, places=PLACES)}
        for day, value in rows.select("ex_date", "value").iter_rows()
    ]
    return msgspec.json.encode({"symbol": symbol, "data": data})


def listing_status(listings: pl.DataFrame) -> bytes:
    """Return the body of LISTING_STATUS, a CSV file: `listings` of schema DECODED["listings"]."""
    written = listings.select(
        "symbol",
        "name",
        "exchange",
        pl.when(pl.col("asset_class") == "etf").then(pl.lit("ETF")).otherwise(pl.lit("Stock")).alias("assetType"),
        pl.col("first_date").dt.to_string("%Y-%m-%d").fill_null("null").alias("ipoDate"),
        pl.col("last_date").dt.to_string("%Y-%m-%d").fill_null("null").alias("delistingDate"),
        pl.col("status").str.to_titlecase(),
    )
    return written.write_csv(line_terminator="\r\n").encode()


def note(words: str) -> bytes:
    """Return the body of the old throttle answer, sent with status 200."""
    return msgspec.json.encode({"Note": words})


def information(words: str) -> bytes:
    """Return the body of a throttle, quota or premium answer, sent with status 200."""
    return msgspec.json.encode({"Information": words})


def error_message(words: str) -> bytes:
    """Return the body of a refused question, sent with status 200."""
    return msgspec.json.encode({"Error Message": words})


def _body(title: str, bars: pl.DataFrame, names: list[str], columns: list[Iterable[str]], *, symbol: str) -> bytes:
    stamps = [day.isoformat() for day in days(bars)]
    refreshed = stamps[-1] if stamps else ""
    if len(bars) and bars["running"][-1]:
        refreshed += " 12:45:00"
    return _series(_meta(title, first(bars["symbol"]) or symbol, refreshed), SERIES, stamps, names, columns)


def _meta(title: str, symbol: str, refreshed: str) -> dict[str, str]:
    return {
        "1. Information": title,
        "2. Symbol": symbol,
        "3. Last Refreshed": refreshed,
        "4. Output Size": "Full size",
        "5. Time Zone": ZONE,
    }


def _series(
    meta: dict[str, str], key: str, stamps: list[str], names: list[str], columns: Sequence[Iterable[str]]
) -> bytes:
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    return msgspec.json.encode({"Meta Data": meta, key: dict(reversed(list(zip(stamps, rows, strict=True))))})


def _prices(bars: pl.DataFrame) -> list[Iterable[str]]:
    return [_texts(bars[name]) for name in PRICES]


def _texts(values: pl.Series) -> list[str]:
    return [MISSING if value is None else text(value, places=PLACES) for value in values]


def _volumes(bars: pl.DataFrame) -> list[str]:
    return [MISSING if value is None else text(value, places=0) for value in bars["volume"]]


def _by_day(actions: pl.DataFrame, *, kind: str, total: pl.Expr) -> dict[Any, float]:
    sums = actions.filter(pl.col("type") == kind).group_by("ex_date").agg(total)
    return dict(sums.iter_rows())
