"""Kraken's stream version 1: arrays that end with the channel and the pair, numbers as text."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.fields import Number, Symbol, Text
from truetape.domain.instants import from_seconds
from truetape.domain.ticks import Bar, Quote, Tick, Trade
from truetape.domain.time import NANOSECONDS
from truetape.providers.kraken.checked import KEPT_LEVELS, BookNews, CheckedBooks

SIDES: Final = {"b": "buy", "s": "sell"}
MINUTES: Final = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "1440": "1d", "10080": "1w"}
SHORTEST: Final = 4  # parts of a frame: number, news, channel, pair


class _Level(msgspec.Struct, array_like=True, gc=False):
    price: Symbol
    quantity: Symbol
    at: Number = 0.0


class _Book(msgspec.Struct, gc=False):
    a: list[_Level] = []
    b: list[_Level] = []
    as_: list[_Level] | None = msgspec.field(default=None, name="as")
    bs: list[_Level] | None = None
    c: Text | None = None


class _Trade(msgspec.Struct, array_like=True, gc=False):
    price: Number
    volume: Number
    at: Number
    side: Text
    order_type: Text = ""
    misc: Text = ""


class _Best(msgspec.Struct, array_like=True, gc=False):
    price: Number
    whole_lots: Number
    quantity: Number


class _Last(msgspec.Struct, array_like=True, gc=False):
    price: Number
    volume: Number


class _Ticker(msgspec.Struct, gc=False):
    a: _Best
    b: _Best
    c: _Last
    v: tuple[Number, Number]  # today, 24 hours


class _Spread(msgspec.Struct, array_like=True, gc=False):
    bid: Number
    ask: Number
    at: Number
    bid_volume: Number
    ask_volume: Number


class _Candle(msgspec.Struct, array_like=True, gc=False):
    at: Number
    ends: Number
    open: Number
    high: Number
    low: Number
    close: Number
    vwap: Number
    volume: Number


_PARTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NAME: Final = msgspec.json.Decoder(Symbol)
_BOOK: Final = msgspec.json.Decoder(_Book, strict=False)
_TRADES: Final = msgspec.json.Decoder(list[_Trade], strict=False)
_TICKER: Final = msgspec.json.Decoder(_Ticker, strict=False)
_SPREAD: Final = msgspec.json.Decoder(_Spread, strict=False)
_CANDLE: Final = msgspec.json.Decoder(_Candle, strict=False)


def read(frame: str | bytes, ts_known: int, *, books: CheckedBooks) -> list[Tick]:
    """Return what a frame of data says; nothing for channels that are not read.

    Raises:
        MsgspecError, ValueError: It is not as Kraken sends it.
    """
    parts = _PARTS.decode(frame)
    if len(parts) < SHORTEST:
        raise ValueError(f"a frame of {len(parts)} parts")
    channel, pair = _NAME.decode(parts[-2]), _NAME.decode(parts[-1])
    kind, _, option = channel.partition("-")
    if kind == "book":
        return books.take(_book(parts[1:-2], channel, pair, option, ts_known), ts_known)
    if kind == "trade":
        return [_trade(row, pair, channel) for row in _TRADES.decode(parts[1])]
    if kind == "ticker":
        return [_ticker(_TICKER.decode(parts[1]), pair, channel, ts_known)]
    if kind == "spread":
        return [_spread(_SPREAD.decode(parts[1]), pair, channel)]
    return [_bar(_CANDLE.decode(parts[1]), pair, channel, option, ts_known)] if kind == "ohlc" else []


def _book(parts: list[msgspec.Raw], channel: str, pair: str, option: str, ts_known: int) -> BookNews:
    """Return the news of a book; its two sides may come in two parts, of which the last has the checksum."""
    news = [_BOOK.decode(part) for part in parts]
    snapshot = any(one.as_ is not None or one.bs is not None for one in news)
    asks = [level for one in news for level in (one.as_ or one.a)]
    bids = [level for one in news for level in (one.bs or one.b)]
    at = max((level.at for level in (*asks, *bids)), default=0.0)
    checksum = next((int(one.c) for one in news if one.c is not None), None)
    return BookNews(
        channel=channel,
        symbol=pair,
        ts_event=from_seconds(at) if at else ts_known,
        bids=[(level.price, level.quantity) for level in bids],
        asks=[(level.price, level.quantity) for level in asks],
        snapshot=snapshot,
        checksum=checksum,
        depth=int(option) if option else KEPT_LEVELS,
    )


def _trade(row: _Trade, pair: str, channel: str) -> Trade:
    return Trade(
        symbol=pair,
        ts_event=from_seconds(row.at),
        price=row.price,
        size=row.volume,
        conditions=row.misc,
        side=SIDES.get(row.side, ""),
        channel=channel,
    )


def _ticker(news: _Ticker, pair: str, channel: str, ts_known: int) -> Quote:
    return Quote(
        symbol=pair,
        ts_event=ts_known,
        bid=news.b.price,
        bid_size=news.b.quantity,
        ask=news.a.price,
        ask_size=news.a.quantity,
        price=news.c.price,
        volume=news.v[0],
        channel=channel,
    )


def _spread(news: _Spread, pair: str, channel: str) -> Quote:
    return Quote(
        symbol=pair,
        ts_event=from_seconds(news.at),
        bid=news.bid,
        bid_size=news.bid_volume,
        ask=news.ask,
        ask_size=news.ask_volume,
        channel=channel,
    )


def _bar(news: _Candle, pair: str, channel: str, option: str, ts_known: int) -> Bar:
    ends = from_seconds(news.ends)
    begins = ends - int(option) * 60 * NANOSECONDS
    if begins < 0:
        raise ValueError(f"a bar of {option} minutes that ended {news.ends} s after 1970")
    return Bar(
        symbol=pair,
        timeframe=MINUTES.get(option, f"{option}m"),
        ts_event=begins,
        open=news.open,
        high=news.high,
        low=news.low,
        close=news.close,
        volume=news.volume,
        running=ends > ts_known,
        channel=channel,
    )
