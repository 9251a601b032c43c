"""How rows leave the store that is written to, and where they lie afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, Protocol

import polars as pl

STORED: Final = "stored_version"  # of a row in all its states: the version of the store that wrote it, int64
WITHDRAWN: Final = "withdrawn"  # and whether it is a withdrawal, whose other columns are null
CENSUS: Final = {
    "table": pl.String(),
    "start": pl.Date(),  # first day of the part, and last one
    "end": pl.Date(),
    "provider": pl.String(),
    "rows": pl.Int64(),
    "bytes": pl.Int64(),
}
Tier = Literal["hot", "warm", "archive"]


@dataclass(frozen=True)
class Span:
    """Rows of `table` whose event time lies on session dates from `start` to `end`, both inclusive.

    `provider` leaves those of one provider only, and `known_before` those known before that instant, in UTC
    nanoseconds.
    """

    table: str
    start: date
    end: date
    provider: str = ""
    known_before: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all rows of its days are meant."""
        return not self.provider and self.known_before is None


class Movable(Protocol):
    """A store whose rows can be carried away.

    Guarantees, held by tests/contracts/test_movable.py for every adapter:

    - Everything: `extract` gives current, superseded and withdrawn rows, each with the version that wrote it.
    - At once: a reader sees the rows of a `remove` together with none of its writes, or the other way round.
    - Nothing newer: rows that were written after `upto` stay.
    """

    def extract(self, span: Span, *, upto: int) -> AsyncIterator[pl.DataFrame]:
        """Yield every state of the rows of `span` that was written by version `upto` of the store or before.

        Frames have the table's columns, then STORED and WITHDRAWN, and come in the order of the key, then of `version`
        where there are versions; memory stays bounded.

        Raises:
            StoreUnavailable: The store cannot be read now.
            BadInput: The table does not exist or has no event time.
        """
        ...

    async def remove(self, span: Span, *, upto: int, writes: Mapping[str, pl.DataFrame]) -> int:
        """Forget what `extract` yields for the same arguments, commit `writes`, and return how many rows went.

        All of it is one commit. What `at_version` returns of the rows that stay does not change.

        Raises:
            StoreUnavailable: The store cannot be written now; nothing was changed.
            SchemaMismatch: A frame has not exactly its table's columns.
        """
        ...

    async def census(self) -> pl.DataFrame:
        """Return the columns CENSUS: rows of all states and the bytes that they take, by table, month and provider.

        `provider` is "" where a table has none. Bytes are shared out by rows where the store knows them by table only.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        ...


@dataclass(frozen=True)
class Move:
    """What is to be done with the rows of `span`: carried to `tier`, or deleted where it is None."""

    span: Span
    tier: Literal["warm", "archive"] | None
    actor: str
    why: str


@dataclass(frozen=True)
class Moved:
    """What was done: rows that left their tier, files and bytes that were written."""

    rows: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Damage:
    """A cold file that is missing or not what was written. `words` say what is wrong with it."""

    file: str
    table: str
    tier: str
    words: str
    repaired: bool


class Tiers(Protocol):
    """Carry rows between the tiers of a store that reads all of them."""

    async def move(self, move: Move, *, ts_known: int, simulated: bool) -> Moved:
        """Do `move`; rows stay readable exactly once at any moment, whatever dies on the way.

        Raises:
            StoreUnavailable: A tier cannot be read or written now; what was begun is done the next time.
            CorruptArchive: What was written could not be read back; the rows stay where they were.
        """
        ...

    async def holdings(self) -> pl.DataFrame:
        """Return what lies where: the columns `tier` and CENSUS.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        ...

    def scrub(self) -> AsyncIterator[tuple[str, Damage | None]]:
        """Yield each cold file's key, with what is wrong with it, after reading all of it; mend it where that goes."""
        ...

    async def sweep(self, *, older_than_ns: int) -> int:
        """Delete cold files that no standing row lies in, and return how many.

        Those that rows were deleted from go at once, others if they were written before `older_than_ns`.
        """
        ...


class Cold(Protocol):
    """A cold file: its key among the objects of its tier, and what its rows range over, all inclusive.

    `least` and `greatest` are of the first column of the table's key, `start` and `end` session dates.
    """

    @property
    def file(self) -> str: ...

    @property
    def bytes(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def least(self) -> str: ...

    @property
    def greatest(self) -> str: ...

    @property
    def start(self) -> date: ...

    @property
    def end(self) -> date: ...


class Catalog(Protocol):
    """Where other programs learn which cold files make up a table."""

    async def publish(self, table: str, files: Sequence[Cold]) -> None:
        """Say that `files` are exactly the table from now on; saying it again changes nothing.

        Raises:
            StoreUnavailable: It cannot be written now.
        """
        ...
