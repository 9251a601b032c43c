"""Ask the SEC for the list of all tickers, or for the page of one issuer."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

FILES_URL: Final = "https://www.sec.gov"
DATA_URL: Final = "https://data.sec.gov"
CIK_DIGITS: Final = 10


class Client:
    """Ask the SEC, declaring who asks."""

    def __init__(self, http: Http, *, base_url: str = "", key: str = "") -> None:
        self._http = http
        self._base_url = base_url
        self._key = key

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url, key=self._key))


def request(ask: Ask, *, base_url: str = "", key: str = "") -> Request:
    """Return the request for `ask`: listings are those of everybody, all else is about the issuer of a CIK."""
    who = {"User-Agent": key} if key else {}
    if ask.kind == "listings":
        url = f"{(base_url or FILES_URL).rstrip('/')}/files/company_tickers_exchange.json"
        return Request(url=url, secret_headers=who)
    number = ask.symbol.upper().removeprefix("CIK")
    number = number.zfill(CIK_DIGITS) if number.isascii() and number.isdigit() else quote(number, safe="")
    return Request(url=f"{(base_url or DATA_URL).rstrip('/')}/submissions/CIK{number}.json", secret_headers=who)
