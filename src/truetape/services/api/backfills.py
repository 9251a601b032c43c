"""Backfills over HTTP: a request is taken (202) as a job, and the job can be looked at while it runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import msgspec
import polars as pl
from litestar import Request, Response, get, route

from truetape.domain.errors import BadInput
from truetape.domain.schema import DECODED
from truetape.domain.time import NANOSECONDS, TIMEFRAMES, iso
from truetape.ports.clock import Clock
from truetape.ports.store import Selection, Store
from truetape.services.api import problem
from truetape.services.api.bodies import json_body
from truetape.services.api.formats import MEDIA_TYPES
from truetape.services.api.query import LONGEST_SYMBOL

PATH: Final = "/v1/backfills"
ALLOWED: Final = "GET, POST"  # at PATH
MOST_SYMBOLS: Final = 100_000
LARGEST_BODY: Final = 4 << 20
_SHOWN: Final = 100  # of the jobs that are listed
_EXAMPLE: Final = '{"symbols": ["AAPL"], "start": "2020-01-01", "end": "2020-12-31"}'


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody wants backfilled. Both dates are session dates and inclusive."""

    symbols: tuple[str, ...]
    start: date
    end: date
    timeframe: str = "1d"
    kind: str = "bars"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backfill has come. `rate` is in rounds a second, `seconds_left` a guess from it."""

    job_id: str
    state: str  # accepted, running, waiting or done
    symbols: int
    kind: str
    timeframe: str
    start: str
    end: str
    requested: str
    unknown: tuple[str, ...] = ()
    planned: int = 0
    done: int = 0
    empty: int = 0
    waiting: int = 0
    rate: float | None = None
    seconds_left: float | None = None


Request_ = Request[Any, Any, Any]
Accept = Callable[[Wanted], Awaitable[tuple[str, int]]]  # returns the job's id and its knowledge time


def routes(*, store: Store, clock: Clock, accept: Accept | None) -> list[Any]:
    """Return the handlers of backfills. Without `accept` nobody can take one, and asking says so."""

    async def taken(request: Request_) -> Response[bytes]:
        if accept is None:
            return _told(problem.takes_none())
        wanted = checked(await json_body(request, largest=LARGEST_BODY, fix="Ask for fewer symbols at once."))
        job_id, requested = await accept(wanted)
        job = Job(
            job_id=job_id,
            state="accepted",
            symbols=len(wanted.symbols),
            kind=wanted.kind,
            timeframe=wanted.timeframe,
            start=str(wanted.start),
            end=str(wanted.end),
            requested=iso(requested),
        )
        return _json(job, status=HTTPStatus.ACCEPTED, headers={"location": f"{PATH}/{job_id}"})

    @route(PATH, http_method=["GET", "POST"])  # one handler, so that OPTIONS names both
    async def backfills(request: Request_) -> Response[bytes]:
        if request.method == "POST":
            return await taken(request)
        rows = (await store.read("jobs")).sort("requested", descending=True).head(_SHOWN)
        return _json({"backfills": [job_of(row, now_ns=clock.now_ns()) for row in _rows(rows)]})

    @get(f"{PATH}/{{job_id:str}}")
    async def backfill(request: Request_) -> Response[bytes]:
        job_id = request.path_params["job_id"]
        rows = await store.read("jobs", Selection(equal={"job_id": (job_id,)}))
        if rows.is_empty():
            return _told(problem.unknown_path(f"{PATH}/{job_id[:LONGEST_SYMBOL]}", [PATH]))
        return _json(job_of(_rows(rows)[0], now_ns=clock.now_ns()))

    return [backfills, backfill]


def checked(body: bytes) -> Wanted:
    """Return what `body` asks for.

    Raises:
        BadInput: It is no such JSON, or a value in it is not usable.
    """
    try:
        wanted = msgspec.json.decode(body, type=Wanted)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(parameter="body", value=str(error)[:200], fix=f"Send JSON such as {_EXAMPLE}.") from None
    return sound(wanted)


def sound(wanted: Wanted) -> Wanted:
    """Return `wanted` with its symbols once each.

    Raises:
        BadInput: A value of it is not usable.
    """
    symbols = tuple(dict.fromkeys(symbol.strip() for symbol in wanted.symbols))
    wrong = next((one for one in symbols if not 1 <= len(one) <= LONGEST_SYMBOL), None)
    if not symbols or wrong is not None:
        shown = "empty" if wrong is None else wrong[:LONGEST_SYMBOL]
        raise BadInput(parameter="symbols", value=shown, fix=f"Name symbols of 1 to {LONGEST_SYMBOL} characters.")
    if len(symbols) > MOST_SYMBOLS:
        fix = f"At most {MOST_SYMBOLS:,} are taken at once; ask several times."
        raise BadInput(parameter="symbols", value=f"{len(symbols)} symbols", fix=fix)
    if wanted.start > wanted.end:
        fix = f"It is later than end, which was {wanted.end}. Both are inclusive; swap them."
        raise BadInput(parameter="start", value=str(wanted.start), fix=fix)
    if wanted.timeframe not in TIMEFRAMES:
        raise BadInput(parameter="timeframe", value=wanted.timeframe[:40], fix=f"Write one of {', '.join(TIMEFRAMES)}.")
    if wanted.kind not in DECODED:
        raise BadInput(parameter="kind", value=wanted.kind[:40], fix=f"Write one of {', '.join(DECODED)}.")
    return msgspec.structs.replace(wanted, symbols=symbols)


def job_of(row: dict[str, Any], *, now_ns: int) -> Job:
    """Return a row of the table jobs, its instants in nanoseconds, as it is told; rate and time left as of `now_ns`."""
    elapsed = max(1, (row["ts_known"] if row["state"] != "running" else now_ns) - row["requested"]) / NANOSECONDS
    rate = row["done"] / elapsed if row["done"] else None
    left = row["planned"] - row["done"]
    return Job(
        job_id=row["job_id"],
        state=row["state"],
        symbols=row["symbols"],
        kind=row["kind"],
        timeframe=row["timeframe"],
        start=str(row["start"]),
        end=str(row["end"]),
        requested=iso(row["requested"]),
        unknown=tuple(one for one in row["unknown"].split(",") if one),
        planned=row["planned"],
        done=row["done"],
        empty=row["empty"],
        waiting=row["waiting"],
        rate=rate,
        seconds_left=left / rate if rate and row["state"] == "running" else None,
    )


def _rows(rows: pl.DataFrame) -> list[dict[str, Any]]:
    return rows.with_columns(pl.col("requested", "ts_known").cast(pl.Int64)).to_dicts()


def _json(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        msgspec.json.encode(value),
        media_type=MEDIA_TYPES["json"],
        status_code=status,
        headers={"x-content-type-options": "nosniff", "cache-control": "no-store", **(headers or {})},
    )


def _told(told: problem.Problem) -> Response[bytes]:
    return Response(msgspec.json.encode(told), media_type=problem.MEDIA_TYPE, status_code=told.status)
