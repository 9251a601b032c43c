"""One connection to a provider's stream, from its opening to its end: what is said, heard, and handed on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from truetape.domain.asks import Request
from truetape.domain.errors import TruetapeError
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.ticks import Gap, Tick, Told
from truetape.domain.time import NANOSECONDS
from truetape.ports.clock import Clock
from truetape.ports.feed import Feed
from truetape.ports.http import Http, Unreachable
from truetape.ports.socket import Disconnected, Socket, Sockets
from truetape.services.ingestion.segments import Segment
from truetape.services.ingestion.streams import StreamsConfig, refusal

log = structlog.get_logger()
SANDBOX: Final = "the host is a sandbox and sends simulated data; set simulated = true, or name the live host"
FETCHES: Final = 4  # tries of one request that a feed wants answered
FETCH_PAUSE_S: Final = 5.0
SETTLED_S: Final = 5.0  # after which everything that was asked for is heard, even where nothing was traded


@dataclass(frozen=True)
class Ways:
    """How a provider is reached: over sockets, and over HTTP for what a stream alone does not tell."""

    sockets: Sockets
    http: Http | None = None
    simulated: bool = False  # a sandbox may be heard


class Outbox:
    """Segments on their way to the archive, oldest first. It takes each one, and says when there are too many."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._segments: deque[Segment] = deque()
        self._arrived = asyncio.Event()
        self.roomy = asyncio.Event()
        self.roomy.set()
        self._closed = False

    def put(self, segment: Segment) -> None:
        """Take `segment`."""
        self._segments.append(segment)
        self._arrived.set()
        if len(self._segments) > self._most:
            self.roomy.clear()

    async def first(self) -> Segment | None:
        """Return the oldest segment, which stays until `done`; None when the box is closed and empty."""
        while not self._segments:
            if self._closed:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._segments[0]

    def done(self) -> None:
        """Let the oldest segment go: it is archived and told."""
        self._segments.popleft()
        if len(self._segments) <= self._most:
            self.roomy.set()

    def close(self) -> None:
        """Take no more."""
        self._closed = True
        self._arrived.set()


