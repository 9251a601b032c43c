"""Kraken's stream version 2: objects by channel; numbers are JSON, whose digits the books' checksums need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from truetape.domain.book import TextLevel
from truetape.domain.fields import LONGEST_SYMBOL, Count, Number, Symbol, Text
from truetape.domain.instants import instant
from truetape.domain.ticks import Bar, Quote, Tick, Trade
from truetape.domain.time import NANOSECONDS
from truetape.domain.tracks import Tracks
from truetape.providers.kraken.checked import KEPT_LEVELS, BookNews, CheckedBooks

TIMEFRAMES: Final = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 1440: "1d", 10080: "1w"}


class _Level(msgspec.Struct, gc=False):
    price: msgspec.Raw
    qty: msgspec.Raw


class _Book(msgspec.Struct, gc=False):
    symbol: Symbol
    bids: list[_Level] = []
    asks: list[_Level] = []
    checksum: Count | None = None
    timestamp: Text | None = None


class _Trade(msgspec.Struct, gc=False):
    symbol: Symbol
    side: Text
    price: Number
    qty: Number
    trade_id: Count
    timestamp: Text
    ord_type: Text = ""


class _Ticker(msgspec.Struct, gc=False):
    symbol: Symbol
    bid: Number
    bid_qty: Number
    ask: Number
    ask_qty: Number
    last: Number | None = None
    volume: Number | None = None
    timestamp: Text | None = None


class _Candle(msgspec.Struct, gc=False):
    symbol: Symbol
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number
    interval_begin: Text
    interval: int


class _Books(msgspec.Struct):
    type: Text
    data: list[_Book]


class _Trades(msgspec.Struct):
    data: list[_Trade]


class _Tickers(msgspec.Struct):
    data: list[_Ticker]


class _Candles(msgspec.Struct):
    data: list[_Candle]


_BOOKS: Final = msgspec.json.Decoder(_Books)
_TRADES: Final = msgspec.json.Decoder(_Trades)
_TICKERS: Final = msgspec.json.Decoder(_Tickers)
_CANDLES: Final = msgspec.json.Decoder(_Candles)


def read(
    channel: str, frame: str | bytes, ts_known: int, *, depths: Mapping[str, int], tracks: Tracks, books: CheckedBooks
) -> list[Tick]:
    """Return what a frame of `channel` says; nothing for channels that are not read.

    `depths` are the levels that were subscribed to, by symbol; as much as can be is kept of the other books.

    Raises:
        MsgspecError, ValueError: It is not as Kraken sends it.
    """
    if channel == "trade":
        return _trades(frame, ts_known, tracks)
    if channel == "book":
        said = _BOOKS.decode(frame)
        news = [_book(book, ts_known, snapshot=said.type == "snapshot", depths=depths) for book in said.data]
        return [tick for one in news for tick in books.take(one, ts_known)]
    plain = _PLAIN.get(channel)
    return plain(frame, ts_known) if plain else []


def _trades(frame: str | bytes, ts_known: int, tracks: Tracks) -> list[Tick]:
    rows = _TRADES.decode(frame).data
    if len(rows) > 1:
        rows.sort(key=lambda row: row.trade_id)
    ticks: list[Tick] = []
    for row in rows:
        trade = Trade(
            symbol=row.symbol,
            ts_event=instant(row.timestamp),
            price=row.price,
            size=row.qty,
            trade_id=str(row.trade_id),
            side=row.side,
            channel="trade",
        )
        ticks += tracks.trade(trade, number=row.trade_id, ts_known=ts_known)
    return ticks


def _book(book: _Book, ts_known: int, *, snapshot: bool, depths: Mapping[str, int]) -> BookNews:
    return BookNews(
        channel="book",
        symbol=book.symbol,
        ts_event=instant(book.timestamp) if book.timestamp else ts_known,
        bids=[_text(level) for level in book.bids],
        asks=[_text(level) for level in book.asks],
        snapshot=snapshot,
        checksum=book.checksum,
        depth=depths.get(book.symbol, KEPT_LEVELS),
    )


def _text(level: _Level) -> TextLevel:
    """Return the digits of a level as they were sent; a number has no more of them than is sane."""
    price, quantity = bytes(level.price), bytes(level.qty)
    return price[: LONGEST_SYMBOL + 1].decode(), quantity[: LONGEST_SYMBOL + 1].decode()


def _tickers(frame: str | bytes, ts_known: int) -> list[Tick]:
    return [
        Quote(
            symbol=row.symbol,
            ts_event=instant(row.timestamp) if row.timestamp else ts_known,
            bid=row.bid,
            bid_size=row.bid_qty,
            ask=row.ask,
            ask_size=row.ask_qty,
            price=row.last,
            volume=row.volume,
            channel="ticker",
        )
        for row in _TICKERS.decode(frame).data
    ]


def _candles(frame: str | bytes, ts_known: int) -> list[Tick]:
    return [_bar(row, ts_known) for row in _CANDLES.decode(frame).data]


def _bar(row: _Candle, ts_known: int) -> Bar:
    begins = instant(row.interval_begin)
    return Bar(
        symbol=row.symbol,
        timeframe=TIMEFRAMES.get(row.interval, f"{row.interval}m"),
        ts_event=begins,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        running=begins + row.interval * 60 * NANOSECONDS > ts_known,
        channel="ohlc",
    )


_PLAIN: Final[dict[str, Callable[[str | bytes, int], list[Tick]]]] = {"ticker": _tickers, "ohlc": _candles}
