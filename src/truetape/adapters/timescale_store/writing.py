"""Write frames into tables: new rows in, repeats ignored, replaced and withdrawn rows moved to the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from truetape.adapters.timescale_store.connecting import Connection
from truetape.adapters.timescale_store.copying import SMALL, receive, send
from truetape.adapters.timescale_store.latest import BARS, note
from truetape.adapters.timescale_store.names import (
    EVENT_TABLES,
    WITHDRAWN,
    WRITTEN,
    escaped,
    past,
    quoted,
    relation,
)
from truetape.adapters.timescale_store.partitions import Partitions
from truetape.adapters.timescale_store.superseding import Change, supersede
from truetape.domain.schema import TABLES, Table
from truetape.domain.stored_rows import has_repeats, instant_span, without

META: Final = "truetape_meta"
_ANY_NUMBER: Final = b"SET LOCAL timescaledb.max_tuples_decompressed_per_dml_transaction = 0"  # of old rows
CHANNEL: Final = "truetape_version"
FEW: Final = 16
SPARE_ROWS: Final = 10_000  # rows of other keys that may come along when those of a batch are looked for


@dataclass(frozen=True)
class Batch:
    """A frame made ready for its table, before the transaction in which writers wait for each other."""

    name: str
    table: Table
    rows: pl.DataFrame  # one for each key, and version where there are versions; withdrawals have no values
    about: dict[str, list[str]]  # the values of the text columns of the key that narrow the table
    span: tuple[str, int, int] | None  # the column of instants of the key, with its first and last, UTC nanoseconds
    is_plain: bool  # no key comes twice, and nothing is withdrawn

    @classmethod
    def of(cls, name: str, frame: pl.DataFrame, withdrawals: pl.DataFrame | None) -> Self:
        """Return `frame` and `withdrawals` ready for table `name`."""
        table = TABLES[name]
        rows, identity = frame, [*table.key]
        if table.versioned:
            rows, identity = _with_withdrawals(frame, withdrawals), [*table.key, "version"]
        if has_repeats(rows, identity):
            rows = rows.unique(identity, keep="first", maintain_order=True)
        withdraws = withdrawals is not None and len(withdrawals) > 0
        return cls(
            name=name,
            table=table,
            rows=rows,
            about=_about(name, rows, table.key),
            span=instant_span(rows, table.key),
            is_plain=not withdraws and not (table.versioned and has_repeats(rows, table.key)),
        )

    @classmethod
    def joined(cls, parts: Sequence[tuple[int, Batch]]) -> Self | None:
        """Return batches of one table as one, whose rows say which version of the store brings them.

        None if two of them have rows of one key, or one does more than to add: they are written one after the other.
        """
        name, table = parts[0][1].name, parts[0][1].table
        rows = pl.concat([batch.rows.with_columns(pl.lit(number, pl.Int64).alias(WRITTEN)) for number, batch in parts])
        if not all(batch.is_plain for _, batch in parts) or has_repeats(rows, table.key):
            return None
        about, span = _about(name, rows, table.key), instant_span(rows, table.key)
        return cls(name=name, table=table, rows=rows, about=about, span=span, is_plain=True)


@dataclass(frozen=True)
class Writer:
    """One transaction on `connection` that writes what becomes version `version` of the store in `schema`."""

    connection: Connection
    schema: str
    version: int
    partitions: Partitions
    touched: set[str]  # temporary tables that this transaction has used

    async def add(self, batches: Sequence[Batch]) -> bool:
        """Write `batches`, which are joined, and return True; or nothing, and False, if rows of them may be there."""
        for batch in batches:
            if await self._count(batch):
                return False
        for batch in batches:
            await self._add(batch, batch.rows)
        return True

    async def write(self, batch: Batch) -> bool:
        """Write `batch` into its table, and return whether anything changed."""
        if batch.rows.is_empty():
            return False
        count = await self._count(batch)
        if batch.is_plain and not count:
            return await self._add(batch, batch.rows)
        if batch.table.versioned:
            return await self._write_versions(batch, count)
        known = await self._matching(batch, batch.name, batch.table.key, count)
        fresh = without(batch.rows, known, batch.table.key)
        return not fresh.is_empty() and await self._add(batch, fresh)

    async def _add(self, batch: Batch, rows: pl.DataFrame) -> bool:
        written = pl.col(WRITTEN) if WRITTEN in rows.columns else pl.lit(self.version, pl.Int64).alias(WRITTEN)
        plain = rows.select(*batch.table.columns, written)
        await self.partitions.ensure(self.connection, batch.name, plain)
        await send(self.connection, relation(self.schema, batch.name), plain)
        if batch.name == BARS:
            await note(self.connection, self.schema, plain, gone=plain.clear())
        return True

    async def _write_versions(self, batch: Batch, count: int) -> bool:
        """Write rows of keys that may be there in other versions."""
        name, table = batch.name, batch.table
        common = (*table.columns, WRITTEN)
        current = await self._matching(batch, name, common, count)
        older = await self._matching(batch, past(name), (*common, WITHDRAWN), count)
        held = pl.concat(
            [
                current.with_columns(pl.lit(value=False).alias(WITHDRAWN), is_current=pl.lit(value=True)),
                older.with_columns(is_current=pl.lit(value=False)),
            ]
        )
        fresh = without(batch.rows, held, [*table.key, "version"])
        if fresh.is_empty():
            return False
        fresh = fresh.with_columns(pl.lit(self.version, pl.Int64).alias(WRITTEN)).select(held.columns[:-1])
        await self._apply(batch, supersede(held, fresh, table))
        return True

    async def _apply(self, batch: Batch, change: Change) -> None:
        if batch.name in EVENT_TABLES and not self.partitions.widths:
            await self.connection.execute(_ANY_NUMBER)
        if change.is_past_known:
            await self._delete(batch, past(batch.name), change.touched)
        if not change.gone.is_empty():
            await self._delete(batch, batch.name, change.gone)
        if not change.past.is_empty():
            await send(self.connection, relation(self.schema, past(batch.name)), change.past)
        if not change.current.is_empty():
            await self.partitions.ensure(self.connection, batch.name, change.current)
            await send(self.connection, relation(self.schema, batch.name), change.current)
        if batch.name == BARS:
            await note(self.connection, self.schema, change.current, gone=change.gone)

    async def _count(self, batch: Batch) -> int:
        """Return how many rows the table has about the same as the batch; mostly none, and more are not counted."""
        where, values = _where(batch)
        most = 4 * len(batch.rows) + SPARE_ROWS
        names = (batch.name, past(batch.name)) if batch.table.versioned else (batch.name,)
        counts = [
            f"(SELECT count(*) FROM (SELECT 1 FROM {relation(self.schema, name)} held{where} LIMIT {most + 1}) few)"  # noqa: S608
            for name in names
        ]
        cursor = await self.connection.execute(f"SELECT {' + '.join(counts)}".encode(), [*values] * len(names))
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0]) if row[0] <= most else -1

    async def _matching(self, batch: Batch, name: str, columns: Sequence[str], count: int) -> pl.DataFrame:
        """Return `columns` of the rows of table `name` whose key is in the batch; `count`: -1 if there may be many."""
        key, keys = batch.table.key, batch.rows.select(batch.table.key)
        where, values = _where(batch)
        fetched = tuple(dict.fromkeys((*columns, *key)))
        source = f"{relation(self.schema, name)} held"
        if count < 0:
            source += f" JOIN {await self._touch(batch, keys)} touched ON {_same(key, keys)}"
        named = ", ".join(f'held."{column}"' for column in fetched)
        kinds = {**batch.table.columns, WRITTEN: pl.Int64(), WITHDRAWN: pl.Boolean()}
        found = await receive(
            self.connection,
            f"SELECT {named} FROM {source}{where}",  # noqa: S608  names of the schema
            values,
            {column: kinds[column] for column in fetched},
        )
        return found.join(keys.unique(), on=list(key), how="semi", nulls_equal=True).select(columns)

    async def _delete(self, batch: Batch, name: str, keys: pl.DataFrame) -> None:
        where, values = _where(batch)
        touched = await self._touch(batch, keys)
        condition = f"{where} AND " if where else " WHERE "
        target = f"{relation(self.schema, name)} held USING {touched} touched"
        sql = f"DELETE FROM {target}{condition}{_same(batch.table.key, keys)}"  # noqa: S608  names of the schema
        await self.connection.execute(sql.encode(), values)

    async def _touch(self, batch: Batch, keys: pl.DataFrame) -> str:
        """Return a temporary table that holds `keys`."""
        name = f'pg_temp."touched_{batch.name}"'
        columns = quoted(batch.table.key)
        like = relation(self.schema, batch.name)
        create = f"CREATE TEMP TABLE IF NOT EXISTS touched_{batch.name} ON COMMIT DELETE ROWS AS SELECT {columns} "
        if batch.name in self.touched:
            await self.connection.execute(f"DELETE FROM {name}".encode())  # noqa: S608  names of the schema
        else:
            await self.connection.execute(f"{create}FROM {like} WITH NO DATA".encode())
            self.touched.add(batch.name)
        await send(self.connection, name, keys.unique())
        if len(keys) > SMALL:
            await self.connection.execute(f"ANALYZE {name}".encode())
        return name


def _with_withdrawals(frame: pl.DataFrame, withdrawals: pl.DataFrame | None) -> pl.DataFrame:
    rows = frame.with_columns(pl.lit(value=False).alias(WITHDRAWN))
    if withdrawals is None or withdrawals.is_empty():
        return rows
    return pl.concat([rows, withdrawals.with_columns(pl.lit(value=True).alias(WITHDRAWN))], how="diagonal")


def _about(name: str, rows: pl.DataFrame, key: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of those text columns of `key` that are indexed, or have a few values only, and no null."""
    about = {}
    leading = EVENT_TABLES.get(name, key[:1])
    for column in key:
        if rows.schema[column] == pl.String() and rows[column].null_count() == 0:
            values = rows[column].unique()
            if len(values) <= FEW or column in leading:
                about[column] = [escaped(value) for value in values]
    return about


def _where(batch: Batch) -> tuple[str, list[object]]:
    conditions = [f'held."{column}" = ANY(%s)' for column in batch.about]
    values: list[object] = list(batch.about.values())
    if batch.span is not None:
        column, first, last = batch.span
        conditions.append(f'held."{column}" BETWEEN %s AND %s')
        values += [first, last]
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), values


def _same(key: Sequence[str], keys: pl.DataFrame) -> str:
    """Return the condition that keys are equal; null equals null, at a price that only columns with nulls pay."""
    operators = {column: "IS NOT DISTINCT FROM" if keys[column].null_count() else "=" for column in key}
    return " AND ".join(f'held."{column}" {operator} touched."{column}"' for column, operator in operators.items())