class Refused(Exception):
    """The provider has ended the talk, and said why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class Connection:
    """A connection that is opened once, heard until it ends, and never opened again."""

    def __init__(
        self,
        feed: Feed,
        symbols: Sequence[str],
        *,
        channels: tuple[str, ...],
        clock: Clock,
        ways: Ways,
        outbox: Outbox,
        config: StreamsConfig,
        silence: tuple[int, str] = (0, ""),
    ) -> None:
        """Prepare to listen.

        Args:
            feed: A new one.
            symbols: In the provider's spelling.
            channels: Record kinds.
            clock: Whose times the frames get.
            ways: Opens the connection, and asks for what the feed wants to know besides.
            outbox: Where segments go.
            config: Patience.
            silence: When the connection before this one was last heard (0: never), and why it ended.
        """
        self._feed = feed
        self._symbols = symbols
        self._channels = channels
        self._clock = clock
        self._ways = ways
        self._outbox = outbox
        self._config = config
        self._silence = silence
        self._segment = Segment(clock.now_ns())
        self._let_in = asyncio.Event()
        self._asked_ns = 0  # when everything was asked for
        self._joined = False  # everything is heard since: the silence before is over
        self._fetches: set[asyncio.Task[None]] = set()
        self.since_ns = 0  # when it was opened; 0 before
        self._heard_ns = 0  # when the last frame came

    @property
    def heard_ns(self) -> int:
        """When everything was last heard; 0: never."""
        return self._heard_ns if self._joined else self._silence[0]

    async def run(self) -> None:
        """Listen until the connection ends.

        Raises:
            Disconnected: It ended by itself, was mute, or brought more than could be kept.
            Refused: The provider will not let us listen, or we will not listen to a sandbox.
        """
        feed = self._feed
        endpoint = feed.endpoint(self._symbols, self._channels)
        silent_s, most = feed.manners.silent_s, feed.manners.max_frame_bytes
        socket = await self._ways.sockets.connect(endpoint, silent_s=silent_s, max_frame_bytes=most)
        if socket.simulated and not self._ways.simulated:
            await socket.close()
            raise Refused(Failure(failure_class=FailureClass.PERMANENT, words=SANDBOX))
        self.since_ns = self._clock.now_ns()
        self._segment = Segment(self.since_ns)
        self._segment.open(endpoint.url, self.since_ns)
        work = (self._read(socket), self._talk(socket), self._keep_time())
        tasks = [asyncio.create_task(one) for one in work]
        words = "we stopped to listen"
        try:
            await _any_failure(tasks)
        except (Disconnected, Refused) as error:
            words = str(error)
            raise
        finally:
            await _cancel([*tasks, *self._fetches])
            self._segment.ended = words
            self._cut()
            await socket.close()

    async def _read(self, socket: Socket) -> None:
        feed, clock, config = self._feed, self._clock, self._config
        while True:
            frame = await socket.receive()
            now = self._heard_ns = clock.now_ns()
            ticks = feed.receive(frame, now)
            told = self._segment.hear(frame, now, ticks)
            self._note(told, ticks, now)
            if feed.ready and not self._let_in.is_set():
                self._let_in.set()
            for reply in feed.replies():
                await socket.send(reply)
            self._fetch(feed.wanted())
            if self._segment.size >= config.segment_bytes:
                self._cut()
                await self._hold_back()

    def _note(self, told: list[Told], ticks: Sequence[Tick], now: int) -> None:
        """Note the end of the silence before, with the first news after everything was asked for; or of the talk.

        Raises:
            Refused: The provider ends it.
        """
        for one in told:
            failure = refusal(one)
            if failure is not None:
                raise Refused(failure)
            if one.what in ("refused", "unreadable"):
                log.warning("ingestion.stream_said", what=one.what, words=one.words)
        if self._asked_ns and not self._joined:
            news = len(ticks) > len(told) or any(one.what == "subscribed" for one in told)
            if news:
                self._join(now)

    def _join(self, now: int) -> None:
        since, words = self._silence
        self._joined = True
        said = f"no connection: {words}" if since else "nothing was heard before"
        self._segment.gap(Gap(symbol="", channel="connection", ts_event=now, since=since, words=said))

    async def _talk(self, socket: Socket) -> None:
        """Greet, ask for everything at the pace that is allowed, and go on to say what the provider wants to hear."""
        feed, clock = self._feed, self._clock
        for frame in feed.greet():
            await socket.send(frame)
        if not feed.ready and not await first(self._let_in.wait(), clock, self._config.ready_s):
            raise Disconnected(f"the provider did not let us in within {self._config.ready_s:g} s")
        for number, frame in enumerate(feed.subscribe(self._symbols, self._channels)):
            if number:
                await clock.sleep(1 / feed.manners.frames_per_second)
            await socket.send(frame)
        self._asked_ns = clock.now_ns()
        while feed.manners.ping and feed.manners.ping_s:
            await clock.sleep(feed.manners.ping_s)
            await socket.send(feed.manners.ping)

    async def _keep_time(self) -> None:
        """Hand on what was heard, however little, after a short time; and say now and then that nothing was."""
        config, clock = self._config, self._clock
        while True:
            await clock.sleep(config.segment_s)
            if self._asked_ns and not self._joined and clock.now_ns() - self._asked_ns >= SETTLED_S * NANOSECONDS:
                self._join(clock.now_ns())
            quiet_ns = clock.now_ns() - self._segment.since_ns
            if self._segment.lines or self._segment.gaps or quiet_ns >= config.quiet_s * NANOSECONDS:
                self._cut()
                await self._hold_back()

    def _cut(self) -> None:
        now = self._clock.now_ns()
        done, self._segment = self._segment, Segment(now)
        done.closed_ns = now
        self._outbox.put(done)

    async def _hold_back(self) -> None:
        """Wait while more waits for the archive than may.

        Raises:
            Disconnected: It took too long. Everything that was heard is kept; what comes after it is a gap.
        """
        if self._outbox.roomy.is_set():
            return
        if not await first(self._outbox.roomy.wait(), self._clock, self._config.patience_s):
            raise Disconnected(f"news came faster than they were kept for {self._config.patience_s:g} s")

    def _fetch(self, requests: list[Request]) -> None:
        for request in requests if self._ways.http is not None else ():
            task = asyncio.create_task(self._ask(request))
            self._fetches.add(task)
            task.add_done_callback(self._fetches.discard)

    async def _ask(self, request: Request) -> None:
        """Ask for what the feed wants to know besides, a few times; it keeps its own books without it, too."""
        assert self._ways.http is not None
        for _ in range(FETCHES):
            try:
                answer = await self._ways.http.send(request)
            except (Unreachable, TruetapeError) as error:
                log.warning("ingestion.stream_unanswered", reason=str(error))
                await self._clock.sleep(FETCH_PAUSE_S)
                continue
            now = self._clock.now_ns()
            ticks = self._feed.fetched(answer.url, answer.body, now)
            self._segment.answer(answer.url, answer.body, now, ticks)
            self._fetch(self._feed.wanted())
            return


async def first(waiting: Coroutine[None, None, object], clock: Clock, seconds: float) -> bool:
    """Return whether `waiting` was over before `seconds` had passed."""
    tasks = [asyncio.create_task(waiting), asyncio.create_task(clock.sleep(seconds))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].done()
    finally:
        await _cancel(tasks)


async def _any_failure(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until a task raises, and raise that."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()


async def _cancel(tasks: Sequence[asyncio.Task[object]] | list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
