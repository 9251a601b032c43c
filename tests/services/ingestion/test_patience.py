"""When to ask again."""

from __future__ import annotations

import pytest

from pipeline_doubles import refuse
from truetape.domain.failures import FailureClass
from truetape.services.ingestion.patience import wait_s

PATIENCE = {"attempts": 5, "backoff_s": 0.5, "longest_s": 60.0}
HOPELESS = set(FailureClass) - {FailureClass.THROTTLED, FailureClass.TRANSIENT}


@pytest.mark.parametrize("failure_class", sorted(HOPELESS))
def test_asking_again_cannot_help(failure_class: FailureClass) -> None:
    """Not even if the provider names a time to wait."""
    assert wait_s(refuse(failure_class), attempt=1, **PATIENCE) is None  # type: ignore[arg-type]
    assert wait_s(refuse(failure_class, retry_after_s=1), attempt=1, **PATIENCE) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("failure_class", [FailureClass.THROTTLED, FailureClass.TRANSIENT])
def test_waits_double_until_the_attempts_are_used_up(failure_class: FailureClass) -> None:
    """Five attempts have four waits between them."""
    waits = [wait_s(refuse(failure_class), attempt=attempt, **PATIENCE) for attempt in range(1, 6)]  # type: ignore[arg-type]

    assert waits == [0.5, 1.0, 2.0, 4.0, None]


@pytest.mark.parametrize(
    ("retry_after_s", "expected"), [(0.0, 0.0), (7.0, 7.0), (60.0, 60.0), (60.1, None), (86_400.0, None)]
)
def test_the_providers_own_time_wins(retry_after_s: float, expected: float | None) -> None:
    """Unless it asks for more than the longest wait: then it is given up for this round."""
    failure = refuse(FailureClass.THROTTLED, retry_after_s=retry_after_s)

    assert wait_s(failure, attempt=3, attempts=5, backoff_s=0.5, longest_s=60.0) == expected


def test_no_wait_is_longer_than_the_longest() -> None:
    """The back-off stops growing."""
    failure = refuse(FailureClass.TRANSIENT)

    assert wait_s(failure, attempt=20, attempts=99, backoff_s=0.5, longest_s=60.0) == 60.0
