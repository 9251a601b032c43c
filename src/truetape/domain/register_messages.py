"""What rooms say to each other of lists that are fetched; domain.messages has the rest."""

from __future__ import annotations

from truetape.domain.messages import Message


class ListingsReviewed(Message, frozen=True, kw_only=True):
    """A provider's list of listings was compared with the one before it."""

    provider: str
    payload: str  # of the newer list
    ts_known: int
    counts: dict[str, int]  # events that are believed, by kind
    held: int  # events that are not
    words: str  # why not; "" where the list is believed
    simulated: bool = False

    @property
    def subject(self) -> str:
        return self.provider
