"""Merges of records over HTTP: one permanent id stands for another, or no longer; told once it is journalled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, post

from truetape.domain.errors import BadInput
from truetape.services.api import problem
from truetape.services.api.bodies import json_body
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.ruling import LONGEST_ACTOR, LONGEST_WHY

INSTRUMENTS: Final = "/v1/instruments"
MERGE, UNMERGE = "merge", "unmerge"
ENDINGS: Final = (f"/{MERGE}", f"/{UNMERGE}")  # of the paths that take them
LARGEST_BODY: Final = 1 << 14
LONGEST_ID: Final = 40
_EXAMPLES: Final = {
    MERGE: '{"into": "ins_wesc6xdhnt5v", "why": "one share under two records"}',
    UNMERGE: '{"why": "they are two classes"}',
}

Request_ = Request[Any, Any, Any]


class NewMerge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merge that somebody asks for: another record stands for this one, and for all that was merged into it."""

    into: str
    why: str
    evidence: str = ""  # beside what the two records have in common, which is found by itself
    actor: str = "api"


class NewUnmerge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants taken back: the record stands for itself again."""

    why: str
    actor: str = "api"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which record shall stand for which; `into` is "" where a merge is taken back."""

    instrument_id: str
    into: str
    why: str
    actor: str
    evidence: str = ""


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that was told. Whoever asks a moment later reads the record that stands for the other."""

    decision_id: str
    instrument_id: str
    into: str
    stands: bool
    actor: str
    why: str
    evidence: str
    decided: str  # ISO 8601


Merge = Callable[[Wish], Awaitable[Merged]]


def routes(*, merge: Merge | None) -> list[Any]:
    """Return the handlers of merges. Without `merge` nobody can ask for one, and asking says so."""

    async def told(request: Request_, action: str) -> Response[bytes]:
        if merge is None:
            return _sent(msgspec.json.encode(problem.takes_none()), status=HTTPStatus.SERVICE_UNAVAILABLE)
        body = await json_body(request, largest=LARGEST_BODY, fix="Write less.")
        made = await merge(read_wish(body, instrument_id=request.path_params["instrument"], action=action))
        return _sent(msgspec.json.encode(made), status=HTTPStatus.CREATED, location=f"{INSTRUMENTS}/{made.into}")

    @post(f"{INSTRUMENTS}/{{instrument:str}}/{MERGE}")
    async def merge_records(request: Request_) -> Response[bytes]:
        return await told(request, MERGE)

    @post(f"{INSTRUMENTS}/{{instrument:str}}/{UNMERGE}")
    async def unmerge_record(request: Request_) -> Response[bytes]:
        return await told(request, UNMERGE)

    return [merge_records, unmerge_record]


def read_wish(body: bytes, *, instrument_id: str, action: str) -> Wish:
    """Return what `body` asks for about the record `instrument_id`.

    Raises:
        BadInput: It is no such JSON, or a value in it is not usable.
    """
    try:
        if action == UNMERGE:
            parting = msgspec.json.decode(body, type=NewUnmerge)
            return sound_wish(Wish(instrument_id=instrument_id, into="", why=parting.why, actor=parting.actor))
        wanted = msgspec.json.decode(body, type=NewMerge)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        fix = f"Send JSON such as {_EXAMPLES[action]}."
        raise BadInput(parameter="body", value=str(error)[:200], fix=fix) from None
    if not wanted.into.strip():
        raise BadInput(parameter="into", value=wanted.into, fix="Name the record that shall stand for this one.")
    return sound_wish(Wish(instrument_id=instrument_id, **msgspec.structs.asdict(wanted)))


def sound_wish(wish: Wish) -> Wish:
    """Return `wish` with its words trimmed.

    Raises:
        BadInput: A word is missing or too long.
    """
    trimmed = {name: getattr(wish, name).strip() for name in ("instrument_id", "into", "why", "actor", "evidence")}
    longest = {"instrument_id": LONGEST_ID, "into": LONGEST_ID, "why": LONGEST_WHY, "actor": LONGEST_ACTOR}
    for name, text in trimmed.items():
        most, least = longest.get(name, LONGEST_WHY), 0 if name in {"evidence", "into"} else 1
        if not least <= len(text) <= most:
            fix = f"Write {least} to {most} characters: it stands in the audit for ever."
            raise BadInput(parameter=name, value=text[:40], fix=fix)
    if not trimmed["actor"].isprintable():
        raise BadInput(parameter="actor", value=trimmed["actor"][:40], fix="Write a name on one line.")
    return Wish(**trimmed)


def _sent(body: bytes, *, status: int, location: str = "") -> Response[bytes]:
    form = MEDIA_TYPES["json"] if status == HTTPStatus.CREATED else problem.MEDIA_TYPE
    headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(
        body, media_type=form, status_code=status, headers={**headers, **({"location": location} if location else {})}
    )
