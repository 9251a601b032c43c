"""Say something about a corporate action: by the platform that runs on the data folder, or here if none does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from truetape.app.action_proposing import DECIDED, decided_repair, proposal_named, stated_instead, verdict
from truetape.app.action_rows import row_decisions
from truetape.app.owner import at, by_owner
from truetape.domain.action_fields import OPERATOR, Announcement
from truetape.domain.announced import announcement_id, statement_id, with_sources
from truetape.domain.announced_messages import ActionStated
from truetape.domain.announced_terms import entitlement
from truetape.domain.announcements import REFUSALS, SAID, Life, Statement, after, refusal
from truetape.domain.errors import BadInput, UnknownTarget
from truetape.domain.messages import DecisionMade
from truetape.domain.time import iso, to_datetime
from truetape.ports.store import Selection
from truetape.services.api.answers import Answers
from truetape.services.api.docket import REPAIR_PREFIX
from truetape.services.api.reading import reading_now
from truetape.services.api.shelf import Shelf
from truetape.services.api.statements import NewStatement, Stated, sound_statement

if TYPE_CHECKING:
    from truetape.app.library_remote import RemoteSource
    from truetape.app.run import Platform

KNOWN: Final = ("action_claims", "action_details", "action_statements")
COPIED: Final = ("type", "effective_date")  # of a providers' announcement, before an operator speaks of it
KNOWN_WORDS: Final = (*SAID, "elected")
ACCOUNT: Final = "main"  # whose choice it is where nothing else is said
_REPEATED: Final = "It was said before, and nothing of it is new."


async def state(data: Path, wanted: Sequence[NewStatement], *, file: Path | None = None) -> list[Stated]:
    """Say what is `wanted` about actions in the data folder `data`, in its order, and return what was taken.

    `file` is the settings file, if there may be one.

    Of several, those that were said before are passed over.

    Raises:
        UnknownTarget, UnknownSymbol, BadInput: Something cannot be said; what came before it was taken.
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    sound = [sound_statement(one) for one in wanted]

    async def here(platform: Platform) -> list[Stated]:
        await platform.parts.bus.drain()
        taken = []
        for one in sound:
            try:
                taken.append(await state_here(platform, one))
            except BadInput as error:
                _raise_but_repeats(error, of=len(sound))
            await platform.parts.bus.drain()
        await platform.settle()
        return taken

    return await by_owner(
        data, file=file, command="truetape actions", there=lambda server: _state(server, sound), here=here
    )


def state_at(url: str, wanted: Sequence[NewStatement]) -> list[Stated]:
    """Ask the server at `url` to take statements, and return them.

    Raises:
        UnknownTarget, UnknownSymbol, BadInput, StoreUnavailable: As the server says.
    """
    return at(url, lambda server: _state(server, wanted))


def _state(server: RemoteSource, wanted: Sequence[NewStatement]) -> list[Stated]:
    taken = []
    for one in wanted:
        try:
            taken.append(server.state(one))
        except BadInput as error:
            _raise_but_repeats(error, of=len(wanted))
    return taken


def _raise_but_repeats(error: BadInput, *, of: int) -> None:
    """Raise `error`, unless one of several statements was said before: a file may be read again."""
    if of == 1 or error.fix != _REPEATED:
        raise error


async def state_here(platform: Platform, wanted: NewStatement) -> Stated:
    """Tell the rooms of `platform` what is `wanted`; it is in the journal before anything acts on it.

    Raises:
        UnknownTarget: There is no announcement of that id.
        UnknownSymbol, UnknownInstrument: The symbol means nothing on that day, or several instruments.
        BadInput: It cannot be said of the action as it stands, or was said before.
        StoreUnavailable: The journal cannot be written now; nothing was said.
    """
    parts, wanted = platform.parts, platform.veiled(wanted, "why", "actor")
    if wanted.said in DECIDED and wanted.target.startswith(REPAIR_PREFIX):
        return await decided_repair(platform, wanted)
    async with platform.rooms.ingestion.turn:
        proposal = await proposal_named(platform, wanted.target) if wanted.said in DECIDED else None
        said = wanted if proposal is None else stated_instead(proposal, wanted)
        subject = await _subject(platform, said) if said.said in KNOWN_WORDS else None
        now = await _now(platform)
        simulated = platform.settings.simulated
        told = [] if subject is None else _messages(subject, said, ts_known=now, simulated=simulated)
        decisions = [] if subject is None else await row_decisions(parts.store, subject.known, told)
        if proposal is not None:
            told.append(verdict(proposal, wanted, ts_known=now + len(told), simulated=simulated))
        entries: list[ActionStated | DecisionMade] = [*told, *decisions]
        for one in entries:
            await asyncio.to_thread(parts.archive.record, one)
            await parts.bus.publish(one)
    return _stated(told[-1])


async def _now(platform: Platform) -> int:
    """Return the present instant, later than every statement so far, UTC nanoseconds."""
    stated = await platform.parts.store.read("action_statements", Selection(columns=("ts_known",)))
    newest = stated["ts_known"].cast(pl.Int64).max()
    return max(platform.parts.clock.now_ns(), newest + 1 if isinstance(newest, int) else 0)


async def restate(platform: Platform) -> None:
    """Tell the statements again that stand in the journal alone: a crash came before they were stored.

    Raises:
        StoreUnavailable: What is stored cannot be read now.
    """
    parts = platform.parts
    told = await asyncio.to_thread(lambda: [one for one in parts.archive.journal() if isinstance(one, ActionStated)])
    if told:
        stored = await parts.store.read("action_statements", Selection(columns=("statement_id",)))
        known = {*stored["statement_id"]}
        for one in told:
            if one.statement_id not in known:
                await parts.bus.publish(one)


