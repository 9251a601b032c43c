"""Ask Coinbase Exchange for candles, trades, a ticker or its products, page by page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

import msgspec

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.time import NANOSECONDS, day_start_ns
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://api.exchange.coinbase.com"
GRANULARITY: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3_600, "1d": 86_400}  # seconds
MOST_CANDLES: Final = 300
MOST_TRADES: Final = 1_000
_AGENT: Final = {"User-Agent": "truetape"}  # requests without one are refused
_CURSOR: Final = re.compile(r"\d{1,18}")


class _Dated(msgspec.Struct):
    time: str


_TRADES: Final = msgspec.json.Decoder(list[_Dated])


class Client:
    """Ask Coinbase Exchange's public endpoints."""

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
    """Return the request for the page of `ask`, asked at Unix second `now_s`."""
    root = f"{base_url.rstrip('/')}/products"
    if ask.kind == "listings":
        return Request(url=root, headers=_AGENT)
    product = f"{root}/{quote(ask.symbol, safe='')}"
    if ask.kind == "quotes":
        return Request(url=f"{product}/ticker", headers=_AGENT)
    if ask.kind == "trades":
        after = {"after": ask.page} if ask.page else {}
        return Request(url=f"{product}/trades", params={"limit": str(MOST_TRADES), **after}, headers=_AGENT)
    return Request(url=f"{product}/candles", params=_candles(ask, now_s=now_s), headers=_AGENT)


def follow(answer: Answer, ask: Ask, *, now: Callable[[], float]) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last.

    Candles go forward, 300 of a range at a time; trades go back from the newest, until one is older than the range.
    """
    if ask.kind == "trades":
        return _older(answer, ask)
    if ask.kind != "bars" or ask.start is None:
        return None
    window = _window(ask, now_s=now())
    if window is None or window[1] >= _last_s(ask, now_s=now()):
        return None
    return msgspec.structs.replace(ask, page=str(window[1] + _step(ask)))


def _candles(ask: Ask, *, now_s: float) -> dict[str, str]:
    granularity = {"granularity": str(_step(ask))}
    window = _window(ask, now_s=now_s)
    if window is None:
        return granularity
    start, end = (datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for second in window)
    return {**granularity, "start": start, "end": end}


def _window(ask: Ask, *, now_s: float) -> tuple[int, int] | None:
    """Return the first and last start of a candle, in Unix seconds, that one request covers; None for the latest 300.

    Without `start` the candles are the last up to the end; a bar that is still running when `end` is given lies
    outside, so that its window may be empty and then is one second long.
    """
    if ask.start is None and ask.end is None:
        return None
    step, last = _step(ask), _last_s(ask, now_s=now_s)
    first = last - (MOST_CANDLES - 1) * step
    if ask.start is not None:
        first = int(ask.page) if _CURSOR.fullmatch(ask.page) else day_start_ns(ask.start) // NANOSECONDS
    first = max(first, 0)
    return min(first, last), min(first + (MOST_CANDLES - 1) * step, last)


def _last_s(ask: Ask, *, now_s: float) -> int:
    """Return the start of the last candle of `ask`: of the finished ones if it has an end, else of all there are."""
    step = _step(ask)
    running = int(now_s) // step * step
    if ask.end is None:
        return running
    after = day_start_ns(ask.end + timedelta(days=1)) // NANOSECONDS
    return min(after, running) - step


def _step(ask: Ask) -> int:
    return GRANULARITY.get(ask.timeframe, GRANULARITY["1d"])


def _older(answer: Answer, ask: Ask) -> Ask | None:
    cursor = answer.headers.get("cb-after", "")
    if ask.start is None or not _CURSOR.fullmatch(cursor) or cursor == ask.page:
        return None
    if _CURSOR.fullmatch(ask.page) and int(cursor) >= int(ask.page):
        return None
    try:
        trades = _TRADES.decode(answer.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not trades or trades[-1].time < ask.start.isoformat():
        return None
    return msgspec.structs.replace(ask, page=cursor)
