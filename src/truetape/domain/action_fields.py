"""One corporate action of what many sources say: field by field, with who said so, who did not, and why.

Each field has the value for which the most weight speaks; what the operator says outweighs all providers. A source that
tells only plain names (dividend, split, delisting) does not contradict one that tells the finer type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final

import msgspec

from truetape.domain.action_matching import Group, family, new_for_old
from truetape.domain.announced_terms import DATES, FIELDS, NUMBERS, exact, written
from truetape.domain.announcements import ENDED, Life
from truetape.domain.distributions import CASH, SHARES
from truetape.domain.entitlements import REMOVALS, ratio

OPERATOR: Final = "operator"
OPERATOR_WEIGHT: Final = 1000.0  # more than all providers together
REASONS: Final = {
    "other_date": "it tells another date of the action under this name",
    "days_apart": "the date is another",
    "plain_name": "it has one name for all actions of the kind",
    "other_type": "it takes the action for another kind",
    "hundredfold": "the value is 100 times off: a unit or decimal error",
    "currency": "the amount is in another currency",
    "inverted_ratio": "the ratio stands upside down",
    "share_count": "the amount is per share of another count: a split was applied or taken back wrongly",
    "net_of_tax": "one is before the tax that is withheld, the other after it",
    "together": "it is the sum of what others tell apart",
    "rounding": "the value is rounded to fewer decimals",
    "still_told": "it goes on telling the action",
    "no_longer_told": "it no longer tells the action, or calls it off",
    "disagrees": "those that agree weigh more",
}
RATES: Final = (0.7, 0.75, 0.85, 0.9, 0.8, 0.65, 0.73625, 0.735, 0.79685)  # left of an amount after common taxes
SPLITS: Final = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
_PLAIN: Final = (CASH, SHARES, ("delisting", *REMOVALS))  # each with its plain name first
_NEAR: Final = 0.005  # share of a ratio by which a mistake of its kind may miss it
_ALIKE: Final = (5e-5, 1e-3)  # absolute and relative: how far two numbers may lie apart and agree


class Dissent(msgspec.Struct, frozen=True, kw_only=True):
    """What a source says of a field instead, with a key of REASONS."""

    source: str
    said: str
    reason: str


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What a field holds, who said so, and who said something else."""

    name: str  # of FIELDS, or status
    value: str
    said_by: tuple[str, ...]
    dissent: tuple[Dissent, ...] = ()


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One action as all sources together tell it; `made_of` has its status and then its fields."""

    announcement_id: str
    instrument_id: str
    status: str  # of announcements.STATUSES, without regard to the day
    fields: dict[str, str]
    made_of: tuple[Field, ...]
    sources: tuple[str, ...]
    taken_back: bool = False

    @property
    def dissented(self) -> tuple[str, ...]:
        """The sources that say something else about a field, in alphabetical order."""
        return tuple(sorted({one.source for field in self.made_of for one in field.dissent}))


def reconciled(
    group: Group, *, together: Mapping[str, Iterable[Fraction]] = {}, trust: Mapping[str, float] = {}
) -> Announcement:
    """Return the one action that the members of `group` are about.

    Args:
        group: What each source says of it; the first gives it its id.
        together: By source, the sums of what it tells apart on the day of the action.
        trust: The weight by source; 1.0 where none is given.
    """
    weights = {one.source: OPERATOR_WEIGHT if one.source == OPERATOR else trust.get(one.source, 1.0) for one in group}
    standing = [one for one in group if one.status not in ENDED]
    over = [one for one in group if one.status in ENDED and one.source not in {other.source for other in standing}]
    goes_on = bool(standing) and _weigh(standing, weights) >= _weigh(over, weights)
    voters = sorted(standing if goes_on else over or group, key=lambda one: (one.source, one.announcement_id))
    kind = _kind(voters, weights)
    fields = {"type": kind}
    for name in ("currency", *(name for name in FIELDS if name not in ("type", "currency"))):
        fields[name] = _chosen(name, voters, fields, weights, together)
    fields = {name: fields[name] for name in FIELDS if fields[name]}
    status = _status(voters, goes_on=goes_on)
    told = tuple(_field(name, fields, voters, together) for name in fields)
    ends = _ends(status, voters, over if goes_on else standing, goes_on=goes_on)
    return Announcement(
        announcement_id=group[0].announcement_id,
        instrument_id=group[0].instrument_id,
        status=status,
        fields=fields,
        made_of=(ends, *told),
        sources=tuple(sorted({one.source for one in group})),
        taken_back=not goes_on and any(one.taken_back for one in voters),
    )


def alike(one: Fraction, other: Fraction) -> bool:
    """Return whether two numbers are one that was rounded."""
    absolute, relative = _ALIKE
    return abs(one - other) <= max(absolute, relative * float(min(one, other)))


def _weigh(lives: Iterable[Life], weights: Mapping[str, float]) -> float:
    return sum(weights[source] for source in {one.source for one in lives})


def _kind(voters: Sequence[Life], weights: Mapping[str, float]) -> str:
    """Return the type: the finer name of what does the same, else the one that weighs most."""
    told = {one.fields.get("type", "") for one in voters}
    plain = [names[0] for names in _PLAIN if names[0] in told and told & {*names[1:]}]
    operator = [one.fields["type"] for one in voters if one.source == OPERATOR and "type" in one.fields]
    candidates = operator or sorted(told - {*plain})
    return max(candidates, key=lambda kind: _weigh((v for v in voters if v.fields.get("type", "") == kind), weights))


def _chosen(
    name: str,
    voters: Sequence[Life],
    fields: Mapping[str, str],
    weights: Mapping[str, float],
    together: Mapping[str, Iterable[Fraction]],
) -> str:
    """Return the value of a field for which most weight speaks; at a tie the one told by more, then the longer one."""
    said = {one: text for one in range(len(voters)) if (text := _told(name, voters[one], fields))}
    if name == "value":
        said = {one: text for one, text in said.items() if not _is_sum(text, voters[one], together)} or said
    ranked = sorted(
        {*said.values()},
        key=lambda text: (
            -_weigh((voters[one] for one, other in said.items() if _agree(name, text, other)), weights),
            -len(text),
            min(voters[one].source for one, other in said.items() if other == text),
        ),
    )
    return ranked[0] if ranked else ""


def _told(name: str, life: Life, fields: Mapping[str, str]) -> str:
    """Return what a source says of a field, in the terms of the type that was chosen; "" if it says nothing of it."""
    text = life.fields.get(name, "")
    kind, own = fields["type"], life.fields.get("type", "")
    if name not in NUMBERS or not text:
        return text
    currency = life.fields.get("currency", "")
    if currency and fields.get("currency") and currency != fields["currency"] and kind not in SHARES:
        return ""
    if kind == own or (kind in CASH and own in CASH):
        return text
    if name == "value" and kind in SHARES and own in SHARES:
        number = new_for_old(life)
        assert number is not None
        return written(ratio(number) - (kind == "stock_dividend")) if number > 1 or kind == "split" else ""
    return ""


def _agree(name: str, one: str, other: str) -> bool:
    if name not in NUMBERS:
        return one == other
    return alike(exact(one, parameter=name), exact(other, parameter=name))


def _is_sum(text: str, life: Life, together: Mapping[str, Iterable[Fraction]]) -> bool:
    """Return whether a value is the sum of what another source tells apart on that day."""
    number = exact(text, parameter="value")
    return any(alike(number, total) for source, totals in together.items() if source != life.source for total in totals)


def _status(voters: Sequence[Life], *, goes_on: bool) -> str:
    """Return the status: what one source alone announces is confirmed by a second one that says the same."""
    told = {one.status for one in voters}
    if not goes_on:
        return "cancelled" if "cancelled" in told else "withdrawn"
    strongest = next(status for status in ("effective", "confirmed", "announced") if status in told)
    terms = [{name: one.fields.get(name, "") for name in ("effective_date", "value")} for one in voters]
    agree = any(
        first["effective_date"] == second["effective_date"] and first["value"] == second["value"]
        for number, first in enumerate(terms)
        for second in terms[number + 1 :]
    )
    return "confirmed" if strongest == "announced" and agree else strongest


def _ends(status: str, voters: Sequence[Life], others: Sequence[Life], *, goes_on: bool) -> Field:
    """Return the field of the status: who goes on telling the action, and who does not."""
    reason = "no_longer_told" if goes_on else "still_told"
    against = tuple(Dissent(source=one.source, said=one.status, reason=reason) for one in others)
    return Field(name="status", value=status, said_by=_names(voters), dissent=_once(against))


def _field(
    name: str, fields: Mapping[str, str], voters: Sequence[Life], together: Mapping[str, Iterable[Fraction]]
) -> Field:
    value = fields[name]
    with_it, against = [], []
    for one in voters:
        said = one.fields.get(name, "")
        comparable = said if name == "type" else _told(name, one, fields)
        if comparable and _agree(name, comparable, value):
            with_it.append(one)
        elif said:
            reason = why(name, comparable or said, one, fields, together)
            against.append(Dissent(source=one.source, said=said, reason=reason))
    return Field(name=name, value=value, said_by=_names(with_it), dissent=_once(against))


def why(
    name: str, said: str, life: Life, fields: Mapping[str, str], together: Mapping[str, Iterable[Fraction]] = {}
) -> str:
    """Return why what `life` says of a field differs from what `fields` hold: a key of REASONS."""
    if name == "type":
        plain = any(said == names[0] and fields[name] in names for names in _PLAIN)
        return "plain_name" if plain else "other_type"
    if name in DATES:
        others = {fields.get(other, "") for other in DATES if other != name}
        return "other_date" if said in others else "days_apart"
    if name == "currency":
        return "currency"
    return _why_number(said, life, fields, together) if name == "value" else "disagrees"


def _why_number(said: str, life: Life, fields: Mapping[str, str], together: Mapping[str, Iterable[Fraction]]) -> str:
    own, kind = life.fields.get("type", ""), fields["type"]
    currency = life.fields.get("currency", "")
    if family(own) == family(kind) and not _does_the_same(own, kind):
        return "other_type"
    if currency and currency != fields.get("currency", currency):
        return "currency"
    value, true = float(exact(said, parameter="value")), float(exact(fields["value"], parameter="value"))
    off, in_cash = max(value / true, true / value), kind in CASH
    kinds = {
        "hundredfold": _is_near(off, 100.0),
        "inverted_ratio": not in_cash and _is_near(value * true, 1.0),
        "together": in_cash and _is_sum(said, life, together),
        "share_count": in_cash and any(_is_near(off, split) for split in SPLITS),
        "net_of_tax": in_cash and any(_is_near(1 / off, rate) for rate in RATES),
        "rounding": abs(value - true) <= 0.5001 * 10.0 ** -min(_decimals(said), _decimals(fields["value"])),
    }
    return next((reason for reason, holds in kinds.items() if holds), "disagrees")


def _does_the_same(one: str, other: str) -> bool:
    return one == other or any(one in names and other in names for names in (CASH, SHARES))


def _is_near(number: float, target: float) -> bool:
    return abs(number / target - 1) < _NEAR


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _names(lives: Iterable[Life]) -> tuple[str, ...]:
    return tuple(sorted({one.source for one in lives}))


def _once(against: Iterable[Dissent]) -> tuple[Dissent, ...]:
    return tuple(sorted({*against}, key=lambda one: (one.source, one.said, one.reason)))


def due(announcement: Announcement, name: str) -> date | None:
    """Return one of the dates of an announcement; None where it is not told."""
    text = announcement.fields.get(name, "")
    return date.fromisoformat(text) if text else None
