"""What is not as it should be, told to whoever watches: each trouble once, in its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from truetape.app.run import Platform

ASKED_AGAIN: Final = "It is asked again later; what is stored stays available."
WAITING: Final = "Make room on the disk; work waits, goes on by itself, and loses nothing."


class TroubleTeller:
    """Tell each trouble of a platform once, in its words, and again when they change."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: dict[str, str] = {}

    def look(self, platform: Platform) -> None:
        """Tell what is new: providers that failed, and disks that take nothing."""
        failures = platform.rooms.ingestion.tally.last_failure
        self._say({name: f"{name} failed: {words}. {ASKED_AGAIN}" for name, words in failures.items()})
        left_out = platform.rooms.ingestion.tally.left_out
        self._say({series: f"Nobody can be asked about {series}: {words}." for series, words in left_out.items()})
        self.look_at_disks(platform)

    def look_at_disks(self, platform: Platform) -> None:
        """Tell what is new of disks alone."""
        found = platform.waits() | platform.disk.begun
        self._say({f"{room} waits": f"{words} {WAITING}" for room, words in found.items()})

    def _say(self, troubles: dict[str, str]) -> None:
        for name, words in troubles.items():
            if words not in self._told.values():
                self._tell(words)
            self._told[name] = words
