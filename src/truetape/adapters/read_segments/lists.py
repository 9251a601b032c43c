"""The lists of many segments, put together so that rows of all of them are looked up at once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import numpy as np
import polars as pl

from truetape.adapters.read_segments.layout import RECEIPT, VERDICT
from truetape.adapters.read_segments.segment import Segment

Told = Literal["verdict", "receipt"]
LISTED: Final[Mapping[Told, tuple[str, ...]]] = {"verdict": VERDICT, "receipt": RECEIPT}
MOST: Final = 250_000  # entries of all segments together that are kept in memory: some 25 MB


class Lists:
    """The lists of the segments of one timeframe.

    They are put together at the first question, if they have `most` entries or fewer.
    """

    def __init__(self, segments: Iterable[Segment], *, most: int = MOST) -> None:
        self._most = most
        self._segments = tuple(segments)
        self._lock = threading.Lock()
        self._together: dict[Told, pl.DataFrame | None] = {}
        self._first: dict[Told, dict[Segment, Any]] = {}

    def together(self, told: Told) -> pl.DataFrame | None:
        """Return the entries of all segments, or None if they are too many to be kept."""
        if told not in self._together:
            with self._lock:
                self._put_together(told)
        return self._together[told]

    def first(self, told: Told, segment: Segment) -> Any:
        """Return where the entries of `segment` begin among those of all, a uint32."""
        return self._first[told][segment]

    def _put_together(self, told: Told) -> None:
        listed = [one.listed(told) for one in self._segments]
        ends = np.cumsum([len(one) for one in listed], dtype=np.int64)
        if len(ends) and ends[-1] <= self._most:
            self._first[told] = {
                segment: np.uint32(end - len(one))
                for segment, one, end in zip(self._segments, listed, ends, strict=True)
            }
            self._together[told] = pl.concat(listed, rechunk=True)
        else:
            self._together[told] = None


def taken(frame: pl.DataFrame, rows: Any) -> pl.DataFrame:
    """Return `rows` (uint32) of `frame`, in their order."""
    return frame[pl.Series(rows, dtype=pl.UInt32)]
