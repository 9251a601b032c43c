"""Small doubles of the ports, for tests of one room: a store of frames and a bus that only listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import date
from typing import TypeVar

import polars as pl

from truetape.domain.messages import Message
from truetape.domain.schema import INSTANT, TABLES, check, empty
from truetape.domain.subjects import Subject
from truetape.ports.store import BATCH_ROWS, Selection

M = TypeVar("M", bound=Message)
EVENT_TIMES = ("ts_event", "ex_date", "session")


class ListBus:
    """Keep what is told in a list, and whom a room wants to hear."""

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.heard: list[tuple[str, str]] = []

    async def publish(self, message: Message) -> None:
        self.told.append(message)

    def subscribe(self, kind: type[M], *, group: str, handler: Callable[[M], Awaitable[None]]) -> None:
        self.heard.append((kind.__name__, group))


class FrameStore:
    """Keep every row in memory; readers get the current versions."""

    def __init__(self, **tables: pl.DataFrame) -> None:
        self.rows = {name: empty(table.columns) for name, table in TABLES.items()} | tables
        self.commits: list[dict[str, int]] = []

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        assert selection.as_of is None
        assert not selection.history
        assert selection.at_version is None
        assert selection.since_version is None
        rows = self.rows[table].clear() if selection.withdrawn else self.rows[table]
        for name, values in selection.equal.items():
            rows = rows.filter(pl.col(name).is_in(list(values)))
        for name in EVENT_TIMES:
            if name in rows.columns:
                day = pl.col(name).cast(pl.Date)
                rows = rows.filter(day >= (selection.start or date.min), day <= (selection.end or date.max))
        key = list(TABLES[table].key)
        if TABLES[table].versioned:
            rows = rows.sort("version").unique(key, keep="last")
        return rows.sort(key).select(selection.columns or list(TABLES[table].columns))

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        for frame in (await self.read(table, selection)).iter_slices(rows):
            yield frame

    async def commit(
        self, writes: Mapping[str, pl.DataFrame], *, withdrawals: Mapping[str, pl.DataFrame] | None = None
    ) -> int:
        assert not withdrawals
        for name, frame in writes.items():
            grown = pl.concat([self.rows[name], check(frame, TABLES[name].columns, kind=name)])
            version = ["version"] if TABLES[name].versioned else []
            assert not grown.select([*TABLES[name].key, *version]).is_duplicated().any()
            self.rows[name] = grown
        self.commits.append({name: len(frame) for name, frame in writes.items()})
        return self.version()

    def version(self) -> int:
        return len(self.commits)


class Unchanged:
    """Changes of a store that has none, and that nobody else writes."""

    is_alone = True

    def unchanged(self, subjects: Collection[Subject], *, since: int) -> bool:
        return bool(subjects) and since >= 0


class FixedClock:
    """Stand still."""

    def now_ns(self) -> int:
        return 1_700_000_000_000_000_000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def rows(table: str, **columns: object) -> pl.DataFrame:
    """Return rows of `table`: lists are columns, other values stand in every row, what is not given is null.

    A date may stand for an instant: its 00:00 UTC. Versions are 1 and nothing is simulated unless given.
    """
    given = {"version": 1, "simulated": False, **columns}
    length = max(len(value) for value in given.values() if isinstance(value, list))
    series = []
    for name, dtype in TABLES[table].columns.items():
        value = given.get(name)
        values = value if isinstance(value, list) else [value] * length
        plain = pl.Series(name, values, dtype=pl.Date) if dtype == INSTANT and _dates(values) else None
        series.append(pl.Series(name, values, dtype=dtype) if plain is None else plain.cast(dtype))
    return pl.DataFrame(series)


def _dates(values: list[object]) -> bool:
    return any(isinstance(value, date) for value in values)
