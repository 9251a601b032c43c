"""Yahoo's quotes, read: the meta data of a chart, and the rows of its quote endpoint."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.decoding import Payload, Stamp, decoded, instants, snapped
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, empty
from truetape.providers.yahoo.classify import Refusal, by_body, by_refusal

PROVIDER: Final = "yahoo"
LOTS: Final = {"us_market": 100.0}  # shares in one unit of size; elsewhere sizes are shares
ONE_SESSION: Final = "1d"  # a chart of it begins with the close before

_PRICES: Final = ("price", "bid", "ask", "open", "high", "low", "previous_close")


class _Meta(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str | None = None
    regular_market_price: float | None = None
    regular_market_time: Stamp | None = None
    regular_market_day_high: float | None = None
    regular_market_day_low: float | None = None
    regular_market_volume: float | None = None
    previous_close: float | None = None
    chart_previous_close: float | None = None
    range: str = ""


class _Row(msgspec.Struct, rename="camel"):
    symbol: str
    currency: str | None = None
    market: str | None = None
    regular_market_price: float | None = None
    regular_market_time: Stamp | None = None
    regular_market_open: float | None = None
    regular_market_day_high: float | None = None
    regular_market_day_low: float | None = None
    regular_market_volume: float | None = None
    regular_market_previous_close: float | None = None
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None


class _Result(msgspec.Struct):
    meta: _Meta


class _Chart(msgspec.Struct):
    result: list[_Result] | None
    error: Refusal | None = None


class _Response(msgspec.Struct):
    result: list[_Row] | None
    error: Refusal | None = None


class _Body(msgspec.Struct, rename="camel"):
    chart: _Chart | None = None
    quote_response: _Response | None = None


_BODY: Final = msgspec.json.Decoder(_Body)

Told = dict[str, str | float | None]


def read(body: bytes) -> pl.DataFrame:
    """Return the quotes in a chart or in an answer of the quote endpoint: schema DECODED["quotes"], in its order.

    A symbol without a last trade has no quote. Bids and asks of 0 are none; sizes are in shares.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor one of these.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    told = payload.parse_or_refuse(_BODY, by_body)
    part = told.chart or told.quote_response
    if part is None:
        failure = by_body(body)
        if failure is not None:
            raise ProviderRefused(provider=PROVIDER, failure=failure)
        raise payload.defect("there was neither a chart nor a quoteResponse")
    if part.error is not None:
        raise ProviderRefused(provider=PROVIDER, failure=by_refusal(part.error))
    if part.result is None:
        raise payload.defect("the field result was null without an error")
    rows = [_of_meta(one.meta) if isinstance(one, _Result) else _of_row(one) for one in part.result]
    return _frame([row for row in rows if row["price"] is not None and row["stamp"] is not None])


def _of_meta(meta: _Meta) -> Told:
    before = meta.chart_previous_close if meta.range == ONE_SESSION else None
    return {
        "symbol": meta.symbol,
        "currency": meta.currency,
        "stamp": meta.regular_market_time,
        "price": meta.regular_market_price,
        "high": meta.regular_market_day_high,
        "low": meta.regular_market_day_low,
        "volume": meta.regular_market_volume,
        "previous_close": before if meta.previous_close is None else meta.previous_close,
    }


def _of_row(row: _Row) -> Told:
    lot = LOTS.get(row.market or "", 1.0)
    return {
        "symbol": row.symbol,
        "currency": row.currency,
        "stamp": row.regular_market_time,
        "price": row.regular_market_price,
        "open": row.regular_market_open,
        "high": row.regular_market_day_high,
        "low": row.regular_market_day_low,
        "volume": row.regular_market_volume,
        "previous_close": row.regular_market_previous_close,
        "bid": row.bid or None,
        "ask": row.ask or None,
        "bid_size": row.bid_size * lot if row.bid and row.bid_size else None,
        "ask_size": row.ask_size * lot if row.ask and row.ask_size else None,
    }


def _frame(rows: list[Told]) -> pl.DataFrame:
    if not rows:
        return empty(DECODED["quotes"])
    schema = DECODED["quotes"]
    columns = {
        name: pl.Series([row.get(name) for row in rows], dtype=dtype)
        for name, dtype in schema.items()
        if name != "ts_event"
    }
    prices = {name: snapped(columns[name]) for name in _PRICES}
    stamps = pl.Series([row["stamp"] for row in rows], dtype=pl.Int64)
    return decoded("quotes", {"ts_event": instants(stamps), **columns, **prices})
