"""Massive's trades and quotes, read: pages of them, the newest trade, and snapshots of many symbols."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.providers.massive.events import SIDES
from truetape.providers.massive.pages import (
    PROVIDER,
    Milliseconds,
    Nanoseconds,
    Number,
    Page,
    Text,
    from_ms,
    from_ns,
    sound,
)
from truetape.providers.massive.pairs import joined
from truetape.providers.massive.symbols import currency, is_stock

TAKEN_BACK: Final = (7, 8, 10, 11, 12)  # codes of errors and cancels, and of records that repeat a corrected trade
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL: Final = datetime(2025, 11, 3, tzinfo=UTC)  # from then on sizes are in shares


class _Trade(msgspec.Struct):
    price: Number
    size: Number
    sip_timestamp: Nanoseconds | None = None
    participant_timestamp: Nanoseconds | None = None
    conditions: list[int] | None = None
    correction: int | None = None
    exchange: int | None = None
    id: Text = None


class _Newest(msgspec.Struct):
    T: str
    p: Number
    s: Number
    t: Nanoseconds
    c: list[int] | None = None
    i: Text = None
    x: int | None = None


class _Coin(msgspec.Struct):
    price: Number
    size: Number
    timestamp: Milliseconds
    conditions: list[int] | None = None
    exchange: int | None = None


class _NewestCoin(Page):
    symbol: str
    last: _Coin


class _Trades(Page):
    results: list[_Trade] | _Newest | None = None


class _Quote(msgspec.Struct, gc=False):
    bid_price: Number = None
    bid_size: Number = None
    ask_price: Number = None
    ask_size: Number = None
    sip_timestamp: Nanoseconds | None = None
    participant_timestamp: Nanoseconds | None = None


class _Quotes(Page):
    results: list[_Quote] | None = None


class _Side(msgspec.Struct):
    bid: Number = None
    bid_size: Number = None
    ask: Number = None
    ask_size: Number = None
    last_updated: Nanoseconds = 0


class _Done(msgspec.Struct):
    price: Number = None
    sip_timestamp: Nanoseconds = 0
    last_updated: Nanoseconds = 0


class _Session(msgspec.Struct):
    open: Number = None
    high: Number = None
    low: Number = None
    previous_close: Number = None
    volume: Number = None


class _Shot(msgspec.Struct):
    ticker: str
    error: Text = None
    value: Number = None
    last_updated: Nanoseconds = 0
    last_quote: _Side = msgspec.field(default_factory=_Side)
    last_trade: _Done = msgspec.field(default_factory=_Done)
    session: _Session = msgspec.field(default_factory=_Session)

    @property
    def moment(self) -> int:
        """When something was last known of it; 0 if nothing was."""
        trade, quote = self.last_trade, self.last_quote
        return max(self.last_updated, trade.sip_timestamp, trade.last_updated, quote.last_updated)


class _Shots(Page):
    results: list[_Shot] | None = None


class _Short(msgspec.Struct):
    p: Number = None
    P: Number = None
    s: Number = None
    S: Number = None
    t: Nanoseconds = 0


class _ShortBar(msgspec.Struct):
    o: Number = None
    h: Number = None
    l: Number = None  # noqa: E741 - the provider's name for the low
    c: Number = None
    v: Number = None


class _OldShot(msgspec.Struct, rename="camel"):
    ticker: str
    day: _ShortBar = msgspec.field(default_factory=_ShortBar)
    prev_day: _ShortBar = msgspec.field(default_factory=_ShortBar)
    last_quote: _Short = msgspec.field(default_factory=_Short)
    last_trade: _Short = msgspec.field(default_factory=_Short)

    @property
    def moment(self) -> int:
        """When something was last known of it; 0 if nothing was."""
        return max(self.last_quote.t, self.last_trade.t)


class _OldShots(Page):
    tickers: list[_OldShot] | None = None
    ticker: _OldShot | None = None


_TRADES: Final = msgspec.json.Decoder(_Trades)
_NEWEST_COIN: Final = msgspec.json.Decoder(_NewestCoin)
_QUOTES: Final = msgspec.json.Decoder(_Quotes)
_SHOTS: Final = msgspec.json.Decoder(_Shots)
_OLD_SHOTS: Final = msgspec.json.Decoder(_OldShots)
_OF_SHOTS: Final = {
    "price": "last_trade.price",
    "bid": "last_quote.bid",
    "bid_size": "last_quote.bid_size",
    "ask": "last_quote.ask",
    "ask_size": "last_quote.ask_size",
    "open": "session.open",
    "high": "session.high",
    "low": "session.low",
    "previous_close": "session.previous_close",
    "volume": "session.volume",
}
_OF_OLD_SHOTS: Final = {
    "price": "last_trade.p",
    "bid": "last_quote.p",
    "bid_size": "last_quote.s",
    "ask": "last_quote.P",
    "ask_size": "last_quote.S",
    "open": "day.o",
    "high": "day.h",
    "low": "day.l",
    "previous_close": "prev_day.c",
    "volume": "day.v",
}


def trades(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return one page of trades, or the newest one: schema DECODED["trades"], ascending; not those taken back.

    The symbol is that of `ask` where the rows do not name it. The side is told of coins only.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor trades.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    if b'"last"' in body:
        return _newest_coin(sound(payload, _NEWEST_COIN))
    told = sound(payload, _TRADES).results
    if isinstance(told, _Newest):
        return _newest_trade(told)
    rows = [row for row in told or [] if row.correction not in TAKEN_BACK]
    coins = ask.symbol.startswith("X:")
    columns: dict[str, Column] = {
        "ts_event": _stamps(payload, rows),
        "price": _values(rows, "price"),
        "size": _values(rows, "size"),
        "trade_id": [row.id for row in rows],
        "conditions": [_joined(row.conditions) for row in rows],
        "side": [_side(row.conditions) if coins else None for row in rows],
        "venue": [None if row.exchange is None else str(row.exchange) for row in rows],
    }
    found = decoded("trades", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))
    return _ascending(found)


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return quotes: schema DECODED["quotes"], one page of bests in ascending order, or a snapshot of each symbol.

    Sizes of stocks are in shares: they were sent in lots of a hundred until November 2025.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor quotes.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    if b'"lastTrade"' in body or b'"tickers"' in body:
        page = sound(payload, _OLD_SHOTS)
        if page.tickers is None and page.ticker is None:
            raise payload.defect("the field tickers was missing")
        return _snapshots(page.tickers or [shot for shot in (page.ticker,) if shot], _OF_OLD_SHOTS)
    if b'"ticker"' in body:
        shots = [shot for shot in sound(payload, _SHOTS).results or [] if shot.error is None]
        found = _snapshots(shots, _OF_SHOTS)
        values = [shot.value for shot in shots if shot.moment]
        return found.with_columns(pl.coalesce("price", pl.Series(values, dtype=pl.Float64)).alias("price"))
    rows = sound(payload, _QUOTES).results or []
    fields = {"bid": "bid_price", "bid_size": "bid_size", "ask": "ask_price", "ask_size": "ask_size"}
    columns = {"ts_event": _stamps(payload, rows)} | {name: _values(rows, field) for name, field in fields.items()}
    found = decoded("quotes", columns, symbol=ask.symbol or None, currency=currency(ask.symbol))
    if rows and found["bid"].count() + found["ask"].count() == 0:
        raise payload.defect("no row had a bid_price or an ask_price")
    return _ascending(_in_shares(found))


def _newest_coin(told: _NewestCoin) -> pl.DataFrame:
    """Return the newest trade of a coin, which the body calls BTC-USD."""
    row, symbol = told.last, joined("X:", told.symbol)
    columns: dict[str, Column] = {
        "symbol": [symbol],
        "ts_event": from_ms([row.timestamp]),
        "price": [row.price],
        "size": [row.size],
        "conditions": [_joined(row.conditions)],
        "side": [_side(row.conditions)],
        "venue": [None if row.exchange is None else str(row.exchange)],
    }
    return decoded("trades", columns, currency=currency(symbol))


def _newest_trade(row: _Newest) -> pl.DataFrame:
    columns: dict[str, Column] = {
        "symbol": [row.T],
        "ts_event": from_ns([row.t]),
        "price": [row.p],
        "size": [row.s],
        "trade_id": [row.i],
        "conditions": [_joined(row.c)],
        "side": [_side(row.c) if row.T.startswith("X:") else None],
        "venue": [None if row.x is None else str(row.x)],
    }
    return decoded("trades", columns, currency=currency(row.T))


def _snapshots(shots: Sequence[_Shot] | Sequence[_OldShot], fields: dict[str, str]) -> pl.DataFrame:
    known = [shot for shot in shots if shot.moment]
    columns: dict[str, Column] = {
        "symbol": [shot.ticker for shot in known],
        "ts_event": from_ns([shot.moment for shot in known]),
        "currency": [currency(shot.ticker) for shot in known],
    }
    return _in_shares(decoded("quotes", columns | {name: _values(known, field) for name, field in fields.items()}))


def _stamps(payload: Payload, rows: Sequence[_Trade] | Sequence[_Quote]) -> pl.Series:
    """Return when the consolidated tape had it; where it was on none, when its venue had it."""
    stamps = [row.participant_timestamp if row.sip_timestamp is None else row.sip_timestamp for row in rows]
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < len(stamps):
        raise payload.defect("a row had neither sip_timestamp nor participant_timestamp")
    return from_ns(known)


def _values(rows: Sequence[Any], field: str) -> pl.Series:
    return pl.Series(list(map(attrgetter(field), rows)), dtype=pl.Float64)


def _joined(conditions: list[int] | None) -> str | None:
    return None if conditions is None else ",".join(map(str, conditions))


def _side(conditions: list[int] | None) -> str | None:
    return next((SIDES[code] for code in conditions or () if code in SIDES), None)


def _ascending(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` by time; one that was sent newest first is turned around."""
    stamps = frame["ts_event"]
    if stamps.is_sorted():
        return frame
    return frame.reverse() if stamps.is_sorted(descending=True) else frame.sort("ts_event", maintain_order=True)


def _in_shares(quotes: pl.DataFrame) -> pl.DataFrame:
    stocks = {symbol: is_stock(symbol) for symbol in quotes["symbol"].drop_nulls().unique()}
    stock = pl.Series([stocks.get(symbol, True) for symbol in quotes["symbol"]], dtype=pl.Boolean)
    lots = pl.when(stock & (pl.col("ts_event") < LOTS_UNTIL)).then(LOT).otherwise(1)
    sizes = [(name, pl.col(name) * lots) for name in ("bid_size", "ask_size")]
    return quotes.with_columns(pl.when(size.is_finite()).then(size).alias(name) for name, size in sizes)
