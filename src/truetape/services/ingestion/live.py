"""Live streams: connections that are opened again, segments that are archived before anybody reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Final, Protocol, TypeVar

import structlog

from truetape.domain.failures import Failure, FailureClass
from truetape.domain.messages import StreamCaptured
from truetape.domain.plans import Budget
from truetape.domain.refusals import by_status
from truetape.domain.time import NANOSECONDS, iso
from truetape.ports.archive import Archive
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.provider import Provider
from truetape.ports.socket import Disconnected
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.connection import Connection, Outbox, Refused, Ways, first
from truetape.services.ingestion.segments import Segment
from truetape.services.ingestion.streams import Share, pause_s, shares, spelled, spoken_of

log = structlog.get_logger()
T = TypeVar("T")
LAST_WORDS_S: Final = 10.0  # for what was heard to be archived when we stop


class Durably(Protocol):
    """Do what may fail while a disk is full, until it is done."""

    def __call__(self, write: Callable[[], T]) -> Awaitable[T]:
        """Return what `write` returns."""
        ...


@dataclass
class StreamTally:
    """Running counts of one provider's streams since the process started."""

    open: int = 0  # connections now, those that are being opened too
    connected: int = 0  # how often one was open, and has ended
    frames: int = 0
    ticks: int = 0
    received_bytes: int = 0
    segments: int = 0
    gaps: int = 0
    troubles: dict[str, str] = field(default_factory=dict)  # by connection: why it is not open
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)  # symbols that are not heard, by the reason


@dataclass
class _Line:
    """One connection's place: what is heard there, whatever connection it is just now."""

    provider: str
    name: str
    share: Share
    known: dict[str, str]  # instrument ids by symbol
    outbox: Outbox
    heard_ns: int = 0  # 0: never
    words: str = "we had stopped to listen"
    connection: str = ""  # of the segments that are archived now
    number: int = 0


