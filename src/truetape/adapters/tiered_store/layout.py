"""How rows stand in a cold file: Parquet that Spark, Trino, DuckDB, pandas and Delta Lake read alike.

An instant is a timestamp in microseconds, as all of them have it, with its nanoseconds of 0 to 999 in a column of its
own beside it; counts are signed. Prices repeat and stand in dictionaries, volumes do not and are split by bytes; both
were measured (docs/decisions/0018).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from truetape.domain.schema import INSTANT, Table
from truetape.ports.tiering import STORED, WITHDRAWN

GROUP_ROWS: Final = {"warm": 32_768, "archive": 131_072}  # of one row group, the least that is read, by tier
LEVELS: Final = {"warm": 9, "archive": 19}  # of zstd, by tier
REST: Final = "_ns"  # the suffix of the column that holds an instant's last three digits
_SPLIT: Final = ("volume", "size", "bid_size", "ask_size")  # numbers that seldom repeat
_DICTIONARY_BYTES: Final = 16 << 20  # a row group's dictionary stays one, however many prices differ
_STEPS: Final = ("ts_event", STORED)  # columns that grow by small steps
_TYPES: Final[dict[pl.DataType, pa.DataType]] = {
    pl.String(): pa.string(),
    pl.Float64(): pa.float64(),
    pl.Boolean(): pa.bool_(),
    pl.UInt32(): pa.int64(),
    pl.Date(): pa.date32(),
    INSTANT: pa.timestamp("us", "UTC"),
}


def columns(table: Table) -> dict[str, pl.DataType]:
    """Return the columns of `table` and those that say which version of the store wrote a row, and how."""
    return {**table.columns, STORED: pl.Int64(), WITHDRAWN: pl.Boolean()}


def order(table: Table) -> tuple[str, ...]:
    """Return what cold rows are sorted by."""
    return (*table.key, "version", STORED) if table.versioned else (*table.key, STORED)


def schema(table: Table) -> pa.Schema:
    """Return the columns of a cold file of `table`."""
    fields: list[pa.Field] = []
    for name, dtype in table.columns.items():
        fields.append(pa.field(name, _TYPES[dtype]))
        if dtype == INSTANT:
            fields.append(pa.field(f"{name}{REST}", pa.int16()))
    return pa.schema([*fields, pa.field(STORED, pa.int64()), pa.field(WITHDRAWN, pa.bool_())])


def as_written(rows: pl.DataFrame, table: Table) -> pa.Table:
    """Return `rows`, which have `columns(table)`, as they are written."""
    shown: list[pl.Expr] = []
    for name, dtype in columns(table).items():
        if dtype == INSTANT:
            instant = pl.col(name).dt.epoch("ns")
            shown += [instant.floordiv(1000).alias(name), (instant % 1000).cast(pl.Int16).alias(f"{name}{REST}")]
        else:
            shown.append(pl.col(name).cast(pl.Int64) if dtype == pl.UInt32() else pl.col(name))
    return rows.select(shown).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema(table))


def stored_names(names: tuple[str, ...], table: Table) -> list[str]:
    """Return the columns of the file that hold the columns `names`."""
    found = []
    for name in names:
        found += [name, f"{name}{REST}"] if columns(table)[name] == INSTANT else [name]
    return found


def as_read(found: pa.Table, names: tuple[str, ...], table: Table) -> pl.DataFrame:
    """Return the columns `names` of what was read, in the types of the store."""
    types = columns(table)
    rows = pl.DataFrame(found)
    return rows.select(_again(name, types[name]) for name in names)


def texts(table: Table) -> list[str]:
    """Return the columns that are read as dictionaries, which costs a third of reading them as texts."""
    return [name for name, dtype in table.columns.items() if dtype == pl.String()]


def _again(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == INSTANT:
        return (pl.col(name).dt.epoch("us") * 1000 + pl.col(f"{name}{REST}")).cast(INSTANT).alias(name)
    return pl.col(name).cast(dtype)


def writer(path: Path, table: Table, tier: str) -> pq.ParquetWriter:
    """Return a writer of the file at `path` that chooses how each column is encoded."""
    held = schema(table)
    steps = {name: "DELTA_BINARY_PACKED" for name in _STEPS if name in held.names}
    split = {name: "BYTE_STREAM_SPLIT" for name in _SPLIT if name in table.columns}
    plain = {*steps, *split, *(field.name for field in held if pa.types.is_boolean(field.type))}
    return pq.ParquetWriter(
        path,
        held,
        compression="zstd",
        compression_level=LEVELS[tier],
        use_dictionary=[name for name in held.names if name not in plain],
        column_encoding=steps | split,
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        store_schema=False,
    )


def sha256_of(path: Path) -> str:
    """Return the hash of a whole file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(rows: pl.DataFrame) -> int:
    """Return a number that is the same for the same rows in any order; those of frames are added up, modulo 2**64."""
    if rows.is_empty():
        return 0
    return int(rows.hash_rows().to_numpy().sum(dtype="uint64"))
