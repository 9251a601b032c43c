"""Where the price of each instrument is and how far it usually moves, and which trades leave that far behind.

Time is cut into seconds. Of each instrument one number of a kind is kept, whatever comes: the last price of the second
before that was no stray (the reference), the usual move of a second (an exponentially weighted mean of absolute log
moves, each no greater than the limit was), and the usual number of trades a second. A trade strays if its log price is
farther from the reference than `limit_moves` usual moves, times the root of the seconds since the reference, and than
`least_limit`. A price at which nothing but strays is traded for `anchor` seconds becomes the reference: the market has
moved. All trades of a second are judged by the same reference and limit, so that portions do not matter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from truetape.domain.time import NANOSECONDS

SECOND_NS: Final = NANOSECONDS


@dataclass(frozen=True)
class Limits:
    """What is too far, too many and too long."""

    least_limit: float = 0.01  # of the log price: nearer than this nothing strays
    limit_moves: float = 15.0
    weight: float = 0.05  # of the newest second
    anchor: int = 3  # seconds of nothing but strays after which the market has moved
    longest_gap: int = 900  # seconds between two trades that count in a limit
    longest_pause: int = 20  # and that count in the usual number of trades
    least_burst: int = 200  # trades a second that are never a burst
    burst_rates: float = 20.0  # and times the usual number
    warm: int = 30  # seconds with trades before bursts and silence are judged


TRACK: Final = np.dtype(
    [
        ("second", "i8"),  # the present one; -1: nothing was heard
        ("gap", "f8"),  # seconds between the present one and the one before with trades
        ("reference", "f8"),  # log price; NaN: none yet
        ("limit", "f8"),
        ("last", "f8"),  # log price of the last trade of the present second that does not stray; NaN: none
        ("strayed", "f8"),  # of the last one that does
        ("strays", "i8"),  # seconds of nothing but strays
        ("move", "f8"),  # usual, of a second
        ("count", "i8"),  # trades of the present second
        ("rate", "f8"),  # usual, trades a second
        ("seen", "i8"),  # seconds with trades, the present one not counted
    ]
)


@dataclass(frozen=True)
class Judged:
    """What was found of each row, and by what."""

    strays: Any  # bool
    bursts: Any  # bool: the trade with which a second has too many
    reference: Any  # log price
    limit: Any


class PriceTracks:
    """One track for each of a number of slots."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fading = (1 - limits.weight) ** np.arange(limits.longest_pause)  # of rates, by seconds without trades
        self.state = _blank(0, limits)

    def grow(self, slots: int) -> None:
        """Make room for `slots` slots in all, more than there are."""
        self.state = np.concatenate([self.state, _blank(slots - len(self.state), self._limits)])

    def keep(self, slots: Any) -> None:
        """Keep the tracks of `slots` only, in their order."""
        self.state = self.state[slots]

    def judge(self, slot: Any, second: Any, price: Any) -> Judged:
        """Judge trades and take them in.

        Args:
            slot: Of each trade, ascending.
            second: In which it happened or was heard of, ascending within a slot, and never before the present one.
            price: Natural logarithm.
        """
        start, end, turn = _groups(slot, second)
        rows = len(slot)
        judged = Judged(np.zeros(rows, bool), np.zeros(rows, bool), np.empty(rows), np.empty(rows))
        if not turn.any():
            self._take(slot, second, price, start, end, judged, slice(None))
            return judged
        order = np.argsort(turn, kind="stable")
        bounds = np.searchsorted(turn[order], np.arange(turn.max() + 2))
        for first, last in pairwise(bounds):
            which = order[first:last]
            self._take(slot, second, price, start[which], end[which], judged, _ranges(start[which], end[which]))
        return judged

    def judge_one(self, slot: int, second: int, price: float) -> tuple[bool, bool, float, float]:
        """Judge one trade as `judge` does, in a tenth of the time: strays, bursts, reference, limit."""
        state, limits = self.state, self._limits
        if state["second"][slot] != second:
            self._open_one(slot, second)
        track = state[slot]
        reference, limit, before = float(track["reference"]), float(track["limit"]), int(track["count"])
        strays = abs(price - reference) > limit
        track["strayed" if strays else "last"] = price
        track["count"] = before + 1
        if track["seen"] < limits.warm or before < limits.least_burst:
            return strays, False, reference, limit
        most = max(limits.least_burst, math.ceil(limits.burst_rates * float(track["rate"])))
        return strays, before == most, reference, limit

    def _open_one(self, slot: int, second: int) -> None:
        limits, track = self._limits, self.state[slot]
        known = track["second"] >= 0
        gap = min(second - int(track["second"]), limits.longest_gap) if known else 1
        last, reference, move = float(track["last"]), float(track["reference"]), float(track["move"])
        held = not math.isnan(last)
        strays = 0 if held else int(track["strays"]) + int(known)
        step = abs(last - reference) / math.sqrt(track["gap"])
        if not math.isnan(step):
            move += limits.weight * (step - move)
        rate, count = float(track["rate"]), int(track["count"])
        rate = rate + limits.weight * (count - rate) if track["seen"] > 0 else float(count)
        if held:
            reference = last
        elif strays >= limits.anchor:
            reference, strays = float(track["strayed"]), 0
        limit = max(limits.least_limit, limits.limit_moves * move * math.sqrt(gap))
        rate *= float(self._fading[min(gap, limits.longest_pause) - 1])
        seen = int(track["seen"]) + int(known)
        self.state[slot] = (second, gap, reference, limit, math.nan, math.nan, strays, move, 0, rate, seen)

    def _take(self, slot: Any, second: Any, price: Any, start: Any, end: Any, judged: Judged, rows: Any) -> None:
        """Judge one second of each of some slots: `rows` from each `start` to its `end`."""
        whose, state = slot[start], self.state
        self._open(whose, second[start])
        lengths = end - start
        reference = np.repeat(state["reference"][whose], lengths)
        limit = np.repeat(state["limit"][whose], lengths)
        prices = price[rows]
        strays = np.abs(prices - reference) > limit  # a NaN compares false: without a reference nothing strays
        judged.strays[rows], judged.reference[rows], judged.limit[rows] = strays, reference, limit
        begins = np.cumsum(lengths) - lengths
        place = np.arange(len(prices))
        _put_last(state, "last", whose, np.maximum.reduceat(np.where(strays, -1, place), begins), prices)
        _put_last(state, "strayed", whose, np.maximum.reduceat(np.where(strays, place, -1), begins), prices)
        self._count(whose, start, lengths, judged.bursts)

    def _count(self, whose: Any, start: Any, lengths: Any, bursts: Any) -> None:
        state, limits = self.state, self._limits
        before = state["count"][whose]
        most = np.maximum(limits.least_burst, np.ceil(limits.burst_rates * state["rate"][whose])).astype(np.int64)
        crossing = (before <= most) & (before + lengths > most) & (state["seen"][whose] >= limits.warm)
        if crossing.any():
            bursts[start[crossing] + (most - before)[crossing]] = True
        state["count"][whose] = before + lengths

    def _open(self, whose: Any, second: Any) -> None:
        """Begin a second: learn of the one before."""
        limits = self._limits
        opens = self.state["second"][whose] != second
        if not opens.any():
            return
        whose, second = whose[opens], second[opens]
        old = self.state[whose]
        known = old["second"] >= 0
        gap = np.where(known, np.minimum(second - old["second"], limits.longest_gap), 1)
        held = ~np.isnan(old["last"])
        strays = np.where(held, 0, old["strays"] + known)
        moved = strays >= limits.anchor
        move = np.abs(old["last"] - old["reference"]) / np.sqrt(old["gap"])
        move = np.where(np.isnan(move), old["move"], old["move"] + limits.weight * (move - old["move"]))
        rate = np.where(old["seen"] > 0, old["rate"] + limits.weight * (old["count"] - old["rate"]), old["count"])
        new = np.empty(len(whose), TRACK)
        new["second"], new["gap"], new["move"] = second, gap, move
        new["reference"] = np.where(held, old["last"], np.where(moved, old["strayed"], old["reference"]))
        new["limit"] = np.maximum(limits.least_limit, limits.limit_moves * move * np.sqrt(gap))
        new["last"], new["strayed"], new["strays"] = np.nan, np.nan, np.where(moved, 0, strays)
        new["count"], new["seen"] = 0, old["seen"] + known
        new["rate"] = rate * self._fading[np.minimum(gap, limits.longest_pause).astype(np.int64) - 1]
        self.state[whose] = new


