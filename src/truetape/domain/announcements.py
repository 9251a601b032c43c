"""The life of an announced corporate action: what may be said about it when, and what it comes to.

A statement says something about one action: that it is announced, that its terms are final (confirmed), that it has
taken effect, that a term is another (amended), that the issuer calls it off (cancelled), or that it never was and the
statement before was a mistake (withdrawn). What several statements of one source come to depends on the statements
alone, never on the order in which they arrive: they count in the order in which they became known.

An action takes effect on its date without another word, but for those that somebody may still stop (CONDITIONAL): they
take effect once they are confirmed. What has taken effect can be corrected, but its date cannot be moved into the
future. Cancelled or withdrawn after that, it is *taken back*: from then on it is known never to have happened, and what
was known before stays so for whoever asks as of then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from truetape.domain.announced_terms import entitlement
from truetape.domain.distributions import CASH, SHARES
from truetape.domain.errors import BadInput
from truetape.domain.time import to_datetime

STATUSES: Final = ("announced", "confirmed", "effective", "cancelled", "withdrawn")
SAID: Final = ("announced", "confirmed", "effective", "amended", "cancelled", "withdrawn")
ENDED: Final = ("cancelled", "withdrawn")
CONDITIONAL: Final = ("merger", "redemption", "worthless", "rights")  # that take effect only when they are confirmed
REFUSALS: Final = {
    "unknown": "nobody has announced it before",
    "over": "it was cancelled or withdrawn, so nothing of it can be amended; announce it again",
    "backwards": "its terms are final already; amend them",
    "identity": "an amendment cannot make another action of it; withdraw it, and announce the other one",
    "happened": "it has taken effect, so its date cannot be moved to a later day; cancel it if it was stopped",
    "incomplete": "terms that its type needs are missing",
    "nothing": "an amendment says what is another now",
}
_FIRST: Final = {one: one for one in ("announced", "confirmed", "effective")}
_NEXT: Final[dict[str, dict[str, str]]] = {  # by status and what is said: the status after it
    "": _FIRST,
    "announced": {**_FIRST, "amended": "announced", "cancelled": "cancelled", "withdrawn": "withdrawn"},
    "confirmed": {
        **{one: one for one in ("confirmed", "effective", *ENDED)},
        "amended": "confirmed",
    },
    "effective": {
        **dict.fromkeys(("confirmed", "effective", "amended"), "effective"),
        **{one: one for one in ENDED},
    },
    "cancelled": {"announced": "announced", "confirmed": "confirmed", **{one: one for one in ENDED}},
    "withdrawn": {**_FIRST, "withdrawn": "withdrawn"},
}


@dataclass(frozen=True)
class Statement:
    """What one source said about one action; `fields` are texts by the names of announced_terms.FIELDS, if told."""

    statement_id: str
    announcement_id: str
    instrument_id: str
    source: str
    said: str  # of SAID
    fields: Mapping[str, str]
    ts_known: int  # UTC nanoseconds

    @property
    def day(self) -> date:
        """The UTC date on which it became known."""
        return to_datetime(self.ts_known).date()


@dataclass(frozen=True)
class Life:
    """What the statements of one source about one action come to.

    `days` are all effective dates that it was ever told for, ascending; `taken_back` says that it had taken effect when
    it was cancelled or withdrawn; `refused` names the statements that changed nothing, each with a key of REFUSALS.
    """

    announcement_id: str
    instrument_id: str
    source: str
    first_known: int
    status: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    days: tuple[date, ...] = ()
    taken_back: bool = False
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def effective_date(self) -> date | None:
        """The ex-date, or the day on which it takes effect; None: it is not known yet."""
        return date_of(self.fields, "effective_date")


def life(statements: Iterable[Statement]) -> Life:
    """Return what `statements` of one source about one action come to, whatever their order; at least one."""
    ordered = sorted(
        {one.statement_id: one for one in statements}.values(), key=lambda one: (one.ts_known, one.statement_id)
    )
    first = ordered[0]
    now = Life(first.announcement_id, first.instrument_id, first.source, first.ts_known)
    for one in ordered:
        now = after(now, one)
    return now


def after(before: Life, statement: Statement) -> Life:
    """Return what `before` has become by `statement`, which is refused if it is not legal."""
    reason = refusal(before, statement)
    if reason:
        return replace(before, refused=(*before.refused, (statement.statement_id, reason)))
    was = status_on(before.status, before.fields, statement.day)
    fields = _fields(before, statement)
    day = date_of(fields, "effective_date")
    days = before.days if day is None else tuple(sorted({*before.days, day}))
    status = _NEXT[was][statement.said]
    taken_back = status in ENDED and (was == "effective" or before.taken_back)
    return replace(before, status=status, fields=fields, days=days, taken_back=taken_back)


def refusal(before: Life, statement: Statement) -> str:
    """Return why `statement` cannot change `before`: a key of REFUSALS; "" if it can."""
    status = status_on(before.status, before.fields, statement.day)
    if statement.said not in _NEXT[status]:
        return "unknown" if not status else "over" if status in ENDED else "backwards"
    if statement.said == "amended" and not statement.fields:
        return "nothing"
    fields = _fields(before, statement)
    if status and status != "withdrawn" and not _is_kin(before.fields.get("type", ""), fields.get("type", "")):
        return "identity"
    day = date_of(fields, "effective_date")
    if status == "effective" and statement.said not in ENDED and (day is None or day > statement.day):
        return "happened"
    if not fields.get("type") or (statement.said in ("confirmed", "effective") and not is_whole(fields)):
        return "incomplete"
    return ""


def status_on(status: str, fields: Mapping[str, str], day: date) -> str:
    """Return the status on `day` of an action that was last told to have `status`: by its date it may be effective."""
    due = date_of(fields, "effective_date")
    waits = status == "announced" and fields.get("type") in CONDITIONAL
    if status in ("announced", "confirmed") and not waits and due is not None and due <= day:
        return "effective"
    return status


def is_whole(fields: Mapping[str, str]) -> bool:
    """Return whether `fields` say all that holdings need: the type, its date, and the terms that the type needs."""
    try:
        entitlement("", fields)
    except BadInput:
        return False
    return True


def date_of(fields: Mapping[str, str], name: str) -> date | None:
    """Return the date that a field holds; None where there is none."""
    text = fields.get(name, "")
    return date.fromisoformat(text) if text else None


def _fields(before: Life, statement: Statement) -> dict[str, str]:
    """Return the fields after `statement`; what is told again after it was withdrawn begins anew."""
    anew = before.status == "withdrawn" and statement.said not in ENDED
    return {**({} if anew else before.fields), **statement.fields}


def _is_kin(one: str, other: str) -> bool:
    """Return whether an amendment may turn one type into the other: cash into other cash, shares into other shares."""
    return one == other or any(one in family and other in family for family in (CASH, SHARES))
