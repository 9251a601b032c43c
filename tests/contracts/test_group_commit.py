"""How commits that wait for the one thread that writes become few."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from store_rows import bar, frame

from truetape.adapters.duckdb_store.grouping import LONGEST_NS, MOST_ROWS, SMALL, GroupCommit
from truetape.domain.errors import StoreUnavailable
from truetape.domain.time import DAY_NS

Frames = Mapping[str, pl.DataFrame]


class Ledger:
    """A writer that keeps what it was given, waits at its gate before each write, and refuses the bars of a few."""

    def __init__(self, *refused: str) -> None:
        self.gate = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.written: list[list[str]] = []
        self._refused = {*refused}

    def write(self, ready: tuple[Frames, Frames]) -> int:
        self.begun.release()
        assert self.gate.acquire(timeout=60)
        names = [name for frames in ready for rows in frames.values() for name in rows["instrument_id"]]
        if self._refused & {*names}:
            raise StoreUnavailable(path="here", reason=f"{names} are refused")
        self.written.append(names)
        return len(self.written)

    def open(self) -> None:
        self.gate.release(1000)


class Line:
    """The commits of one test, behind a first one that is being written."""

    def __init__(self, ledger: Ledger, pool: ThreadPoolExecutor) -> None:
        self.ledger = ledger
        self.group = GroupCommit(lambda *frames: frames, ledger.write, writer=pool, preparers=ThreadPoolExecutor(1))
        self.callers: list[asyncio.Task[int]] = []

    async def begin(self) -> None:
        await self.add("first")
        assert await asyncio.to_thread(self.ledger.begun.acquire, timeout=10)

    async def add(self, *names: str, day: int = 1, withdrawn: bool = False) -> asyncio.Task[int]:
        one = frame("bars", bar(day))
        rows = {"bars": pl.concat([one] * len(names)).with_columns(instrument_id=pl.Series(names))}
        self.callers.append(asyncio.create_task(self.group.commit(*(({}, rows) if withdrawn else (rows, {})))))
        await asyncio.sleep(0)
        return self.callers[-1]

    async def end(self) -> list[int | BaseException]:
        self.ledger.open()
        return await asyncio.gather(*self.callers, return_exceptions=True)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


async def test_what_waits_together_is_written_once(pool: ThreadPoolExecutor) -> None:
    """Three that come while one is written are the second write, and share its version."""
    line = Line(Ledger(), pool)
    await line.begin()
    for name in ("a", "b", "c"):
        await line.add(name)

    assert [1, 2, 2, 2] == await line.end()
    assert [["first"], ["a", "b", "c"]] == line.ledger.written


async def test_nobody_is_told_before_the_write_has_ended(pool: ThreadPoolExecutor) -> None:
    """While the group is being written all of its callers wait."""
    line = Line(Ledger(), pool)
    await line.begin()
    await line.add("a")
    await line.add("b")
    line.ledger.gate.release()
    assert await asyncio.to_thread(line.ledger.begun.acquire, timeout=10)

    assert [True, False, False] == [caller.done() for caller in line.callers]
    assert [1, 2, 2] == await line.end()


async def test_one_that_cannot_be_written_fails_alone(pool: ThreadPoolExecutor) -> None:
    """Its neighbours are written, in their order, and only its own caller is told of the failure."""
    line = Line(Ledger("b"), pool)
    await line.begin()
    for name in ("a", "b", "c"):
        await line.add(name)
    first, a, b, c = await line.end()

    assert (1, 2, 3) == (first, a, c)
    assert isinstance(b, StoreUnavailable)
    assert "['b'] are refused" in str(b)
    assert [["first"], ["a"], ["c"]] == line.ledger.written


async def test_a_lone_failure_is_tried_once(pool: ThreadPoolExecutor) -> None:
    """A group of one is not written again."""
    line = Line(Ledger("b"), pool)
    await line.begin()
    await line.add("b")
    _, b = await line.end()

    assert isinstance(b, StoreUnavailable)
    assert not line.ledger.begun.acquire(blocking=False) or not line.ledger.begun.acquire(blocking=False)


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_two_of_one_key_stay_apart_and_in_order(pool: ThreadPoolExecutor, withdrawn: bool) -> None:
    """A second write or withdrawal of a key waits for the next group, with all that came after it."""
    line = Line(Ledger(), pool)
    await line.begin()
    await line.add("a", "b")
    await line.add("b", withdrawn=withdrawn)
    await line.add("c")

    assert [1, 2, 3, 3] == await line.end()
    assert [["first"], ["a", "b"], {*"bc"}] == [*line.ledger.written[:2], {*line.ledger.written[2]}]


async def test_groups_are_bounded_in_rows(pool: ThreadPoolExecutor) -> None:
    """What would be more rows than a group may have waits for the next one."""
    line = Line(Ledger(), pool)
    await line.begin()
    number = MOST_ROWS // SMALL
    for each in range(number + 1):
        await line.add(*(f"{each}-{row}" for row in range(SMALL)))
    await line.end()

    assert [1, MOST_ROWS, SMALL] == [len(names) for names in line.ledger.written]


async def test_a_great_commit_goes_alone(pool: ThreadPoolExecutor) -> None:
    """Its frames are made ready before its turn, and small ones do not wait to be joined to it."""
    line = Line(Ledger(), pool)
    await line.begin()
    await line.add("a")
    await line.add(*(f"great-{row}" for row in range(SMALL + 1)))
    await line.add("b")
    await line.end()

    assert [["first"], ["a", "b"], SMALL + 1] == [*line.ledger.written[:2], len(line.ledger.written[2])]


async def test_old_and_new_are_not_searched_at_once(pool: ThreadPoolExecutor) -> None:
    """A backfill of long ago waits for the next group, or a table would be searched from then to now."""
    line = Line(Ledger(), pool)
    await line.begin()
    far = 1 + LONGEST_NS // DAY_NS
    for name, day in (("a", 1), ("b", far), ("c", far + 1)):
        await line.add(name, day=day)

    assert [1, 2, 2, 3] == await line.end()


async def test_a_caller_who_went_away_while_waiting_is_left_out(pool: ThreadPoolExecutor) -> None:
    """What was cancelled before its turn is not written; a group of such alone writes nothing."""
    line = Line(Ledger(), pool)
    await line.begin()
    await line.add("a")
    (await line.add("b")).cancel()
    await asyncio.sleep(0)
    await line.end()

    assert [["first"], ["a"]] == line.ledger.written
