"""Classifications over HTTP: the paths, and files of structures, mappings and assignments that are taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

import msgspec
import polars as pl
from litestar import Request, Response, post

from truetape.domain.errors import BadInput
from truetape.domain.taxonomies import CHANGE
from truetape.services.api import problem
from truetape.services.api.bodies import json_body
from truetape.services.api.classifications import CLASS, REVISION, STATES, TOLD
from truetape.services.api.endpoint import Endpoint, form_of
from truetape.services.api.formats import MEDIA_TYPES, TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.ruling import LONGEST_ACTOR

CLASSIFICATIONS: Final = "/v1/classifications"
TAXONOMIES: Final = "/v1/taxonomies"
LOAD: Final = "/load"  # the ending of the path that takes files
LARGEST_BODY: Final = 1 << 26
TAXONOMY: Final = Parameter("taxonomy", "Its name: gics, sic, naics, or your own.", example="gics", required=True)
_DAY: Final = {"type": "string", "format": "date"}
_ON: Final = Parameter("on", "On this day; left out: today, or the day of as_of.", example="2023-03-17", schema=_DAY)
_BEFORE: Final = Parameter("before", "Of this day; left out: the revision before.", example="2018-09-29", schema=_DAY)
_EXAMPLE: Final = '{"what": "assignments", "rows": [{"symbol": "AAPL", "code": "45202030"}], "since": "2023-03-18"}'

Request_ = Request[Any, Any, Any]


class NewClasses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rows of a file that somebody loads: columns by their names, all values text.

    Of `claims` there are none: what registers said of SIC codes is assigned. `since` is the date from which a structure
    is in force; of mappings and assignments, the date of rows that have none.
    """

    what: Literal["structure", "mappings", "assignments", "claims"]
    rows: tuple[dict[str, str | None], ...] = ()
    since: str = ""
    to: str = ""  # of mappings: the taxonomy that they lead to; "" for the same one
    source: str = "operator"
    actor: str = "api"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was left out, and why."""

    row: int
    names: str
    why: str


class Classified(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file."""

    what: str
    taxonomy: str
    rows: int  # that were told; what is there already changes nothing
    left: tuple[Left, ...] = ()  # the first rows that were left out
    left_out: int = 0  # how many were
    changes: dict[str, int] = {}  # of a structure: classes that came, went, were renamed or moved since the one before
    unmapped: int = 0  # instruments whose code the newest structure does not have, and no mapping leads on from


Load = Callable[[str, NewClasses], Awaitable[Classified]]


def class_endpoints(limit: Parameter, *, known: tuple[Parameter, ...], cursor: Parameter) -> list[Endpoint]:
    """Return the endpoints of classifications; `known` are parameters of knowledge times."""
    return [
        _classifications((*known, form_of(TABLE_FORMATS), limit, cursor)),
        _endpoint(
            "taxonomies",
            "Taxonomies",
            "The taxonomies that were loaded, with their dated revisions.",
            path="",
            parameters=known,
            columns=REVISION,
        ),
        _endpoint(
            "taxonomy",
            "A taxonomy",
            f"The classes of a taxonomy on a day. POST to {TAXONOMIES}/{{taxonomy}}{LOAD} what (structure, mappings or "
            "assignments), rows and since as JSON to load a revision, mappings of codes, or codes of instruments.",
            path="/{taxonomy}",
            parameters=(_ON, *known),
            columns=CLASS,
        ),
        _endpoint(
            "taxonomy_changes",
            "What a revision changed",
            "Classes that came, went, were renamed or moved; a candidate has the name of what went.",
            path="/{taxonomy}/changes",
            parameters=(_ON, _BEFORE, *known),
            columns=CHANGE,
        ),
    ]


def _classifications(known: tuple[Parameter, ...]) -> Endpoint:
    return Endpoint(
        name="classifications",
        path=CLASSIFICATIONS,
        title="Classifications",
        about=(
            "What instruments are in a taxonomy on a day, as known at `as_of`: assigned; mapped, where a revision "
            "moved the code; derived from another taxonomy with a confidence; or unmapped. `within` gives the members "
            "of a class."
        ),
        example=f"{CLASSIFICATIONS}?taxonomy=gics&within=45&on=2023-03-17",
        parameters=(
            TAXONOMY,
            Parameter("symbols", "Symbols or instrument ids, separated by commas.", example="AAPL,MSFT"),
            Parameter("within", "In this class: its code, or its name where only one has it.", example="45"),
            Parameter("state", "Only of this state.", choices=STATES),
            Parameter("source", "Only as this source assigned it.", example="operator"),
            _ON,
            *known,
        ),
        formats=TABLE_FORMATS,
        columns=TOLD,
    )


def _endpoint(
    name: str,
    title: str,
    about: str,
    *,
    path: str,
    parameters: tuple[Parameter, ...],
    columns: Mapping[str, pl.DataType],
) -> Endpoint:
    return Endpoint(
        name=name,
        path=f"{TAXONOMIES}{path}",
        title=title,
        about=about,
        example=f"{TAXONOMIES}{path}".format(taxonomy="gics"),
        parameters=(*parameters, form_of(TABLE_FORMATS)),
        formats=TABLE_FORMATS,
        columns=columns,
        path_parameters=(TAXONOMY,) if path else (),
    )


def routes(*, load: Load | None) -> list[Any]:
    """Return the handler of files. Without `load` none is taken, and asking says so."""

    @post(f"{TAXONOMIES}/{{taxonomy:str}}{LOAD}")
    async def load_classes(request: Request_) -> Response[bytes]:
        if load is None:
            return _sent(msgspec.json.encode(problem.takes_none()), status=HTTPStatus.SERVICE_UNAVAILABLE)
        body = await json_body(request, largest=LARGEST_BODY, fix="Load it in parts.")
        made = await load(request.path_params["taxonomy"], read_classes(body))
        return _sent(msgspec.json.encode(made), status=HTTPStatus.CREATED)

    return [load_classes]


def read_classes(body: bytes) -> NewClasses:
    """Return what `body` loads.

    Raises:
        BadInput: It is no such JSON, or a value in it is not usable.
    """
    try:
        wanted = msgspec.json.decode(body, type=NewClasses)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(parameter="body", value=str(error)[:200], fix=f"Send JSON such as {_EXAMPLE}.") from None
    for name in ("actor", "source"):
        word = getattr(wanted, name)
        if not 0 < len(word.strip()) <= LONGEST_ACTOR:
            raise BadInput(parameter=name, value=word[:80], fix=f"Write 1 to {LONGEST_ACTOR} characters.")
    return wanted


def _sent(body: bytes, *, status: int) -> Response[bytes]:
    form = MEDIA_TYPES["json"] if status == HTTPStatus.CREATED else problem.MEDIA_TYPE
    return Response(
        body,
        media_type=form,
        status_code=status,
        headers={"x-content-type-options": "nosniff", "cache-control": "no-store"},
    )
