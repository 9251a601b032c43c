"""The last ids of each instrument's trades: whether one comes twice within a short while."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

REMEMBERED: Final = 32  # ids of one instrument
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # odd, so that slots stay apart


class RecentIds:
    """A ring of the last REMEMBERED ids for each slot."""

    def __init__(self) -> None:
        self._ring = np.zeros((0, REMEMBERED), np.uint64)
        self._total = np.zeros(0, np.int64)  # ids of each slot so far

    def grow(self, slots: int) -> None:
        """Make room for `slots` slots in all, more than there are."""
        more = slots - len(self._total)
        self._ring = np.concatenate([self._ring, np.zeros((more, REMEMBERED), np.uint64)])
        self._total = np.concatenate([self._total, np.zeros(more, np.int64)])

    def keep(self, slots: Any) -> None:
        """Keep the ids of `slots` only, in their order."""
        self._ring, self._total = self._ring[slots], self._total[slots]

    def repeated(self, slot: Any, ids: Any) -> Any:
        """Return true for each id that is among the REMEMBERED ids of its slot before it, and remember all.

        Args:
            slot: Of each id, ascending.
            ids: Hashes.
        """
        begins = np.concatenate([[0], np.flatnonzero(slot[1:] != slot[:-1]) + 1])
        lengths = np.diff(np.concatenate([begins, [len(slot)]]))
        whose = slot[begins]
        number = np.arange(len(slot)) - np.repeat(begins, lengths) + self._total[slot]
        older = self._total[whose][:, None] - REMEMBERED + np.arange(REMEMBERED)  # numbers of what is remembered
        real = older >= 0
        ring = self._ring[whose[:, None], older % REMEMBERED][real]
        who = np.concatenate([np.broadcast_to(whose[:, None], real.shape)[real], slot])
        key = np.concatenate([ring, ids]) ^ (who.astype(np.uint64) * _MIX)
        found = _again(key, np.concatenate([older[real], number]))[len(ring) :]
        self._remember(slot, ids, number, lengths)
        self._total[whose] += lengths
        return found

    def repeated_one(self, slot: int, one: int) -> bool:
        """Judge and remember one id as `repeated` does."""
        total, ring = int(self._total[slot]), self._ring[slot]
        found = one in ring[: min(total, REMEMBERED)].tolist()
        ring[total % REMEMBERED] = one
        self._total[slot] = total + 1
        return found

    def _remember(self, slot: Any, ids: Any, number: Any, lengths: Any) -> None:
        last = self._total[slot] + np.repeat(lengths, lengths) - number <= REMEMBERED
        self._ring[slot[last], number[last] % REMEMBERED] = ids[last]


def _again(key: Any, number: Any) -> Any:
    """Return true where an equal key stands at most REMEMBERED numbers before; numbers ascend for each key."""
    order = np.argsort(key, kind="stable")
    sorted_key, sorted_number = key[order], number[order]
    again = np.zeros(len(key), bool)
    near = (sorted_key[1:] == sorted_key[:-1]) & (sorted_number[1:] - sorted_number[:-1] <= REMEMBERED)
    again[order[1:]] = near
    return again
