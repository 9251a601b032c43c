"""Ask Yahoo for a chart: bars with their actions, or the last session for its quote."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final
from urllib.parse import quote

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://query1.finance.yahoo.com"
INTERVALS: Final = {"1h": "60m", "1w": "1wk"}
FIRST: Final = date(1920, 1, 1)
LAST: Final = date(2100, 1, 1)
EARLIEST: Final = timezone(timedelta(hours=14))  # where a day begins first
BROWSER: Final = {"User-Agent": "Mozilla/5.0 (compatible; truetape)"}


class Client:
    """Ask Yahoo's chart endpoint."""

    def __init__(self, http: Http, *, base_url: str = DEFAULT_URL) -> None:
        self._http = http
        self._base_url = base_url

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url))


def request(ask: Ask, *, base_url: str = DEFAULT_URL) -> Request:
    """Return the request for the bars, dividends, capital gains and splits of `ask`, or for its last session's quote.

    The span begins where `ask.start` begins first on Earth, since Sydney's stamps lie on the previous UTC day, and ends
    (exclusive) with `ask.end` in UTC.
    """
    symbol = quote(ask.symbol, safe="") if ask.symbol.strip(".") else ""  # dots alone would lead up the path
    url = f"{base_url.rstrip('/')}/v8/finance/chart/{symbol}"
    if ask.kind == "quotes":
        return Request(url=url, params={"range": "1d", "interval": "1d"}, headers=BROWSER)
    first = datetime.combine(ask.start or FIRST, time(), tzinfo=EARLIEST)
    last = datetime.combine((ask.end or LAST) + timedelta(days=1), time(), tzinfo=UTC)
    params = {
        "period1": str(int(first.timestamp())),
        "period2": str(int(last.timestamp())),
        "interval": INTERVALS.get(ask.timeframe, ask.timeframe),
        "events": "div,splits,capitalGains",
    }
    return Request(url=url, params=params, headers=BROWSER)
