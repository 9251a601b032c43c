"""How the commits of a store go: how many wait, since when, how long they take, and why they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from truetape.domain.errors import StoreUnavailable


class Commits:
    """The account of one store. Seconds are those of `now`, a clock that never steps back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._begun: dict[object, float] = {}
        self.done = 0
        self.failed = 0  # that the store could not write
        self.seconds = 0.0  # that all which were done took together
        self.last_s = 0.0  # that the last one took
        self.failure = ""  # why the last one failed, as long as none was done since

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one commit, which is made inside."""
        ticket, begun = object(), self._now()
        self._begun[ticket] = begun
        try:
            yield
        except StoreUnavailable as error:
            self.failed += 1
            self.failure = str(error)
            raise
        else:
            self.done += 1
            self.last_s = self._now() - begun
            self.seconds += self.last_s
            self.failure = ""
        finally:
            del self._begun[ticket]

    @property
    def waiting(self) -> int:
        """How many are under way."""
        return len(self._begun)

    def oldest_s(self) -> float:
        """Return how long the oldest one that is under way has waited; 0.0 where none is."""
        return max((self._now() - begun for begun in self._begun.values()), default=0.0)

    def trouble(self, *, slow_s: float) -> str:
        """Return why rows cannot be written as they should; "" where they can.

        Args:
            slow_s: Seconds that a commit may take.
        """
        if self.failure:
            return self.failure
        waited = self.oldest_s()
        if waited > slow_s:
            return f"A commit waits for {waited:.0f} s ({self.waiting} wait in all); {slow_s:g} s are the most."
        if self.last_s > slow_s:
            return f"The last commit took {self.last_s:.1f} s; {slow_s:g} s are the most."
        return ""
