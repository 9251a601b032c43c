"""Snapshots over HTTP: a state of the store gets a name (201), and the names are looked up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec
import polars as pl
from litestar import Request, Response, route

from truetape.domain.errors import BadInput, UnknownTarget
from truetape.domain.snapshots import LONGEST_NOTE, sound_name, unknown_name
from truetape.domain.time import iso
from truetape.ports.store import Selection
from truetape.services.api import problem
from truetape.services.api.bodies import json_body
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.query import read_instant
from truetape.services.api.ruling import LONGEST_ACTOR

SNAPSHOTS: Final = "/v1/snapshots"
SNAPSHOT: Final = ("name", "as_of", "store_version", "ts_known", "actor", "note", "simulated")
LARGEST_BODY: Final = 1 << 14
_EXAMPLE: Final = '{"name": "eod-2026-11-20", "note": "before the restatement"}'

Request_ = Request[Any, Any, Any]


class NewSnapshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name that somebody wants to give to what is known now, or was known at `as_of` (ISO 8601)."""

    name: str
    as_of: str | None = None
    note: str = ""
    actor: str = "api"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a name stands for: rows as known at `as_of`, as the store held them after commit `store_version`."""

    name: str
    as_of: str  # ISO 8601, as is created
    store_version: int
    created: str
    actor: str
    note: str
    simulated: bool


class Readable(Protocol):
    """What the names are looked up in: a store, or one reading of it."""

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows, as a store does."""
        ...


Name = Callable[[NewSnapshot], Awaitable[Snapshot]]


def sound_wish(wanted: NewSnapshot) -> NewSnapshot:
    """Return `wanted` with its words trimmed.

    Raises:
        BadInput: The name can be none, a word is too long, or `as_of` is no instant.
    """
    note, actor = wanted.note.strip(), wanted.actor.strip()
    if len(note) > LONGEST_NOTE:
        raise BadInput(parameter="note", value=note[:40], fix=f"Write at most {LONGEST_NOTE} characters.")
    if not 1 <= len(actor) <= LONGEST_ACTOR or not actor.isprintable():
        raise BadInput(parameter="actor", value=actor[:40], fix=f"Write a name of 1 to {LONGEST_ACTOR} characters.")
    if wanted.as_of is not None:
        read_instant(wanted.as_of, parameter="as_of")
    return msgspec.structs.replace(wanted, name=sound_name(wanted.name), note=note, actor=actor)


async def snapshot_named(store: Readable, name: str) -> Snapshot:
    """Return what `name` stands for.

    Raises:
        BadInput: Nothing has this name; the nearest names are told.
        StoreUnavailable: The store cannot be read now.
    """
    row = await _row(store, name)
    created = iso(row.pop("ts_known"))
    return Snapshot(**{**row, "as_of": iso(row["as_of"]), "created": created})


async def state_named(store: Readable, name: str) -> tuple[int, int]:
    """Return the version of the store that `name` stands for, and the knowledge time in UTC nanoseconds.

    Raises:
        BadInput: Nothing has this name; the nearest names are told.
        StoreUnavailable: The store cannot be read now.
    """
    row = await _row(store, name)
    return row["store_version"], row["as_of"]


async def snapshot_case(store: Readable, name: str) -> Snapshot:
    """Return what `name`, the last part of a path, stands for.

    Raises:
        UnknownTarget: Nothing has this name.
        StoreUnavailable: The store cannot be read now.
    """
    try:
        return await snapshot_named(store, name)
    except BadInput as error:
        raise UnknownTarget(target=name[:80], fix=error.fix) from None


async def snapshots(store: Readable) -> pl.DataFrame:
    """Return every snapshot, columns SNAPSHOT, the newest first.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    rows = await store.read("snapshots")
    return rows.select(SNAPSHOT).sort("ts_known", "name", descending=True)


def narrate_snapshot(snapshot: Snapshot) -> str:
    """Return what `snapshot` is, and how to read at it, for people."""
    lines = [
        f"{snapshot.name}: as known at {snapshot.as_of}, as the store held it after commit {snapshot.store_version}.",
        f"Named by {snapshot.actor} at {snapshot.created}{f': {snapshot.note}' if snapshot.note else '.'}",
        f"Read at it with --snapshot {snapshot.name}, or snapshot={snapshot.name} over HTTP.",
    ]
    return "\n".join([*lines, *(["Its data are simulated."] if snapshot.simulated else []), ""])


def routes(*, name: Name | None, listed: Callable[[Request_], Awaitable[Response[bytes]]]) -> list[Any]:
    """Return the handler of SNAPSHOTS, which `listed` answers. Without `name` none can be named, and asking says so."""

    @route(SNAPSHOTS, http_method=["GET", "POST"])  # one handler, so that OPTIONS names both
    async def named(request: Request_) -> Response[bytes]:
        if request.method != "POST":
            return await listed(request)
        if name is None:
            return _sent(msgspec.json.encode(problem.takes_none()), status=HTTPStatus.SERVICE_UNAVAILABLE)
        made = await name(read_wish(await json_body(request, largest=LARGEST_BODY, fix="Write less.")))
        place = {"location": f"{SNAPSHOTS}/{made.name}"}
        return _sent(msgspec.json.encode(made), status=HTTPStatus.CREATED, headers=place)

    return [named]


def read_wish(body: bytes) -> NewSnapshot:
    """Return what `body` asks for.

    Raises:
        BadInput: It is no such JSON, or a value in it is not usable.
    """
    try:
        wanted = msgspec.json.decode(body, type=NewSnapshot)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(parameter="body", value=str(error)[:200], fix=f"Send JSON such as {_EXAMPLE}.") from None
    return sound_wish(wanted)


async def _row(store: Readable, name: str) -> dict[str, Any]:
    sound_name(name, parameter="snapshot")
    rows = await store.read("snapshots", Selection(equal={"name": (name,)}))
    if rows.is_empty():
        known = await store.read("snapshots", Selection(columns=("name", "ts_known")))
        raise unknown_name(name, known=known.sort("ts_known")["name"].to_list())
    return rows.with_columns(pl.col("as_of", "ts_known").cast(pl.Int64)).row(0, named=True)


def _sent(body: bytes, *, status: int, headers: dict[str, str] | None = None) -> Response[bytes]:
    form = MEDIA_TYPES["json"] if status == HTTPStatus.CREATED else problem.MEDIA_TYPE
    always = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(body, media_type=form, status_code=status, headers={**always, **(headers or {})})
