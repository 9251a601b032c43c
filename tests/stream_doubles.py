"""Doubles for tests of live streams: sockets that act out a script, and a feed of short words."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from truetape.domain.asks import Request
from truetape.domain.conversation import portions
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.ticks import Gap, Quote, Tick, Told, Trade
from truetape.domain.time import NANOSECONDS
from truetape.domain.tracks import Track
from truetape.ports.clock import Clock
from truetape.ports.feed import Endpoint, Frame, Manners
from truetape.ports.socket import Disconnected, Socket

TURNS = 40  # of the event loop: what tasks that were just begun need to come to their first sleep
Step = float | str | bytes | Disconnected  # seconds to wait, a frame, or the end


class PatientClock:
    """Jump to the end of the sleep that is due first when nobody has had anything else to do for a while.

    `pause_s` is a real pause before each jump, for what other threads do.
    """

    def __init__(self, start_ns: int, *, pause_s: float = 0.0) -> None:
        self._pause_s = pause_s
        self._now = start_ns
        self._due: list[tuple[int, int]] = []
        self._numbers = itertools.count()

    def now_ns(self) -> int:
        return self._now

    async def sleep(self, seconds: float) -> None:
        mine = (self._now + round(seconds * NANOSECONDS), next(self._numbers))
        heapq.heappush(self._due, mine)
        try:
            turns = 0
            while turns < TURNS:
                first = self._due[0] == mine
                await asyncio.sleep(self._pause_s if first and not turns else 0)
                turns = turns + 1 if first and self._due[0] == mine else 0
            self._now = max(self._now, mine[0])
        finally:
            self._due.remove(mine)
            heapq.heapify(self._due)


@dataclass
class ScriptedSocket:
    """Act out steps on a clock; after the last one nothing comes until the silence is too long."""

    steps: Sequence[Step]
    clock: Clock
    silent_s: float
    said: list[tuple[int, Frame]] = field(default_factory=list)
    closed: bool = False
    position: int = 0  # of the next step
    simulated: bool = False

    async def send(self, frame: Frame) -> None:
        await asyncio.sleep(0)
        self.said.append((self.clock.now_ns(), frame))

    async def receive(self) -> Frame:
        while self.position < len(self.steps):
            step = self.steps[self.position]
            self.position += 1
            if isinstance(step, float):
                await self.clock.sleep(step)
            elif isinstance(step, Disconnected):
                raise step
            else:
                await asyncio.sleep(0)
                return step
        await self.clock.sleep(self.silent_s)
        raise Disconnected(f"nothing came from here within {self.silent_s:g} s")

    async def close(self) -> None:
        self.closed = True


class ScriptedSockets:
    """Open one scripted socket after the other, each once; after the last one there is no connection."""

    def __init__(self, clock: Clock, *scripts: Sequence[Step] | Disconnected) -> None:
        self.clock = clock
        self.scripts = list(scripts)
        self.opened: list[ScriptedSocket] = []
        self.asked: list[tuple[int, Endpoint]] = []
        self.simulated = False

    async def connect(self, endpoint: Endpoint, *, silent_s: float, max_frame_bytes: int) -> Socket:
        self.asked.append((self.clock.now_ns(), endpoint))
        await asyncio.sleep(0)
        script = self.scripts.pop(0) if self.scripts else Disconnected("the end of the script")
        if isinstance(script, Disconnected):
            raise script
        self.opened.append(ScriptedSocket(script, self.clock, silent_s, simulated=self.simulated))
        return self.opened[-1]

    def seconds(self, start_ns: int) -> list[float]:
        """Return when each connection was asked for, in seconds since `start_ns`."""
        return [round((at - start_ns) / NANOSECONDS, 3) for at, _ in self.asked]


class WordFeed:
    """Understand words: "in", "ok", "A 1.5 100" (a trade), "quote A 1 2", "gap A", "refuse CLASS", "want URL"."""

    ready = False

    def __init__(self, **manners: Any) -> None:
        self.manners = Manners(**{"silent_s": 30.0, "symbols_per_frame": 2, "frames_per_second": 2.0, **manners})
        self.fetched_bodies: list[tuple[str, bytes]] = []
        self._wanted: list[Request] = []
        self._replies: list[Frame] = []

    @property
    def tracks(self) -> Mapping[tuple[str, str], Track]:
        return {}

    def part(self, symbols: Sequence[str]) -> list[list[str]]:
        return portions(symbols, self.manners.symbols or max(1, len(symbols)))

    def endpoint(self, symbols: Sequence[str], channels: Sequence[str]) -> Endpoint:
        return Endpoint(url="wss://words", secrets={"token": "s3cr3t key"})

    def greet(self) -> list[Frame]:
        return ["let me in"]

    def subscribe(self, symbols: Sequence[str], channels: Sequence[str]) -> list[Frame]:
        return [
            f"{'+'.join(channels)} of {' '.join(part)}" for part in portions(symbols, self.manners.symbols_per_frame)
        ]

    def receive(self, frame: Frame, ts_known: int) -> list[Tick]:  # noqa: PLR0911  one for each word
        text = frame if isinstance(frame, str) else frame.decode()
        match text.split():
            case ["in"]:
                self.ready = True
                return [Told(what="authenticated")]
            case ["ok"]:
                return [Told(what="subscribed")]
            case ["ping"]:
                self._replies.append("pong")
                return [Told(what="heartbeat")]
            case ["gap", symbol]:
                return [Gap(symbol=symbol, channel="t", ts_event=ts_known, since=ts_known - NANOSECONDS, words="1, 3")]
            case ["refuse", name]:
                failure = Failure(failure_class=FailureClass(name), words=f"no: {name}")
                return [Told(what="refused", words=failure.words, failure=failure)]
            case ["want", url]:
                self._wanted.append(Request(url=url))
                return []
            case ["quote", symbol, bid, ask]:
                return [Quote(symbol=symbol, ts_event=ts_known, bid=float(bid), ask=float(ask))]
            case [symbol, price, size, *rest]:
                given = dict(zip(("trade_id", "conditions", "correction"), rest, strict=False))
                return [Trade(symbol=symbol, ts_event=ts_known, price=float(price), size=float(size), **given)]
        return [Told(what="unreadable", words=text)]

    def replies(self) -> list[Frame]:
        said, self._replies = self._replies, []
        return said

    def wanted(self) -> list[Request]:
        asked, self._wanted = self._wanted, []
        return asked

    def fetched(self, url: str, body: bytes, ts_known: int) -> list[Tick]:
        self.fetched_bodies.append((url, body))
        return [Told(what="book", words=url)]
