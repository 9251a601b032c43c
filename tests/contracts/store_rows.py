"""Rows to write into stores, and the closes to read from them, for the tests of stores."""

from __future__ import annotations

from typing import Any

import polars as pl

from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS
from truetape.ports.store import Selection, Store

BLANKS: dict[pl.DataType, object] = {pl.String(): "", pl.Float64(): None, pl.Boolean(): True, pl.UInt32(): 0}


def frame(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of `table`: what is not given is blank, instants are nanoseconds."""
    columns = TABLES[table].columns
    filled = [{name: row.get(name, BLANKS.get(dtype)) for name, dtype in columns.items()} for row in rows]
    return pl.DataFrame(
        {name: pl.Series([row[name] for row in filled], dtype=_plain(dtype)) for name, dtype in columns.items()}
    ).cast(dict(columns))  # type: ignore[arg-type]


def _plain(dtype: pl.DataType) -> pl.DataType:
    return pl.Int64() if isinstance(dtype, pl.Datetime) else dtype


def bar(
    day: int, close: float | None = 1.0, *, version: int = 1, known: int = 100, who: str = "ins_a"
) -> dict[str, Any]:
    """A daily bar of day `day` after 1970."""
    return {
        "instrument_id": who,
        "timeframe": "1d",
        "ts_event": day * DAY_NS,
        "close": close,
        "version": version,
        "ts_known": known,
    }


def withdrawal(day: int, *, version: int, known: int = 100, who: str = "ins_a") -> dict[str, Any]:
    """A withdrawal of the daily bar of day `day` after 1970."""
    named = bar(day, version=version, known=known, who=who)
    return {name: named.get(name, True) for name in TABLES["bars"].withdrawal}


def withdrawals(*rows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Withdrawals of bars, as they are committed."""
    return {"bars": pl.DataFrame(list(rows)).cast(dict(TABLES["bars"].withdrawal))}  # type: ignore[arg-type]


async def withdrawn(store: Store, **selection: Any) -> list[tuple[int, int]]:
    """The day and version of each withdrawal."""
    rows = await store.read("bars", Selection(**selection, withdrawn=True))
    return [(row["ts_event"].timestamp() // 86_400, row["version"]) for row in rows.iter_rows(named=True)]


async def closes(store: Store, **selection: Any) -> list[tuple[int, float]]:
    rows = await store.read("bars", Selection(**selection))
    return [(row["ts_event"].timestamp() // 86_400, row["close"]) for row in rows.iter_rows(named=True)]