def _blank(slots: int, limits: Limits) -> Any:
    state = np.zeros(slots, TRACK)
    state["second"], state["gap"], state["limit"] = -1, 1, np.inf
    state["move"] = limits.least_limit / limits.limit_moves
    for name in ("reference", "last", "strayed"):
        state[name] = np.nan
    return state


def _groups(slot: Any, second: Any) -> tuple[Any, Any, Any]:
    """Return where each second of each slot starts and ends, and how many of the same slot stand before it."""
    change = (slot[1:] != slot[:-1]) | (second[1:] != second[:-1])
    start = np.concatenate([[0], np.flatnonzero(change) + 1])
    end = np.concatenate([start[1:], [len(slot)]])
    whose = slot[start]
    firsts = np.concatenate([[0], np.flatnonzero(whose[1:] != whose[:-1]) + 1])
    turn = np.arange(len(start)) - np.repeat(firsts, np.diff(np.concatenate([firsts, [len(start)]])))
    return start, end, turn


def _ranges(start: Any, end: Any) -> Any:
    """Return the numbers from each start up to its end, one range after the other."""
    lengths = end - start
    return np.arange(lengths.sum()) + np.repeat(start - (np.cumsum(lengths) - lengths), lengths)


def _put_last(state: Any, name: str, whose: Any, place: Any, prices: Any) -> None:
    found = place >= 0
    state[name][whose[found]] = prices[place[found]]
