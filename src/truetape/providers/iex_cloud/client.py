"""Ask IEX Cloud for a chart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://cloud.iexapis.com"
RANGES: Final = {
    "5d": 5,
    "1m": 28,
    "3m": 89,
    "6m": 181,
    "1y": 365,
    "2y": 730,
    "5y": 1826,
}  # days each surely reaches back
MARGIN: Final = timedelta(days=1)  # the provider's today may lag ours


class Client:
    """Ask IEX Cloud's chart endpoint."""

    def __init__(self, http: Http, *, today: Callable[[], date], base_url: str = DEFAULT_URL, key: str = "") -> None:
        self._http = http
        self._base_url = base_url
        self._key = key
        self._today = today

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, today=self._today(), base_url=self._base_url, key=self._key))


def request(ask: Ask, *, today: date, base_url: str = DEFAULT_URL, key: str = "") -> Request:
    """Return the request for the smallest range, counted back from `today`, that holds the span of `ask`."""
    reach = span(ask.start, today=today)
    return Request(
        url=f"{base_url.rstrip('/')}/v1/stock/{quote(ask.symbol, safe='')}/chart/{reach}",
        params={"sort": "asc"},
        secrets={"token": key},
    )


def span(start: date | None, *, today: date) -> str:
    """Return the name of the smallest range that reaches back from `today` to `start`; "max" without a start."""
    if start is None:
        return "max"
    needed = (today - start + MARGIN).days
    return next((name for name, reach in RANGES.items() if needed <= reach), "max")
