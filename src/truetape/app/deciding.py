"""Decide about quarantined claims and repairs: what is decided, as a fact for the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec

from truetape.domain.errors import BadInput
from truetape.domain.identity import decision_id
from truetape.domain.messages import DecisionMade, Edit
from truetape.domain.time import from_datetime
from truetape.ports.clock import Clock
from truetape.ports.store import Store
from truetape.services.api.answers import Answers
from truetape.services.api.cases import Cases
from truetape.services.api.docket import REPAIR_PREFIX, VALUES
from truetape.services.api.reading import reading_now
from truetape.services.api.ruling import (
    Ruling,
    actions_for,
    check_claim_ruling,
    check_repair_ruling,
    sound_ruling,
)
from truetape.services.api.shelf import Shelf


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is decided about: a claim or a repair, as the store holds it."""

    target: str
    instrument_id: str
    kind: str  # bars or actions
    timeframe: str
    start: date
    end: date
    provider: str
    ts_event: int = 0
    payload: str = ""
    claimed: dict[str, float | None]
    edits: tuple[Edit, ...] = ()


async def subject_of(store: Store, clock: Clock, target: str, ruling: Ruling) -> Subject:
    """Return what `target` is the id of, if `ruling` can be made about it.

    Raises:
        UnknownTarget: Nothing has this id.
        BadInput: The ruling cannot be made about it, as it stands.
    """
    reading = reading_now(store, clock)
    cases = Cases(reading, Answers(reading, Shelf()))
    sound_ruling(ruling, actions=actions_for(target))
    if target.startswith(REPAIR_PREFIX):
        return await _repair(cases, target, ruling)
    return await _claim(cases, target, ruling)


def decision(subject: Subject, ruling: Ruling, *, ts_known: int, simulated: bool) -> DecisionMade:
    """Return the fact that `ruling` was made about `subject` at `ts_known`, UTC nanoseconds."""
    return DecisionMade(
        decision_id=decision_id(target=subject.target, action=ruling.action, actor=ruling.actor, ts_known=ts_known),
        target=subject.target,
        action=ruling.action,
        instrument_id=subject.instrument_id,
        kind=subject.kind,
        timeframe=subject.timeframe,
        start=subject.start,
        end=subject.end,
        provider=subject.provider,
        actor=ruling.actor,
        why=ruling.why,
        ts_known=ts_known,
        ts_event=subject.ts_event,
        payload=subject.payload,
        claimed=subject.claimed,
        values=ruling.values,
        edits=subject.edits if ruling.action == "apply" else (),
        simulated=simulated,
    )


async def _claim(cases: Cases, target: str, ruling: Ruling) -> Subject:
    claim = await cases.claim(target)
    check_claim_ruling(ruling, claim)
    if ruling.action in {"undo", "reject"} and claim["state"] in {"accepted", "corrected"}:
        _check_rest((await cases.claim_case(target)).golden, ruling)
    day = claim["ts_event"].date()
    return Subject(
        target=target,
        instrument_id=claim["instrument_id"],
        kind="bars",
        timeframe=claim["timeframe"],
        start=day,
        end=day,
        provider=claim["provider"],
        ts_event=from_datetime(claim["ts_event"]),
        payload=claim["payload"],
        claimed={name: claim[name] for name in VALUES},
    )


def _check_rest(versions: Sequence[Mapping[str, object]], ruling: Ruling) -> None:
    """Return if something would stand where the operator's row stands now.

    Raises:
        BadInput: The bar never had another row.
    """
    if versions and all(one["method"] == "operator" for one in versions):
        fix = "No provider's claim could take its place, and a row is never erased; correct it instead."
        raise BadInput(parameter="action", value=ruling.action, fix=fix)


async def _repair(cases: Cases, target: str, ruling: Ruling) -> Subject:
    repair = await cases.repair(target)
    check_repair_ruling(ruling, repair)
    return Subject(
        target=target,
        instrument_id=repair["instrument_id"],
        kind=repair["record"],
        timeframe=repair["timeframe"],
        start=repair["start"],
        end=repair["end"],
        provider=repair["provider"],
        claimed={},
        edits=msgspec.json.decode(repair["edits"], type=tuple[Edit, ...]),
    )
