"""Errors as problem documents (RFC 9457): which parameter, which value, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from truetape.domain.errors import BadInput, StoreUnavailable, UnknownSymbol, UnknownTarget
from truetape.domain.snapshots import NameTaken
from truetape.services.api.formats import NotAcceptable
from truetape.services.api.receipts import GoneAnswer

MEDIA_TYPE: Final = "application/problem+json"
_LONGEST: Final = 200
_INPUTS: Final[dict[type[BadInput], tuple[HTTPStatus, str]]] = {  # that are no usual bad parameters
    NotAcceptable: (HTTPStatus.NOT_ACCEPTABLE, "not-acceptable"),
    NameTaken: (HTTPStatus.CONFLICT, "name-taken"),
    GoneAnswer: (HTTPStatus.GONE, "gone-answer"),
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong with one request."""

    type: str
    title: str
    status: int
    detail: str
    parameter: str | None = None
    value: str | None = None
    fix: str | None = None
    known: tuple[str, ...] = ()  # symbols near to the one that is unknown
    id: str | None = None  # of an error of ours: the log holds it too


def problem_of(error: Exception) -> Problem | None:
    """Return what to tell about `error`, or None if its cause is not the request."""
    match error:
        case BadInput():
            return _of_input(error, *_INPUTS.get(type(error), (HTTPStatus.BAD_REQUEST, "bad-parameter")))
        case UnknownSymbol():
            return _unknown_symbol(error)
        case UnknownTarget():
            detail = "Nothing is known under this id."
            return _problem(
                HTTPStatus.NOT_FOUND, "unknown-id", detail, parameter="id", value=error.target, fix=error.fix
            )
        case StoreUnavailable():
            detail = "The store could not be read now."
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "store-unavailable", detail, fix="Ask again in a moment.")
    return None


def unknown_path(path: str, known: Sequence[str]) -> Problem:
    """Return what to tell about a path that leads nowhere."""
    fix = f"Paths are {', '.join(known)}."
    return _problem(HTTPStatus.NOT_FOUND, "unknown-path", "Nothing answers here.", value=path, fix=fix)


def wrong_method(method: str, *, allowed: str) -> Problem:
    """Return what to tell about a method that a path does not take; it takes those `allowed`."""
    detail = f"{method} is not answered at this path."
    return _problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "wrong-method",
        detail,
        value=method,
        fix=f"Send a {allowed.replace(', ', ' or a ')}.",
    )


def refused(status: int) -> Problem:
    """Return what to tell about a request that could not be read at all."""
    return _problem(HTTPStatus(status), "bad-request", "The request could not be read.")


def takes_none() -> Problem:
    """Return what to tell somebody who asks for work where none is done: a server that only reads."""
    detail = "This server only reads: no ingestion room stands behind it."
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "reads-only", detail, fix="Ask the server of `truetape up`.")


def our_fault(identity: str) -> Problem:
    """Return what to tell about an error that is not the request's; the log says more under `identity`."""
    detail = f"Something failed that is not your fault. The server's log holds it under the id {identity}."
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", detail, identity=identity)


def _unknown_symbol(error: UnknownSymbol) -> Problem:
    nearest = ", ".join(error.known) or "none yet"
    told = _problem(
        HTTPStatus.NOT_FOUND,
        "unknown-symbol",
        f"The symbol {error.symbol!r} is unknown.",
        parameter="symbol",
        value=error.symbol,
        fix=f"Known symbols, the nearest first: {nearest}. See /v1/instruments.",
    )
    return msgspec.structs.replace(told, known=error.known)


def _of_input(error: BadInput, status: HTTPStatus, name: str) -> Problem:
    value = None if error.value is None else str(error.value)
    said = "is missing" if value is None else f"was {value[:_LONGEST]!r}"
    return _problem(status, name, f"{error.parameter} {said}.", parameter=error.parameter, value=value, fix=error.fix)


def _problem(
    status: HTTPStatus,
    name: str,
    detail: str,
    *,
    parameter: str | None = None,
    value: str | None = None,
    fix: str | None = None,
    identity: str | None = None,
) -> Problem:
    return Problem(
        type=f"urn:truetape:problem:{name}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        parameter=parameter[:_LONGEST] if parameter else None,
        value=value[:_LONGEST] if value is not None else None,
        fix=fix,
        id=identity,
    )
