"""A store whose bars come without end and without being held, for tests of streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta

import polars as pl

from room_doubles import FrameStore, rows
from small_market import APPLE, golden
from truetape.domain.errors import StoreUnavailable
from truetape.ports.store import BATCH_ROWS, Selection


class EndlessStore(FrameStore):
    """AAPL is listed, and has as many bars as wanted; the stream of them may fail after some."""

    def __init__(self, bars: int, *, fails_after: int | None = None) -> None:
        super().__init__(listings=rows("listings", instrument_id=[APPLE], symbol="AAPL", mic="XNAS"))
        days = [date(2000, 1, 1) + timedelta(days=number) for number in range(1024)]
        piece = golden(APPLE, days, [1.5] * 1024, [1.0] * 1024)
        self._piece = pl.concat([piece] * (BATCH_ROWS // 1024))
        self._bars = bars
        self._fails_after = fails_after
        self.closed = asyncio.Event()

    async def read(self, table: str, selection: Selection = Selection()) -> pl.DataFrame:
        return await super().read(table, replace(selection, at_version=None))

    async def stream(
        self, table: str, selection: Selection = Selection(), *, rows: int = BATCH_ROWS
    ) -> AsyncIterator[pl.DataFrame]:
        assert table == "bars"
        left = self._bars
        try:
            while left > 0:
                if self._fails_after is not None and self._bars - left >= self._fails_after:
                    raise StoreUnavailable(path="x", reason="the disk is gone")
                yield self._piece.head(min(left, rows)).select(selection.columns)
                left -= min(rows, BATCH_ROWS)
        finally:
            self.closed.set()
