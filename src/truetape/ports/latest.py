"""Where the newest bars are found at once, of many instruments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl


class LatestBars(Protocol):
    """Give the newest bar of each instrument, as it stands now."""

    async def latest(self, instruments: Sequence[str], *, timeframe: str) -> pl.DataFrame:
        """Return the bar of the greatest `ts_event` of each of `instruments` that has one.

        Rows have the columns of the table bars, in the order of the instruments' ids.

        Raises:
            StoreUnavailable: The store cannot be read now.
        """
        ...
