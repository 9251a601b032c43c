"""What operators say of corporate actions, over HTTP: taken (202), journalled before anything acts on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, post

from truetape.domain.announced_terms import sound_fields
from truetape.domain.announcements import SAID
from truetape.domain.errors import BadInput
from truetape.services.api import problem
from truetape.services.api.bodies import json_body
from truetape.services.api.formats import MEDIA_TYPES

PATH: Final = "/v1/actions/statements"
OTHER: Final = ("elected", "accepted", "rejected")  # said beside SAID: of an option, and of proposals
LARGEST_BODY: Final = 1 << 16
LONGEST_WHY: Final = 2000
LONGEST_NAME: Final = 100
_EXAMPLE: Final = (
    '{"symbol": "AAPL", "said": "announced", "fields": {"type": "split", "effective_date": "2014-06-09", "value": "7"},'
    ' "actor": "ann", "why": "the issuer\'s notice"}'
)


class NewStatement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says. An action that nobody told yet is named by a symbol, others by their announcement's id."""

    said: str  # of SAID and OTHER
    actor: str
    why: str
    target: str = ""  # an announcement or a proposal
    symbol: str = ""
    fields: dict[str, str] = msgspec.field(default_factory=dict)


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that was taken. What comes of it is in the store a moment later."""

    statement_id: str
    announcement_id: str
    instrument_id: str
    said: str
    fields: dict[str, str]
    actor: str
    why: str
    stated: str  # ISO 8601


Request_ = Request[Any, Any, Any]
State = Callable[[NewStatement], Awaitable[Stated]]


def sound_statement(wanted: NewStatement) -> NewStatement:
    """Return `wanted` with its fields in one spelling.

    Raises:
        BadInput: Something in it cannot be said.
    """
    if wanted.said not in (*SAID, *OTHER):
        known = ", ".join((*SAID, *OTHER))
        raise BadInput(parameter="said", value=wanted.said[:60], fix=f"Write one of {known}.")
    for name, most in (("actor", LONGEST_NAME), ("why", LONGEST_WHY)):
        text = getattr(wanted, name).strip()
        if not 1 <= len(text) <= most:
            fix = f"Write 1 to {most} characters; they stand in the audit."
            raise BadInput(parameter=name, value=text[:60], fix=fix)
    if bool(wanted.target) == bool(wanted.symbol):
        fix = "Name a symbol for an action that is new, else the id of an announcement or a proposal."
        raise BadInput(parameter="target", value=wanted.target or wanted.symbol, fix=fix)
    fields = wanted.fields if wanted.said in OTHER else sound_fields(wanted.fields)
    return msgspec.structs.replace(wanted, fields=fields)


def routes(*, state: State | None) -> list[Any]:
    """Return the handler of statements. Without `state` nobody can take one, and asking says so."""

    @post(PATH)
    async def stated(request: Request_) -> Response[bytes]:
        if state is None:
            return _sent(problem.takes_none(), status=HTTPStatus.SERVICE_UNAVAILABLE, form=problem.MEDIA_TYPE)
        body = await json_body(request, largest=LARGEST_BODY, fix="Write less.")
        try:
            wanted = msgspec.json.decode(body, type=NewStatement)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            fix = f"Send JSON such as {_EXAMPLE}."
            raise BadInput(parameter="body", value=str(error)[:200], fix=fix) from None
        taken = await state(sound_statement(wanted))
        return _sent(taken, status=HTTPStatus.ACCEPTED, form=MEDIA_TYPES["json"])

    return [stated]


def _sent(value: object, *, status: int, form: str) -> Response[bytes]:
    headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(msgspec.json.encode(value), media_type=form, status_code=status, headers=headers)
