"""Ask Alpha Vantage for a series."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://www.alphavantage.co"
DEFAULT_FUNCTION: Final = "TIME_SERIES_DAILY_ADJUSTED"
LONGER: Final = {"1w": "TIME_SERIES_WEEKLY_ADJUSTED", "1mo": "TIME_SERIES_MONTHLY_ADJUSTED"}


class Client:
    """Ask Alpha Vantage's one endpoint."""

    def __init__(
        self, http: Http, *, base_url: str = DEFAULT_URL, key: str = "", function: str = DEFAULT_FUNCTION
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._key = key
        self._function = function

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url, key=self._key, function=self._function))


def request(ask: Ask, *, base_url: str = DEFAULT_URL, key: str = "", function: str = DEFAULT_FUNCTION) -> Request:
    """Return the request for the whole series that `ask` lies in; the provider cannot be asked for a span."""
    return Request(
        url=f"{base_url.rstrip('/')}/query",
        params={
            "function": LONGER.get(ask.timeframe, function),
            "symbol": ask.symbol,
            "outputsize": "full",
            "datatype": "json",
        },
        secrets={"apikey": key},
    )
