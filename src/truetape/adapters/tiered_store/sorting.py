"""Join sorted streams of rows into one, in bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import polars as pl


class _Source:
    """One sorted stream with the rows of it that are not yet given on."""

    def __init__(self, frames: AsyncIterator[pl.DataFrame]) -> None:
        self._frames = frames
        self.rows: pl.DataFrame | None = None
        self.is_done = False

    async def fill(self) -> None:
        """Read one frame more."""
        frame = await anext(self._frames, None)
        if frame is None:
            self.is_done = True
        elif len(frame):
            self.rows = frame if self.rows is None else pl.concat([self.rows, frame])


async def merged(streams: Sequence[AsyncIterator[pl.DataFrame]], *, by: Sequence[str]) -> AsyncIterator[pl.DataFrame]:
    """Yield the rows of all `streams` in the order of `by`; each stream has that order already.

    Of each stream one frame and the rows of one value of the first column of `by` are held, which has no nulls.
    """
    sources, first = [_Source(stream) for stream in streams], by[0]
    while sources:
        for source in sources:
            if source.rows is None and not source.is_done:
                await source.fill()
        sources = [source for source in sources if source.rows is not None or not source.is_done]
        open_ends = [source for source in sources if not source.is_done]
        if any(source.rows is None for source in open_ends):
            continue
        bound = min((source.rows[first][-1] for source in open_ends if source.rows is not None), default=None)
        ready = [part for source in sources if (part := _taken(source, first, bound)) is not None]
        if ready:
            yield pl.concat(ready).sort(by, nulls_last=True)
        for source in open_ends:
            if source.rows is not None and source.rows[first][0] == bound:
                await source.fill()


def _taken(source: _Source, first: str, bound: str | None) -> pl.DataFrame | None:
    """Take the rows out of `source` that no row still to come can precede."""
    if source.rows is None:
        return None
    below = source.rows if bound is None else source.rows.filter(pl.col(first) < bound)
    left = source.rows.slice(len(below))
    source.rows = left if len(left) else None
    return below if len(below) else None
