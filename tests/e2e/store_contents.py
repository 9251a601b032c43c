"""What a data folder's store holds, read back with plain DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl

from truetape.domain.schema import TABLES

TIMES = ("ts_known", "version")


def contents(data: Path, *, without: tuple[str, ...] = ()) -> dict[str, pl.DataFrame]:
    """Return every table of a data folder's store, in the order of its key, without some columns."""
    connection = duckdb.connect(str(data / "truetape.duckdb"), read_only=True)
    try:
        return {
            name: _table(connection, name).select(_columns(name, without)).sort(table.key)
            for name, table in TABLES.items()
        }
    finally:
        connection.close()


def _table(connection: duckdb.DuckDBPyConnection, name: str) -> pl.DataFrame:
    rows: pl.DataFrame = connection.sql(f'select * from "{name}"').pl()
    return rows.cast(pl.Schema(TABLES[name].columns))


def _columns(table: str, without: tuple[str, ...]) -> list[str]:
    return [name for name in TABLES[table].columns if name not in without]


def differences(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> dict[str, tuple[int, int, int]]:
    """Return, for each table that differs, the rows of both and the rows that are in one of them only."""
    found = {}
    for name, frame in one.items():
        if not frame.equals(other[name]):
            apart = pl.concat([frame, other[name]]).unique(keep="none")
            found[name] = (len(frame), len(other[name]), len(apart))
    return found
