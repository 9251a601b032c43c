"""The circuit breaker: a provider that fails again and again is left alone, then tried with one question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from truetape.domain.failures import Failure, FailureClass
from truetape.domain.time import NANOSECONDS

AT_ONCE: Final = frozenset({FailureClass.AUTH, FailureClass.BLOCKED, FailureClass.CONFLICT})
COUNTED: Final = AT_ONCE | {FailureClass.TRANSIENT}


class BreakerRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens, and for how long."""

    failures: int = 10  # in a row, of the kind that may pass
    rest_s: float = 60.0  # the first rest; it doubles each time the probe fails
    longest_s: float = 3600.0  # the longest rest, and the first one after a ban, a bad key or a second session


@dataclass
class Breaker:
    """One provider's, for one record kind and host.

    Closed, every question passes. Open, none does until the rest is over; then one passes as a probe, and its outcome
    closes the breaker or opens it for twice as long.
    """

    rules: BreakerRules
    failures: int = 0
    open_until_ns: int = 0
    rests: int = 0  # one after another, without a success between them
    probing: bool = False
    words: str = ""  # of the failure that opened it
    probes: int = 0

    def admits(self, now_ns: int) -> bool:
        """Return whether a question may pass now; if it is the probe, no other may until its outcome is noted."""
        if not self.rests:
            return True
        if self.probing or now_ns < self.open_until_ns:
            return False
        self.probing = True
        self.probes += 1
        return True

    def note(self, failure: Failure | None, now_ns: int) -> None:
        """Note how a question that had passed ended: None for an answer with data.

        What says nothing about the provider's health (an unknown symbol, a spent quota) neither opens nor closes it; it
        does end a probe well, since the provider answered.
        """
        if failure is None or failure.failure_class not in COUNTED:
            if failure is None or self.probing:
                self.failures = self.rests = 0
            self.probing = False
            return
        self.failures += 1
        at_once = failure.failure_class in AT_ONCE
        if at_once or self.probing or (not self.rests and self.failures >= self.rules.failures):
            rest = self.rules.longest_s if at_once else min(self.rules.longest_s, self.rules.rest_s * 2**self.rests)
            self.rests += 1
            self.open_until_ns = now_ns + int(rest * NANOSECONDS)
            self.words = failure.words
        self.probing = False

    def release(self) -> None:
        """Forget a probe that was never sent."""
        self.probing = False
