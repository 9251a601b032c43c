"""What was written to a store since, so that what was read of it may be known to be still the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from truetape.domain.subjects import Subject


@runtime_checkable
class Changes(Protocol):
    """Know what has not changed.

    Guarantee, held by tests/contracts/test_watched_store.py: when `unchanged` is True, whatever the store returned of
    the subjects at its version `since` it returns at its present version too.
    """

    @property
    def is_alone(self) -> bool:
        """Whether nobody else writes, so that what a read returns now is of the version that the store tells."""
        ...

    def unchanged(self, subjects: Collection[Subject], *, since: int) -> bool:
        """Return whether no commit after version `since` changed rows of `subjects`; False where it is not known."""
        ...
