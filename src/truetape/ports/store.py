"""Where decided records live: read by anyone as known at any time, written by the room that owns the table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

import polars as pl

BATCH_ROWS: Final = 65_536  # of one frame of a stream


@dataclass(frozen=True)
class Selection:
    """Which rows of a table are wanted.

    `equal` maps a column to the values wanted; no entry means all. `start` and `end` bound the event time (`ts_event`,
    `ex_date` or `session`), both inclusive, as session dates. `as_of` is a knowledge time in UTC nanoseconds: rows are
    returned as they were known then (inclusive); None means now. `history` returns superseded versions too.

    `at_version` is a version of the store: rows are returned as the store held them after that commit, whatever was
    written since and whatever `ts_known` it carried; None means now. `since_version` leaves only rows that were written
    after that commit. `withdrawn` returns the withdrawals themselves instead of rows: keys whose row no longer stands,
    with the version, `ts_known` and `simulated` of the withdrawal, and null in all other columns.
    """

    equal: Mapping[str, Sequence[str]] = field(default_factory=dict)
    start: date | None = None
    end: date | None = None
    as_of: int | None = None
    history: bool = False
    columns: tuple[str, ...] = ()
    limit: int | None = None
    at_version: int | None = None
    since_version: int | None = None
    withdrawn: bool = False


class Store(Protocol):
    """Keep tables of schema.TABLES.

    Guarantees, held by tests/contracts/test_store.py for every adapter:

    - Atomic: `commit` writes all of its frames or none, and a reader sees all or none.
    - Durable: when `commit` returns, a crash loses nothing of it.
    - Idempotent: rows whose key and values are there already change nothing.
    - Both times: a versioned row that is replaced or withdrawn stays readable by `as_of` and `history`; nothing is ever
      lost.
    - Every state: what `at_version` returns never changes again.
    - Sorted: rows come back in the order of the table's key.
    """

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        """Return rows with exactly the table's columns (or `selection.columns`).

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table or a column does not exist, or the selection makes no sense for it.
        """
        ...

    def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        """Yield what `read` returns in frames of at most `rows` rows, in bounded memory, all of one store version.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: As for `read`.
        """
        ...

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        """Write frames by table name and return the store's version after it.

        For a versioned table a row must carry its version; the row replaces the current one of the same key.

        Args:
            writes: Rows with exactly their table's columns.
            withdrawals: Rows of versioned tables that no longer stand: the table's key, `ts_known`, `version` and
                `simulated`. A withdrawal is a version like any other; a later one may bring the row back.

        Raises:
            SchemaMismatch: A frame has not exactly its columns.
            StoreUnavailable: The store cannot be written now; nothing was written.
        """
        ...

    def version(self) -> int:
        """Return a number that grows with every commit that changed something."""
        ...
