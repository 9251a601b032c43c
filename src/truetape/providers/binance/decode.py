"""Binance's candles, aggregated trades, ticker and symbols, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, ascending, decoded
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.domain.time import TIMEFRAMES
from truetape.providers.binance.classify import by_body

PROVIDER: Final = "binance"
FULL: Final = 1_000  # rows of a full page
NS_PER_MS: Final = 1_000_000
OPEN: Final = frozenset({"TRADING", "HALT", "END_OF_DAY", "PRE_TRADING", "POST_TRADING", "AUCTION_MATCH"})  # not BREAK
QUOTED_IN: Final = (  # in which symbols end, a longer name before one that it ends in
    *("FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USDP", "USDS", "USD1", "BIDR", "IDRT", "BKRW", "EURI", "AEUR"),
    *("USD", "EUR", "GBP", "AUD", "BRL", "TRY", "RUB", "UAH", "NGN", "ZAR", "JPY", "PLN", "RON", "ARS", "MXN", "CZK"),
    *("COP", "IDR", "DAI", "VAI", "PAX", "BTC", "ETH", "BNB", "TRX", "XRP", "DOT", "DOGE"),
)

Milliseconds = Annotated[int, msgspec.Meta(ge=-5_364_662_400_000, le=7_258_118_400_000)]  # 1800 to 2199
_Candle = tuple[Milliseconds, float, float, float, float, float, Milliseconds, str, int, str, str, str]


class _Trade(msgspec.Struct, gc=False):
    f: int
    l: int  # noqa: E741 - the provider's name for the last trade
    p: float
    q: float
    T: Milliseconds
    m: bool


class _Ticker(msgspec.Struct, rename="camel"):
    close_time: Milliseconds
    last_price: str
    bid_price: str | None = None
    bid_qty: str | None = None
    ask_price: str | None = None
    ask_qty: str | None = None


class _Symbol(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    base_asset: str
    quote_asset: str
    status: str | None = None


class _Symbols(msgspec.Struct):
    symbols: list[_Symbol]


_CANDLES: Final = msgspec.json.Decoder(list[_Candle], strict=False)  # numbers stand in texts
_TRADES: Final = msgspec.json.Decoder(list[_Trade], strict=False)
_TICKER: Final = msgspec.json.Decoder(_Ticker)
_SYMBOLS: Final = msgspec.json.Decoder(_Symbols)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return candles as bars: schema DECODED["bars"], ascending, basis raw, labelled with their start.

    The last one is running if `ask` has no end and its page is not full. Symbol and timeframe are those of `ask`, since
    the body names neither.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor candles.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    candles = payload.parse_or_refuse(_CANDLES, by_body)
    if not candles:
        return empty(DECODED["bars"])
    stamps, start, high, low, end, volume, *_ = zip(*candles, strict=True)
    numbers = {"open": start, "high": high, "low": low, "close": end, "volume": volume}
    columns = {name: payload.finite(values, field=name) for name, values in numbers.items()}
    rows = ascending(pl.DataFrame({"ts_event": _instants(stamps), **columns}), by="ts_event")
    to_the_last = ask.end is None and len(candles) < FULL
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
    """Return aggregated trades: schema DECODED["trades"], in their order.

    A row is what one order took at one price. Its trade_id is the number of the single trade in it ("7"), or of the
    first and last one ("7-9").

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor aggregated trades.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    found = payload.parse_or_refuse(_TRADES, by_body)
    if not found:
        return empty(DECODED["trades"])
    begins, ends = (
        payload.series([getattr(one, name) for one in found], pl.Int64(), field=name) for name in ("f", "l")
    )
    columns: dict[str, Column] = {
        "ts_event": _instants([one.T for one in found]),
        "price": payload.finite([one.p for one in found], field="p"),
        "size": payload.finite([one.q for one in found], field="q"),
        "trade_id": _numbered(begins, ends),
        "side": ["sell" if one.m else "buy" for one in found],
    }
    return decoded("trades", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the ticker of 24 hours: schema DECODED["quotes"], one row at the end of those hours.

    What it says of 24 hours is not of a session, and so is left out. A ticker of the book is not read: it does not say
    of when it is.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a ticker.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    ticker = payload.parse_or_refuse(_TICKER, by_body)
    columns: dict[str, Column] = {
        "ts_event": _instants((ticker.close_time,)),
        "price": payload.numbers([ticker.last_price], field="lastPrice"),
        "bid": payload.numbers([ticker.bid_price], field="bidPrice"),
        "bid_size": payload.numbers([ticker.bid_qty], field="bidQty"),
        "ask": payload.numbers([ticker.ask_price], field="askPrice"),
        "ask_size": payload.numbers([ticker.ask_qty], field="askQty"),
    }
    return decoded("quotes", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - a decoder takes both
    """Return symbols: schema DECODED["listings"]; the name is ours of the pair ("BTC/USDT").

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor symbols.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    symbols = payload.parse_or_refuse(_SYMBOLS, by_body).symbols
    columns: dict[str, Column] = {
        "symbol": payload.series([one.symbol for one in symbols], pl.String(), field="symbol"),
        "name": [f"{one.base_asset}/{one.quote_asset}" for one in symbols],
        "currency": [one.quote_asset for one in symbols],
        "status": ["active" if one.status in OPEN else None for one in symbols],
    }
    return decoded("listings", columns, asset_class="crypto")


def currency(symbol: str) -> str | None:
    """Return the currency in which `symbol` ("BTCUSDT") is quoted; None if it ends in none that we know."""
    return next((known for known in QUOTED_IN if symbol.endswith(known) and symbol != known), None)


def _numbered(begins: pl.Series, ends: pl.Series) -> pl.Series:
    single = begins.cast(pl.String)
    if (begins == ends).all():
        return single
    return pl.select(pl.when(begins == ends).then(single).otherwise(pl.format("{}-{}", begins, ends))).to_series()


def _instants(milliseconds: Sequence[int]) -> pl.Series:
    return (pl.Series(milliseconds, dtype=pl.Int64) * NS_PER_MS).cast(INSTANT)
