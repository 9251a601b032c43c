"""The machine's own clock, kept from going backwards."""

from __future__ import annotations

import asyncio
import threading
import time


class SystemClock:
    """Tell the system's time; where that is set back, the last answer stands until it is passed again."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def now_ns(self) -> int:
        """Return the present as UTC nanoseconds since 1970; never earlier than an answer before."""
        with self._lock:
            self._last = max(self._last, time.time_ns())
            return self._last

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once if they are not positive."""
        await asyncio.sleep(max(seconds, 0.0))
