"""Yahoo's chart, read: bars, actions and levels in split basis, labelled by the exchange's own dates; quotes."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import (
    OHLC,
    Column,
    Numbers,
    Payload,
    Stamp,
    ascending,
    decoded,
    instants,
    label,
    levels,
    snapped,
    traded,
)
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, empty
from truetape.providers.yahoo.classify import Refusal, by_body, by_refusal
from truetape.providers.yahoo.live import SECONDS, settled, unfinished
from truetape.providers.yahoo.quotes import read

PROVIDER: Final = "yahoo"
TIMEFRAMES: Final = {
    "1m": "1m",
    "2m": "2m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "60m": "1h",
    "90m": "90m",
    "1h": "1h",
    "1d": "1d",
    "5d": "5d",
    "1wk": "1w",
    "1mo": "1mo",
    "3mo": "3mo",
}

S = TypeVar("S")


class _Period(msgspec.Struct):
    start: Stamp
    end: Stamp


class _Periods(msgspec.Struct):
    regular: _Period | None = None


class _Sessions(msgspec.Struct):
    regular: list[list[_Period]] | None = None


class _Meta(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str | None
    exchange_timezone_name: str
    data_granularity: str
    instrument_type: str | None = None
    regular_market_time: Stamp | None = None
    current_trading_period: _Periods | None = None
    trading_periods: _Sessions | list[list[_Period]] | None = None


class _Quote(msgspec.Struct):
    open: Numbers | None = None
    high: Numbers | None = None
    low: Numbers | None = None
    close: Numbers | None = None
    volume: Numbers | None = None


class _AdjClose(msgspec.Struct):
    adjclose: Numbers | None = None


class _Indicators(msgspec.Struct):
    quote: tuple[_Quote]
    adjclose: list[_AdjClose] | None = None


class _Series(msgspec.Struct):
    meta: _Meta
    indicators: _Indicators
    timestamp: list[Stamp] | None = None


class _Dividend(msgspec.Struct):
    amount: float
    date: Stamp
    currency: str | None = None


class _Split(msgspec.Struct):
    date: Stamp
    numerator: float
    denominator: float


class _Events(msgspec.Struct, rename="camel"):
    dividends: dict[str, _Dividend] | None = None
    splits: dict[str, _Split] | None = None
    capital_gains: dict[str, _Dividend] | None = None


class _Eventful(msgspec.Struct):
    meta: _Meta
    events: _Events | None = None


class _BarsChart(msgspec.Struct):
    result: list[_Series] | None
    error: Refusal | None = None


class _ActionsChart(msgspec.Struct):
    result: list[_Eventful] | None
    error: Refusal | None = None


class _BarsBody(msgspec.Struct):
    chart: _BarsChart


class _ActionsBody(msgspec.Struct):
    chart: _ActionsChart


_BARS: Final = msgspec.json.Decoder(_BarsBody)
_ACTIONS: Final = msgspec.json.Decoder(_ActionsBody)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the bars of a chart: schema DECODED["bars"], basis split, ascending.

    Rows without any price are no bars, nor are rows before or after the regular session of their day. The row of the
    running session, stamped with the last trade, becomes part of the bar that it belongs to, unless its day is
    after the end of `ask`: Yahoo sends it along with bars of the past. A body without stamps is an empty frame.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a chart.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    chart = payload.parse_or_refuse(_BARS, by_body).chart
    series = _only(payload, chart.result, chart.error)
    if series is None or not series.timestamp:
        return empty(DECODED["bars"])
    meta = series.meta
    timeframe = TIMEFRAMES.get(meta.data_granularity)
    if timeframe is None:
        raise payload.defect(f"the field dataGranularity was {meta.data_granularity[:40]!r}")
    rows = ascending(traded(_rows(payload, series, series.timestamp)), by="stamp")
    if timeframe in SECONDS and meta.trading_periods is not None:
        rows = _regular(payload, rows, meta)
    zone = meta.exchange_timezone_name
    live = len(rows) > 0 and rows["stamp"][-1] == meta.regular_market_time
    if live and ask.end and payload.local_time(rows["stamp"][-1], zone).date() > ask.end:
        rows, live = rows[:-1], False
    stamps = rows["stamp"]
    starts = instants(stamps) if timeframe in SECONDS else label(payload.localized(stamps, zone))
    rows = pl.DataFrame([starts.alias("ts_event"), *(column for column in rows if column.name != "stamp")])
    if live:
        rows = settled(rows, timeframe)
    rows = ascending(rows, by="ts_event")
    columns = {**rows.to_dict(), "running": _running(payload, rows, meta, timeframe)}
    return decoded("bars", columns, symbol=meta.symbol, timeframe=timeframe, currency=meta.currency, basis="split")


def actions(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return the dividends, capital gains and splits of a chart: schema DECODED["actions"], basis split, ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a chart.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    chart = payload.parse_or_refuse(_ACTIONS, by_body).chart
    series = _only(payload, chart.result, chart.error)
    events = series.events if series is not None else None
    if series is None or events is None:
        return empty(DECODED["actions"])
    dividends = list((events.dividends or {}).values())
    gains = list((events.capital_gains or {}).values())
    splits = list((events.splits or {}).values())
    if any(split.denominator == 0 or split.numerator == 0 for split in splits):
        raise payload.defect("a numerator or denominator of a split was 0")
    cash = dividends + gains
    amounts = snapped(pl.Series([one.amount for one in cash], dtype=pl.Float64)).to_list()
    stamps = pl.Series([one.date for one in cash] + [one.date for one in splits], dtype=pl.Int64)
    own = [one.currency or series.meta.currency for one in cash]
    columns: dict[str, Column] = {
        "ex_date": payload.localized(stamps, series.meta.exchange_timezone_name).dt.date(),
        "type": ["dividend"] * len(dividends) + ["capital_gain"] * len(gains) + ["split"] * len(splits),
        "value": amounts + [one.numerator / one.denominator for one in splits],
        "currency": own + [series.meta.currency] * len(splits),
    }
    return decoded("actions", columns, symbol=series.meta.symbol, basis="split").sort("ex_date", "type")


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the closes of an index's chart: schema DECODED["index_levels"], ascending; of anything else, none.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a chart.
    """
    payload = Payload(provider=PROVIDER, kind="index_levels", body=body)
    chart = payload.parse_or_refuse(_ACTIONS, by_body).chart
    series = _only(payload, chart.result, chart.error)
    if series is None or series.meta.instrument_type != "INDEX":
        return empty(DECODED["index_levels"])
    return levels(bars(body, ask))


