"""Cold files as Delta Lake tables: the log that Spark, Trino, DuckDB, Polars and pandas read beside the files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions

from truetape.domain.errors import StoreUnavailable
from truetape.domain.schema import TABLES, Table
from truetape.ports.tiering import Cold


class DeltaCatalog:
    """Keep one Delta table for each table below `address`, a folder or s3://bucket/prefix.

    The log follows the store: after each move it names exactly the files that stand. A crash in between leaves it
    behind until the next move; it never names a file that was not written. `options` reach the service, and
    `schema_of` says which columns the files of a table have.
    """

    def __init__(self, address: str, *, options: Mapping[str, str], schema_of: Callable[[str], pa.Schema]) -> None:
        self._address = address.rstrip("/")
        self._options = dict(options)
        self._schema_of = schema_of

    async def publish(self, table: str, files: Sequence[Cold]) -> None:
        """Say that `files` are exactly the table from now on; saying it again changes nothing.

        Raises:
            StoreUnavailable: The log cannot be written now.
        """
        wanted = {file.file.removeprefix(f"{table}/"): file for file in files}
        try:
            await asyncio.to_thread(self._publish, table, wanted)
        except (DeltaError, OSError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise StoreUnavailable(path=self._uri(table), reason=reason) from None

    def _uri(self, table: str) -> str:
        return f"{self._address}/{table}"

    def _publish(self, table: str, wanted: Mapping[str, Cold]) -> None:
        held = self._open(table)
        if held is None:
            if wanted:
                self._make(table, wanted)
            return
        there = _paths(held)
        actions: list[Any] = [_added(table, path, file) for path, file in wanted.items() if path not in there]
        actions += [_removed(path, size) for path, size in there.items() if path not in wanted]
        if actions:
            held.create_write_transaction(actions, mode="append", schema=held.schema())

    def _open(self, table: str) -> DeltaTable | None:
        try:
            return DeltaTable(self._uri(table), storage_options=self._options or None)
        except TableNotFoundError:
            return None

    def _make(self, table: str, wanted: Mapping[str, Cold]) -> None:
        create_table_with_add_actions(
            self._uri(table),
            schema=Schema.from_arrow(self._schema_of(table)),
            add_actions=[_added(table, path, file) for path, file in wanted.items()],
            name=table,
            storage_options=self._options or None,
        )


def _paths(held: DeltaTable) -> dict[str, int]:
    """Return the files that the log names, with their sizes in bytes."""
    found = pa.table(held.get_add_actions(flatten=True))
    return dict(zip(found["path"].to_pylist(), found["size_bytes"].to_pylist(), strict=True))


def _added(table: str, path: str, file: Cold) -> AddAction:
    return AddAction(
        path=path,
        size=file.bytes,
        partition_values={},
        modification_time=time_ns() // 10**6,
        data_change=True,
        stats=json.dumps({"numRecords": file.rows, **_ranges(TABLES[table], file)}),
    )


def _ranges(table: Table, file: Cold) -> dict[str, dict[str, str]]:
    """Return the ranges that readers skip files by: of the first column of the key, and of the day."""
    least, greatest = {table.key[0]: file.least}, {table.key[0]: file.greatest}
    for event in (name for name in ("ex_date", "session") if name in table.columns):
        least[event], greatest[event] = file.start.isoformat(), file.end.isoformat()
    if "ts_event" in table.columns:
        least["ts_event"], greatest["ts_event"] = f"{file.start}T00:00:00.000Z", f"{file.end}T23:59:59.999Z"
    return {"minValues": least, "maxValues": greatest}


def _removed(path: str, size: int) -> RemoveAction:
    return RemoveAction(path=path, data_change=True, deletion_timestamp=time_ns() // 10**6, size=size)
