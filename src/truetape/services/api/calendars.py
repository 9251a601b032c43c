"""Calendars and venues over HTTP: the sessions that were expected, the venues with their markets, and corrections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import msgspec
import polars as pl
from litestar import Request, Response, post

from truetape.domain.calendar_corrections import TOLD, in_force
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES
from truetape.domain.time import parse_day
from truetape.domain.venues import VENUE, searched, tree
from truetape.ports.store import Selection
from truetape.services.api import problem
from truetape.services.api.answers import Page
from truetape.services.api.bodies import json_body
from truetape.services.api.endpoint import Endpoint, form_of
from truetape.services.api.formats import MEDIA_TYPES, TABLE_FORMATS
from truetape.services.api.parameters import Parameter
from truetape.services.api.query import LONGEST_SEARCH, read_instant
from truetape.services.api.reading import Reading

CALENDARS: Final = "/v1/calendars"
CORRECTIONS: Final = "/corrections"
LARGEST_BODY: Final = 1 << 14
_EXAMPLE: Final = '{"session": "2026-12-04", "what": "closed", "why": "a storm", "source": "the venue\'s notice"}'
_HOURS: Final = ("session", "open", "close")
_PAUSE: Final = ("session", "break_start", "break_end")
_VERSION: Final = ("version", "ts_known", "simulated")
SESSION_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "mic": pl.String(),
    **{name: TABLES["sessions"].columns[name] for name in _HOURS},
    **{name: TABLES["session_breaks"].columns[name] for name in _PAUSE[1:]},
    "zone": pl.String(),
    **{name: TABLES["calendar_corrections"].columns[name] for name in TOLD},
    **{name: TABLES["sessions"].columns[name] for name in _VERSION},
}
VENUE_COLUMNS: Final[Mapping[str, pl.DataType]] = {name: TABLES["venues"].columns[name] for name in (*VENUE, *_VERSION)}

Request_ = Request[Any, Any, Any]


class NewCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says of a day: `what` is closed, open or no_break; hours are times of the venue's clock.

    `known` says since when it was known (ISO 8601; a date stands for its end); left out: since now.
    """

    session: str
    what: str
    why: str
    source: str
    open: str = ""
    close: str = ""
    break_start: str = ""
    break_end: str = ""
    known: str = ""


class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """A correction that was told. Whoever asks a moment later reads the sessions as it says."""

    mic: str
    session: str
    what: str
    known: str  # ISO 8601, as is told
    told: str


Correct = Callable[[str, NewCorrection], Awaitable[Corrected]]


@dataclass(frozen=True, kw_only=True)
class CalendarQuery:
    """The sessions of a venue from `start` to `end`, both inclusive."""

    mic: str
    start: date | None = None
    end: date | None = None
    as_of: int | None = None
    snapshot: str = ""


@dataclass(frozen=True, kw_only=True)
class VenuesQuery:
    """Venues: all, those in whose names `q` stands, of a country, or one with its markets."""

    q: str = ""
    mic: str = ""
    country: str = ""
    as_of: int | None = None
    snapshot: str = ""


def calendar_query(mic: str, given: Mapping[str, str]) -> CalendarQuery:
    """Return the question that `given` asks about `mic`.

    Raises:
        BadInput: A value is not usable.
    """
    start, end = (parse_day(given[name], parameter=name) if name in given else None for name in ("start", "end"))
    if start is not None and end is not None and start > end:
        fix = f"It is later than end, which was {end}. Both are inclusive; swap them."
        raise BadInput(parameter="start", value=str(start), fix=fix)
    return CalendarQuery(
        mic=mic.upper(), start=start, end=end, as_of=_known_at(given), snapshot=given.get("snapshot", "")
    )


def venues_query(given: Mapping[str, str]) -> VenuesQuery:
    """Return the question that `given` asks.

    Raises:
        BadInput: A value is not usable.
    """
    words = {name: given.get(name, "").strip() for name in ("q", "mic", "country")}
    for name, word in words.items():
        if len(word) > LONGEST_SEARCH:
            fix = f"Write at most {LONGEST_SEARCH} characters."
            raise BadInput(parameter=name, value=f"{word[:LONGEST_SEARCH]}...", fix=fix)
    return VenuesQuery(**words, as_of=_known_at(given), snapshot=given.get("snapshot", ""))


