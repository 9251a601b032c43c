"""Rows that came after all that the segments hold, kept in memory until segments hold them too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.adapters.read_segments.layout import COLUMNS

MOST_ROWS: Final = 200_000  # that are kept of all instruments, some 60 MB; more are left to the store
MOST_RUNS: Final = 32  # of one instrument in one period, before they are put into one frame


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of one instrument, ascending and each the first of its instant: `count` rows of `frame` from `start`."""

    frame: pl.DataFrame
    start: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """`lines` of `instrument` as the store has had them since its version `after`."""

    instrument: str
    lines: Lines
    after: int


def together(runs: Sequence[Run]) -> pl.DataFrame:
    """Return the rows of `runs`, one run after the other, with the columns of the table."""
    frames = [frame.slice(start, count) for frame, start, count in _joined(runs)]
    if not frames:
        return pl.DataFrame(schema=COLUMNS)
    return frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=True)


def packed(runs: list[Run]) -> list[Run]:
    """Return `runs` of one instrument in one frame if they are many."""
    if len(runs) <= MOST_RUNS:
        return runs
    rows = together(runs)
    return [Run(runs[0].instrument, Lines(rows, 0, len(rows)), max(one.after for one in runs))]


def _joined(runs: Sequence[Run]) -> Iterator[tuple[pl.DataFrame, int, int]]:
    """Yield frames with the first row and the number of rows; runs that lie side by side come as one."""
    held: tuple[pl.DataFrame, int, int] | None = None
    for run in runs:
        lines = run.lines
        if held is not None and held[0] is lines.frame and held[1] + held[2] == lines.start:
            held = (lines.frame, held[1], held[2] + lines.count)
            continue
        if held is not None:
            yield held
        held = (lines.frame, lines.start, lines.count)
    if held is not None:
        yield held
