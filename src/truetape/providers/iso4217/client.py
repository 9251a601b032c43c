"""Ask for the list of currencies in use, and then for that of withdrawn ones."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http
from truetape.providers.iso4217.classify import ROOT

DEFAULT_URL: Final = "https://www.six-group.com"
FOLDER: Final = "/dam/download/financial-information/data-center/iso-currrency/lists"  # spelled so by its owner
CURRENT: Final = "list-one"
WITHDRAWN: Final = "list-three"  # the page after the currencies in use
_BEGINNING: Final = 1024


class Client:
    """Ask the maintenance agency."""

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
    """Return the request for the list that the page of `ask` names, whatever is asked: a list holds all currencies."""
    name = WITHDRAWN if ask.page == WITHDRAWN else CURRENT
    return Request(url=f"{base_url.rstrip('/')}{FOLDER}/{name}.xml")


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the withdrawn currencies after those in use; after anything but a list nothing follows."""
    return replace(ask, page=WITHDRAWN) if not ask.page and ROOT in answer.body[:_BEGINNING] else None