async def calendar(reading: Reading, query: CalendarQuery) -> Page:
    """Return the sessions that the store knows of a venue, SESSION_COLUMNS, ascending.

    Raises:
        BadInput: It knows none of this venue.
        StoreUnavailable: The store cannot be read now.
    """
    mic = {"mic": (query.mic,)}
    kept = await reading.read("calendars", Selection(as_of=reading.as_of))
    if query.mic not in kept["mic"]:
        known = ", ".join(kept["mic"].sort()) or "none yet"
        when = "" if query.as_of is None else " then"
        keep = "Declare an instrument of it, or name it in `venues` under [calendars]"
        fix = f"The calendar of this venue was not kept{when}. {keep}. Kept{when}: {known}."
        raise BadInput(parameter="mic", value=query.mic[:40], fix=fix)
    days = Selection(equal=mic, start=query.start, end=query.end, as_of=reading.as_of)
    sessions = (await reading.read("sessions", days)).select("mic", *_HOURS, *_VERSION)
    breaks = (await reading.read("session_breaks", days)).select(_PAUSE)
    own = kept.row(by_predicate=pl.col("mic") == query.mic, named=True)
    said = Selection(equal={"mic": (query.mic, own["keeper"])}, start=query.start, end=query.end, as_of=reading.as_of)
    told = in_force(await reading.read("calendar_corrections", said)).select("session", *TOLD)
    rows = sessions.join(breaks, on="session", how="left").join(told, on="session", how="left").sort("session")
    return Page(rows.with_columns(pl.lit(own["zone"]).alias("zone")).select(list(SESSION_COLUMNS)))


async def venues(reading: Reading, query: VenuesQuery) -> Page:
    """Return venues, VENUE_COLUMNS: each operating one before its markets.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    rows = await reading.read("venues", Selection(as_of=reading.as_of))
    return Page(tree(searched(rows, q=query.q, mic=query.mic, country=query.country)).select(list(VENUE_COLUMNS)))


def calendar_endpoints(*, days: tuple[Parameter, ...], known: tuple[Parameter, ...]) -> list[Endpoint]:
    """Return the endpoints of this file; `days` and `known` are parameters of ranges and of knowledge times."""
    return [
        Endpoint(
            name="calendar",
            path=f"{CALENDARS}/{{mic}}",
            title="Calendar",
            about=(
                "The sessions of a venue with opens, closes and lunch breaks in UTC, as this platform knew them at "
                "`as_of`. A session that a correction tells has its `why` and `source`, and `known`: since when the "
                f"market knew it. POST to {CALENDARS}/{{mic}}{CORRECTIONS} to correct a day."
            ),
            example=f"{CALENDARS}/XNAS?start=2024-07-01&end=2024-07-05",
            parameters=(*days, *known, form_of(TABLE_FORMATS)),
            formats=TABLE_FORMATS,
            columns=SESSION_COLUMNS,
            path_parameters=(Parameter("mic", "The venue, ISO 10383.", example="XNAS", required=True),),
        ),
        Endpoint(
            name="venues",
            path="/v1/venues",
            title="Venues",
            about="Venues by ISO 10383: each operating one, and after it its markets, which name it in operating_mic.",
            example="/v1/venues?mic=XNAS",
            parameters=(
                Parameter("q", "Part of a code, a name, an acronym or a city, in either case.", example="tokyo"),
                Parameter("mic", "A venue, which is answered with its markets.", example="XNAS"),
                Parameter("country", "ISO 3166, two letters.", example="JP"),
                *known,
                form_of(TABLE_FORMATS),
            ),
            formats=TABLE_FORMATS,
            columns=VENUE_COLUMNS,
        ),
    ]


def routes(*, correct: Correct | None) -> list[Any]:
    """Return the handler of corrections. Without `correct` none is taken, and asking says so."""

    @post(f"{CALENDARS}/{{mic:str}}{CORRECTIONS}")
    async def correct_calendar(request: Request_) -> Response[bytes]:
        if correct is None:
            return _sent(msgspec.json.encode(problem.takes_none()), status=HTTPStatus.SERVICE_UNAVAILABLE)
        body = await json_body(request, largest=LARGEST_BODY, fix="Write less.")
        mic = request.path_params["mic"].upper()
        made = await correct(mic, read_correction(body))
        return _sent(msgspec.json.encode(made), status=HTTPStatus.CREATED, location=f"{CALENDARS}/{made.mic}")

    return [correct_calendar]


def read_correction(body: bytes) -> NewCorrection:
    """Return what `body` says.

    Raises:
        BadInput: It is no such JSON.
    """
    try:
        return msgspec.json.decode(body, type=NewCorrection)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput(parameter="body", value=str(error)[:200], fix=f"Send JSON such as {_EXAMPLE}.") from None


def _known_at(given: Mapping[str, str]) -> int | None:
    return read_instant(given["as_of"], parameter="as_of") if "as_of" in given else None


def _sent(body: bytes, *, status: int, location: str = "") -> Response[bytes]:
    form = MEDIA_TYPES["json"] if status == HTTPStatus.CREATED else problem.MEDIA_TYPE
    headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(
        body, media_type=form, status_code=status, headers={**headers, **({"location": location} if location else {})}
    )
