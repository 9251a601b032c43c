"""Make segments of what the store holds, in the background or on command, in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl
import structlog

from truetape.adapters.read_segments.encode import encode
from truetape.adapters.read_segments.files import Part, remove, write_segment
from truetape.adapters.read_segments.layout import COLUMNS, TABLE, Period, period_named, periods
from truetape.adapters.read_segments.library import Library
from truetape.adapters.read_segments.manifest import Filled, tidy
from truetape.domain.errors import StoreUnavailable
from truetape.domain.time import TIMEFRAMES
from truetape.ports.store import Selection, Store

PART_ROWS: Final = 4_000_000  # of one segment: about 260 MB of files, and a few times as much memory to make it
BATCH: Final = 131_072
LOOK_S: Final = 1.0  # between two looks at whether there is something to do
_TURN_S: Final = 0.02
_PATIENCE_S: Final = 1.0  # that one batch waits for others at most, so that there is an end
_DECADE: Final = 10

log = structlog.get_logger()


@dataclass(frozen=True)
class Quiet:
    """When segments are made anew: `after_s` seconds after the last bars, or `at_most_s` after they were made last."""

    after_s: float = 30.0
    at_most_s: float = 900.0


class Load:
    """How many calls the store has to serve now."""

    def __init__(self) -> None:
        self._calls = 0

    @property
    def is_idle(self) -> bool:
        """Whether there are none."""
        return self._calls == 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Count a call until the end of the block."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1


@dataclass(frozen=True)
class Progress:
    """How far a run is: which period is read, how many of its rows were, and how many periods come after it."""

    period: Period
    rows: int
    left: int


def _unseen(_: Progress) -> None:
    return


class Builder:
    """Make the segments of `library` from `store`, giving way while `load` has calls.

    A segment has at least `part_rows` rows, unless its period has fewer, and ends with an instrument's last one.
    """

    def __init__(self, store: Store, library: Library, *, load: Load, part_rows: int = PART_ROWS) -> None:
        self._store = store
        self._library = library
        self._load = load
        self._part_rows = part_rows

    async def keep(self, quiet: Quiet) -> None:
        """Make segments whenever some lack rows, until cancelled. Troubles of the disk or the store are waited out."""
        made = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            if now - self._library.written_at < quiet.after_s and now - made < quiet.at_most_s:
                continue
            try:
                await self._build_quietly()
            except (StoreUnavailable, OSError) as error:
                log.warning("segments.not_made", reason=str(error))
                await asyncio.sleep(quiet.after_s)
            made = time.monotonic()

    async def _build_quietly(self) -> None:
        if self._library.trouble:
            log.warning("segments.unreadable", reason=self._library.trouble)
            self._library.trouble = ""
        begun = time.monotonic()
        if made := await self.build():
            log.info("segments.made", periods=made, seconds=round(time.monotonic() - begun, 3))

    async def build(self, *, seen: Callable[[Progress], None] = _unseen) -> int:
        """Make every segment that is missing or lacks rows, and return how many periods were made.

        Raises:
            StoreUnavailable: The store cannot be read now.
            OSError: The disk is full or failing. What was made before stands.
        """
        await self._library.ready()
        for timeframe in TIMEFRAMES:
            if timeframe not in self._library.manifest.surveyed:
                await self._survey(timeframe)
        due = [period_named(*one) for one in sorted(self._library.marks.labels(), reverse=True)]  # the newest first
        for place, period in enumerate(due, 1):
            assert period is not None
            await self._make(period, seen=seen, left=len(due) - place)
        if due:
            await asyncio.to_thread(tidy, self._library.root, self._library.manifest)
        return len(due)

    async def _survey(self, timeframe: str) -> None:
        """Find the periods of `timeframe` that hold a row: by decades, then one by one."""
        version = self._store.version()
        found: list[Period] = []
        if version and await self._holds(timeframe, periods(timeframe)):
            found = [one async for one in self._holding(timeframe, periods(timeframe))]
        self._library.surveyed(timeframe, version=version, periods=tuple(found))

    async def _holding(self, timeframe: str, among: tuple[Period, ...]) -> AsyncIterator[Period]:
        for place in range(0, len(among), _DECADE):
            several = among[place : place + _DECADE]
            if await self._holds(timeframe, several):
                for one in several:
                    if await self._holds(timeframe, (one,)):
                        yield one

    async def _holds(self, timeframe: str, span: tuple[Period, ...]) -> bool:
        """Return whether there is a row, or was one that is withdrawn."""
        for withdrawn in (False, True):
            wanted = Selection(
                equal={"timeframe": (timeframe,)},
                start=span[0].start_day,
                end=span[-1].end_day,
                columns=("instrument_id",),
                limit=1,
                withdrawn=withdrawn,
            )
            if len(await self._store.read(TABLE, wanted)):
                return True
        return False

    async def _make(self, period: Period, *, seen: Callable[[Progress], None], left: int) -> None:
        version = self._store.version()
        parts: list[Part] = []
        rows = 0
        try:
            async for whole, withdrawn in self._cuts(period):
                parts.append(await asyncio.to_thread(self._write, period, len(parts), whole, withdrawn))
                rows += len(whole)
                seen(Progress(period, rows, left))
            self._library.fill(period, Filled(version=version, parts=tuple(parts)))
        except BaseException:
            for part in parts:
                remove(self._library.root, part.folder)
            raise

    def _write(self, period: Period, number: int, rows: pl.DataFrame, withdrawn: frozenset[str]) -> Part:
        name = f"{period.timeframe}/{period.label}/{number:03d}"
        return write_segment(self._library.root, name, encode(rows, withdrawn=withdrawn))

    async def _cuts(self, period: Period) -> AsyncIterator[tuple[pl.DataFrame, frozenset[str]]]:
        """Yield the rows of `period` in parts that end with an instrument, each with those that lost a row."""
        wanted = Selection(equal={"timeframe": (period.timeframe,)}, start=period.start_day, end=period.end_day)
        gone = await self._withdrawn(wanted)
        held: list[pl.DataFrame] = []
        async for batch in self._store.stream(TABLE, wanted, rows=BATCH):
            await self._give_way()
            held.append(batch)
            if sum(map(len, held)) >= self._part_rows:
                rows = pl.concat(held)
                whole = rows.filter(pl.col("instrument_id") != rows["instrument_id"][-1])
                if len(whole):
                    last = whole["instrument_id"][-1]
                    yield whole, frozenset(one for one in gone if one <= last)
                    gone = frozenset(one for one in gone if one > last)
                    held = [rows.slice(len(whole))]
        if held or gone:
            yield pl.concat(held) if held else pl.DataFrame(schema=COLUMNS), gone

    async def _withdrawn(self, period: Selection) -> frozenset[str]:
        found = await self._store.read(
            TABLE, Selection(equal=period.equal, start=period.start, end=period.end, withdrawn=True)
        )
        return frozenset(found["instrument_id"])

    async def _give_way(self) -> None:
        waited = 0.0
        while not self._load.is_idle and waited < _PATIENCE_S:
            await asyncio.sleep(_TURN_S)
            waited += _TURN_S
