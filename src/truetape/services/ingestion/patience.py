"""When to ask a provider again after it failed."""

from __future__ import annotations

from truetape.domain.failures import REPEATABLE, Failure


def wait_s(failure: Failure, *, attempt: int, attempts: int, backoff_s: float, longest_s: float) -> float | None:
    """Return the seconds to wait before the next attempt, or None if asking again cannot help.

    A provider's own Retry-After wins over the exponential back-off, unless it is longer than `longest_s`: then the
    provider is given up for this round.

    Args:
        failure: Why attempt number `attempt` (from 1) failed.
        attempt: The attempts made so far.
        attempts: The most attempts allowed.
        backoff_s: The wait after the first attempt; it doubles with each further one.
        longest_s: The longest wait.
    """
    if failure.failure_class not in REPEATABLE or attempt >= attempts:
        return None
    if failure.retry_after_s is not None:
        return failure.retry_after_s if failure.retry_after_s <= longest_s else None
    return float(min(longest_s, backoff_s * 2 ** (attempt - 1)))
