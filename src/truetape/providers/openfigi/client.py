"""Ask OpenFIGI for mappings: one job for each identifier, all in the body of one request."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http
from truetape.providers.openfigi.jobs import jobs

DEFAULT_URL: Final = "https://api.openfigi.com"
JOBS: Final = 10  # of one request without a key; with one, 100
_COUNTRY: Final = "US"  # in which tickers are looked for: elsewhere they are others'


class Client:
    """Ask OpenFIGI."""

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
    """Return the request for the identifiers that `ask.symbol` names, with commas between them."""
    asked = [
        {"idType": job.id_type, "idValue": job.value, **({"exchCode": _COUNTRY} if job.name == "ticker" else {})}
        for job in jobs(ask.symbol)
    ]
    return Request(
        url=f"{base_url.rstrip('/')}/v3/mapping",
        headers={"Content-Type": "application/json"},
        secret_headers={"X-OPENFIGI-APIKEY": key} if key else {},
        body=msgspec.json.encode(asked),
    )
