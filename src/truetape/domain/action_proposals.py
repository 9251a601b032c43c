"""Corporate actions that prices speak of and nobody tells, or that somebody tells and prices deny: proposals.

They are made of what checks found in golden prices, and of actions that sources tell under two dates. They stand until
somebody accepts or rejects them, or the action is told otherwise. Nothing is ever changed by a proposal alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.action_fields import OPERATOR, Announcement, due
from truetape.domain.announced_terms import exact, written
from truetape.domain.announcements import ENDED
from truetape.domain.distributions import CASH, SHARES
from truetape.domain.entitlements import ratio
from truetape.domain.messages import Edit

CHECKS: Final = ("undeclared_split", "unexplained_jump", "split_without_jump", "dividend_without_fall")
TOLD_TWICE: Final = "told_twice"  # what the sources themselves show, without a check
NEAR_DAYS: Final = 3  # within which an announced action explains what was found
STATES: Final = ("proposed", "accepted", "rejected")
PREFIX: Final = "pro_"
_DIGITS: Final = 12
_REPAIRED: Final = {"proposed": "proposed", "undone": "proposed", "applied": "accepted", "rejected": "rejected"}
_DECIDED: Final = {"accepted": "accepted", "rejected": "rejected"}


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An action to announce, amend or withdraw. `fields` are what would be stated, as far as prices tell it."""

    proposal_id: str
    instrument_id: str
    said: str  # announced, amended, withdrawn or confirmed
    announcement_id: str  # of what would be amended and so on; "" for an action that is missing
    effective_date: date
    fields: dict[str, str]
    check: str  # that found it
    evidence: str
    state: str = "proposed"
    actor: str = ""  # who decided
    why: str = ""


def proposals(
    findings: pl.DataFrame, announced: Sequence[Announcement], stated: pl.DataFrame, *, every: bool = False
) -> list[Proposal]:
    """Return the proposals about one instrument, by date.

    Args:
        findings: What checks found in its golden bars, schema findings.
        announced: Its announcements.
        stated: What operators stated about it, schema action_statements.
        every: Also those that are decided.
    """
    latest = findings.filter(pl.col("check").is_in(CHECKS)).sort("ts_known", "round_id")
    rows = latest.unique(["check", "ts_event"], keep="last", maintain_order=True).sort("ts_event", "check")
    decided = _decisions(stated)
    every_one = [one for row in rows.iter_rows(named=True) for one in _proposed(row, announced)]
    every_one = sorted([*every_one, *_told_twice(announced)], key=lambda one: (one.effective_date, one.check))
    found = [msgspec.structs.replace(one, **decided.get(one.proposal_id, {})) for one in every_one]
    open_ones = [one for one in found if every or one.state == "proposed"]
    return [one for one in open_ones if one.state != "proposed" or not _is_explained(one, announced)]


def repairs_proposed(repairs: pl.DataFrame) -> list[Proposal]:
    """Return the repairs of providers' actions as proposals, by date; each is of the action that it changes first.

    Args:
        repairs: Rows of the table repairs.
    """
    rows = repairs.filter(pl.col("record") == "actions").sort("start", "repair_id")
    return [_repair(row) for row in rows.iter_rows(named=True)]


def _repair(row: Mapping[str, Any]) -> Proposal:
    edits = msgspec.json.decode(row["edits"], type=tuple[Edit, ...])
    first = edits[0]
    said = "announced" if first.before is None else "withdrawn" if first.after is None else "amended"
    fields = {"type": first.column, "value": "" if first.after is None else written(ratio(first.after))}
    return Proposal(
        proposal_id=row["repair_id"],
        instrument_id=row["instrument_id"],
        said=said,
        announcement_id="",
        effective_date=row["start"],
        fields={name: text for name, text in fields.items() if text},
        check=row["kind"],
        evidence=f"{row['explanation']}: {row['evidence']}",
        state=_REPAIRED[row["state"]],
        actor=row["decided_by"],
    )


def _proposed(row: Mapping[str, Any], announced: Sequence[Announcement]) -> Iterator[Proposal]:
    day, number = row["ts_event"].date(), row["repair_value"]
    if row["check"] in ("undeclared_split", "unexplained_jump"):
        split = {"type": "split", "value": written(ratio(number))} if number else {}
        yield _proposal(row, day, "announced", None, {"effective_date": day.isoformat(), **split})
        return
    kinds = SHARES if row["check"] == "split_without_jump" else CASH
    for one in announced:
        if one.status not in ENDED and due(one, "effective_date") == day and one.fields["type"] in kinds:
            scaled = row["check"] == "dividend_without_fall" and number and one.fields.get("value")
            fields = {"value": _scaled(one.fields["value"], number)} if scaled else {}
            yield _proposal(row, day, "amended" if scaled else "withdrawn", one, fields)


def _told_twice(announced: Sequence[Announcement]) -> Iterator[Proposal]:
    """Yield what ends that one action counts twice, because sources tell it under two dates and each has a row."""
    for one in announced:
        day, kind = due(one, "effective_date"), one.fields.get("type", "")
        others = [dissent for field in one.made_of if field.name == "effective_date" for dissent in field.dissent]
        if day is None or not others or one.status in ENDED or kind not in (*SHARES, *CASH) or OPERATOR in one.sources:
            continue
        told = " and ".join(f"{other.source} under {other.said}" for other in others)
        row = {
            "check": TOLD_TWICE,
            "instrument_id": one.instrument_id,
            "explanation": f"the {kind} of {day} is told by {told}, where it has a row that counts beside this one",
        }
        yield _proposal(row, day, "confirmed", one, {})


def _scaled(value: str, factor: float) -> str:
    return written(exact(value, parameter="value") * Fraction(repr(factor)))


def _proposal(
    row: Mapping[str, Any], day: date, said: str, about: Announcement | None, fields: dict[str, str]
) -> Proposal:
    identity = about.announcement_id if about is not None else ""
    told = f"{row['check']}:{day}:{said}:{identity}:{sorted(fields.items())}"
    instrument = row["instrument_id"]
    digest = hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]
    return Proposal(
        proposal_id=f"{PREFIX}{instrument.removeprefix('ins_')}_{digest}",
        instrument_id=instrument,
        said=said,
        announcement_id=identity,
        effective_date=day,
        fields=fields,
        check=row["check"],
        evidence=row["explanation"],
    )


def _is_explained(one: Proposal, announced: Sequence[Announcement]) -> bool:
    """Return whether an announced action explains a jump for which one is proposed."""
    if one.said != "announced":
        return False
    days = [due(other, "effective_date") for other in announced if other.status not in ENDED]
    return any(day is not None and abs((day - one.effective_date).days) <= NEAR_DAYS for day in days)


def _decisions(stated: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return what was decided last about each proposal: its state, by whom and why."""
    rows = stated.filter(pl.col("said").is_in(list(_DECIDED))).sort("ts_known", "statement_id")
    return {
        target: {"state": _DECIDED[said], "actor": actor, "why": why}
        for target, said, actor, why in rows.select("announcement_id", "said", "actor", "why").iter_rows()
    }
