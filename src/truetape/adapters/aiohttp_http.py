"""HTTP by aiohttp: bounded in time and size, one host for each request, and silent about secrets."""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from truetape.domain.asks import Answer, Request
from truetape.domain.hiding import Veil, of_headers, veil
from truetape.ports.http import Unreachable

MEBIBYTE: Final = 1 << 20
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CHUNK: Final = 1 << 16
_MEMBERS: Final = 100  # parts of one gzip body; honest servers send one
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_UPGRADE: Final = (("http", 80), ("https", 443))


class AiohttpHttp:
    """Send requests over one pool of connections, opened with the first of them.

    A request with its body and redirects takes at most `timeout_s`; a body counts with its compression undone.
    Redirects are followed on the same host and port (or from http to https), at most `max_redirects` times. Secrets
    that a server writes back are hidden in the answer. Cookies are not kept.
    """

    def __init__(self, *, timeout_s: float = 30.0, max_bytes: int = 64 * MEBIBYTE, max_redirects: int = 3) -> None:
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            Unreachable: No complete answer came: no connection, a time-out, a cut or oversized body.
        """
        url, hidden = _address(request), veil(*request.secrets.values(), *of_headers(request.secret_headers))
        if url is None:
            raise Unreachable("the address is not a valid http or https URL")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(request, url, hidden)
        except Unreachable as error:
            reason = hidden.over(error.reason)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            reason = _reason(error, f"{url.host}:{url.port}", timeout_s=self._timeout_s)
        # a new error from nowhere: aiohttp's own, and their frames, carry the URL with its secrets
        raise Unreachable(reason)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(self, request: Request, url: URL, hidden: Veil) -> Answer:
        session, start, shown = self._open(), time.perf_counter(), url
        for _ in range(self._max_redirects + 1):
            sent = url.update_query(request.secrets)
            headers = {**request.headers, **request.secret_headers}
            method, data = ("POST", request.body) if request.body else ("GET", None)
            async with session.request(method, sent, headers=headers, data=data, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None:
                    encoding = hidden.over(response.headers.get("Content-Encoding", "identity")).strip().lower()
                    body = _plain(await self._body(response), encoding, self._max_bytes)
                    shown = shown.without_query_params(*request.secrets)
                    return _answer(hidden, shown, response, body, time.perf_counter() - start)
                url = _next(url, location)
                shown = shown.join(URL(hidden.over(location))).with_fragment(None)
        raise Unreachable(f"{url.host} redirected more than {self._max_redirects} times")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        received = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            received += chunk
            if len(received) > self._max_bytes:
                response.close()
                raise _oversized(self._max_bytes)
        return bytes(received)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "truetape", "Accept-Encoding": "gzip"},
                auto_decompress=False,
            )
        return self._session


def _address(request: Request) -> URL | None:
    """Return where to go, without secrets; None if that is nowhere."""
    try:
        url = URL(request.url)
        lawful = url.scheme in {"http", "https"} and url.host and not url.user and not url.password
        return url.update_query(request.params) if lawful else None
    except ValueError:
        return None


def _next(url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location)).with_fragment(None)
    except ValueError:
        raise Unreachable(f"{url.host} redirected to an address that is none") from None
    here, there = (url.scheme, url.port), (target.scheme, target.port)
    if target.host != url.host or (here != there and (here, there) != _UPGRADE):
        raise Unreachable(
            f"{url.host} redirected to another place ({target.host}:{target.port}), which was not followed"
        )
    return target


def _plain(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Undo gzip or deflate; aiohttp would take a stream that was cut short for a whole one."""
    if encoding == "identity" or not body:
        return body
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Unreachable(f"the body was encoded as {encoding[:40]!r}, which was not asked for")
    plain, rest = b"", body
    for _ in range(_MEMBERS):
        engine = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            plain += engine.decompress(rest, max_bytes + 1 - len(plain))
        except zlib.error:
            raise Unreachable("the compressed body was garbled") from None
        if len(plain) > max_bytes:
            raise _oversized(max_bytes)
        if not engine.eof:
            raise Unreachable("the compressed body ended early")
        rest = engine.unused_data
        if not rest:
            return plain
    raise Unreachable(f"the compressed body had more than {_MEMBERS} parts")


def _oversized(max_bytes: int) -> Unreachable:
    return Unreachable(f"the body was larger than {max_bytes} bytes")


def _answer(hidden: Veil, url: URL, response: aiohttp.ClientResponse, body: bytes, elapsed_s: float) -> Answer:
    return Answer(
        url=hidden.over(str(url)),
        status=response.status,
        content_type=hidden.over(response.headers.get("Content-Type", "")),
        headers=_headers(response.headers, hidden),
        body=hidden.over_bytes(body),
        elapsed_s=elapsed_s,
    )


def _headers(headers: Mapping[str, str], hidden: Veil) -> dict[str, str]:
    """Return headers by their names in lower case; several of one name are joined, cookies are left out."""
    joined: dict[str, str] = {}
    for name, value in headers.items():
        lower = hidden.over(name.lower())
        if lower != "set-cookie":
            joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return {name: hidden.over(value) for name, value in joined.items()}


def _reason(error: Exception, place: str, *, timeout_s: float) -> str:
    """Return why no answer came, in words that hold nothing of the request but its host."""
    if isinstance(error, TimeoutError):
        return f"no complete answer from {place} within {timeout_s:g} s"
    plain: Mapping[type[Exception], str] = {
        aiohttp.ClientConnectorDNSError: f"the name of {place} was not resolved",
        aiohttp.ClientConnectorCertificateError: f"the certificate of {place} is not valid",
        aiohttp.ClientSSLError: f"no secure connection to {place}",
        ssl.SSLError: f"no secure connection to {place}",
        aiohttp.ClientConnectorError: f"no connection to {place}: {_cause(error)}",
        aiohttp.ServerDisconnectedError: f"{place} closed the connection before it answered",
        aiohttp.ClientPayloadError: "the body ended early",
        aiohttp.ClientResponseError: f"the answer of {place} was not readable as HTTP",
        OSError: f"the connection to {place} broke: {_cause(error)}",
        ValueError: "the request has a header or parameter that cannot be sent",
    }
    return next((words for kind, words in plain.items() if isinstance(error, kind)), f"no answer from {place}")


def _cause(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError) or isinstance(
        getattr(error, "os_error", None), ConnectionRefusedError
    ):
        return "refused"
    return (getattr(error, "strerror", None) or "it failed").lower()
