"""What rooms say to each other of announced corporate actions; domain.messages has the rest."""

from __future__ import annotations

import msgspec

from truetape.domain.messages import Message


class ActionStated(Message, frozen=True, kw_only=True):
    """Somebody said something about a corporate action, chose an option of it, or decided about a proposal of one."""

    statement_id: str
    announcement_id: str  # of a proposal that is rejected: the proposal's
    instrument_id: str
    said: str  # of announcements.SAID, or elected, accepted, rejected
    fields: dict[str, str]  # by the names of announced_terms.FIELDS; of an election: account and option
    actor: str
    why: str
    ts_known: int
    simulated: bool = False


class ActionTold(msgspec.Struct, frozen=True, kw_only=True):
    """An announcement as it stands now."""

    announcement_id: str
    change: str  # new, changed, or gone: it is part of another one since
    status: str
    fields: dict[str, str]
    sources: tuple[str, ...] = ()
    dissented: tuple[str, ...] = ()


class AnnouncementsChanged(Message, frozen=True, kw_only=True):
    """Announcements of corporate actions about an instrument are new, or others than before."""

    instrument_id: str
    ts_known: int
    announcements: tuple[ActionTold, ...]
    simulated: bool = False
