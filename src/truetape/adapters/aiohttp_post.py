"""Posting JSON by aiohttp: bounded in time, no redirects, and silent about where to and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from truetape.domain.hiding import of_headers, veil
from truetape.ports.notifier import Undelivered

PASSING: Final = frozenset({408, 425, 429})  # refusals of now; other 4xx are refusals of what was sent
_SAID: Final = 200  # letters of a refusal's body that are told


class AiohttpPost:
    """Post bodies over one pool of connections. A URL is a secret but for its host: its path may hold a token."""

    def __init__(self, *, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send `body`, JSON, to `url`.

        Raises:
            Undelivered: No answer came in time, or one other than 2xx.
        """
        place = URL(url).host or "an address without a host"
        try:
            status, said = await self._answer(url, body, headers)
        except TimeoutError:
            reason = f"no answer from {place} within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = f"no connection to {place} ({type(error).__name__})"
        else:
            if 200 <= status < 300:  # noqa: PLR2004  taken
                return
            again = status >= 500 or status in PASSING  # noqa: PLR2004  the server's fault
            hidden = veil(*_secrets(url), *of_headers(headers))
            raise Undelivered(f"{place} answered {status}: {hidden.over(said)}", again=again)
        # a new error from nowhere: aiohttp's own carry the URL
        raise Undelivered(reason)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _answer(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        whole = {"Content-Type": "application/json", "User-Agent": "truetape", **headers}
        async with self._session.post(url, data=body, headers=whole, allow_redirects=False) as response:
            said = await response.content.read(4 * _SAID)
            return response.status, said.decode(errors="replace")[:_SAID].strip()


def _secrets(url: str) -> tuple[str, ...]:
    """Return what of `url` may be secret: its path and query, and their parts."""
    parsed = URL(url)
    return (parsed.raw_path_qs, parsed.password or "", *parsed.parts, *parsed.query.values())
