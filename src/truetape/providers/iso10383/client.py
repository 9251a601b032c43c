"""Ask for the whole register: it is one file."""

from __future__ import annotations

from typing import Final

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://www.iso20022.org"
PATH: Final = "/sites/default/files/ISO10383_MIC/ISO10383_MIC.csv"


class Client:
    """Ask the registration authority."""

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
    """Return the request for the register, whatever is asked: it holds all markets."""
    del ask
    return Request(url=base_url.rstrip("/") + PATH)
