"""WebSockets and server-sent events by aiohttp: bounded in time and size, and silent about secrets."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Final, Literal

import aiohttp
from aiohttp import ClientWSTimeout, WSMsgType
from yarl import URL

from truetape.domain.asks import SIMULATED_HEADER, Answer
from truetape.domain.hiding import Veil, of_headers, veil
from truetape.ports.feed import Endpoint, Frame
from truetape.ports.socket import Disconnected, Socket

SWITCHING: Final = 101
OK: Final = 200
MOST_WORDS: Final = 8192  # bytes of what a server says instead of opening a connection
DEFLATE_BITS: Final = 15
_BROKEN: Final = (TimeoutError, aiohttp.ClientError, OSError, ValueError)


class AiohttpSockets:
    """Open connections, each over TCP of its own.

    Opening one, saying a frame and closing take at most `timeout_s` each. Proxies and cookies are not used.
    """

    def __init__(self, *, timeout_s: float = 15.0) -> None:
        self._timeout_s = timeout_s

    async def connect(self, endpoint: Endpoint, *, silent_s: float, max_frame_bytes: int) -> Socket:
        """Return an open connection to `endpoint`.

        Raises:
            Disconnected: There is no connection.
        """
        url = _address(endpoint)
        if url is None:
            raise Disconnected("the address is not a valid ws, wss, http or https URL")
        hidden = veil(*endpoint.secrets.values(), *of_headers(endpoint.secret_headers), *endpoint.said)
        place = f"{url.host}:{url.port}"
        call = _Call(url.update_query(endpoint.secrets), place, hidden, self._timeout_s, silent_s, max_frame_bytes)
        session = _session(call)
        try:
            async with asyncio.timeout(self._timeout_s):
                opened = _web_socket if url.scheme in {"ws", "wss"} else _event_stream
                return await opened(session, call, {**endpoint.headers, **endpoint.secret_headers})
        except _BROKEN as error:
            failed = Disconnected(_reason(error, call.place, timeout_s=self._timeout_s))
        except Disconnected as error:
            failed = Disconnected(error.reason, code=error.code, answer=error.answer)
        except BaseException:
            await session.close()
            raise
        await session.close()
        raise failed  # a new error from nowhere: aiohttp's own, and their frames, carry the URL with its secrets


class _Call:
    """What all of one connection have in common: where to, how long, and what is never shown."""

    def __init__(self, url: URL, place: str, hidden: Veil, timeout_s: float, silent_s: float, most: int) -> None:
        self.url = url
        self.place = place
        self.hidden = hidden
        self.timeout_s = timeout_s
        self.silent_s = silent_s
        self.most = most
        self.simulated = False  # the answer says that a sandbox gave it

    def shown(self, frame: Frame) -> Frame:
        """Return `frame` without the secrets that a server says back."""
        return self.hidden.over(frame) if isinstance(frame, str) else self.hidden.over_bytes(frame)

    def ended(self, why: str, *, code: int = 0) -> Disconnected:
        return Disconnected(f"{self.place} {self.hidden.over(why)}", code=code)

    def silent(self) -> Disconnected:
        return Disconnected(f"nothing came from {self.place} within {self.silent_s:g} s")

    def oversized(self) -> Disconnected:
        return Disconnected(f"a frame was larger than {self.most} bytes")

    async def refused(self, response: aiohttp.ClientResponse) -> Disconnected:
        """Return what the server said instead of opening a connection."""
        body = (await response.content.read(MOST_WORDS)).decode(errors="replace")
        headers = {self.hidden.over(name.lower()): self.hidden.over(value) for name, value in response.headers.items()}
        headers.pop("set-cookie", None)
        answer = Answer(
            url=str(self.url.with_query(None)),
            status=response.status,
            content_type=headers.get("content-type", ""),
            headers=headers,
            body=self.hidden.over(body).encode(),
        )
        return Disconnected(f"{self.place} answered with HTTP {response.status} instead of a stream", answer=answer)


class _WebSocket:
    """An open WebSocket."""

    def __init__(
        self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse[Literal[True]], call: _Call
    ) -> None:
        self._session = session
        self._socket = socket
        self._call = call
        self.simulated = call.simulated

    async def send(self, frame: Frame) -> None:
        try:
            async with asyncio.timeout(self._call.timeout_s):
                await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))
        except TimeoutError:
            raise Disconnected(f"{self._call.place} took no frame within {self._call.timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected(_reason(error, self._call.place, timeout_s=self._call.timeout_s)) from None

    async def receive(self) -> Frame:
        try:
            heard = self._heard(await self._socket.receive())
        except TimeoutError:
            raise self._call.silent() from None
        if isinstance(heard, Disconnected):
            raise heard
        return heard

    def _heard(self, message: aiohttp.WSMessage) -> Frame | Disconnected:
        if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
            return self._call.shown(message.data)
        if message.type is WSMsgType.ERROR:
            return self._failed(message.data)
        code = self._socket.close_code or 0
        words = str(message.extra or "") if message.type is WSMsgType.CLOSE else ""
        if code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE:
            return self._call.ended("broke the connection off", code=code)
        return self._call.ended(f"closed the connection with {code}{f': {words[:200]}' if words else ''}", code=code)

    def _failed(self, error: object) -> Disconnected:
        if isinstance(error, aiohttp.WebSocketError):
            if error.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
                return self._call.oversized()
            return self._call.ended("sent what is no frame of a WebSocket", code=error.code)
        return self._call.ended("broke the connection off")

    async def close(self) -> None:
        with contextlib.suppress(*_BROKEN):
            await self._socket.close()
        await self._session.close()


class _EventStream:
    """Server-sent events: the data of each event are a frame."""

    def __init__(self, session: aiohttp.ClientSession, response: aiohttp.ClientResponse, call: _Call) -> None:
        self._session = session
        self._response = response
        self._call = call
        self._events = self._read()
        self.simulated = call.simulated

    async def send(self, frame: Frame) -> None:
        """Say nothing: nobody listens."""

    async def receive(self) -> Frame:
        try:
            return await anext(self._events)
        except StopAsyncIteration:
            raise self._call.ended("ended the stream") from None
        except TimeoutError:
            raise self._call.silent() from None
        except (aiohttp.ClientError, OSError) as error:
            raise Disconnected(_reason(error, self._call.place, timeout_s=self._call.silent_s)) from None

    async def close(self) -> None:
        self._response.close()
        await self._session.close()

    async def _read(self) -> AsyncIterator[Frame]:
        data: list[bytes] = []
        async for line in self._lines():
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
                if sum(map(len, data)) + len(data) > self._call.most:
                    raise self._call.oversized()
            elif not line and data:
                yield self._call.shown(b"\n".join(data).decode(errors="replace"))
                data = []

    async def _lines(self) -> AsyncIterator[bytes]:
        """Yield lines without their ends, which are a line feed with or without a carriage return."""
        rest = b""
        while True:
            async with asyncio.timeout(self._call.silent_s):
                chunk = await self._response.content.readany()
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r")
            if len(rest) > self._call.most:
                raise self._call.oversized()


def _session(call: _Call) -> aiohttp.ClientSession:
    """Return a session for one connection, which takes no other answer for an open one, redirects least of all."""

    async def only_open(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        response = await send(request)
        if response.status not in {SWITCHING, OK}:
            raise await call.refused(response)
        call.simulated = SIMULATED_HEADER in response.headers
        return response

    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "truetape"},
        middlewares=(only_open,),
    )


async def _web_socket(session: aiohttp.ClientSession, call: _Call, headers: Mapping[str, str]) -> Socket:
    socket = await session.ws_connect(
        call.url,
        headers=headers,
        timeout=ClientWSTimeout(ws_receive=call.silent_s, ws_close=call.timeout_s),
        compress=DEFLATE_BITS,
        max_msg_size=call.most,
    )
    return _WebSocket(session, socket, call)


async def _event_stream(session: aiohttp.ClientSession, call: _Call, headers: Mapping[str, str]) -> Socket:
    asked = {"Accept": "text/event-stream", "Accept-Encoding": "identity", **headers}
    response = await session.get(call.url, headers=asked)
    if "event-stream" not in response.content_type:
        raise await call.refused(response)
    return _EventStream(session, response, call)


def _address(endpoint: Endpoint) -> URL | None:
    """Return where to go, without secrets; None if that is nowhere."""
    try:
        url = URL(endpoint.url)
    except ValueError:
        return None
    return (
        url if url.scheme in {"ws", "wss", "http", "https"} and url.host and not url.user and not url.password else None
    )


def _reason(error: BaseException, place: str, *, timeout_s: float) -> str:
    """Return why there is no connection, in words that hold nothing of the endpoint but its host."""
    if isinstance(error, TimeoutError):
        return f"no connection to {place} within {timeout_s:g} s"
    plain: Mapping[type[Exception], str] = {
        aiohttp.ClientConnectorDNSError: f"the name of {place} was not resolved",
        aiohttp.ClientConnectorCertificateError: f"the certificate of {place} is not valid",
        aiohttp.ClientSSLError: f"no secure connection to {place}",
        ssl.SSLError: f"no secure connection to {place}",
        aiohttp.ClientConnectorError: f"no connection to {place}: {_cause(error)}",
        aiohttp.ServerDisconnectedError: f"{place} closed the connection before it answered",
        aiohttp.WSServerHandshakeError: f"{place} answered, and not as a WebSocket does",
        aiohttp.ClientPayloadError: f"{place} broke the connection off",
        aiohttp.ClientResponseError: f"the answer of {place} was not readable as HTTP",
        aiohttp.ClientConnectionError: f"the connection to {place} broke: {_cause(error)}",
        OSError: f"the connection to {place} broke: {_cause(error)}",
        ValueError: "the endpoint has a header or parameter that cannot be sent",
    }
    return next((words for kind, words in plain.items() if isinstance(error, kind)), f"no connection to {place}")


def _cause(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError) or isinstance(
        getattr(error, "os_error", None), ConnectionRefusedError
    ):
        return "refused"
    return (getattr(error, "strerror", None) or "it failed").lower()
