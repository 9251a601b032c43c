"""The latest bar of an instrument, as the cache keeps it."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
import polars as pl

from truetape.domain.time import iso

COLUMNS: Final = (
    "instrument_id",
    "timeframe",
    "ts_event",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "currency",
    "flags",
    "ts_known",
    "version",
    "simulated",
)


class LatestBar(msgspec.Struct, frozen=True, kw_only=True):
    """A golden raw bar; instants in ISO 8601 UTC."""

    instrument_id: str
    timeframe: str
    ts_event: str
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None
    currency: str | None
    flags: int
    ts_known: str
    version: int
    simulated: bool


def latest_key(instrument_id: str, timeframe: str) -> str:
    """Return the cache key of the latest bar."""
    return f"latest/{instrument_id}/{timeframe}"


def encode_latest(bars: pl.DataFrame) -> bytes:
    """Return the last of `bars` (at least one row, ascending, COLUMNS of the bars table) as JSON of a `LatestBar`."""
    row = bars.tail(1).with_columns(pl.col("ts_event", "ts_known").cast(pl.Int64)).row(0, named=True)
    values = {name: row[name] for name in COLUMNS}
    return msgspec.json.encode(
        LatestBar(**{**values, "ts_event": iso(row["ts_event"]), "ts_known": iso(row["ts_known"])})
    )


def cached_day(value: bytes | None) -> date | None:
    """Return the UTC date of a cached latest bar, or None if there is none that can be read."""
    try:
        return date.fromisoformat(msgspec.json.decode(value or b"", type=LatestBar).ts_event[:10])
    except (msgspec.DecodeError, ValueError):
        return None
