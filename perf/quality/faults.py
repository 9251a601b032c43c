"""The kinds of fault that are put into a series, each in several severities.

Severities are large against the series' own noise, so that a person who sees the series would point at the fault:
prices move by so many *local sigmas* (the robust sigma of the log returns of the 63 sessions around), levels by round
factors. What lies nearer to the noise is not in, since nobody could tell it from the market.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

DAY_NS: Final = 86_400_000_000_000
HOUR_NS: Final = DAY_NS // 24
EDGE: Final = 40  # rows at both ends of a window that hold no fault, so that there is something to compare with
_AROUND: Final = 31
_CONSISTENT: Final = 1.4826
_OPEN, _HIGH, _LOW, _CLOSE = range(4)


@dataclass(frozen=True, eq=False)
class Tape:
    """One provider's bars: `ts` (ns, ascending), `prices` (open, high, low, close; rows), `volume`; its actions.

    `splits` and `dividends` hold (ts of the ex-date, value).
    """

    ts: np.ndarray
    prices: np.ndarray
    volume: np.ndarray
    splits: tuple[tuple[int, float], ...] = ()
    dividends: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Fault:
    """A tape with one fault in it, and where it is.

    `edge`: instants of which one must be flagged for the fault to count as found. `within`: further instants that are
    wrong too or touch a wrong row; flagging them is neither right nor wrong. `truth`: what providers without the fault
    say; None: the tape that it was put into.
    """

    tape: Tape
    edge: frozenset[int]
    within: frozenset[int] = field(default_factory=frozenset)
    truth: Tape | None = None


Inject = Callable[[Tape, np.random.Generator, float], Fault | None]


def cell(tape: Tape, random: np.random.Generator, sigmas: float) -> Fault:
    """One of a bar's four prices is off by `sigmas`; a high goes up, a low down, open and close either way."""
    row, which = _row(tape, random), int(random.integers(4))
    way = {_HIGH: 1.0, _LOW: -1.0}.get(which, random.choice([-1.0, 1.0]))
    prices = tape.prices.copy()
    prices[which, row] *= np.exp(way * sigmas * sigma(tape, row))
    return _of_rows(replace(tape, prices=_cents(prices)), row, row + 1)


def bar(tape: Tape, random: np.random.Generator, sigmas: float) -> Fault:
    """A whole bar is off by `sigmas`, up or down; the next is right again."""
    row = _row(tape, random)
    factor = np.exp(random.choice([-1.0, 1.0]) * sigmas * sigma(tape, row))
    return _of_rows(_scaled(tape, row, row + 1, factor), row, row + 1)


def decimal(tape: Tape, random: np.random.Generator, factor: float) -> Fault:
    """The decimal point of a bar, or of one of its prices, has moved."""
    row = _row(tape, random)
    factor = float(random.choice([factor, 1 / factor]))
    if random.random() < 0.5:
        return _of_rows(_scaled(tape, row, row + 1, factor, places=6), row, row + 1)
    prices = tape.prices.copy()
    prices[random.integers(4), row] *= factor
    return _of_rows(replace(tape, prices=prices), row, row + 1)


def unit(tape: Tape, random: np.random.Generator, rows: float) -> Fault:
    """A block of so many rows is in a unit a hundred times smaller or larger."""
    first = _row(tape, random, room=int(rows))
    factor = float(random.choice([100.0, 0.01]))
    return _of_block(_scaled(tape, first, first + int(rows), factor, places=6), first, first + int(rows))


def split(tape: Tape, row: int, ratio: float) -> Tape:
    """Return what `tape` would be had there been a split of `ratio` new shares for one old with `row`, declared."""
    earlier, day = _scaled(tape, 0, row, ratio, volume=True, places=4), int(tape.ts[row])
    paid = tuple((ts, cash * ratio if ts < day else cash) for ts, cash in tape.dividends)
    return replace(earlier, splits=tuple(sorted((*tape.splits, (day, ratio)))), dividends=paid)


def split_missed(tape: Tape, random: np.random.Generator, ratio: float) -> Fault:
    """The rows before a declared split of `ratio` stand on the share count after it."""
    row = _row(tape, random)
    truth = split(tape, row, ratio)
    return _of_step(replace(tape, splits=truth.splits), row, side="before", truth=truth)


def split_twice(tape: Tape, random: np.random.Generator, ratio: float) -> Fault:
    """The rows before a declared split of `ratio` are on a share count that knows of it twice."""
    row = _row(tape, random)
    truth = split(tape, row, ratio)
    return _of_step(_scaled(truth, 0, row, ratio, volume=True, places=4), row, side="before", truth=truth)


