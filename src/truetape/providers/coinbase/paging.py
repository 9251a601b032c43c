"""How far one request to Coinbase Exchange reaches, and where the next one begins.

Candles are asked for 300 at a time. Trades cannot be asked for by time, only by their numbers, which rise by one from
trade to trade: the number that was the first of a day is looked for by halves, and from there on pages are read. A
page's mark says which of both it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.domain.time import NANOSECONDS, day_start_ns

GRANULARITY: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "1d": 86_400}  # seconds
MOST_CANDLES: Final = 300
MOST_TRADES: Final = 1_000
_SEEK: Final = re.compile(r"seek-(\d{1,17})-(\d{1,17})-(\d{1,17})")  # below it, at most, and the newest of all
_READ: Final = re.compile(r"read-(\d{1,17})-(\d{1,17})")  # up to it, exclusive, and the newest of all
_START: Final = re.compile(r"\d{1,11}")


class _Dated(msgspec.Struct):
    trade_id: int
    time: str


_TRADES: Final = msgspec.json.Decoder(list[_Dated])


def follow(answer: Answer, ask: Ask, *, now: Callable[[], float]) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last, and for an open beginning."""
    if ask.start is None:
        return None
    if ask.kind == "trades":
        page = _after_trades(answer.body, ask)
        return msgspec.structs.replace(ask, page=page) if page and page != ask.page else None
    if ask.kind != "bars" or answer.body[:1] != b"[":
        return None  # an empty list is a quiet time, after which more may follow
    covered = window(ask, now_s=now())
    if covered is None or covered[1] >= _last_s(ask, now_s=now()):
        return None
    return msgspec.structs.replace(ask, page=str(covered[1] + step(ask)))


def seeks(ask: Ask) -> bool:
    """Return whether the answer to `ask` only shows where trades are to be looked for, and is no part of the range."""
    return ask.kind == "trades" and ask.start is not None and not _READ.fullmatch(ask.page)


def cursor(ask: Ask) -> int | None:
    """Return the number below which the trades of the page of `ask` are; None for the newest."""
    seek, read = _SEEK.fullmatch(ask.page), _READ.fullmatch(ask.page)
    if seek is not None:
        return (int(seek[1]) + int(seek[2])) // 2 + 1
    return int(read[1]) if read is not None else None


def window(ask: Ask, *, now_s: float) -> tuple[int, int] | None:
    """Return the starts of the first and last candle, in Unix seconds, of the page of `ask`; None for the latest 300.

    Without `start` the candles are the last up to the end. The bar that is running lies outside if `end` is given; of
    a range of that one alone, the bar before it is asked for.
    """
    if ask.start is None and ask.end is None:
        return None
    last = _last_s(ask, now_s=now_s)
    length = (MOST_CANDLES - 1) * step(ask)
    first = last - length
    if ask.start is not None:
        first = int(ask.page) if _START.fullmatch(ask.page) else day_start_ns(ask.start) // NANOSECONDS
    first = max(first, 0)
    return min(first, last), min(first + length, last)


def step(ask: Ask) -> int:
    """Return the length of a candle of `ask` in seconds."""
    return GRANULARITY.get(ask.timeframe, GRANULARITY["1d"])


def _last_s(ask: Ask, *, now_s: float) -> int:
    """Return the start of the last candle of `ask`: of the finished ones if it has an end, else of all there are."""
    running = int(now_s) // step(ask) * step(ask)
    if ask.end is None:
        return running
    after = day_start_ns(ask.end + timedelta(days=1)) // NANOSECONDS
    return min(after, running) - step(ask)


def _after_trades(body: bytes, ask: Ask) -> str:
    """Return the mark of the page after the trades in `body`, which come newest first; "" after the last."""
    try:
        trades = _TRADES.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    read, seek = _READ.fullmatch(ask.page), _SEEK.fullmatch(ask.page)
    if read is not None:
        return _read_on(trades, ask, upto=int(read[1]), newest=int(read[2]))
    begins = str(ask.start)
    if seek is None:
        known = bool(trades) and trades[0].time >= begins and trades[0].trade_id > 0
        return _seek(0, trades[0].trade_id, newest=trades[0].trade_id) if known else ""
    low, high, newest = (int(number) for number in seek.groups())
    middle = (low + high) // 2
    if not trades or trades[0].time < begins:
        return _seek(middle, high, newest=newest)
    return _seek(low, max(low, min(middle, trades[0].trade_id)), newest=newest)


def _seek(low: int, high: int, *, newest: int) -> str:
    """Return the next mark where the range begins above `low` and, at the latest, with `high`."""
    return f"read-{low + MOST_TRADES + 1}-{newest}" if high - low <= MOST_TRADES else f"seek-{low}-{high}-{newest}"


def _read_on(trades: list[_Dated], ask: Ask, *, upto: int, newest: int) -> str:
    passed = bool(trades) and ask.end is not None and trades[0].time[:10] > ask.end.isoformat()
    return "" if passed or upto > newest else f"read-{upto + MOST_TRADES}-{newest}"
