"""What time it is, and waiting for a later one."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tell the time. Rooms never ask the system themselves, so that tests and replays can set it."""

    def now_ns(self) -> int:
        """Return the present as UTC nanoseconds since 1970; never earlier than an answer before."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed on this clock."""
        ...
