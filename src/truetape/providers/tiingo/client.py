"""Ask Tiingo for bars, quotes, exchange rates or its list of symbols."""

from __future__ import annotations

from datetime import date
from typing import Final
from urllib.parse import quote

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http
from truetape.providers.tiingo.symbols import is_fx, is_pair

DEFAULT_URL: Final = "https://api.tiingo.com"
FILES_URL: Final = "https://apimedia.tiingo.com"  # of the list of symbols, which needs no key
DAILY: Final = {"1d": "daily", "1w": "weekly", "1mo": "monthly"}
MINUTES: Final = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "1hour"}
FIRST: Final = date(1900, 1, 1)
LAST: Final = date(2100, 1, 1)


class Client:
    """Ask Tiingo's endpoints of shares, currencies and coins."""

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
    """Return the request for `ask`; rates without a start are the present ones, listings without a symbol all of them.

    Quotes, and listings of coins, may name several symbols with commas between them.
    """
    root = base_url.rstrip("/")
    if ask.kind == "listings" and not ask.symbol:
        files = FILES_URL if root == DEFAULT_URL else root
        return Request(url=f"{files}/docs/tiingo/daily/supported_tickers.zip")
    path, params = _question(ask)
    secrets = {"Authorization": f"Token {key}"} if key else {}
    return Request(url=root + path, params=params, secret_headers=secrets)


def _question(ask: Ask) -> tuple[str, dict[str, str]]:
    symbol = quote(ask.symbol, safe="") if ask.symbol.strip(".") else ""  # dots alone would lead up the path
    if ask.kind == "listings":
        return ("/tiingo/crypto", {"tickers": ask.symbol}) if is_pair(ask.symbol) else (f"/tiingo/daily/{symbol}", {})
    if ask.kind == "quotes":
        return _newest(ask), {"tickers": ask.symbol}
    if ask.kind == "fx_rates" and ask.start is None:
        return "/tiingo/fx/top", {"tickers": ask.symbol}
    span = {"startDate": (ask.start or FIRST).isoformat(), "endDate": (ask.end or LAST).isoformat()}
    if is_pair(ask.symbol):
        params = {**span, "resampleFreq": MINUTES.get(ask.timeframe, "1day")}
        return _of_pair(ask.symbol, params)
    if ask.timeframe in MINUTES:
        return f"/iex/{symbol}/prices", {**span, "resampleFreq": MINUTES[ask.timeframe]}
    return f"/tiingo/daily/{symbol}/prices", {**span, "resampleFreq": DAILY.get(ask.timeframe, "daily")}


def _newest(ask: Ask) -> str:
    first = ask.symbol.partition(",")[0]
    return "/tiingo/fx/top" if is_fx(first) else "/tiingo/crypto/top" if is_pair(first) else "/iex/"


def _of_pair(symbol: str, params: dict[str, str]) -> tuple[str, dict[str, str]]:
    if is_fx(symbol):
        return f"/tiingo/fx/{symbol}/prices", params
    return "/tiingo/crypto/prices", {"tickers": symbol, **params}
