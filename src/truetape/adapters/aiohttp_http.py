"""HTTP by aiohttp: bounded in time and size, one host for each request, and silent about secrets."""

from __future__ import annotations

import asyncio
import ssl
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

import aiohttp
from yarl import URL

from truetape.domain.asks import Answer, Request
from truetape.ports.http import Unreachable

MEBIBYTE: Final = 1 << 20
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
SHORTEST_SECRET: Final = 8  # shorter ones occur in honest text, and are no secrets
_CHUNK: Final = 1 << 16
_MEMBERS: Final = 100  # parts of one gzip body; honest servers send one
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_HIDDEN: Final = "***"
_UPGRADE: Final = (("http", 80), ("https", 443))


class AiohttpHttp:
    """Send GET requests over one pool of connections, opened with the first of them.

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
        start = time.perf_counter()
        try:
            url = _address(request)
            place = f"{url.host}:{url.port}"
        except ValueError:
            raise Unreachable("the address is not a valid http or https URL") from None
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(request, url, start)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            # a new error from nowhere: aiohttp's own carry the URL with its secrets
            raise Unreachable(_reason(error, place, timeout_s=self._timeout_s)) from None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _follow(self, request: Request, url: URL, start: float) -> Answer:
        session = self._open()
        for _ in range(self._max_redirects + 1):
            sent = url.update_query(request.secrets)
            headers = {**request.headers, **request.secret_headers}
            async with session.get(sent, headers=headers, allow_redirects=False) as response:
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None:
                    return _answer(request, url, response, await self._body(response), time.perf_counter() - start)
                url = _next(url, location)
        raise Unreachable(f"{url.host} redirected more than {self._max_redirects} times")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        received = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            received += chunk
            if len(received) > self._max_bytes:
                response.close()
                raise _oversized(self._max_bytes)
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        return _plain(bytes(received), encoding, self._max_bytes)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "truetape", "Accept-Encoding": "gzip"},
                auto_decompress=False,
            )
        return self._session


def _address(request: Request) -> URL:
    """Return where to go, without secrets; ValueError if that is nowhere."""
    url = URL(request.url)
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.password:
        raise ValueError(url.scheme)
    return url.update_query(request.params)


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


def _answer(request: Request, url: URL, response: aiohttp.ClientResponse, body: bytes, elapsed_s: float) -> Answer:
    headers = request.secret_headers.values()
    bare = [value.rpartition(" ")[2] for value in headers]  # without the scheme before it, as a server may say it back
    spellings = {form for one in (*request.secrets.values(), *headers, *bare) for form in _forms(one)}
    hidden = sorted((one for one in spellings if len(one) >= SHORTEST_SECRET), key=len, reverse=True)
    shown = url.without_query_params(*request.secrets)
    return Answer(
        url=_hide(str(shown), hidden),
        status=response.status,
        content_type=_hide(response.headers.get("Content-Type", ""), hidden),
        headers=_headers(response.headers, hidden),
        body=_hide_in(body, hidden),
        elapsed_s=elapsed_s,
    )


def _forms(secret: str) -> tuple[str, ...]:
    """Return `secret` as it is, and in every spelling in which a server may have seen it in the query."""
    return secret, quote(secret, safe=""), quote_plus(secret), URL.build(query={"": secret}).raw_query_string[1:]


def _headers(headers: Mapping[str, str], hidden: Iterable[str]) -> dict[str, str]:
    """Return headers by their names in lower case; several of one name are joined, cookies are left out."""
    joined: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower != "set-cookie":
            joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return {name: _hide(value, hidden) for name, value in joined.items()}


def _hide(text: str, hidden: Iterable[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, _HIDDEN)
    return text


def _hide_in(body: bytes, hidden: Iterable[str]) -> bytes:
    for secret in hidden:
        body = body.replace(secret.encode(), _HIDDEN.encode())
    return body


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
