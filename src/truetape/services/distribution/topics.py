"""In-process topics: who listens to what, and what happens to a listener that is too slow."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One message on a topic: a CloudEvents envelope as JSON, encoded once and shared by all who listen."""

    topic: str
    body: bytes


class Gap(msgspec.Struct, frozen=True):
    """The subscriber was too slow: `missed` events were dropped here. In JSON: `{"missed": n}`."""

    missed: int


class Subscription(AsyncIterator[Event | Gap]):
    """The events of one subscriber, oldest first, without end until it is closed.

    At most `capacity` events wait. When another comes the oldest is dropped, and the next thing that the subscriber
    gets is a `Gap` with the number of events dropped since the last one. A publisher never waits for a subscriber.
    """

    def __init__(self, topics: Topics, *, pattern: str, capacity: int) -> None:
        self._topics = topics
        self._pattern = _compiled(pattern)
        self._waiting: deque[Event] = deque()
        self._capacity = capacity
        self._missed = 0
        self._closed = False
        self._wake = asyncio.Event()

    def close(self) -> None:
        """Stop to listen; what waits can still be read."""
        self._closed = True
        self._topics._subscriptions.discard(self)  # noqa: SLF001
        self._wake.set()

    def offer(self, event: Event) -> None:
        """Take `event` if its topic is wanted."""
        if not self._pattern.fullmatch(event.topic):
            return
        if len(self._waiting) == self._capacity:
            self._waiting.popleft()
            self._missed += 1
        self._waiting.append(event)
        self._wake.set()

    async def __anext__(self) -> Event | Gap:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return Gap(missed)
        return self._waiting.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Topics:
    """Publish events to the subscribers of this process."""

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._subscriptions: set[Subscription] = set()

    def subscribe(self, pattern: str) -> Subscription:
        """Return the events from now on whose topic matches `pattern`; close it, or use it in a `with`, to leave.

        In a pattern `*` stands for one level and a last `**` for all levels below: `truetape/bars/*/ins_x`,
        `truetape/bars/**`.
        """
        subscription = Subscription(self, pattern=pattern, capacity=self._capacity)
        self._subscriptions.add(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        """Hand `event` to everyone who listens to its topic."""
        for subscription in tuple(self._subscriptions):
            subscription.offer(event)

    def close(self) -> None:
        """Let every subscriber read what waits, and end."""
        for subscription in tuple(self._subscriptions):
            subscription.close()


def _compiled(pattern: str) -> re.Pattern[str]:
    levels = pattern.split("/")
    last = levels.pop() if levels[-1] == "**" else None
    fixed = "/".join("[^/]+" if level == "*" else re.escape(level) for level in levels)
    return re.compile(fixed + ("/.+" if last else ""))
