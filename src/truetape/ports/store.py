"""Where decided records live: read by anyone as known at any time, written by the room that owns the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import polars as pl


@dataclass(frozen=True)
class Selection:
    """Which rows of a table are wanted.

    `equal` maps a column to the values wanted; no entry means all. `start` and `end` bound the event time (`ts_event`,
    `ex_date` or `session`), both inclusive, as session dates. `as_of` is a knowledge time in UTC nanoseconds: rows are
    returned as they were known then (inclusive); None means now. `history` returns superseded versions too.
    """

    equal: Mapping[str, Sequence[str]] = field(default_factory=dict)
    start: date | None = None
    end: date | None = None
    as_of: int | None = None
    history: bool = False
    columns: tuple[str, ...] = ()
    limit: int | None = None


class Store(Protocol):
    """Keep tables of schema.TABLES.

    Guarantees, held by tests/contracts/test_store.py for every adapter:

    - Atomic: `commit` writes all of its frames or none, and a reader sees all or none.
    - Durable: when `commit` returns, a crash loses nothing of it.
    - Idempotent: rows whose key and values are there already change nothing.
    - Both times: a versioned row that is replaced stays readable by `as_of` and `history`; nothing is ever lost.
    - Sorted: rows come back in the order of the table's key.
    """

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`).

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        ...

    async def commit(self, writes: Mapping[str, pl.DataFrame]) -> int:
        """Write frames by table name and return the store's version after it.

        For a versioned table a row must carry its version; the row replaces the current one of the same key.

        Raises:
            SchemaMismatch: A frame has not exactly its table's columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
        """
        ...

    def version(self) -> int:
        """Return a number that grows with every commit that changed something."""
        ...
