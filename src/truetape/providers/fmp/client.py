"""Ask Financial Modeling Prep for prices, quotes, actions or lists."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://financialmodelingprep.com/stable"
INTERVALS: Final = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "1hour"}
CHANGES: Final = "symbol-change"
DELISTED: Final = "delisted-companies"
LISTS: Final = ("stock-list", "index-list", "forex-list", "cryptocurrency-list", f"{DELISTED}/0")
MOST_EVENTS: Final = "1000"  # of one symbol


class Client:
    """Ask Financial Modeling Prep's stable endpoints."""

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
    """Return the request for `ask`.

    Actions are dividends first, then splits; without a symbol they are calendars, and then the changes of symbols.
    Listings without a symbol are one list a page; with one, its profile. Rates without a start are the present one.
    Minutes are asked for as traded. Quotes may name several symbols with commas between them.
    """
    path, params = _question(ask)
    return Request(url=f"{base_url.rstrip('/')}/{path}", params=params, secret_headers={"apikey": key})


def _question(ask: Ask) -> tuple[str, dict[str, str]]:
    named = {"symbol": ask.symbol}
    if ask.kind == "quotes":
        return ("batch-quote", {"symbols": ask.symbol}) if "," in ask.symbol else ("quote", named)
    if ask.kind == "actions":
        return _events(ask)
    if ask.kind == "listings":
        return ("profile", named) if ask.symbol else _list(ask.page or LISTS[0])
    if ask.kind == "fx_rates" and ask.start is None:
        return "quote", named
    if ask.timeframe in INTERVALS:
        return f"historical-chart/{INTERVALS[ask.timeframe]}", named | _span(ask) | {"nonadjusted": "true"}
    return "historical-price-eod/full", named | _span(ask)


def _events(ask: Ask) -> tuple[str, dict[str, str]]:
    path = ask.page or "dividends"
    if ask.symbol:
        return path, {"symbol": ask.symbol, "limit": MOST_EVENTS}
    return (path, {}) if path == CHANGES else (f"{path}-calendar", _span(ask))


def _list(page: str) -> tuple[str, dict[str, str]]:
    path, _, number = page.partition("/")
    return path, {"page": number, "limit": "100"} if number else {}


def _span(ask: Ask) -> dict[str, str]:
    ends = {"from": ask.start, "to": ask.end}
    return {name: day.isoformat() for name, day in ends.items() if day is not None}