@dataclass(frozen=True)
class _Subject:
    """What is spoken of: an announcement with what everybody said of it; `own` is what operators did."""

    instrument_id: str
    announcement_id: str
    known: tuple[pl.DataFrame, ...]  # rows of KNOWN, of the instrument
    found: Announcement | None
    own: Life | None


async def _subject(platform: Platform, wanted: NewStatement) -> _Subject:
    store = platform.parts.store
    if wanted.symbol:
        instrument = await _instrument(platform, wanted)
        kind, day = wanted.fields.get("type", ""), wanted.fields.get("effective_date", "")
        target = announcement_id(instrument=instrument, source=OPERATOR, kind=kind, day=day)
    else:
        instrument, target = f"ins_{wanted.target.split('_')[1:2][0] if '_' in wanted.target else ''}", wanted.target
    equal = {"instrument_id": (instrument,)}
    known = tuple([await store.read(table, Selection(equal=equal)) for table in KNOWN])
    for found, group in with_sources(*known):
        ids = {one.announcement_id for one in group}
        if target in ids:
            mine = [one for one in group if one.source == OPERATOR]
            exact = next((one for one in mine if one.announcement_id == target), mine[0] if mine else None)
            identity = exact.announcement_id if exact is not None else target
            return _Subject(instrument, identity, known, found, exact)
    if not wanted.symbol:
        raise UnknownTarget(target=target, fix="`truetape actions list SYMBOL` shows the ids of announcements.")
    return _Subject(instrument, target, known, None, None)


async def _instrument(platform: Platform, wanted: NewStatement) -> str:
    if "type" not in wanted.fields:
        raise BadInput(parameter="type", value="", fix="Say which type of action it is, such as dividend or split.")
    text = wanted.fields.get("effective_date")
    day = date.fromisoformat(text) if text else None
    today = to_datetime(platform.parts.clock.now_ns()).date()
    on = min(day, today) if day is not None else None
    answers = Answers(reading_now(platform.parts.store, platform.parts.clock), Shelf())
    return (await answers.listing(wanted.symbol, start=on, end=on)).instrument_id


def _messages(subject: _Subject, wanted: NewStatement, *, ts_known: int, simulated: bool) -> list[ActionStated]:
    """Return what is told: an operator who speaks of an action that only providers tell takes it up first."""
    if wanted.said == "elected":
        fields = _election(subject, wanted, ts_known)
        return [_message(subject, "elected", fields, wanted, ts_known=ts_known, simulated=simulated)]
    own = subject.own or Life(subject.announcement_id, subject.instrument_id, OPERATOR, ts_known)
    steps = [(wanted.said, dict(wanted.fields))]
    if subject.found is not None and subject.own is None:
        whole = wanted.said in ("confirmed", "effective")
        copied = {name: text for name, text in subject.found.fields.items() if whole or name in COPIED}
        steps.insert(0, ("announced", copied))
    elif not _says_something(own, wanted):
        raise BadInput(parameter="action", value=subject.announcement_id, fix=_REPEATED)
    told = []
    for number, (said, fields) in enumerate(steps):
        message = _message(subject, said, fields, wanted, ts_known=ts_known + number, simulated=simulated)
        spoken = _spoken(message)
        reason = refusal(own, spoken)
        if reason:
            fix = f"It was not taken: {REFUSALS[reason]}."
            raise BadInput(parameter=f"said of {subject.announcement_id}", value=said, fix=fix)
        own = after(own, spoken)
        told.append(message)
    return told


def _says_something(own: Life, wanted: NewStatement) -> bool:
    return wanted.said != own.status or any(own.fields.get(name) != text for name, text in wanted.fields.items())


def _election(subject: _Subject, wanted: NewStatement, ts_known: int) -> dict[str, str]:
    """Return the fields of an election, if the option is offered and the deadline has not passed.

    Raises:
        BadInput: It is not, or it has.
    """
    assert subject.found is not None
    fields = subject.found.fields
    option = wanted.fields.get("option", "")
    if not option:
        raise BadInput(parameter="option", value="", fix="Name the option that is chosen.")
    entitlement(subject.instrument_id, fields).option(option)
    deadline, today = fields.get("deadline", ""), to_datetime(ts_known).date().isoformat()
    if deadline and today > deadline:
        raise BadInput(parameter="option", value=option, fix=f"The last day to choose was {deadline}.")
    return {"account": wanted.fields.get("account", ACCOUNT), "option": option}


def _message(
    subject: _Subject, said: str, fields: dict[str, str], wanted: NewStatement, *, ts_known: int, simulated: bool
) -> ActionStated:
    return ActionStated(
        statement_id=statement_id(
            announcement=subject.announcement_id, said=said, fields=fields, actor=wanted.actor, ts_known=ts_known
        ),
        announcement_id=subject.announcement_id,
        instrument_id=subject.instrument_id,
        said=said,
        fields=fields,
        actor=wanted.actor,
        why=wanted.why,
        ts_known=ts_known,
        simulated=simulated,
    )


def _spoken(message: ActionStated) -> Statement:
    return Statement(
        statement_id=message.statement_id,
        announcement_id=message.announcement_id,
        instrument_id=message.instrument_id,
        source=OPERATOR,
        said=message.said,
        fields=message.fields,
        ts_known=message.ts_known,
    )


def _stated(message: ActionStated) -> Stated:
    return Stated(
        statement_id=message.statement_id,
        announcement_id=message.announcement_id,
        instrument_id=message.instrument_id,
        said=message.said,
        fields=message.fields,
        actor=message.actor,
        why=message.why,
        stated=iso(message.ts_known),
    )
