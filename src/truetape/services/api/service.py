"""The api room's place among the others: it hears nobody."""

from __future__ import annotations


class ApiService:
    """Answer from the store alone. Writes no table.

    What others tell is not needed: whether a kept answer still holds is asked when it is wanted, of the store itself,
    so that none is stale before a message has come, and none is forgotten for what it did not look at.
    """

    def subscribe(self) -> None:
        """Hear nobody."""
