"""A bus inside one process: for each group a few lanes, which the messages of one subject leave in order."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from truetape.domain.errors import BadInput, Transient, TruetapeError
from truetape.domain.messages import Message
from truetape.ports.clock import Clock

M = TypeVar("M", bound=Message)
Deliver = Callable[[Any], Awaitable[None]]

KEPT_DEAD: Final = 1000
CAPACITY_BYTES: Final = 128 << 20
LONGEST_BACKOFF_S: Final = 30.0


class DeadLetter(NamedTuple):
    """A message that a group could not handle, and the last error."""

    message: Message
    error: BaseException
    group: str
    attempts: int

    @property
    def expected(self) -> bool:
        """Whether the handler failed in a way that truetape knows; False points at a defect."""
        return isinstance(self.error, TruetapeError)


@dataclass(frozen=True)
class GroupStats:
    """What one group has done so far, and what still waits for it."""

    delivered: int
    retried: int
    buried: int
    waiting: int  # messages queued, the one in its handler not counted
    waiting_bytes: int  # that they carry
    blocked: int  # publishers that wait for room


@dataclass
class _Lane:
    queue: deque[tuple[Message, Deliver]] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    pump: asyncio.Task[None] | None = None


@dataclass
class _Group:
    name: str
    seats: asyncio.Semaphore
    lanes: tuple[_Lane, ...]
    handlers: dict[type[Message], Deliver] = field(default_factory=dict)
    lighter: asyncio.Event = field(default_factory=asyncio.Event)  # less waits than may
    held: int = 0  # bytes that wait
    delivered: int = 0
    retried: int = 0
    buried: int = 0
    blocked: int = 0

    def handler(self, kind: type[Message]) -> Deliver | None:
        """Return the handler of `kind`, or of the nearest kind above it."""
        return next((self.handlers[one] for one in kind.__mro__ if one in self.handlers), None)

    def lane(self, message: Message) -> _Lane:
        """Return the lane of the message's subject, always the same one."""
        return self.lanes[zlib.crc32(message.subject.encode()) % len(self.lanes)]

    def stats(self) -> GroupStats:
        return GroupStats(
            delivered=self.delivered,
            retried=self.retried,
            buried=self.buried,
            waiting=sum(len(lane.queue) for lane in self.lanes),
            waiting_bytes=self.held,
            blocked=self.blocked,
        )


