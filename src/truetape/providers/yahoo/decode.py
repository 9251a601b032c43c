"""Yahoo's chart, read: bars and actions in split basis, labelled by the exchange's own dates."""

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
    snapped,
    traded,
)
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, empty
from truetape.providers.yahoo.classify import Refusal, by_body, by_refusal
from truetape.providers.yahoo.live import SECONDS, settled, unfinished

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


class _Meta(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str | None
    exchange_timezone_name: str
    data_granularity: str
    regular_market_time: Stamp | None = None
    current_trading_period: _Periods | None = None


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


class _Events(msgspec.Struct):
    dividends: dict[str, _Dividend] | None = None
    splits: dict[str, _Split] | None = None


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


def bars(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return the bars of a chart: schema DECODED["bars"], basis split, ascending.

    Rows without any price are no bars. The row of the running session, stamped with the last trade, becomes part of the
    bar that it belongs to. A body without stamps is an empty frame. The body says all that is needed, the ask nothing.

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
    stamps = rows["stamp"]
    wall = payload.localized(stamps, meta.exchange_timezone_name)
    starts = instants(stamps) if timeframe in SECONDS else label(wall)
    rows = rows.insert_column(0, starts.alias("ts_event")).drop("stamp")
    if len(rows) and stamps[-1] == meta.regular_market_time:
        rows = settled(rows, timeframe)
    rows = ascending(rows, by="ts_event")
    columns = {**rows.to_dict(), "running": _running(payload, rows, meta, timeframe)}
    return decoded("bars", columns, symbol=meta.symbol, timeframe=timeframe, currency=meta.currency, basis="split")


def actions(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return the dividends and splits of a chart: schema DECODED["actions"], basis split, ascending.

    Capital gains of funds are no dividends and are left out.

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
    splits = list((events.splits or {}).values())
    if any(split.denominator == 0 or split.numerator == 0 for split in splits):
        raise payload.defect("a numerator or denominator of a split was 0")
    amounts = snapped(pl.Series([one.amount for one in dividends], dtype=pl.Float64)).to_list()
    stamps = pl.Series([one.date for one in dividends] + [one.date for one in splits], dtype=pl.Int64)
    own = [one.currency or series.meta.currency for one in dividends]
    columns: dict[str, Column] = {
        "ex_date": payload.localized(stamps, series.meta.exchange_timezone_name).dt.date(),
        "type": ["dividend"] * len(dividends) + ["split"] * len(splits),
        "value": amounts + [one.numerator / one.denominator for one in splits],
        "currency": own + [series.meta.currency] * len(splits),
    }
    return decoded("actions", columns, symbol=series.meta.symbol, basis="split").sort("ex_date", "type")


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
    floats = {name: pl.Series(name, values, dtype=pl.Float64) for name, values in columns.items()}
    adj_close = pl.Series("adj_close", [None] * len(stamps) if adjusted is None else adjusted, dtype=pl.Float64)
    return pl.DataFrame(
        {
            "stamp": pl.Series(stamps, dtype=pl.Int64),
            **{name: snapped(floats[name]) for name in OHLC},
            "volume": floats["volume"],
            "adj_close": snapped(adj_close),
        }
    )


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
    flags[-1] = running
    return flags
