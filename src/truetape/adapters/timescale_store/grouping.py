"""Commits that wait for each other are written in one transaction: they share its round trips and its flush.

Each keeps a version of its own, as if they had come one after the other. If they fail together, each is tried alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from truetape.adapters.timescale_store.writing import Batch

MOST_ROWS: Final = 65_536  # of one group; a greater commit goes alone
Group = Sequence[Sequence[Batch]]


def joined(group: Group, *, after: int) -> list[Batch] | None:
    """Return the commits of `group`, which become versions `after` + 1 and on, with one batch for each table.

    None if one of them adds nothing, or two have rows of one key: they are written one after the other.
    """
    if len(group) == 1 or not all(any(len(batch.rows) for batch in batches) for batches in group):
        return None
    tables: dict[str, list[tuple[int, Batch]]] = {}
    for version, batches in enumerate(group, start=after + 1):
        for batch in batches:
            if len(batch.rows):
                tables.setdefault(batch.name, []).append((version, batch))
    found = [Batch.joined(parts) for parts in tables.values()]
    whole = [batch for batch in found if batch is not None]
    return whole if len(whole) == len(found) else None


@dataclass(frozen=True)
class _Waiting:
    """What one caller wants written, and where it waits to be told the version."""

    batches: Sequence[Batch]
    told: asyncio.Future[int]

    @property
    def rows(self) -> int:
        return sum(len(batch.rows) for batch in self.batches)


class CommitLine:
    """The line in which commits wait; `write` writes several in one transaction and returns the version after each."""

    def __init__(self, write: Callable[[Group], Awaitable[list[int]]]) -> None:
        self._write = write
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def commit(self, batches: Sequence[Batch]) -> int:
        """Return the version of the store when `batches` are durable.

        Raises:
            Whatever `write` raises: nothing of this commit was written.
        """
        one = _Waiting(batches, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await one.told

    async def _work(self) -> None:
        while self._waiting:
            await self._together(self._next_group())

    def _next_group(self) -> list[_Waiting]:
        group, rows = [self._waiting.popleft()], 0
        rows += group[0].rows
        while self._waiting and rows + self._waiting[0].rows <= MOST_ROWS:
            group.append(self._waiting.popleft())
            rows += group[-1].rows
        return group

    async def _together(self, group: list[_Waiting]) -> None:
        try:
            versions = await self._write([one.batches for one in group])
        except asyncio.CancelledError:
            for one in (*group, *self._waiting):
                one.told.cancel()
            raise
        except Exception as error:  # noqa: BLE001  each caller is told its own
            if len(group) > 1:
                for one in group:
                    await self._together([one])
            elif not group[0].told.done():
                group[0].told.set_exception(error)
            return
        for one, version in zip(group, versions, strict=True):
            if not one.told.done():  # who waited may have been cancelled
                one.told.set_result(version)
