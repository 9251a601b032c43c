"""Ask Finnhub for candles or a quote."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.time import NANOSECONDS, day_start_ns
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://finnhub.io/api/v1"
RESOLUTIONS: Final = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "1d": "D", "1w": "W", "1mo": "M"}
FIRST: Final = date(1970, 1, 2)
LAST: Final = date(2100, 1, 1)


class Client:
    """Ask Finnhub's stock endpoints."""

    def __init__(self, http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> None:
        self._http = http
        self._base_url = base_url
        self._key = key

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url, key=self._key))


def request(ask: Ask, *, base_url: str = DEFAULT_URL, key: str = "") -> Request:
    """Return the request for the candles of `ask`, or for the quote of its symbol.

    The span begins a day before `ask.start`, since old daily stamps lie on the evening before, and ends with the last
    second of `ask.end` in UTC.
    """
    root = base_url.rstrip("/")
    secrets = {"X-Finnhub-Token": key}
    if ask.kind == "quotes":
        return Request(url=f"{root}/quote", params={"symbol": ask.symbol}, secret_headers=secrets)
    first = day_start_ns((ask.start or FIRST) - timedelta(days=1)) // NANOSECONDS
    last = day_start_ns((ask.end or LAST) + timedelta(days=1)) // NANOSECONDS - 1
    return Request(
        url=f"{root}/stock/candle",
        params={
            "symbol": ask.symbol,
            "resolution": RESOLUTIONS.get(ask.timeframe, "D"),
            "from": str(first),
            "to": str(last),
        },
        secret_headers=secrets,
    )
