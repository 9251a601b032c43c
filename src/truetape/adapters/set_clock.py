"""A clock that stands still until somebody sleeps or sets it: for tests and rehearsals."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from truetape.domain.errors import BadInput
from truetape.domain.time import NANOSECONDS, iso

_TURNS = 3  # of the event loop, so that tasks started together sleep together


class SetClock:
    """Tell a time that is set by hand, and that jumps to the end of each sleep instead of waiting for it.

    Of several sleepers the one that is due first wakes first, so that hours of waiting pass in order and in no time.
    """

    def __init__(self, start_ns: int) -> None:
        self._now = start_ns
        self._due: list[tuple[int, int]] = []
        self._numbers = count()

    def now_ns(self) -> int:
        """Return the present as UTC nanoseconds since 1970."""
        return self._now

    def set(self, now_ns: int) -> None:
        """Make `now_ns` the present.

        Raises:
            BadInput: `now_ns` lies before the present.
        """
        if now_ns < self._now:
            raise BadInput(parameter="now_ns", value=now_ns, fix=f"Give {self._now} ({iso(self._now)}) or later.")
        self._now = now_ns

    def advance(self, seconds: float) -> None:
        """Move the present forward by `seconds`."""
        self.set(self._now + round(seconds * NANOSECONDS))

    async def sleep(self, seconds: float) -> None:
        """Return when the clock shows `seconds` later; nobody waits for it."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        mine = (self._now + round(seconds * NANOSECONDS), next(self._numbers))
        heapq.heappush(self._due, mine)
        try:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            while self._due[0] != mine:  # noqa: ASYNC110  the sleepers before this one need only turns
                await asyncio.sleep(0)
            self._now = max(self._now, mine[0])
        finally:
            self._due.remove(mine)
            heapq.heapify(self._due)
