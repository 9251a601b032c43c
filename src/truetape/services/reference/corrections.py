"""Corrections of calendars as people write them down: our own, and the operator's file.

One line says one thing of one day. `session` is its date, `what` is closed, open or no_break. `open`, `close`,
`break_start` and `break_end` are times of the venue's clock (09:30) or instants (2024-07-03T17:00Z); what is left out
is as on every day. `known` is the instant since when the market knew it; a date stands for its end in UTC, so that
nobody seems to have known it too early, and nothing for "since ever". `why` and `source` say why, and who says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from truetape.domain.calendar_corrections import CORRECTION, KINDS
from truetape.domain.errors import BadInput
from truetape.domain.time import DAY_NS, day_start_ns, from_datetime, parse_day, parse_instant
from truetape.services.reference import exchange_rules

FARTHEST: Final = 2**63 - 2 - DAY_NS  # of instants, UTC nanoseconds
MOMENTS: Final = ("open", "close", "break_start", "break_end")
NEEDED: Final = ("mic", "session", "what")
LONGEST_WORDS: Final = 500
_FARTHEST: Final = timedelta(days=2)  # that an hour of a session lies from its date
_OWN: Final = "corrections.csv"


@lru_cache(maxsize=1)
def built_in() -> pl.DataFrame:
    """Return the corrections that come with the platform, CORRECTION."""
    frame = pl.read_csv(files(__package__).joinpath(_OWN).read_bytes(), infer_schema=False)
    return read_corrections(frame, zone_of=exchange_rules.zone, place=lambda row: f"{_OWN}, line {row + 2}")


@lru_cache(maxsize=1)
def rules() -> str:
    """Return by what sessions are computed: the release of the package, and a fingerprint of our own corrections."""
    own = hashlib.sha256(files(__package__).joinpath(_OWN).read_bytes()).hexdigest()[:8]
    return f"{exchange_rules.release()}, corrections {own}"


def read_corrections(
    frame: pl.DataFrame, *, zone_of: Callable[[str], str], place: Callable[[int], str] = lambda row: f"row {row + 1}"
) -> pl.DataFrame:
    """Return the corrections that the rows of `frame` write down, CORRECTION, in their order.

    Args:
        frame: Columns as above, in any order and case, texts or dates and instants; others are left aside.
        zone_of: The IANA zone of a MIC's clock.
        place: How a person finds the row of an index.

    Raises:
        BadInput: A column is missing, or a value is not usable.
    """
    columns = {name.strip().lower(): name for name in frame.columns}
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        fix = f"A file of corrections has the columns {', '.join(CORRECTION)}; {', '.join(NEEDED)} must be there."
        raise BadInput(parameter="The header", value=", ".join(frame.columns)[:200], fix=fix)
    named = frame.select(pl.col(columns[name]).alias(name) for name in CORRECTION if name in columns)
    rows = [
        correction(row, zone_of=zone_of, place=place(number)) for number, row in enumerate(named.iter_rows(named=True))
    ]
    return pl.DataFrame(rows, schema=CORRECTION, orient="row")


def correction(row: Mapping[str, Any], *, zone_of: Callable[[str], str], place: str) -> dict[str, Any]:
    """Return one correction, instants as UTC nanoseconds, of what `row` says.

    Raises:
        BadInput: A value is not usable.
    """
    told = {name: _text(row.get(name)) for name in CORRECTION}
    mic, what = told["mic"], told["what"].lower()
    session = parse_day(told["session"][:10], parameter=f"{place}, session")
    if not exchange_rules.EARLIEST <= session <= exchange_rules.LATEST:
        fix = f"Write a date from {exchange_rules.EARLIEST} to {exchange_rules.LATEST}."
        raise BadInput(parameter=f"{place}, session", value=str(session), fix=fix)
    if what not in KINDS:
        raise BadInput(parameter=f"{place}, what", value=what, fix=f"Write one of {', '.join(KINDS)}.")
    zone = ZoneInfo(zone_of(mic))
    hours = {name: _moment(told[name], session, zone, parameter=f"{place}, {name}") for name in MOMENTS}
    if what == "closed" and any(value is not None for value in hours.values()):
        raise BadInput(parameter=f"{place}, what", value=what, fix="A day that is closed has no hours; leave them out.")
    _in_order(hours, place=place)
    return {
        "mic": mic,
        "session": session,
        "known": _known(told["known"], parameter=f"{place}, known"),
        "what": what,
        **hours,
        "why": told["why"][:LONGEST_WORDS],
        "source": told["source"][:LONGEST_WORDS],
    }


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
    return str(value).strip()


def _known(text: str, *, parameter: str) -> int | None:
    if not text:
        return None
    known = _instant(text, parameter=parameter)
    return known + DAY_NS if len(text) == len("2005-02-28") else known


def _moment(text: str, session: date, zone: ZoneInfo, *, parameter: str) -> int | None:
    if not text:
        return None
    try:
        at = from_datetime(datetime.combine(session, time.fromisoformat(text), tzinfo=zone))
    except ValueError:
        if "T" not in text:
            fix = "Write a time of the venue's clock such as 09:30, or an instant such as 2024-07-03T17:00Z."
            raise BadInput(parameter=parameter, value=text, fix=fix) from None
        at = _instant(text, parameter=parameter)
    if abs(at - day_start_ns(session)) > _FARTHEST.days * DAY_NS:
        raise BadInput(parameter=parameter, value=text, fix=f"It must lie beside the session of {session}.")
    return at


def _instant(text: str, *, parameter: str) -> int:
    try:
        at = parse_instant(text, parameter=parameter)
    except OverflowError:
        at = FARTHEST + 1
    if abs(at) > FARTHEST:
        raise BadInput(parameter=parameter, value=text, fix="Write an instant between the years 1678 and 2262.")
    return at


def _in_order(hours: Mapping[str, int | None], *, place: str) -> None:
    order = [(name, hours[name]) for name in ("open", "break_start", "break_end", "close")]
    told = [(name, at) for name, at in order if at is not None]
    for (name, at), (other, later) in pairwise(told):
        if at >= later:
            fix = f"Write hours in their order; {other} must come after {name}."
            raise BadInput(parameter=f"{place}, {name}", value=name, fix=fix)
