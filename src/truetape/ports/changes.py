"""What was written to a store since, so that what was read of it may be known to be still the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from truetape.domain.subjects import Subject


@runtime_checkable
class Changes(Protocol):
    """Know what has not changed.

    Guarantee, held by tests/contracts/test_watched_store.py: when the answer is True, everything read of the subjects
    after `since` was the version of the store is what a read returns now.
    """

    def unchanged(self, subjects: Collection[Subject], *, since: int) -> bool:
        """Return whether no commit after version `since` changed rows of `subjects`; False where it is not known."""
        ...
