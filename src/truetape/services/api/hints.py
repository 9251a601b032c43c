"""How a question about bars was answered, and how to ask so that it costs less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from truetape.domain.read_trace import Place, Step
from truetape.services.api.endpoint import Endpoint
from truetape.services.api.parameters import Parameter
from truetape.services.api.query import BarsQuery

PLAN: Final = "/v1/bars/plan"
BARS: Final = "bars"
COLD: Final = ("warm", "archive")
FEW_OF: Final = 50  # bars read for one that is answered, above which derived ones are worth storing


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a table that were read at one place. `bytes` are those of the files; `why` they were looked for there."""

    place: Place
    table: str
    reads: int
    rows: int
    files: int
    bytes: int
    why: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the first page of an answer, of `rows` rows, was made of, in `seconds`, with `hints` in words."""

    rows: int
    is_whole: bool  # there are no more rows after that page
    seconds: float
    store_version: int
    as_of: str
    sources: tuple[Source, ...]
    hints: tuple[str, ...]


def planned(bars: Endpoint) -> tuple[Parameter, ...]:
    """Return what a plan can be asked with: the parameters of `bars` but for those that choose a form or a page."""
    return tuple(one for one in bars.parameters if one.name not in {"format", "limit", "cursor"})


def sources(steps: Sequence[Step]) -> tuple[Source, ...]:
    """Return the steps of one place, table and reason as one, those of bars first; none that found nothing."""
    groups: dict[tuple[Place, str, str], list[Step]] = {}
    for step in steps:
        groups.setdefault((step.place, step.table, step.why), []).append(step)
    found = [
        Source(
            place=place,
            table=table,
            reads=len(some),
            rows=sum(step.rows for step in some),
            files=sum(step.files for step in some),
            bytes=sum(step.size for step in some),
            why=why,
        )
        for (place, table, why), some in groups.items()
    ]
    found = [one for one in found if one.rows or one.files]
    return tuple(sorted(found, key=lambda one: (one.table != BARS, one.table, -one.rows)))


def hints(query: BarsQuery, used: Sequence[Source], *, rows: int, is_whole: bool) -> tuple[str, ...]:
    """Return what would make `query`, of which a page of `rows` rows came from the sources `used`, cost less."""
    bars = [one for one in used if one.table == BARS]
    read = sum(one.rows for one in bars)
    told = [*_cold(query, bars), *_unmade(bars)]
    if not is_whole:
        told.append(f"More than {rows:,} rows: /v1/bars/stream sends all in one go, format=arrow with the least work.")
    if read > FEW_OF * max(1, rows) and rows:
        told.append(
            f"{read:,} bars were read to make {rows:,} of {query.timeframe}: acquire that timeframe, or keep what you "
            "were answered."
        )
    return tuple(told)


def _cold(query: BarsQuery, bars: Sequence[Source]) -> list[str]:
    cold = [one for one in bars if one.place in COLD]
    if not cold:
        return []
    files, rows = sum(one.files for one in cold), sum(one.rows for one in cold)
    where = " and ".join(sorted({one.place for one in cold}))
    ask = "a later start" if query.start is not None else "a start"
    told = f"{rows:,} bars came from {files:,} files of the {where} tier: {ask} leaves them out, and a longer `hot` "
    return [told + "under [tiers.kinds.bars] keeps them at hand."]


def _unmade(bars: Sequence[Source]) -> list[str]:
    found = [one for one in bars if one.place == "store" and one.why and one.rows]
    return [
        f"{one.rows:,} bars came from the store, because {one.why}: segments follow when nothing was written for a "
        "while (`truetape status` says how far they are)."
        for one in found
    ]
