"""Commit together what waits together: many small commits cost one transaction and one flush to the disk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import polars as pl

from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.time import DAY_NS

Frames = Mapping[str, pl.DataFrame]
Ready = TypeVar("Ready")

SMALL: Final = 1024  # rows of a commit that goes with others; a greater one goes alone
MOST_ROWS: Final = 65_536  # of one group
LONGEST_NS: Final = 2 * DAY_NS  # of a group in one table: the writer searches it from the first to the last instant


@dataclass(frozen=True)
class Commit:
    """What one caller wants written, and where it waits to be told the version."""

    writes: Frames
    withdrawals: Frames
    told: Future[int] = field(default_factory=Future)

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(len(frame) for frames in (self.writes, self.withdrawals) for frame in frames.values())


class GroupCommit(Generic[Ready]):
    """Hand commits to the one thread that writes: small ones that wait at the same time as one.

    While a commit is being written others come to wait. The next one takes every small commit that waits, as long as no
    two of them touch the same key, so that it is all the same in which order they are written. They share one version
    of the store. If they fail together, each is tried alone: one that cannot be written fails nobody else.

    `prepare` makes frames ready away from the thread that writes, and `write` writes them in one transaction and
    returns the version of the store after it.
    """

    def __init__(
        self,
        prepare: Callable[[Frames, Frames], Ready],
        write: Callable[[Ready], int],
        *,
        writer: Executor,
        preparers: Executor,
    ) -> None:
        self._prepare = prepare
        self._write = write
        self._writer = writer
        self._preparers = preparers
        self._waiting: deque[Commit] = deque()  # filled by callers, emptied by the one thread that writes

    async def commit(self, writes: Frames, withdrawals: Frames) -> int:
        """Return the version of the store when the rows are durable; frames must have the columns of their tables.

        Raises:
            Whatever `prepare` and `write` raise: nothing of this commit was written.
        """
        commit = Commit(writes, withdrawals)
        loop = asyncio.get_running_loop()
        if commit.rows > SMALL:
            ready = await loop.run_in_executor(self._preparers, self._prepare, writes, withdrawals)
            return await loop.run_in_executor(self._writer, self._write, ready)
        self._waiting.append(commit)
        self._writer.submit(self._write_waiting)
        return await asyncio.wrap_future(commit.told)

    def _write_waiting(self) -> None:
        """Write the next group; nothing if an earlier one took all that waited."""
        group = [commit for commit in self._next_group() if commit.told.set_running_or_notify_cancel()]
        if not group:
            return
        try:
            version = self._write_together(group)
        except BaseException as error:  # noqa: BLE001  each caller is told its own
            if len(group) == 1:
                group[0].told.set_exception(error)
            else:
                self._write_apart(group)
            return
        for commit in group:
            commit.told.set_result(version)

    def _write_apart(self, group: Sequence[Commit]) -> None:
        for commit in group:
            try:
                version = self._write_together([commit])
            except BaseException as error:  # noqa: BLE001  as above
                commit.told.set_exception(error)
            else:
                commit.told.set_result(version)

    def _write_together(self, group: Sequence[Commit]) -> int:
        return self._write(
            self._prepare(
                _joined([commit.writes for commit in group]), _joined([commit.withdrawals for commit in group])
            )
        )

    def _next_group(self) -> list[Commit]:
        """Take from the head of the line all that go together."""
        group = _Group()
        while self._waiting and group.takes(self._waiting[0]):
            self._waiting.popleft()
        return group.commits


class _Group:
    """Commits that can be written as one."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self._rows = 0
        self._keys: dict[str, set[int]] = {}
        self._spans: dict[str, tuple[int, int]] = {}

    def takes(self, commit: Commit) -> bool:
        """Take `commit` in and return True, or return False if it must wait for the next group."""
        keys = _keys(commit)
        spans = _wider(self._spans, commit)
        if self.commits and (
            self._rows + commit.rows > MOST_ROWS
            or any(not self._keys.get(table, set()).isdisjoint(those) for table, those in keys.items())
            or any(last - first > LONGEST_NS for first, last in spans.values())
        ):
            return False
        self.commits.append(commit)
        self._rows += commit.rows
        self._spans = spans
        for table, those in keys.items():
            self._keys.setdefault(table, set()).update(those)
        return True


def _keys(commit: Commit) -> dict[str, set[int]]:
    """Return hashes of the keys that a commit touches, by table; two that are equal by chance only part a group."""
    found: dict[str, set[int]] = {}
    for frames in (commit.writes, commit.withdrawals):
        for table, frame in frames.items():
            found.setdefault(table, set()).update(frame.select(TABLES[table].key).hash_rows())
    return found


def _wider(spans: Mapping[str, tuple[int, int]], commit: Commit) -> dict[str, tuple[int, int]]:
    """Return `spans`, the first and last instant of each table in UTC nanoseconds, with those of `commit`."""
    wide = dict(spans)
    for frames in (commit.writes, commit.withdrawals):
        for table, frame in frames.items():
            if (found := _span(table, frame)) is not None:
                first, last = wide.get(table, found)
                wide[table] = min(first, found[0]), max(last, found[1])
    return wide


def _span(table: str, frame: pl.DataFrame) -> tuple[int, int] | None:
    column = next((name for name in TABLES[table].key if frame.schema[name] == INSTANT), None)
    if column is None:
        return None
    first, last = frame[column].to_physical().min(), frame[column].to_physical().max()
    return (first, last) if isinstance(first, int) and isinstance(last, int) else None


def _joined(every: Sequence[Frames]) -> dict[str, pl.DataFrame]:
    """Return the frames of all, one for each table."""
    parts: dict[str, list[pl.DataFrame]] = {}
    for frames in every:
        for table, frame in frames.items():
            parts.setdefault(table, []).append(frame)
    return {table: some[0] if len(some) == 1 else pl.concat(some) for table, some in parts.items()}
