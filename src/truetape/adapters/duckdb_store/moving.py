"""Rows that leave the store: everything that is known of them, and how they are forgotten."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

from truetape.adapters.duckdb_store.names import INSTANT_IN_SQL, NEVER, UNTIL, WRITTEN, past, quoted, withdrawn
from truetape.adapters.duckdb_store.reading import Query, event_range, withdrawals_of
from truetape.domain.errors import BadInput
from truetape.domain.schema import TABLES, Table
from truetape.domain.stored_rows import clamped, event_column, table_named
from truetape.ports.store import Selection
from truetape.ports.tiering import CENSUS, STORED, WITHDRAWN, Span

_BLOCK_BYTES: Final = 262_144  # of a DuckDB file


def states(span: Span, *, upto: int) -> Query:
    """Return the query for every state of the rows of `span` that was written by commit `upto` or before.

    Raises:
        BadInput: The table does not exist or has no event time.
    """
    table = _movable(span.table)
    shown = f"{quoted(table.columns)}, {WRITTEN} AS {STORED}"
    conditions, values = _conditions(span, table, upto)
    selects = [
        f"SELECT {shown}, {is_withdrawn} AS {WITHDRAWN} FROM {place} WHERE {conditions}{only}"  # noqa: S608
        for place, is_withdrawn, only in _places(span.table, table)
    ]
    order = (*table.key, "version") if table.versioned else table.key
    return Query(
        sql=" UNION ALL ".join(selects),
        values=values * len(selects),
        order=order,
        columns=(*table.columns, STORED, WITHDRAWN),
    )


def forget(cursor: duckdb.DuckDBPyConnection, span: Span, *, upto: int) -> int:
    """Delete what `states` returns inside the cursor's transaction, and return how many states that were."""
    table = _movable(span.table)
    conditions, values = _conditions(span, table, upto)
    counted = states(span, upto=upto)
    (row,) = cursor.execute(f"SELECT count(*) FROM ({counted.sql})", counted.values).fetchall()  # noqa: S608  our own
    places = [span.table, past(span.table), withdrawn(span.table)] if table.versioned else [span.table]
    for place in places:
        source, held = _conditions_of(place, span, table, conditions, values)
        if source:
            cursor.execute(f"DELETE FROM {quoted([place])} WHERE {source}", held)  # noqa: S608  names of the schema
    return int(row[0])


def census(cursor: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the columns CENSUS of all tables that have an event time, their past included."""
    counts = [_counted(cursor, name, table) for name, table in TABLES.items() if event_column(table) is not None]
    return pl.concat(counts).sort("table", "start", "provider")


def _counted(cursor: duckdb.DuckDBPyConnection, name: str, table: Table) -> pl.DataFrame:
    places = [name, past(name), withdrawn(name)] if table.versioned else [name]
    has_provider = "provider" in table.columns
    provider = "coalesce(provider, '')" if has_provider else "''"
    selects = [
        f"SELECT date_trunc('month', {event_column(table)}::DATE)::DATE AS start, "  # noqa: S608  names of the schema
        f"{provider if place != withdrawn(name) else repr('')} AS provider FROM {quoted([place])}"
        for place in places
    ]
    sql = f"SELECT start, provider, count(*) AS rows FROM ({' UNION ALL '.join(selects)}) GROUP BY ALL"  # noqa: S608
    rows: pl.DataFrame = cursor.sql(sql).pl()
    total = rows["rows"].sum()
    held = sum(_bytes(cursor, place) for place in places)
    return (
        rows.filter(pl.col("start").is_not_null())
        .select(
            pl.lit(name).alias("table"),
            "start",
            pl.col("start").dt.month_end().alias("end"),
            "provider",
            pl.col("rows").cast(pl.Int64),
            (pl.col("rows") * held / max(total, 1)).round().cast(pl.Int64).alias("bytes"),
        )
        .select(*CENSUS)
    )


def _bytes(cursor: duckdb.DuckDBPyConnection, place: str) -> int:
    sql = f"SELECT count(DISTINCT block_id) FROM pragma_storage_info({place!r}) WHERE block_id >= 0"  # noqa: S608
    (row,) = cursor.execute(sql).fetchall()
    return int(row[0]) * _BLOCK_BYTES


def _places(name: str, table: Table) -> list[tuple[str, str, str]]:
    """Return where rows stand, whether they are withdrawals there, and the condition that each comes once."""
    current = (quoted([name]), "false", "")
    if not table.versioned:
        return [current]
    is_open = f" AND {UNTIL} = {NEVER}"
    return [current, (quoted([past(name)]), "false", is_open), (withdrawals_of(name, table), "true", is_open)]


def _conditions(span: Span, table: Table, upto: int) -> tuple[str, list[object]]:
    bounds = event_range(table, Selection(start=span.start, end=span.end))
    conditions = [*bounds, (f"{WRITTEN} <= ?", upto)]
    if span.provider:
        conditions.append(("provider = ?", span.provider))
    if span.known_before is not None:
        conditions.append((f"ts_known < {INSTANT_IN_SQL}", clamped(span.known_before)))
    return " AND ".join(condition for condition, _ in conditions), [value for _, value in conditions]


def _conditions_of(
    place: str, span: Span, table: Table, conditions: str, values: list[object]
) -> tuple[str, list[object]]:
    """Return what is deleted at `place`; a withdrawal is of no provider."""
    if span.provider and place == withdrawn(span.table) and "provider" not in table.withdrawal:
        return "", []
    return conditions, values


def _movable(name: str) -> Table:
    table = table_named(name)
    if event_column(table) is None:
        raise BadInput(parameter="table", value=name, fix="Its rows stay: they have no event time.")
    return table