class Live:
    """Hear the streams of providers. What they send is archived and journalled before anybody hears of it."""

    def __init__(
        self,
        *,
        bus: Bus,
        archive: Archive,
        clock: Clock,
        ways: Ways | None,
        providers: Mapping[str, Provider],
        budgets: Mapping[str, Budget],
        config: IngestionConfig,
        durably: Durably,
    ) -> None:
        self._bus = bus
        self._archive = archive
        self._clock = clock
        self._ways = replace(ways, simulated=config.simulated) if ways else None
        self._providers = providers
        self._budgets = budgets
        self._config = config.streams
        self._durably = durably
        self._simulated = config.simulated
        self._random = Random(config.streams.seed)  # noqa: S311  it only spreads waits
        self.heard_until: dict[str, int] = {}  # when each provider was last heard by an earlier process
        self.tally: dict[str, StreamTally] = {}

    async def work(
        self,
        symbols: Mapping[str, str],
        *,
        assets: Mapping[str, str] = {},
        on_captured: Callable[[StreamCaptured], None],
    ) -> None:
        """Hear every stream that is wanted until cancelled, or until every provider has refused for good.

        Args:
            symbols: Ours, by instrument id: what is to be heard.
            assets: Asset classes by instrument id, where they are known.
            on_captured: Called with each segment when it is in the journal.
        """
        if self._ways is None:
            return
        lines = [line for name in self._config.channels for line in self._lines_of(name, symbols, assets)]
        async with asyncio.TaskGroup() as tasks:
            for line in lines:
                tasks.create_task(self._hear(line, on_captured))

    def _lines_of(self, name: str, symbols: Mapping[str, str], assets: Mapping[str, str]) -> list[_Line]:
        """Return the connections that a provider's stream takes; what cannot be heard is noted."""
        tally = self.tally.setdefault(name, StreamTally())
        provider = self._providers.get(name)
        if provider is None or provider.feed is None:
            tally.troubles[name] = "it has no stream, or is not enabled"
            return []
        classes = provider.declaration.assets
        ours = {one: symbol for one, symbol in symbols.items() if assets.get(one, classes[0]) in classes}
        try:
            kept = self._shares(provider, tally, [provider.spell(symbol) for symbol in ours.values()])
            known = spelled((one, provider.spell(symbol)) for one, symbol in ours.items())
        except Exception as error:
            log.exception("ingestion.stream_defect", provider=name)
            tally.troubles[name] = _defect(name, error)
            return []
        left = tuple(sorted(symbol for one, symbol in symbols.items() if one not in ours))
        if left:
            tally.left_out["it has only " + " and ".join(classes)] = left
        for reason, ones in tally.left_out.items():
            log.warning("ingestion.stream_left_out", provider=name, symbols=ones, reason=reason)
        since, most = self.heard_until.get(name, 0), self._config.segments_waiting
        return [
            _Line(name, f"{name} {number}", share, known, Outbox(most=most), since) for number, share in enumerate(kept)
        ]

    def _shares(self, provider: Provider, tally: StreamTally, wanted: list[str]) -> list[Share]:
        """Return what each connection listens to, within the plan."""
        assert provider.feed is not None
        feed, channels = provider.feed(), self._config.channels[provider.declaration.name]
        parts = [Share(_place(feed.endpoint(one, channels).url), tuple(one)) for one in feed.part(sorted({*wanted}))]
        budget = self._budgets.get(provider.declaration.name)
        most = budget.plan.streams if budget else None
        kept, tally.left_out = shares(parts, streams=most, stream_symbols=budget.plan.stream_symbols if budget else 0)
        return kept

    async def _hear(self, line: _Line, on_captured: Callable[[StreamCaptured], None]) -> None:
        writer = asyncio.create_task(self._keep_all(line, on_captured))
        hearing = asyncio.create_task(self._connect_for_ever(line))
        try:
            await asyncio.wait({writer, hearing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (writer, hearing):
                if task.done():
                    task.result()
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            line.outbox.close()
            await first(_ended(writer), self._clock, LAST_WORDS_S)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _connect_for_ever(self, line: _Line) -> None:
        """Connect, and again after each end, until the provider refuses for good."""
        tally, attempt = self.tally[line.provider], 0
        while True:
            connection = self._connection(line)
            try:
                tally.open += 1
                failure, words = await _outcome(connection, line.provider)
            finally:
                tally.open -= 1
                tally.connected += connection.since_ns > 0
            now = self._clock.now_ns()
            lasted = connection.since_ns and now - connection.since_ns >= self._config.steady_s * NANOSECONDS
            attempt = 1 if lasted else attempt + 1
            line.heard_ns, line.words = connection.heard_ns, words
            wait = pause_s(failure, attempt=attempt, draw=self._random.random(), config=self._config)
            again = "it is not tried again" if wait is None else f"again at {iso(now + int(wait) * NANOSECONDS)}"
            tally.troubles[line.name] = f"{words}; {again}"
            log.warning("ingestion.stream_ended", provider=line.provider, reason=words, wait_s=wait)
            if wait is None:
                return
            await self._clock.sleep(wait)

    def _connection(self, line: _Line) -> Connection:
        provider = self._providers[line.provider]
        assert provider.feed is not None
        assert self._ways is not None
        return Connection(
            provider.feed(),
            line.share.symbols,
            channels=self._config.channels[line.provider],
            clock=self._clock,
            ways=self._ways,
            outbox=line.outbox,
            config=self._config,
            silence=(line.heard_ns, line.words),
        )

    async def _keep_all(self, line: _Line, on_captured: Callable[[StreamCaptured], None]) -> None:
        """Archive, journal and tell segments in their order until the box is closed and empty."""
        while (segment := await line.outbox.first()) is not None:
            key = await self._durably(partial(self._archive.put, b"".join(segment.lines)))
            captured = self._captured(line, segment, key)
            await self._durably(partial(self._archive.record, captured))
            self._count(line, segment)
            on_captured(captured)
            await self._bus.publish(captured)
            line.outbox.done()

    def _captured(self, line: _Line, segment: Segment, key: str) -> StreamCaptured:
        if not line.connection:
            line.connection = f"{line.name} {segment.since_ns}"
        captured = StreamCaptured(
            provider=line.provider,
            connection=line.connection,
            number=line.number,
            key=key,
            ts_known=segment.closed_ns,
            frames=segment.frames,
            channels=self._config.channels[line.provider],
            instruments=spoken_of(line.share.symbols if segment.about_all else segment.symbols, line.known),
            gaps=tuple(segment.gaps),
            ended=segment.ended,
            simulated=self._simulated,
        )
        line.connection, line.number = ("", 0) if segment.ended else (line.connection, line.number + 1)
        return captured

    def _count(self, line: _Line, segment: Segment) -> None:
        tally = self.tally[line.provider]
        tally.frames += segment.frames
        tally.ticks += segment.ticks
        tally.received_bytes += segment.size
        tally.gaps += len(segment.gaps)
        tally.segments += 1
        if segment.frames and not segment.ended:
            tally.troubles.pop(line.name, None)


async def _outcome(connection: Connection, name: str) -> tuple[Failure | None, str]:
    """Return what the provider said when the connection ended, if it did, and why it ended."""
    try:
        await connection.run()
    except Refused as error:
        return error.failure, error.failure.words
    except Disconnected as error:
        return (by_status(error.answer) if error.answer else None), error.reason
    except Exception as error:  # one provider's mistake must not stop the others
        log.exception("ingestion.stream_defect", provider=name)
        return Failure(failure_class=FailureClass.PERMANENT, words=_defect(name, error)), _defect(name, error)
    raise AssertionError("a connection never just returns")  # pragma: no cover


def _defect(name: str, error: Exception) -> str:
    return f"the code that hears {name} failed with {type(error).__name__}; report it to its maintainer"


async def _ended(task: asyncio.Task[None]) -> None:
    await asyncio.wait({task})


def _place(url: str) -> str:
    return url.partition("?")[0]
