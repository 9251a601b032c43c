"""Proposals of corporate actions: found again by their id, and what accepting or rejecting one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from truetape.domain.action_proposals import CHECKS, PREFIX, Proposal, proposals
from truetape.domain.announced import announcements, statement_id
from truetape.domain.announced_messages import ActionStated
from truetape.domain.announced_terms import sound_fields
from truetape.domain.errors import BadInput, UnknownTarget
from truetape.domain.time import iso
from truetape.ports.store import Selection
from truetape.services.api.ruling import Ruling
from truetape.services.api.statements import NewStatement, Stated

if TYPE_CHECKING:
    from truetape.app.run import Platform

DECIDED: Final = ("accepted", "rejected")
_RULINGS: Final = {"accepted": "apply", "rejected": "reject"}
_KNOWN: Final = ("action_claims", "action_details", "action_statements")


async def proposal_named(platform: Platform, target: str) -> Proposal:
    """Return the proposal of the id `target`, which nobody has decided yet.

    Raises:
        UnknownTarget: There is none.
        BadInput: It was decided before.
        StoreUnavailable: The store cannot be read now.
    """
    instrument = f"ins_{target.split('_')[1]}" if target.startswith(PREFIX) and target.count("_") > 1 else ""
    store, equal = platform.parts.store, {"instrument_id": (instrument,)}
    findings = await store.read("findings", Selection(equal={**equal, "check": CHECKS}))
    claims, details, stated = [await store.read(table, Selection(equal=equal)) for table in _KNOWN]
    every = proposals(findings, announcements(claims, details, stated), stated, every=True)
    found = next((one for one in every if one.proposal_id == target), None)
    if found is None:
        raise UnknownTarget(target=target[:64], fix="`truetape actions proposals` lists them.")
    if found.state != "proposed":
        fix = f"It was {found.state} by {found.actor}: {found.why}. Amend, cancel or add the action itself."
        raise BadInput(parameter="proposal", value=target, fix=fix)
    return found


async def decided_repair(platform: Platform, wanted: NewStatement) -> Stated:
    """Apply or reject a repair of a provider's actions, which is proposed beside the others, and return what was said.

    Raises:
        UnknownTarget: There is none of that id.
        BadInput: It was decided before, or terms are given with it.
        StoreUnavailable: The journal cannot be written now; nothing was decided.
    """
    if wanted.fields:
        fix = "A repair is taken as it is; reject it, and amend the action."
        raise BadInput(parameter="field", value=next(iter(wanted.fields)), fix=fix)
    ruling = Ruling(action=_RULINGS[wanted.said], why=wanted.why, actor=wanted.actor)
    made = await platform.decide(wanted.target, ruling)
    return Stated(
        statement_id=made.decision_id,
        announcement_id=wanted.target,
        instrument_id=made.instrument_id,
        said=wanted.said,
        fields={},
        actor=made.actor,
        why=made.why,
        stated=iso(made.ts_known),
    )


def stated_instead(proposal: Proposal, wanted: NewStatement) -> NewStatement:
    """Return what is stated of the action when a proposal is accepted, with its evidence; else `wanted` itself.

    Raises:
        BadInput: Prices do not tell what kind of action it was, and neither does `wanted`.
    """
    if wanted.said != "accepted":
        return wanted
    fields = {**proposal.fields, **sound_fields(wanted.fields)}
    if proposal.said == "announced" and "type" not in fields:
        fix = "Prices do not tell what it was: give its type and terms, such as --set type=special_dividend."
        raise BadInput(parameter="type", value="", fix=fix)
    return msgspec.structs.replace(
        wanted,
        said=proposal.said,
        target=proposal.announcement_id,
        symbol="" if proposal.announcement_id else proposal.instrument_id,
        fields=fields,
        why=f"{wanted.why} ({proposal.check}: {proposal.evidence})",
    )


def verdict(proposal: Proposal, wanted: NewStatement, *, ts_known: int, simulated: bool) -> ActionStated:
    """Return the statement that a proposal was accepted or rejected."""
    fields = {"check": proposal.check, "evidence": proposal.evidence}
    identity = statement_id(
        announcement=proposal.proposal_id, said=wanted.said, fields=fields, actor=wanted.actor, ts_known=ts_known
    )
    return ActionStated(
        statement_id=identity,
        announcement_id=proposal.proposal_id,
        instrument_id=proposal.instrument_id,
        said=wanted.said,
        fields=fields,
        actor=wanted.actor,
        why=wanted.why,
        ts_known=ts_known,
        simulated=simulated,
    )
