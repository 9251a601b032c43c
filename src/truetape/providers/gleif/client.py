"""Ask the register for an entity by its LEI, for that behind an ISIN, or for the ISINs of an entity."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://api.gleif.org/api/v1"
ROWS: Final = 100  # of one page
MOST_PAGES: Final = 1_000
_ISIN: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


class _Pagination(msgspec.Struct, rename="camel"):
    current_page: int = 1
    last_page: int = 1


class _Meta(msgspec.Struct):
    pagination: _Pagination | None = None


class _Page(msgspec.Struct):
    meta: _Meta | None = None


_PAGE: Final = msgspec.json.Decoder(_Page)


class Client:
    """Ask the register."""

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
    """Return the request for `ask`: identifiers are the ISINs of an LEI, issuers what is told of an LEI or ISIN."""
    root = f"{base_url.rstrip('/')}/lei-records"
    page = {"page[size]": str(ROWS), "page[number]": ask.page or "1"}
    if ask.kind == "issuers" and _ISIN.fullmatch(ask.symbol):
        return Request(url=root, params={"filter[isin]": ask.symbol, **page})
    number = quote(ask.symbol, safe="") if ask.symbol.strip(".") else ""  # dots alone would lead up the path
    if ask.kind == "issuers":
        return Request(url=f"{root}/{number}")
    return Request(url=f"{root}/{number}/isins", params=page)


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after the one that `answer` holds; None after the last."""
    try:
        meta = _PAGE.decode(answer.body).meta
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    told = meta.pagination if meta is not None else None
    asked = int(ask.page) if ask.page.isascii() and ask.page.isdigit() else 1
    if told is None or told.current_page != asked or not asked < told.last_page <= MOST_PAGES:
        return None
    return replace(ask, page=str(asked + 1))