def split_misplaced(tape: Tape, random: np.random.Generator, ratio: float) -> Fault:
    """The prices jump for a declared split of `ratio` two to nine sessions away from its ex-date."""
    row, away = _row(tape, random, room=10), int(random.integers(2, 10)) * int(random.choice([-1, 1]))
    truth = split(tape, row, ratio)
    wrong = replace(split(tape, row + away, ratio), splits=truth.splits)
    return replace(_of_block(wrong, min(row, row + away), max(row, row + away)), truth=truth)


def split_undeclared(tape: Tape, random: np.random.Generator, ratio: float) -> Fault:
    """The prices jump for a split of `ratio` that nobody declared."""
    row = _row(tape, random)
    return _of_step(replace(split(tape, row, ratio), splits=tape.splits), row, side="before")


def dividend(tape: Tape, random: np.random.Generator, factor: float) -> Fault | None:
    """A declared dividend is `factor` times what it was."""
    able = [place for place, (ts, _) in enumerate(tape.dividends) if tape.ts[EDGE] <= ts <= tape.ts[-EDGE]]
    if not able:
        return None
    place = int(random.choice(able))
    ts, value = tape.dividends[place]
    paid = [*tape.dividends]
    paid[place] = (ts, value * factor)
    row = int(np.searchsorted(tape.ts, ts))
    return _of_rows(replace(tape, dividends=tuple(paid)), row, row + 1)


def stale(tape: Tape, random: np.random.Generator, rows: float) -> Fault:
    """So many bars repeat the one before them to the last digit."""
    first = _row(tape, random, room=int(rows))
    prices, volume = tape.prices.copy(), tape.volume.copy()
    prices[:, first : first + int(rows)] = prices[:, [first - 1]]
    volume[first : first + int(rows)] = volume[first - 1]
    return _of_rows(replace(tape, prices=prices, volume=volume), first, first + int(rows))


def missing(tape: Tape, random: np.random.Generator, rows: float) -> Fault:
    """So many sessions have no bar."""
    first = _row(tape, random, room=int(rows))
    last = first + int(rows)
    edge = frozenset(int(ts) for ts in tape.ts[first - 1 : last + 1])
    return Fault(_kept(tape, np.delete(np.arange(len(tape.ts)), slice(first, last))), edge)


def duplicated(tape: Tape, random: np.random.Generator, apart: float) -> Fault:
    """A session has two bars: its own, and one that is its own (`apart` 0) or that of so many sessions before."""
    row = _row(tape, random, room=int(apart))
    rows = np.insert(np.arange(len(tape.ts)), row + 1, row - int(apart))
    twice = _kept(tape, rows)
    ts = twice.ts.copy()
    ts[row + 1] = tape.ts[row]
    return _of_rows(replace(twice, ts=ts), row, row + 2)


def shifted(tape: Tape, random: np.random.Generator, rows: float) -> Fault:
    """So many rows bear the next day's date; where two bars meet on one day, the wrong one stays."""
    first, last = (start := _row(tape, random, room=int(rows))), start + int(rows)
    ts = tape.ts.copy()
    ts[first:last] += DAY_NS
    keep = np.flatnonzero(~np.isin(np.arange(len(ts)), [last]) | (ts[last] != ts[last - 1]))
    wrong = frozenset(int(one) for one in (*tape.ts[first:last], *ts[first:last]))
    return Fault(_kept(replace(tape, ts=ts), keep), wrong, _near(tape, first, last))


def volume(tape: Tape, random: np.random.Generator, factor: float) -> Fault:
    """The volume of a bar is `factor` times what it was; 0: there is none, though prices moved."""
    row = _row(tape, random)
    traded = tape.volume.copy()
    traded[row] = np.round(traded[row] * factor)
    return _of_rows(replace(tape, volume=traded), row, row + 1)


def level(tape: Tape, random: np.random.Generator, sigmas: float) -> Fault:
    """All bars from one on are off by `sigmas`, without more volume than before."""
    row = _row(tape, random)
    factor = np.exp(random.choice([-1.0, 1.0]) * sigmas * sigma(tape, row))
    return _of_step(_scaled(tape, row, len(tape.ts), factor), row, side="after")


