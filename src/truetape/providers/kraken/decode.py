"""Kraken's candles, trades, spreads and pairs, read out of its envelope."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, Stamp, ascending, decoded, instants
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.domain.time import NANOSECONDS
from truetape.providers.kraken.classify import by_body, by_words

PROVIDER: Final = "kraken"
TIMEFRAMES: Final = ("1m", "5m", "15m", "30m", "1h", "1d")
SIDES: Final = {"b": "buy", "s": "sell"}
NEW_NAMES: Final = {"XBT": "BTC", "XDG": "DOGE"}
FIAT: Final = frozenset({"AED", "ARS", "AUD", "BRL", "CAD", "CHF", "COP", "EUR", "GBP", "JPY", "MXN", "USD"})
OPEN: Final = frozenset({"online", "cancel_only", "post_only", "limit_only", "reduce_only"})
FIRST_SECOND: Final = Decimal(-5_364_662_400)  # 1800
LAST_SECOND: Final = Decimal(7_258_118_400)  # 2200

_Candle = tuple[Stamp, float, float, float, float, str, float, int]
_Spread = tuple[Stamp, float, float]
Row = TypeVar("Row")


class _Trade(msgspec.Struct, array_like=True, gc=False):
    price: float
    volume: float
    time: Decimal  # Unix seconds; a float of 64 bits has not the digits
    side: str
    type: str  # m: market, l: limit
    misc: str = ""
    trade_id: int | None = None  # absent from old answers


class _Pair(msgspec.Struct, gc=False):
    altname: str
    wsname: str | None = None
    aclass_base: str | None = None
    status: str | None = None


class _Candles(msgspec.Struct):
    result: dict[str, list[_Candle] | Stamp]
    error: list[str] = []


class _Trades(msgspec.Struct):
    result: dict[str, list[_Trade] | str]
    error: list[str] = []


class _Spreads(msgspec.Struct):
    result: dict[str, list[_Spread] | Stamp]
    error: list[str] = []


class _Pairs(msgspec.Struct):
    result: dict[str, _Pair]
    error: list[str] = []


_CANDLES: Final = msgspec.json.Decoder(_Candles, strict=False)  # numbers stand in texts
_TRADES: Final = msgspec.json.Decoder(_Trades, strict=False)
_SPREADS: Final = msgspec.json.Decoder(_Spreads, strict=False)
_PAIRS: Final = msgspec.json.Decoder(_Pairs)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return candles as bars: schema DECODED["bars"], ascending, basis raw, labelled with their start.

    The body's `last` is the start of the last finished candle: later ones are running. A minute without trades is a
    flat candle of no volume. Symbol and timeframe are those of `ask`; the body names the pair in an older spelling.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor candles.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    answer = payload.parse_or_refuse(_CANDLES, by_body)
    candles: list[_Candle] = _rows(payload, answer.result, answer.error)
    if not candles:
        return empty(DECODED["bars"])
    stamps, start, high, low, end, _, volume, _ = zip(*candles, strict=True)
    numbers = {"open": start, "high": high, "low": low, "close": end, "volume": volume}
    seconds = pl.Series(stamps, dtype=pl.Int64)
    last = answer.result.get("last")
    columns = {
        "ts_event": instants(seconds),
        **{name: payload.finite(values, field=name) for name, values in numbers.items()},
        "running": seconds > last if isinstance(last, int) else pl.repeat(False, len(candles), eager=True),
    }
    rows = ascending(pl.DataFrame(columns), by="ts_event")
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=ask.symbol or None,
        timeframe=ask.timeframe if ask.timeframe in TIMEFRAMES else "1d",
        currency=currency(ask.symbol),
        basis="raw",
    )


def trades(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return trades: schema DECODED["trades"], in their order; conditions are m or l (market or limit order), and misc.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor trades.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    answer = payload.parse_or_refuse(_TRADES, by_body)
    found: list[_Trade] = _rows(payload, answer.result, answer.error)
    if not found:
        return empty(DECODED["trades"])
    unknown = {one.side for one in found} - set(SIDES)
    if unknown:
        raise payload.defect(f"a side was {min(unknown)[:40]!r}, not b or s")
    columns: dict[str, Column] = {
        "ts_event": _moments(payload, [one.time for one in found]),
        "price": payload.finite([one.price for one in found], field="price"),
        "size": payload.finite([one.volume for one in found], field="volume"),
        "trade_id": payload.series([one.trade_id for one in found], pl.Int64(), field="trade_id").cast(pl.String),
        "conditions": [f"{one.type},{one.misc}" if one.misc else one.type or None for one in found],
        "side": [SIDES[one.side] for one in found],
    }
    return decoded("trades", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return spreads as quotes: schema DECODED["quotes"], ascending, the last of each second.

    A ticker is not read: it does not say of when it is.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor spreads.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    answer = payload.parse_or_refuse(_SPREADS, by_body)
    spreads: list[_Spread] = _rows(payload, answer.result, answer.error)
    if not spreads:
        return empty(DECODED["quotes"])
    stamps, bids, asks = zip(*spreads, strict=True)
    columns = {
        "ts_event": instants(pl.Series(stamps, dtype=pl.Int64)),
        "bid": payload.finite(bids, field="bid"),
        "ask": payload.finite(asks, field="ask"),
    }
    rows = ascending(pl.DataFrame(columns), by="ts_event")
    return decoded("quotes", rows.to_dict(), symbol=ask.symbol or None, currency=currency(ask.symbol))


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - a decoder takes both
    """Return pairs: schema DECODED["listings"]; symbol and name are the newer spelling ("BTC/USD") where there is one.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor pairs.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    answer = payload.parse_or_refuse(_PAIRS, by_body)
    _refuse(answer.error)
    pairs = list(answer.result.values())
    names = [new_name(pair.wsname or pair.altname) for pair in pairs]
    columns: dict[str, Column] = {
        "symbol": payload.series(names, pl.String(), field="wsname"),
        "name": names,
        "asset_class": [_asset_class(pair, name) for pair, name in zip(pairs, names, strict=True)],
        "currency": [currency(name) for name in names],
        "status": ["active" if pair.status in OPEN else None for pair in pairs],
    }
    return decoded("listings", columns)


