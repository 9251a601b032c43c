"""Ask Twelve Data for series, quotes, rates, actions or lists."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://api.twelvedata.com"
INTERVALS: Final = {
    "1m": "1min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "1h",
    "1d": "1day",
    "1w": "1week",
    "1mo": "1month",
}
ROWS: Final = 5_000  # most bars of one answer
LISTS: Final = ("stocks", "etfs", "indices", "forex_pairs", "cryptocurrencies")
_PAIR_PLACES: Final = "11"  # decimals of pairs' prices; five, the usual, are too few for small coins


class Client:
    """Ask Twelve Data's endpoints."""

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

    Actions are splits first, then dividends (page "dividends"); listings are one list a page, the shares first. Rates
    without a start are the present one. Series are asked for as traded, newest first, both dates inclusive; their page
    is the oldest stamp that is known already. Quotes may name several symbols with commas between them.
    """
    path, params = _question(ask)
    secrets = {"Authorization": f"apikey {key}"} if key else {}
    return Request(url=f"{base_url.rstrip('/')}/{path}", params=params, secret_headers=secrets)


def _question(ask: Ask) -> tuple[str, dict[str, str]]:
    named = {"symbol": ask.symbol} if ask.symbol else {}
    if ask.kind == "quotes":
        return "quote", named
    if ask.kind == "listings":
        return ask.page or LISTS[0], named
    if ask.kind == "actions":
        path = ask.page or "splits"
        params = named | _dates(ask) | ({"adjust": "false"} if path == "dividends" else {})
        return (path, params) if ask.symbol else (f"{path}_calendar", params)
    if ask.kind == "fx_rates" and ask.start is None:
        return "exchange_rate", named
    return "time_series", named | _series(ask)


def _dates(ask: Ask) -> dict[str, str]:
    known = {"start_date": ask.start, "end_date": ask.end}
    dates = {name: day.isoformat() for name, day in known.items() if day is not None}
    return dates or {"range": "full"}


def _series(ask: Ask) -> dict[str, str]:
    params = {"interval": INTERVALS.get(ask.timeframe, "1day"), "outputsize": str(ROWS), "adjust": "none"}
    if "/" in ask.symbol:
        params["dp"] = _PAIR_PLACES
    if ask.start is not None:
        params["start_date"] = f"{ask.start} 00:00:00"
    if ask.page:
        params["end_date"] = str(datetime.fromisoformat(ask.page) - timedelta(seconds=1))
    elif ask.end is not None:
        params["end_date"] = f"{ask.end} 23:59:59"
    return params
