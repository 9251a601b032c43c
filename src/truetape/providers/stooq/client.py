"""Ask Stooq's site for a CSV of bars, or for a quote."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://stooq.com"
INTERVALS: Final = {"5m": "5", "1h": "60", "1d": "d", "1w": "w", "1mo": "m"}
QUOTE_FIELDS: Final = "sd2t2ohlcv"


class Client:
    """Ask Stooq's site."""

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
    """Return the request for the bars of `ask`, or for the quote of its symbol."""
    root = base_url.rstrip("/")
    secrets = {"apikey": key} if key else {}
    if ask.kind == "quotes":
        params = {"s": ask.symbol, "f": QUOTE_FIELDS, "h": "", "e": "csv"}
        return Request(url=f"{root}/q/l/", params=params, secrets=secrets)
    params = {"s": ask.symbol, "i": INTERVALS.get(ask.timeframe, "d")}
    if ask.start is not None:
        params["d1"] = f"{ask.start:%Y%m%d}"
    if ask.end is not None:
        params["d2"] = f"{ask.end:%Y%m%d}"
    return Request(url=f"{root}/q/d/l/", params=params, secrets=secrets)
