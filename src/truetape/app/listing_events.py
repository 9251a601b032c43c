"""What lists of listings told in a data folder: events that are believed, and those that are held back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from truetape.app.reading import opened
from truetape.domain.errors import BadInput
from truetape.domain.listing_changes import KINDS
from truetape.ports.store import Selection


@dataclass(frozen=True)
class Wanted:
    """Which events are wanted; what is not given restricts nothing."""

    provider: str = ""
    kind: str = ""
    symbol: str = ""  # now or before
    since: date | None = None  # known on this UTC date or later
    held: bool = False  # those that are held back, instead of those that are believed


async def kept_events(data: Path, wanted: Wanted) -> pl.DataFrame:
    """Return rows of the table listing_events, the newest first.

    Raises:
        BadInput: There are no events of that kind.
        WrongFolder: The data folder is none.
        FolderInUse: A process without an API owns it.
    """
    if wanted.kind and wanted.kind not in KINDS:
        raise BadInput(parameter="--kind", value=wanted.kind, fix=f"Choose one of {', '.join(KINDS)}.")
    equal = {name: (text,) for name, text in (("provider", wanted.provider), ("kind", wanted.kind)) if text}
    async with opened(data) as store:
        events = await store.read("listing_events", Selection(equal=equal))
    chosen = events.filter((pl.col("held") != "") == wanted.held)
    if wanted.symbol:
        named = (pl.col("symbol") == wanted.symbol) | (pl.col("old_symbol") == wanted.symbol)
        chosen = chosen.filter(named.fill_null(value=False))
    if wanted.since is not None:
        chosen = chosen.filter(pl.col("ts_known").dt.date() >= wanted.since)
    return chosen.sort("ts_known", "provider", "number", descending=[True, False, False])
