"""The account of a store's commits, by a clock that the test sets."""

from __future__ import annotations

import pytest

from truetape.domain.commits import Commits
from truetape.domain.errors import StoreUnavailable


class Clock:
    """Seconds that stand still until they are set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_waits_and_how_long_it_took() -> None:
    """Two begin at 0 and at 3 seconds and end at 5: eight seconds in all, the oldest waited five."""
    clock = Clock()
    commits = Commits(clock)
    with commits.one():
        clock.now = 3.0
        with commits.one():
            clock.now = 5.0
            assert (2, 5.0) == (commits.waiting, commits.oldest_s())
        assert (1, 2.0) == (commits.waiting, commits.last_s)

    assert (0, 0.0) == (commits.waiting, commits.oldest_s())
    assert (2, 0, 7.0, 5.0) == (commits.done, commits.failed, commits.seconds, commits.last_s)


def test_a_failure_stands_until_something_is_written() -> None:
    """Its words are the trouble; what was wrong with the rows is none of the store's."""
    commits = Commits(Clock())
    with pytest.raises(StoreUnavailable), commits.one():
        raise StoreUnavailable(path="there", reason="no space left on device")
    full = commits.trouble(slow_s=10.0)
    with pytest.raises(ValueError, match="odd"), commits.one():
        raise ValueError("odd rows")
    still = commits.trouble(slow_s=10.0)
    with commits.one():
        pass

    assert full == still == "The store at there could not be used: no space left on device."
    assert (1, 1, "") == (commits.done, commits.failed, commits.trouble(slow_s=10.0))


def test_a_slow_commit_is_trouble_while_it_waits_and_until_a_quick_one() -> None:
    """Eleven seconds where ten are the most; one of nine is none."""
    clock = Clock()
    commits = Commits(clock)
    with commits.one():
        clock.now = 9.0
        assert commits.trouble(slow_s=10.0) == ""
        clock.now = 11.0
        assert commits.trouble(slow_s=10.0) == "A commit waits for 11 s (1 wait in all); 10 s are the most."
    assert commits.trouble(slow_s=10.0) == "The last commit took 11.0 s; 10 s are the most."
    with commits.one():
        clock.now = 20.0
    assert commits.trouble(slow_s=10.0) == ""
