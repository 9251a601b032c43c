"""Yahoo's chart, read: bars and actions in split basis, labelled by the exchange's own dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Numbers, Payload, Stamp, ascending, decoded, label, snapped, traded
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, empty
from truetape.providers.yahoo.classify import Refusal, by_body, by_refusal

PROVIDER: Final = "yahoo"
TIMEFRAMES: Final = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "60m": "1h",
    "1h": "1h",
    "1d": "1d",
    "1wk": "1w",
    "1mo": "1mo",
}
SECONDS: Final = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}
FRIDAY: Final = 4


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


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the bars of a chart: schema DECODED["bars"], basis split, ascending.

    Rows without any price are no bars. Of two rows with one label the later wins, except that a live row inside a bar
    longer or shorter than a day is merged into it. A body without stamps is an empty frame.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a chart.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    chart = _parsed(payload, _BARS).chart
    series = _only(payload, chart.result, chart.error)
    if series is None or not series.timestamp:
        return empty(DECODED["bars"])
    meta = series.meta
    timeframe = TIMEFRAMES.get(meta.data_granularity)
    if timeframe is None:
        raise payload.defect(f"the field dataGranularity was {meta.data_granularity[:40]!r}")
    rows = ascending(traded(_rows(payload, series)), by="stamp")
    wall = payload.localized(rows["stamp"], meta.exchange_timezone_name)
    rows = rows.with_columns(wall.alias("ts_event") if timeframe not in SECONDS else _instants(rows["stamp"]))
    return decoded(
        "bars",
        rows.drop("stamp").to_dict(),
        symbol=meta.symbol,
        timeframe=timeframe,
        currency=meta.currency,
        basis="split",
        running=False,
    )