def new_name(symbol: str) -> str:
    """Return a pair of the older spelling ("XBT/USD") in the newer ("BTC/USD")."""
    return "/".join(NEW_NAMES.get(part, part) for part in symbol.split("/"))


def currency(symbol: str) -> str | None:
    """Return the currency in which the pair `symbol` ("BTC/USD") is quoted; None if it has no slash."""
    return symbol.rpartition("/")[2] or None if "/" in symbol else None


def _rows(payload: Payload, result: dict[str, Any], errors: list[str]) -> list[Any]:
    """Return the rows of the one pair that was asked for, whatever the body calls it."""
    _refuse(errors)
    pairs = [name for name in result if name != "last"]
    if len(pairs) != 1 or not isinstance(result[pairs[0]], list):
        raise payload.defect(f"the result was of {len(pairs)} pairs with rows or without, not of one with rows")
    rows: list[Any] = result[pairs[0]]
    return rows


def _refuse(errors: list[str]) -> None:
    failure = by_words(errors)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)


def _moments(payload: Payload, times: list[Decimal]) -> pl.Series:
    if not all(time.is_finite() and FIRST_SECOND <= time < LAST_SECOND for time in times):
        raise payload.defect("a time was not from 1800 to 2199")
    return pl.Series([int(time * NANOSECONDS) for time in times], dtype=pl.Int64).cast(INSTANT)


def _asset_class(pair: _Pair, name: str) -> str | None:
    """Return crypto, or fx where both sides are money; None for tokens that stand for something else."""
    if pair.aclass_base != "currency":
        return None
    base, _, quote = name.partition("/")
    return "fx" if base in FIAT and quote in FIAT else "crypto"
