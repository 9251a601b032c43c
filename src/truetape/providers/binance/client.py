"""Ask Binance for candles, trades, a ticker or its symbols, page by page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://api.binance.com"
INTERVALS: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1h", "1d": "1d", "1w": "1w", "1mo": "1M"}
LENGTHS: Final = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "1d": 86_400_000}
MOST_ROWS: Final = 1_000
DAY_MS: Final = 86_400_000
_NS_PER_MS: Final = DAY_NS // DAY_MS


class _Aggregate(msgspec.Struct):
    a: int
    T: int


_CANDLES: Final = msgspec.json.Decoder(list[list[int | str]])
_AGGREGATES: Final = msgspec.json.Decoder(list[_Aggregate])


class Client:
    """Ask Binance's public endpoints."""

    def __init__(self, http: Http, *, now: Callable[[], float], base_url: str = DEFAULT_URL) -> None:
        self._http = http
        self._base_url = base_url
        self._now = now

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, now_s=self._now(), base_url=self._base_url))


def request(ask: Ask, *, now_s: float, base_url: str = DEFAULT_URL) -> Request:
    """Return the request for the page of `ask`, asked at Unix second `now_s`.

    Candles begin with `startTime` and go on to `endTime`, both in milliseconds and inclusive; where an end is asked
    for, the candle that is still running is left out. Trades begin with a time and go on by their number.
    """
    root = f"{base_url.rstrip('/')}/api/v3"
    if ask.kind == "listings":
        return Request(url=f"{root}/exchangeInfo")
    if ask.kind == "quotes":
        return Request(url=f"{root}/ticker/24hr", params={"symbol": ask.symbol})
    params = {"symbol": ask.symbol, "limit": str(MOST_ROWS)}
    if ask.kind == "trades":
        return Request(url=f"{root}/aggTrades", params=params | _from_trade(ask))
    span = _span(ask, now_s=now_s)
    return Request(
        url=f"{root}/klines", params=params | {"interval": INTERVALS.get(ask.timeframe, INTERVALS["1d"])} | span
    )


def follow(answer: Answer, ask: Ask, *, now: Callable[[], float]) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last one, which is not full or reaches the end.

    Latest trades, asked for without `start`, are one page.
    """
    if ask.kind == "bars":
        mark, last = _last_candle(answer.body)
        end = _end_ms(ask, now_s=now())
    elif ask.kind == "trades" and ask.start is not None:
        mark, last = _last_trade(answer.body)
        end = None if ask.end is None else _day_ms(ask.end) + DAY_MS - 1
    else:
        return None
    if not mark or mark <= _number(ask.page) or (end is not None and last >= end):
        return None
    return msgspec.structs.replace(ask, page=str(mark))


def _from_trade(ask: Ask) -> dict[str, str]:
    if ask.page:
        return {"fromId": ask.page}
    return {"startTime": str(_day_ms(ask.start))} if ask.start else {}


def _span(ask: Ask, *, now_s: float) -> dict[str, str]:
    """Return from when to when candles may begin: since ever without `start`, and until now without `end`."""
    start = _number(ask.page) if ask.page else (_day_ms(ask.start) if ask.start else 0)
    end = _end_ms(ask, now_s=now_s)
    if end is None:
        return {"startTime": str(start)}
    return {"startTime": str(min(start, end)), "endTime": str(end)}


def _end_ms(ask: Ask, *, now_s: float) -> int | None:
    """Return the last millisecond in which a candle of `ask` may begin, that is finished at `now_s`; None: any."""
    if ask.end is None:
        return None
    return min(_day_ms(ask.end) + DAY_MS, _running_ms(ask.timeframe, now_s=now_s)) - 1


def _running_ms(timeframe: str, *, now_s: float) -> int:
    """Return when the candle began that is running at `now_s`; weeks begin on Monday."""
    if timeframe in LENGTHS:
        return int(now_s) * 1_000 // LENGTHS[timeframe] * LENGTHS[timeframe]
    day = datetime.fromtimestamp(now_s, UTC).date()
    first = day - timedelta(days=day.weekday()) if timeframe == "1w" else day.replace(day=1)
    return day_start_ns(first) // _NS_PER_MS


def _last_candle(body: bytes) -> tuple[int, int]:
    """Return the mark of the page that follows, and when the last candle began; zeros if the page is not full."""
    try:
        candles = _CANDLES.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return 0, 0
    if len(candles) < MOST_ROWS or not candles[-1] or not isinstance(candles[-1][0], int):
        return 0, 0
    return candles[-1][0] + 1, candles[-1][0]


def _last_trade(body: bytes) -> tuple[int, int]:
    """Return the number of the trade that follows, and when the last one was; zeros if the page is not full."""
    try:
        trades = _AGGREGATES.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return 0, 0
    return (trades[-1].a + 1, trades[-1].T) if len(trades) >= MOST_ROWS else (0, 0)


def _day_ms(day: date) -> int:
    return day_start_ns(day) // _NS_PER_MS


def _number(mark: str) -> int:
    return int(mark) if mark.isascii() and mark.isdigit() and len(mark) < 20 else 0  # noqa: PLR2004 - 64 bits