def quotes(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return the last trade that a chart tells of, or the rows of a quote answer: schema DECODED["quotes"].

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor one of these.
    """
    return read(body)


def _only(payload: Payload, result: list[S] | None, error: Refusal | None) -> S | None:
    if error is not None:
        raise ProviderRefused(provider=PROVIDER, failure=by_refusal(error))
    if result is None:
        raise payload.defect("the field result was null without an error")
    return result[0] if result else None


def _rows(payload: Payload, series: _Series, stamps: list[int]) -> pl.DataFrame:
    quote = series.indicators.quote[0]
    names = (*OHLC, "volume")
    columns = {name: getattr(quote, name) for name in names}
    if quote.close is not None and all(columns[name] is None for name in names if name != "close"):
        columns |= {name: [None] * len(stamps) for name in names if name != "close"}
    adjusted = series.indicators.adjclose[0].adjclose if series.indicators.adjclose else None
    payload.aligned(columns if adjusted is None else {**columns, "adjclose": adjusted}, length=len(stamps))
    floats = [pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()]
    prices = [snapped(column) if column.name in OHLC else column for column in floats]
    if adjusted is None:
        adj_close = pl.Series("adj_close", [None], dtype=pl.Float64).new_from_index(0, len(stamps))
    else:
        adj_close = snapped(pl.Series("adj_close", adjusted, dtype=pl.Float64))
    return pl.DataFrame([pl.Series("stamp", stamps, dtype=pl.Int64), *prices, adj_close])


def _regular(payload: Payload, rows: pl.DataFrame, meta: _Meta) -> pl.DataFrame:
    """Return the rows inside a regular session, those of days without a stated one, and the live row."""
    told = meta.trading_periods
    nested = (told.regular if isinstance(told, _Sessions) else told) or []
    sessions = sorted((period.start, period.end) for day in nested for period in day)
    if not sessions:
        return rows
    starts, ends = pl.Series([start for start, _ in sessions]), pl.Series([end for _, end in sessions])
    stamps, zone = rows["stamp"], meta.exchange_timezone_name
    place = starts.search_sorted(stamps, side="right").cast(pl.Int64) - 1
    inside = (place >= 0) & (stamps < ends.gather(place.clip(0)))
    stated = payload.localized(starts, zone).dt.date().unique()
    unstated = ~payload.localized(stamps, zone).dt.date().is_in(stated.to_list())
    return rows.filter(inside | unstated | (stamps == (meta.regular_market_time or 0)))


def _running(payload: Payload, rows: pl.DataFrame, meta: _Meta, timeframe: str) -> pl.Series:
    """Return, for each of `rows`, whether its bar was unfinished at the time of the last trade."""
    flags = pl.Series([False]).new_from_index(0, len(rows))
    regular = meta.current_trading_period.regular if meta.current_trading_period else None
    if regular is None or meta.regular_market_time is None or rows.is_empty():
        return flags
    zone = meta.exchange_timezone_name
    last_trade = payload.local_time(meta.regular_market_time, zone).date()
    opened = payload.local_time(regular.start, zone).date()
    open_now = opened == last_trade and meta.regular_market_time < regular.end
    begun = rows["ts_event"][-1]
    if timeframe in SECONDS:
        running = open_now and begun.timestamp() <= meta.regular_market_time < begun.timestamp() + SECONDS[timeframe]
    else:
        running = unfinished(begun.date(), timeframe, last_trade=last_trade, open_now=open_now)
    if running:
        flags[-1] = True
    return flags
