"""The closes that a factor is measured against, at every knowledge time at which they were others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from truetape.domain.known_spans import FOREVER


@dataclass(frozen=True)
class Known:
    """What was known of the closes around one ex-date at a knowledge time (UTC nanoseconds)."""

    known: int
    begun: bool  # a close of the ex-date or a later day was there: the action is in effect
    close: float | None  # of the last session before the ex-date that had one
    currency: str | None  # of that close; None: it is not known


class Closes:
    """The closes of one instrument in the spans of knowledge time in which they stood."""

    def __init__(self, spans: pl.DataFrame) -> None:
        """Take `spans`: `date`, `close`, `currency`, `since` and `until`, ascending by date; see `known_spans`."""
        priced = spans.filter(pl.col("close") > 0)
        self._days: Any = priced["date"].cast(pl.Int32).to_numpy()
        self._since: Any = priced["since"].to_numpy()
        self._until: Any = priced["until"].to_numpy()
        self._close: list[float] = priced["close"].to_list()
        self._currency: list[str | None] = priced["currency"].to_list()
        standing = np.where(self._until == FOREVER, self._since, FOREVER)
        self._standing: Any = np.minimum.accumulate(standing[::-1])[::-1]  # since when some later close stands

    def around(self, ex_day: int, *, moments: set[int]) -> Iterator[Known]:
        """Yield what was known around an ex-date at `moments` and at all later times at which it changed, ascending.

        Args:
            ex_day: The ex-date in days since 1970.
            moments: When what is known of its actions changed; not empty.
        """
        place = int(np.searchsorted(self._days, ex_day))
        begun = self._begun(place)
        if not begun:
            return
        first = max(min(moments), min(since for since, _ in begun))
        before = self._before(place, first)
        edges = {edge for since, until in begun for edge in (since, until)}
        edges |= {edge for one in before for edge in (int(self._since[one]), int(self._until[one]))}
        for known in sorted({first, *(one for one in moments | edges if first < one < FOREVER)}):
            last = next((one for one in before if self._stood(one, known)), None)
            told = (None, None) if last is None else (self._close[last], self._currency[last])
            yield Known(known, any(since <= known < until for since, until in begun), *told)

    def _begun(self, place: int) -> list[tuple[int, int]]:
        """Return spans that together are those in which any close from `place` on stood."""
        if place == len(self._days):
            return []
        stands = int(self._standing[place])
        passing = np.flatnonzero((self._until[place:] != FOREVER) & (self._since[place:] < stands)) + place
        spans = [(int(self._since[one]), int(self._until[one])) for one in passing]
        return [*spans, (stands, FOREVER)] if stands != FOREVER else spans

    def _before(self, place: int, first: int) -> list[int]:
        """Return the spans before `place`, the newest day first, as far back as one that stood from `first` on."""
        found = []
        for one in range(place - 1, -1, -1):
            found.append(one)
            if self._until[one] == FOREVER and self._since[one] <= first:
                break
        return found

    def _stood(self, one: int, known: int) -> bool:
        return bool(self._since[one] <= known < self._until[one])
