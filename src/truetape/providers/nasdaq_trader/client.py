"""Ask for the symbol directory: one of three files, each of which ends with a line that says it is whole."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http, Unreachable
from truetape.providers.nasdaq_trader.classify import HEADERS, is_whole

DEFAULT_URL: Final = "https://www.nasdaqtrader.com"
FILES: Final = ("nasdaqtraded", "nasdaqlisted", "otherlisted")  # all, those of Nasdaq, those of the other exchanges


class Client:
    """Ask for the files of the directory."""

    def __init__(self, http: Http, *, base_url: str = DEFAULT_URL) -> None:
        self._http = http
        self._base_url = base_url

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came; a list without its last line is none.
        """
        answer = await self._http.send(request(ask, base_url=self._base_url))
        if answer.body.startswith(HEADERS) and not is_whole(answer.body):
            raise Unreachable(f"the list of {len(answer.body)} bytes ended before its last line")
        return answer


def request(ask: Ask, *, base_url: str = DEFAULT_URL) -> Request:
    """Return the request for the file that `ask.symbol` names, of FILES; for anything else the one with all symbols."""
    file = ask.symbol if ask.symbol in FILES else FILES[0]
    return Request(url=f"{base_url.rstrip('/')}/dynamic/SymDir/{file}.txt")