class MemoryBus:
    """Carry messages between the rooms of one process.

    Each group has `lanes` that are handled side by side; messages of one subject share a lane, so with one lane a group
    hears everything in one order. While a message is tried again the later ones of its lane wait. Messages do not
    outlive the process: the journal does. Rooms must not publish in a circle, or full queues could wait for each other.

    `capacity` is the number of messages that may wait for one group, and `capacity_bytes` what they may carry together,
    the last one not counted; `attempts` counts the first try; the n-th repeat waits `backoff_s` x 2^(n-1) seconds, at
    most 30. `on_dead_letter` is called for each buried message.
    """

    def __init__(
        self,
        *,
        capacity: int = 1000,
        capacity_bytes: int = CAPACITY_BYTES,
        lanes: int = 1,
        attempts: int = 5,
        backoff_s: float = 0.05,
        clock: Clock | None = None,
        on_dead_letter: Callable[[DeadLetter], None] = lambda _: None,
    ) -> None:
        for name, number in (
            ("capacity", capacity),
            ("capacity_bytes", capacity_bytes),
            ("lanes", lanes),
            ("attempts", attempts),
        ):
            if number < 1:
                raise BadInput(parameter=name, value=number, fix="Give 1 or more.")
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._lanes = lanes
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._sleep = clock.sleep if clock else asyncio.sleep
        self._on_dead_letter = on_dead_letter
        self._groups: dict[str, _Group] = {}
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self.dead_letters: deque[DeadLetter] = deque(maxlen=KEPT_DEAD)  # the newest; `stats` counts all
        self.waits: dict[str, str] = {}  # by group: why its message is tried again, as long as it is

    def subscribe(self, kind: type[M], *, group: str, handler: Callable[[M], Awaitable[None]]) -> None:
        """Call `handler` for every message of `kind`, once for each `group`.

        Raises:
            ValueError: The group has a handler of `kind` already.
        """
        lanes = tuple(_Lane() for _ in range(self._lanes))
        new = _Group(name=group, seats=asyncio.Semaphore(self._capacity), lanes=lanes)
        found = self._groups.setdefault(group, new)
        if kind in found.handlers:
            raise ValueError(f"group {group} has a handler of {kind.__name__} already")
        found.handlers[kind] = handler

    async def publish(self, message: Message) -> None:
        """Hand over `message`; wait while a group that hears it has as much unread as it may.

        Raises:
            Transient: The bus was closed.
        """
        for group in list(self._groups.values()):
            if (handler := group.handler(type(message))) is not None:
                await self._take_seat(group)
                self._enqueue(group, message, handler)

    async def drain(self) -> None:
        """Return when no message waits or is handled, those published by handlers included."""
        while self._open:
            await self._idle.wait()

    async def close(self) -> None:
        """Stop delivering. Messages still waiting are forgotten, and publishers that wait are refused."""
        self._closed = True
        lanes = [lane for group in self._groups.values() for lane in group.lanes]
        pumps = [lane.pump for lane in lanes if lane.pump is not None]
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for lane in lanes:
            lane.queue.clear()
        for group in self._groups.values():
            group.seats.release()
            group.lighter.set()
        self._open = 0
        self._idle.set()

    def stats(self) -> dict[str, GroupStats]:
        """Return the counts of each group by its name."""
        return {name: group.stats() for name, group in self._groups.items()}

    async def _take_seat(self, group: _Group) -> None:
        group.blocked += 1
        try:
            await group.seats.acquire()
            await self._lighter(group)
        finally:
            group.blocked -= 1
        if self._closed:
            group.seats.release()  # the next one in the line is to see it too
            raise Transient("The bus was closed before it took the message; start again to have it told again.")

    async def _lighter(self, group: _Group) -> None:
        """Return when less waits than may; the seat is given back where the publisher stops waiting."""
        try:
            while group.held >= self._capacity_bytes and not self._closed:
                group.lighter.clear()
                await group.lighter.wait()
        except BaseException:
            group.seats.release()
            raise

    def _enqueue(self, group: _Group, message: Message, handler: Deliver) -> None:
        self._open += 1
        self._idle.clear()
        group.held += carried(message)
        lane = group.lane(message)
        lane.queue.append((message, handler))
        lane.arrived.set()
        if lane.pump is None:
            pump = self._deliver_all(group, lane)
            lane.pump = asyncio.get_running_loop().create_task(pump, name=f"bus:{group.name}")

    async def _deliver_all(self, group: _Group, lane: _Lane) -> None:
        while True:
            while not lane.queue:
                lane.arrived.clear()
                await lane.arrived.wait()
            message, handler = lane.queue.popleft()
            group.seats.release()
            group.held -= carried(message)
            if group.held < self._capacity_bytes:
                group.lighter.set()
            await self._deliver(group, message, handler)
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def _deliver(self, group: _Group, message: Message, handler: Deliver) -> None:
        for attempt in range(1, self._attempts + 1):
            error = await _outcome(handler, message)
            self.waits.pop(group.name, None)
            if error is None:
                group.delivered += 1
                return
            if not isinstance(error, Transient) or attempt == self._attempts:
                self._bury(group, DeadLetter(message=message, error=error, group=group.name, attempts=attempt))
                return
            group.retried += 1
            self.waits[group.name] = str(error)
            await self._sleep(min(self._backoff_s * 2 ** (attempt - 1), LONGEST_BACKOFF_S))

    def _bury(self, group: _Group, letter: DeadLetter) -> None:
        group.buried += 1
        self.dead_letters.append(letter)
        with contextlib.suppress(Exception):  # a room must live on even where its obituary fails
            self._on_dead_letter(letter)


def carried(message: Message) -> int:
    """Return how many bytes of frames `message` carries."""
    fields = (getattr(message, name) for name in message.__struct_fields__)
    return sum(len(value) for value in fields if isinstance(value, bytes))


async def _outcome(handler: Deliver, message: Message) -> BaseException | None:
    """Return what `handler` raised, or None. Only a cancellation of the pump itself goes through."""
    try:
        await handler(message)
    except asyncio.CancelledError as error:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return error
    except Exception as error:  # noqa: BLE001  any defect of a handler ends in the dead letters
        return error
    return None
