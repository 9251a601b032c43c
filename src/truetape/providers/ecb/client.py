"""Ask the bank for one rate or series of its data portal, or for the file that holds the rates of all currencies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final
from urllib.parse import quote

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.pairs import is_fx
from truetape.ports.http import Http

PORTAL_URL: Final = "https://data-api.ecb.europa.eu"
FILES_URL: Final = "https://www.ecb.europa.eu"
RECENT_DAYS: Final = 85  # the short file covers 90 days


class Client:
    """Ask the bank's data portal and its files of reference rates."""

    def __init__(self, http: Http, *, base_url: str = "", today: Callable[[], date]) -> None:
        self._http = http
        self._base_url = base_url
        self._today = today

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url, today=self._today()))


def request(ask: Ask, *, base_url: str = "", today: date) -> Request:
    """Return the request for `ask`: a pair or a series is asked from the data portal, no symbol means all currencies.

    Of all currencies the smallest file that surely reaches back to `ask.start` is asked for.
    """
    if not ask.symbol:
        root = (base_url or FILES_URL).rstrip("/")
        return Request(url=f"{root}/stats/eurofxref/{_file(ask, today=today)}")
    params = {"format": "csvdata"}
    if ask.start is not None:
        params["startPeriod"] = ask.start.isoformat()
    if ask.end is not None:
        params["endPeriod"] = ask.end.isoformat()
    root = (base_url or PORTAL_URL).rstrip("/")
    return Request(url=f"{root}/service/data/{_key(ask)}", params=params)


def _file(ask: Ask, *, today: date) -> str:
    if ask.start is None or (today - ask.start).days > RECENT_DAYS:
        return "eurofxref-hist.zip"
    return "eurofxref-hist-90d.xml" if ask.start < today else "eurofxref-daily.xml"


def _key(ask: Ask) -> str:
    """Return the flow and the key of a series; a pair's is that of its daily reference rate."""
    if ask.kind != "fx_rates" and not is_fx(ask.symbol):
        flow, _, key = ask.symbol.partition("/")
        return f"{quote(flow.strip('.'), safe='')}/{quote(key, safe='')}"
    base, _, currency = ask.symbol.partition("/")
    return f"EXR/D.{quote(currency, safe='')}.{quote(base, safe='')}.SP00.A"
