"""Ask EODHD for prices, quotes, actions or lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http
from truetape.providers.eodhd.symbols import COINS, FOREX, INDICES, US, exchange_of

DEFAULT_URL: Final = "https://eodhd.com/api"
INTRADAY: Final = ("1m", "5m", "1h")
DELISTED: Final = "delisted"
LISTS: Final = (US, f"{US}/{DELISTED}", INDICES, FOREX, COINS)
FIRST: Final = date(1980, 1, 1)
LAST: Final = date(2100, 1, 1)
_ZONES: Final[dict[str, tzinfo]] = {US: ZoneInfo("America/New_York"), FOREX: UTC, COINS: UTC}
_WIDTH: Final = timedelta(hours=12)  # that days elsewhere lie off UTC at most


class Client:
    """Ask EODHD's endpoints."""

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

    Actions are dividends first, then splits (page "splits"); listings are one exchange a page. Rates without a start
    are the present one. Quotes may name several symbols with commas between them.
    """
    path, params = _question(ask)
    return Request(url=f"{base_url.rstrip('/')}/{path}", params={**params, "fmt": "json"}, secrets={"api_token": key})


def _question(ask: Ask) -> tuple[str, dict[str, str]]:
    if ask.kind == "listings":
        exchange, _, delisted = (ask.page or LISTS[0]).partition("/")
        return f"exchange-symbol-list/{exchange}", {"delisted": "1"} if delisted else {}
    first, _, others = ask.symbol.partition(",")
    symbol = quote(first, safe="") if first.strip(".") else ""  # dots alone would lead up the path
    if ask.kind == "quotes" or (ask.kind == "fx_rates" and ask.start is None):
        return f"real-time/{symbol}", {"s": others} if others else {}
    if ask.kind == "actions":
        return f"{ask.page or 'div'}/{symbol}", _span(ask)
    if ask.timeframe in INTRADAY:
        return f"intraday/{symbol}", {"interval": ask.timeframe} | _bounds(ask)
    return f"eod/{symbol}", {"period": "d", "order": "a"} | _span(ask)


def _span(ask: Ask) -> dict[str, str]:
    ends = {"from": ask.start, "to": ask.end}
    return {name: day.isoformat() for name, day in ends.items() if day is not None}


def _bounds(ask: Ask) -> dict[str, str]:
    """Return the first and the last second of the asked days in the exchange's zone, wider where that is not known."""
    zone = _ZONES.get(exchange_of(ask.symbol))
    width = _WIDTH if zone is None else timedelta(0)
    first = datetime.combine(ask.start or FIRST, time(0), tzinfo=zone or UTC) - width
    end = datetime.combine((ask.end or LAST) + timedelta(days=1), time(0), tzinfo=zone or UTC) + width
    return {"from": str(int(first.timestamp())), "to": str(int(end.timestamp()) - 1)}
