"""What is late in a data folder by the objectives of its settings, as `truetape late` tells it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from truetape.app.reading import opened
from truetape.app.settings import Settings
from truetape.domain.errors import BadInput
from truetape.domain.time import NANOSECONDS, iso
from truetape.services.quality.freshness import words
from truetape.services.quality.service import late_now


@dataclass(frozen=True)
class Late:
    """One series that is late."""

    symbol: str
    kind: str  # a timeframe, trades or quotes
    due: str  # ISO 8601
    late_s: int
    sessions: int  # that are missing; 0 of what comes during a session
    words: str


async def late_report(settings: Settings, *, now_ns: int) -> list[Late]:
    """Return what is late at `now_ns`, the latest first.

    Raises:
        BadInput: The settings have no objective.
        WrongFolder: The data folder is none.
        FolderInUse: A process without an API owns it.
    """
    objectives = settings.watching.freshness
    if not objectives:
        fix = 'Write what is due when, for example "1d" = "2h after close".'
        raise BadInput(parameter="[quality.freshness]", value="empty", fix=fix)
    async with opened(settings.data) as store:
        late, names = await late_now(store, objectives, now_ns=now_ns)
    rows = late.with_columns(
        pl.col("ts_event").cast(pl.Int64).alias("at"), pl.col("due").cast(pl.Int64).alias("due_ns")
    )
    told = [_late(row, names.get(row["instrument_id"], row["instrument_id"]), now_ns) for row in rows.to_dicts()]
    return sorted(told, key=lambda one: (-one.late_s, one.symbol, one.kind))


def _late(row: dict[str, object], symbol: str, now_ns: int) -> Late:
    due_ns = int(str(row["due_ns"]))
    return Late(
        symbol=symbol,
        kind=str(row["kind"]),
        due=iso(due_ns // NANOSECONDS * NANOSECONDS),
        late_s=(now_ns - due_ns) // NANOSECONDS,
        sessions=int(str(row["sessions"])),
        words=words(row, name=symbol, now_ns=now_ns),
    )
