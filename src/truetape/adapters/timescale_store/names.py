"""How tables, columns and values are called in PostgreSQL. Names come from the schema, values are parameters.

- An instant is a `bigint` of UTC nanoseconds: PostgreSQL's own type keeps microseconds.
- Text is compared by its bytes, as everywhere in truetape, and PostgreSQL refuses NUL: it and the character that
  escapes it are written as two, in a way that keeps the order of texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.schema import INSTANT, TABLES

WRITTEN: Final = "version_written"  # the commit that wrote the row
REPLACED: Final = "version_replaced"  # the first commit after which a later version of its key was there
SUPERSEDED: Final = "ts_superseded"  # the first instant at which a later version was known
WITHDRAWN: Final = "withdrawn"
NEVER: Final = 2**63 - 1  # of REPLACED and SUPERSEDED: it still stands
ESCAPE: Final = 1  # the byte that begins what stands for NUL, or for itself
_ESCAPE, _ESCAPED_NUL, _ESCAPED_ITSELF = "\x01", "\x010", "\x011"


@dataclass(frozen=True)
class Kind:
    """How one type of column is kept: its name in SQL, and the bytes of one value in the binary format."""

    sql: str
    width: int  # 0: as many as the text has


TEXT: Final = Kind('text COLLATE "C"', 0)
LONG: Final = Kind("bigint", 8)
FLAG: Final = Kind("boolean", 1)
KINDS: Final[dict[pl.DataType, Kind]] = {
    pl.String(): TEXT,
    pl.Float64(): Kind("double precision", 8),
    pl.Boolean(): FLAG,
    pl.UInt32(): LONG,
    pl.Int64(): LONG,
    pl.Date(): Kind("date", 4),
    INSTANT: LONG,
}
PAST_COLUMNS: Final = {
    WITHDRAWN: pl.Boolean(),
    WRITTEN: pl.Int64(),
    REPLACED: pl.Int64(),
    SUPERSEDED: INSTANT,
}
EVENT_TABLES: Final = {  # the large ones, cut into chunks of event time, and what their index leads by
    "bars": ("instrument_id", "timeframe", "ts_event"),
    "bar_claims": ("instrument_id", "timeframe", "ts_event"),
    "quotes": ("instrument_id", "ts_event"),
    "trades": ("instrument_id", "ts_event"),
}


LATEST: Final = "bars_latest"  # the newest current row of each series of bars
SERIES: Final = ("instrument_id", "timeframe")


def quoted(names: Iterable[str]) -> str:
    """Return `names` quoted and separated by commas."""
    return ", ".join(f'"{name}"' for name in names)


def relation(schema: str, name: str) -> str:
    """Return how the table `name` of the database schema `schema` is called in SQL."""
    return f'"{schema}"."{name}"'


def past(name: str) -> str:
    """Return the table that keeps the superseded rows and the withdrawals of table `name`."""
    return f"{name}_past"


def kept_of(name: str) -> dict[str, dict[str, pl.DataType]]:
    """Return every table that keeps rows of table `name`, with its columns."""
    kept = {name: columns_of(name)}
    if TABLES[name].versioned:
        kept[past(name)] = past_columns_of(name)
    if name == "bars":
        kept[LATEST] = columns_of(name)
    return kept


def columns_of(name: str) -> dict[str, pl.DataType]:
    """Return the columns that hold the current rows of table `name`."""
    return {**TABLES[name].columns, WRITTEN: pl.Int64()}


def past_columns_of(name: str) -> dict[str, pl.DataType]:
    """Return the columns that hold the superseded rows and the withdrawals of table `name`."""
    return {**TABLES[name].columns, **PAST_COLUMNS}


def escaped(text: str) -> str:
    """Return `text` as PostgreSQL takes it."""
    return text.replace(_ESCAPE, _ESCAPED_ITSELF).replace("\0", _ESCAPED_NUL)


def escape(texts: pl.Series) -> pl.Series:
    """Return `texts` as PostgreSQL takes them."""
    return texts.str.replace_all(_ESCAPE, _ESCAPED_ITSELF, literal=True).str.replace_all(
        "\0", _ESCAPED_NUL, literal=True
    )


def unescape(texts: pl.Series) -> pl.Series:
    """Return the texts that were written as `texts`."""
    return texts.str.replace_all(_ESCAPED_NUL, "\0", literal=True).str.replace_all(
        _ESCAPED_ITSELF, _ESCAPE, literal=True
    )
