"""Decisions over HTTP: taken (202) with their id, journalled before anything acts on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response, post

from truetape.domain.time import iso
from truetape.services.api import problem
from truetape.services.api.bodies import json_body
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.ruling import CLAIM_ACTIONS, REPAIR_ACTIONS, Ruling, read_ruling

QUARANTINE: Final = "/v1/quarantine"
REPAIRS: Final = "/v1/repairs"
ENDING: Final = "/decision"  # of the paths that take them
LARGEST_BODY: Final = 1 << 16

Request_ = Request[Any, Any, Any]
Decide = Callable[[str, Ruling], Awaitable[tuple[str, int]]]  # returns the decision's id and its knowledge time


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was taken. What it changes is in the store a moment later."""

    decision_id: str
    target: str
    action: str
    actor: str
    why: str
    decided: str  # ISO 8601


def routes(*, decide: Decide | None) -> list[Any]:
    """Return the handlers of decisions. Without `decide` nobody can take one, and asking says so."""

    async def taken(request: Request_, place: str, actions: tuple[str, ...]) -> Response[bytes]:
        if decide is None:
            return _sent(msgspec.json.encode(problem.takes_none()), status=HTTPStatus.SERVICE_UNAVAILABLE)
        ruling = read_ruling(await json_body(request, largest=LARGEST_BODY, fix="Write less."), actions=actions)
        target = request.path_params["target"]
        decision_id, decided = await decide(target, ruling)
        told = Taken(
            decision_id=decision_id,
            target=target,
            action=ruling.action,
            actor=ruling.actor,
            why=ruling.why,
            decided=iso(decided),
        )
        return _sent(msgspec.json.encode(told), status=HTTPStatus.ACCEPTED, location=f"{place}/{target}")

    @post(f"{QUARANTINE}/{{target:str}}{ENDING}")
    async def decide_claim(request: Request_) -> Response[bytes]:
        return await taken(request, QUARANTINE, CLAIM_ACTIONS)

    @post(f"{REPAIRS}/{{target:str}}{ENDING}")
    async def decide_repair(request: Request_) -> Response[bytes]:
        return await taken(request, REPAIRS, REPAIR_ACTIONS)

    return [decide_claim, decide_repair]


def _sent(body: bytes, *, status: int, location: str = "") -> Response[bytes]:
    form = MEDIA_TYPES["json"] if status == HTTPStatus.ACCEPTED else problem.MEDIA_TYPE
    headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(
        body, media_type=form, status_code=status, headers={**headers, **({"location": location} if location else {})}
    )
