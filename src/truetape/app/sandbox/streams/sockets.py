"""The sandbox's sockets: each client of a provider's stream, over WebSocket or server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from truetape.app.sandbox.streams import NAMES, speaker_of
from truetape.app.sandbox.streams.market import Market
from truetape.app.sandbox.streams.playback import Playback, Step
from truetape.app.sandbox.streams.speaker import Frame, Opening
from truetape.domain.asks import SIMULATED_HEADER
from truetape.domain.time import NANOSECONDS

LARGEST_FRAME: Final = 1 << 20  # of a client, bytes
CLOSE_WITHIN_S: Final = 1.0
AT_ONCE: Final = 64  # steps between two turns of everybody else
_TOLD: Final = {SIMULATED_HEADER: "true"}


class Sockets:
    """Let clients hear `market`."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._open: set[web.WebSocketResponse] = set()

    def add_to(self, application: web.Application) -> None:
        """Add the streams of all providers, and what is asked over HTTP beside them."""
        for name in NAMES:
            path = f"/{name}/{{before:(?:[^/]+/)*}}stream{{path:(?:/.*)?}}"
            application.router.add_get(path, self._serving(name), allow_head=False)
            for beside in speaker_of(name).beside:
                application.router.add_get(f"/{name}{beside}", self._answering(name), allow_head=False)
        application.on_shutdown.append(self._close)

    async def _close(self, _: web.Application) -> None:
        await asyncio.gather(*(one.close(code=WSCloseCode.GOING_AWAY) for one in list(self._open)))

    def _serving(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            headers = {header.lower(): value for header, value in request.headers.items()}
            opening = Opening(path=request.match_info["path"].strip("/"), params=dict(request.query), headers=headers)
            playback = self._market.connect(name, opening)
            try:
                return await self._met(request, playback)
            finally:
                self._market.leave(playback)

        return serve

    def _answering(self, name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            status, body = self._market.answer(name, dict(request.query))
            return web.Response(status=status, body=body, content_type="application/json", headers=_TOLD)

        return answer

    async def _met(self, request: web.Request, playback: Playback) -> web.StreamResponse:
        refused = playback.speaker.turned_away()
        if refused:
            status, words = refused
            return web.Response(status=status, text=words, headers=_TOLD)
        if playback.speaker.tells_events:
            return await _tell_events(request, playback, speed=self._market.speed)
        socket = web.WebSocketResponse(autoping=False, max_msg_size=LARGEST_FRAME, timeout=CLOSE_WITHIN_S)
        if not socket.can_prepare(request):
            return web.Response(status=426, text="This address speaks WebSocket.", headers={"Upgrade": "websocket"})
        socket.headers.update(_TOLD)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await _converse(request, socket, playback, speed=self._market.speed)
        finally:
            self._open.discard(socket)
        return socket


class _Line:
    """One client's playback in real time. `tell` sends one frame, `reset` drops the connection."""

    def __init__(
        self,
        playback: Playback,
        *,
        tell: Callable[[Frame], Awaitable[None]],
        reset: Callable[[], None],
        speed: float,
    ) -> None:
        self.silent = False
        self._playback = playback
        self._tell = tell
        self._reset = reset
        self._speed = speed
        self._origin: tuple[float, int] | None = None  # when, by the loop's clock, the tape stood where
        self._asked = asyncio.Event()

    async def say(self, frames: list[Frame] | tuple[Frame, ...]) -> None:
        """Send frames in their order."""
        for frame in frames:
            await self._tell(frame)

    def asked(self) -> None:
        """Say that the client has asked for something."""
        self._asked.set()

    async def play(self) -> None:
        """Play until the connection is reset, for ever otherwise."""
        with suppress(ConnectionError):
            for number in count():
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
                if await self._due() and not await self._done(self._playback.step()):
                    return

    async def _due(self) -> bool:
        """Wait for what comes next; False if the client asked for something meanwhile, or if nothing comes."""
        at = self._playback.due()
        self._asked.clear()
        if at is None:
            beat_s = self._playback.speaker.beat_s
            if not await self._waited(beat_s or None):
                await self.say(self._playback.speaker.beat())
            return False
        loop = asyncio.get_running_loop()
        if not self._speed:
            return True
        if self._origin is None:
            self._origin = (loop.time(), at)
        began, stood = self._origin
        left = began + (at - stood) / NANOSECONDS / self._speed - loop.time()
        return left <= 0 or not await self._waited(left)

    async def _waited(self, seconds: float | None) -> bool:
        """Wait so long; return whether the client asked for something in that time."""
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    async def _done(self, step: Step | None) -> bool:
        """Carry out one step; return whether the connection goes on."""
        if step is None:
            return True
        if step.wait_s:
            await asyncio.sleep(step.wait_s)
        if step.silent_s is not None:
            self.silent = True
            await asyncio.sleep(step.silent_s) if step.silent_s else await asyncio.Event().wait()
            self._playback.skip(step.silent_s * self._speed)
            self.silent = False
        if step.reset:
            self._reset()
            return False
        await self.say(step.frames)
        return True


async def _converse(request: web.Request, socket: web.WebSocketResponse, playback: Playback, *, speed: float) -> None:
    async def tell(frame: Frame) -> None:
        await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))

    line = _Line(playback, tell=tell, reset=lambda: _abort(request), speed=speed)
    playing: asyncio.Task[None] | None = None
    try:
        await line.say(playback.speaker.welcome())
        playing = asyncio.create_task(line.play())
        async for message in socket:
            if line.silent:
                continue
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                await line.say(playback.hear(message.data))
                line.asked()
            if playback.speaker.closing:
                await socket.close()
    except ConnectionError:
        return
    finally:
        await _stopped(playing)


async def _tell_events(request: web.Request, playback: Playback, *, speed: float) -> web.StreamResponse:
    response = web.StreamResponse(headers=_TOLD)
    response.content_type = "text/event-stream"
    await response.prepare(request)

    async def tell(frame: Frame) -> None:
        text = frame if isinstance(frame, bytes) else frame.encode()
        await response.write(text if text.startswith(b":") else b"data: " + text + b"\n\n")

    line = _Line(playback, tell=tell, reset=lambda: _abort(request), speed=speed)
    with suppress(ConnectionError):
        await line.say(playback.speaker.welcome())
        playback.join()
        await line.play()
    return response


async def _stopped(playing: asyncio.Task[None] | None) -> None:
    if playing is not None:
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