def zone(tape: Tape, random: np.random.Generator, hours: float) -> Fault:
    """The labels of the rows from one on are so many hours late, or early where negative."""
    row = _row(tape, random)
    ts = tape.ts.copy()
    ts[row:] += int(hours * HOUR_NS)
    within = frozenset(int(one) for one in (*ts[row:], *tape.ts[row:]))
    edge = frozenset(int(one) for one in (tape.ts[row], ts[row], tape.ts[row + 1], ts[row + 1]))
    return Fault(replace(tape, ts=ts), edge, within)


def swapped(tape: Tape, random: np.random.Generator, rows: float) -> Fault:
    """High and low of so many bars have changed places."""
    first = _row(tape, random, room=int(rows))
    prices = tape.prices.copy()
    prices[[_HIGH, _LOW], first : first + int(rows)] = prices[[_LOW, _HIGH], first : first + int(rows)]
    return _of_rows(replace(tape, prices=prices), first, first + int(rows))


KINDS: Final[dict[str, tuple[Inject, tuple[float, ...]]]] = {
    "one price off, by sigmas": (cell, (8, 12, 20, 40)),
    "bar off, by sigmas": (bar, (7, 10, 20, 40)),
    "decimal point moved, by": (decimal, (10, 100)),
    "block in another unit, rows": (unit, (3, 15, 60)),
    "split not applied, ratio": (split_missed, (2, 7, 0.1)),
    "split applied twice, ratio": (split_twice, (1.5, 2, 7)),
    "split on another day, ratio": (split_misplaced, (2, 4, 0.1)),
    "split undeclared, ratio": (split_undeclared, (2, 4, 0.1)),
    "dividend wrong, times": (dividend, (100, 0.01)),
    "stale bars": (stale, (2, 4, 8)),
    "bars missing": (missing, (1, 3, 10)),
    "bar twice, other's age": (duplicated, (0, 1, 5)),
    "bars a day late": (shifted, (5, 20)),
    "volume, times": (volume, (15, 30, 100, 0)),
    "level shift, by sigmas": (level, (10, 15, 30)),
    "labels late, hours": (zone, (-5, 5, 9)),
    "high and low swapped, rows": (swapped, (1, 3)),
}


def sigma(tape: Tape, row: int) -> float:
    """Return the robust sigma of the log returns around `row`, at least that of one cent."""
    close = tape.prices[_CLOSE, max(row - _AROUND, 0) : row + _AROUND]
    return max(float(np.median(np.abs(np.diff(np.log(close))))) * _CONSISTENT, 0.01 / float(close[0]), 0.002)


def _row(tape: Tape, random: np.random.Generator, room: int = 0) -> int:
    return int(random.integers(EDGE + room, len(tape.ts) - EDGE - room))


def _cents(prices: np.ndarray, places: int = 2) -> np.ndarray:
    return np.maximum(np.round(prices, places), 10.0**-places)


def _scaled(tape: Tape, first: int, last: int, factor: float, *, volume: bool = False, places: int = 2) -> Tape:
    """Return `tape` with the prices of rows [first, last) multiplied, and their volume divided if `volume`."""
    prices, traded = tape.prices.copy(), tape.volume.copy()
    prices[:, first:last] = _cents(prices[:, first:last] * factor, places)
    if volume:
        traded[first:last] = np.round(traded[first:last] / factor)
    return replace(tape, prices=prices, volume=traded)


def _kept(tape: Tape, rows: np.ndarray) -> Tape:
    return replace(tape, ts=tape.ts[rows], prices=tape.prices[:, rows], volume=tape.volume[rows])


def _near(tape: Tape, first: int, last: int) -> frozenset[int]:
    return frozenset(int(ts) for ts in tape.ts[max(first - 1, 0) : last + 1])


def _of_rows(tape: Tape, first: int, last: int) -> Fault:
    """Return a fault of the rows [first, last); the rows beside them are judged neither way."""
    return Fault(tape, frozenset(int(ts) for ts in tape.ts[first:last]), _near(tape, first, last))


def _of_block(tape: Tape, first: int, last: int) -> Fault:
    """Return a fault of a block of rows, which counts at its edges: its first and last row and the rows beside them."""
    edge = _near(tape, first, first + 1) | _near(tape, last - 1, last)
    return Fault(tape, edge, _near(tape, first, last))


def _of_step(tape: Tape, row: int, *, side: str, truth: Tape | None = None) -> Fault:
    """Return a fault of the level that changes between `row` - 1 and `row`, and of all rows on its wrong side."""
    within = tape.ts[:row] if side == "before" else tape.ts[row:]
    edge = frozenset(int(ts) for ts in tape.ts[row - 1 : row + 2])
    return Fault(tape, edge, frozenset(int(ts) for ts in within), truth)
