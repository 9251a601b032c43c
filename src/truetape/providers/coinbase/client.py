"""Ask Coinbase Exchange for candles, trades, a ticker or its products."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http
from truetape.providers.coinbase.paging import MOST_TRADES, cursor, seeks, step, window

DEFAULT_URL: Final = "https://api.exchange.coinbase.com"
_AGENT: Final = {"User-Agent": "truetape"}  # requests without one are refused


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
    product = f"{root}/{quote(ask.symbol.strip('.'), safe='')}"
    if ask.kind == "quotes":
        return Request(url=f"{product}/ticker", headers=_AGENT)
    if ask.kind == "trades":
        return Request(url=f"{product}/trades", params=_trades(ask), headers=_AGENT)
    return Request(url=f"{product}/candles", params=_candles(ask, now_s=now_s), headers=_AGENT)


def _trades(ask: Ask) -> dict[str, str]:
    below = cursor(ask)
    after = {} if below is None else {"after": str(below)}
    return {"limit": "1" if seeks(ask) else str(MOST_TRADES)} | after


def _candles(ask: Ask, *, now_s: float) -> dict[str, str]:
    granularity = {"granularity": str(step(ask))}
    covered = window(ask, now_s=now_s)
    if covered is None:
        return granularity
    start, end = (datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for second in covered)
    return {**granularity, "start": start, "end": end}
