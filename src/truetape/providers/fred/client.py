"""Ask FRED for the observations of a series: all that were ever published, or those that stand today."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://api.stlouisfed.org/fred"
ROWS: Final = 100_000
FIRST_VINTAGE: Final = "1776-07-04"
OPEN_END: Final = "9999-12-31"

_BAD_REQUEST: Final = 400


class Client:
    """Ask FRED's endpoint of observations."""

    def __init__(self, http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> None:
        self._http = http
        self._base_url = base_url
        self._key = key

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        A series with more vintages than FRED answers at once is asked again for what stands today.

        Raises:
            Unreachable: No complete answer came.
        """
        answer = await self._http.send(request(ask, base_url=self._base_url, key=self._key))
        if ask.kind == "observations" and answer.status == _BAD_REQUEST and b"vintage" in answer.body.lower():
            today = msgspec.structs.replace(ask, kind="index_levels")
            return await self._http.send(request(today, base_url=self._base_url, key=self._key))
        return answer


def request(ask: Ask, *, base_url: str = DEFAULT_URL, key: str = "") -> Request:
    """Return the request for a page of the series that `ask` names.

    Observations are asked with every vintage since the first period (no value is known before its period begins);
    index levels and exchange rates as they stand today.
    """
    params = {"series_id": ask.symbol, "file_type": "json", "limit": str(ROWS), "offset": ask.page or "0"}
    if ask.start is not None:
        params["observation_start"] = ask.start.isoformat()
    if ask.end is not None:
        params["observation_end"] = ask.end.isoformat()
    if ask.kind == "observations":
        params["realtime_start"] = ask.start.isoformat() if ask.start else FIRST_VINTAGE
        params["realtime_end"] = OPEN_END
    return Request(url=f"{base_url.rstrip('/')}/series/observations", params=params, secrets={"api_key": key})


class _Extent(msgspec.Struct):
    count: int = 0
    offset: int = 0
    limit: int = 0


_EXTENT: Final = msgspec.json.Decoder(_Extent)


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last one, and where the offset does not grow."""
    try:
        extent = _EXTENT.decode(answer.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    following = extent.offset + extent.limit
    asked = int(ask.page) if ask.page.isascii() and ask.page.isdecimal() else 0
    if extent.limit <= 0 or not asked < following < extent.count:
        return None
    return msgspec.structs.replace(ask, page=str(following))
