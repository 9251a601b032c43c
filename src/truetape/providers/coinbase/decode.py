"""Coinbase Exchange's candles, trades, ticker and products, read."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, Stamp, ascending, decoded, instants, traded
from truetape.domain.schema import DECODED, empty
from truetape.providers.coinbase.classify import by_body
from truetape.providers.coinbase.paging import MOST_CANDLES, seeks

PROVIDER: Final = "coinbase"
TIMEFRAMES: Final = ("1m", "5m", "15m", "1h", "1d")
AGGRESSOR: Final = {"buy": "sell", "sell": "buy"}  # the side is told of the order that rested in the book
STATUS: Final = {"online": "active", "delisted": "delisted"}  # offline and internal products say neither

_Candle = tuple[Stamp, float | None, float | None, float | None, float | None, float | None]


class _Trade(msgspec.Struct, gc=False):
    time: str
    price: float
    size: float
    trade_id: int
    side: str


class _Ticker(msgspec.Struct):
    time: str
    price: str
    bid: str | None = None
    ask: str | None = None


class _Product(msgspec.Struct, gc=False):
    id: str
    base_currency: str
    quote_currency: str
    status: str | None = None


_CANDLES: Final = msgspec.json.Decoder(list[_Candle])
_TRADES: Final = msgspec.json.Decoder(list[_Trade], strict=False)  # numbers stand in texts
_TICKER: Final = msgspec.json.Decoder(_Ticker)
_PRODUCTS: Final = msgspec.json.Decoder(list[_Product] | _Product)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return candles as bars: schema DECODED["bars"], ascending, basis raw, labelled with their start.

    A candle is [start in Unix seconds, low, high, open, close, volume], newest first. The last one is running if `ask`
    has no end and no further page follows. Symbol and timeframe are those of `ask`, since the body names neither.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor candles.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    candles = payload.parse_or_refuse(_CANDLES, by_body)
    if not candles:
        return empty(DECODED["bars"])
    stamps, low, high, start, end, volume = zip(*reversed(candles), strict=True)
    prices = {"open": start, "high": high, "low": low, "close": end, "volume": volume}
    columns = {name: pl.Series(values, dtype=pl.Float64) for name, values in prices.items()}
    frame = pl.DataFrame({"ts_event": instants(pl.Series(stamps, dtype=pl.Int64)), **columns})
    rows = ascending(traded(frame), by="ts_event")
    to_the_last = ask.end is None and (ask.start is None or len(candles) < MOST_CANDLES)
    last = pl.Series(range(len(rows))) == len(rows) - 1
    return decoded(
        "bars",
        {**rows.to_dict(), "running": last & to_the_last},
        symbol=ask.symbol or None,
        timeframe=ask.timeframe if ask.timeframe in TIMEFRAMES else "1d",
        currency=currency(ask.symbol),
        basis="raw",
    )


def trades(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return trades: schema DECODED["trades"], ascending by their number; the side is the aggressor's.

    A page that only shows where trades are to be looked for has none.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor trades.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    found = payload.parse_or_refuse(_TRADES, by_body)
    if not found or seeks(ask):
        return empty(DECODED["trades"])
    found.reverse()
    unknown = {one.side for one in found} - set(AGGRESSOR)
    if unknown:
        raise payload.defect(f"a value of side was {min(unknown)[:40]!r}, not buy or sell")
    frame = pl.DataFrame(
        {
            "id": payload.series([one.trade_id for one in found], pl.Int64(), field="trade_id"),
            "ts_event": payload.moments([one.time for one in found], field="time"),
            "price": payload.finite([one.price for one in found], field="price"),
            "size": payload.finite([one.size for one in found], field="size"),
            "side": [AGGRESSOR[one.side] for one in found],
        }
    )
    rows = ascending(frame, by="id")
    columns = rows.with_columns(pl.col("id").cast(pl.String).alias("trade_id")).drop("id").to_dict()
    return decoded("trades", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return a ticker: schema DECODED["quotes"], one row at the time of the last trade.

    Its volume is of the last 24 hours, not of a session, and so is left out.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a ticker.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    ticker = payload.parse_or_refuse(_TICKER, by_body)
    columns: dict[str, Column] = {
        "ts_event": payload.moments([ticker.time], field="time"),
        "price": payload.numbers([ticker.price], field="price"),
        "bid": payload.numbers([ticker.bid], field="bid", missing=("",)),
        "ask": payload.numbers([ticker.ask], field="ask", missing=("",)),
    }
    return decoded("quotes", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - a decoder takes both
    """Return products, all or one: schema DECODED["listings"]; the name is ours of the pair ("BTC/USD").

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor products.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    found = payload.parse_or_refuse(_PRODUCTS, by_body)
    products = [found] if isinstance(found, _Product) else found
    columns: dict[str, Column] = {
        "symbol": payload.series([one.id for one in products], pl.String(), field="id"),
        "name": [f"{one.base_currency}/{one.quote_currency}" for one in products],
        "currency": [one.quote_currency for one in products],
        "status": [STATUS.get(one.status or "") for one in products],
    }
    return decoded("listings", columns, asset_class="crypto")


def currency(symbol: str) -> str | None:
    """Return the currency in which the product `symbol` ("BTC-USD") is quoted; None if it is no product."""
    return symbol.rpartition("-")[2] or None if "-" in symbol else None
