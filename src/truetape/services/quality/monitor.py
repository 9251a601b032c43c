"""The watch over one provider's live trades or quotes: each is judged as it comes, by what is remembered of it.

Of each instrument a fixed number of numbers is remembered, whatever comes, and of MOST_INSTRUMENTS at most: those that
were silent longest are forgotten. Portions do not matter: what is found is the same for a trade at a time and for a
whole day at once. A check finds at most one thing an instrument and minute, so that a feed gone mad floods nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.time import NANOSECONDS
from truetape.services.quality.monitor_findings import Found, tick_findings
from truetape.services.quality.price_tracks import SECOND_NS, Limits, PriceTracks
from truetape.services.quality.recent_ids import RecentIds

MOST_INSTRUMENTS: Final = 50_000
LIMITS: Final = Limits()
MINUTE_NS: Final = 60 * NANOSECONDS
SKEW_NS: Final = 5 * NANOSECONDS  # by which a venue's clock may be before ours
BEHIND_NS: Final = 2 * NANOSECONDS  # by which trades may come out of order
EARLY_NS: Final = 19_800 * NANOSECONDS  # before a session's open in which there is trade too: five hours and a half
AFTER_NS: Final = 14_400 * NANOSECONDS  # after its close: four hours
FEW: Final = 8  # rows that are judged one by one, which is faster for so few
LEAST_SILENCE_NS: Final = MINUTE_NS
MOST_SILENCE_NS: Final = 30 * MINUTE_NS
SILENT_GAPS: Final = 50.0  # usual gaps between two trades, after which a feed is silent
CHECKS: Final = ("off_market", "crossed", "locked", "out_of_order", "in_future", "outside_session", "burst",
                 "duplicate_id", "not_positive")  # fmt: skip
_STATE: Final = np.dtype(
    [
        ("newest", "i8"),  # instant of the newest trade
        ("heard", "i8"),  # when we heard the last one; 0: never
        ("venue", "i4"),  # place among the calendars; -1: not known
        ("silent", "?"),  # that it is silent was told
        ("flagged", "i8", (len(CHECKS),)),  # the last minute in which each check found something
    ]
)


@dataclass(frozen=True)
class Rows:
    """Trades or quotes in the order in which they came; arrays of one length."""

    who: Any  # place of the instrument among those that the message names
    at: Any  # when it happened, UTC nanoseconds
    known: Any  # when we heard it, UTC nanoseconds
    price: Any  # of a quote the middle; NaN: none
    ids: Any = None  # hashes of the trades' ids; None: they have none
    spread: Any = None  # ask less bid, NaN where one is missing; None: these are trades


@dataclass
class Calendars:
    """When venues are open: for each, ascending opens and closes, UTC nanoseconds."""

    venues: dict[str, int] = field(default_factory=dict)  # places by MIC
    opens: list[Any] = field(default_factory=list)
    closes: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, sessions: pl.DataFrame) -> Calendars:
        """Return the calendars of `sessions`: mic, open and close."""
        made = cls()
        for (mic,), rows in sessions.sort("mic", "open").partition_by("mic", as_dict=True, maintain_order=True).items():
            made.venues[str(mic)] = len(made.opens)
            made.opens.append(rows["open"].cast(INSTANT).cast(pl.Int64).to_numpy())
            made.closes.append(rows["close"].cast(INSTANT).cast(pl.Int64).to_numpy())
        return made


class Monitor:
    """Judge what one provider says of one kind: trades or quotes."""

    def __init__(
        self, *, provider: str, kind: str, limits: Limits = LIMITS, most: int = MOST_INSTRUMENTS, few: int = FEW
    ) -> None:
        """Remember `most` instruments; judge up to `few` rows one by one, which finds the same."""
        self.provider = provider
        self.kind = kind
        self.counts: dict[str, int] = dict.fromkeys(CHECKS, 0)  # rows that each check is about, all of them
        self._limits = limits
        self._most = most
        self._few = few
        self._names: list[str] = []
        self._slots: dict[str, int] = {}
        self._state = np.zeros(0, _STATE)
        self._tracks = PriceTracks(limits)
        self._ids = RecentIds()
        self._calendars = Calendars()
        self._venue_of: Mapping[str, str] = {}

    def set_calendars(self, calendars: Calendars, venue_of: Mapping[str, str]) -> None:
        """Take these calendars from now on; `venue_of` says where instruments are traded (MIC)."""
        self._calendars, self._venue_of = calendars, venue_of
        for name, slot in self._slots.items():
            self._state["venue"][slot] = self._venue(name)

    def hear(self, instruments: Sequence[str], rows: Rows) -> list[Found]:
        """Judge `rows` and remember what is needed of them; return what was found, at most once a minute each."""
        if not len(rows.who):
            return []
        places = self._places(instruments)
        if len(rows.who) <= self._few:
            found = [one for row in range(len(rows.who)) for one in self._hear_one(places[rows.who[row]], rows, row)]
            self._forget()
            return found
        slot = np.array(places, np.int64)[rows.who]
        future = rows.at > rows.known + SKEW_NS
        wrong = (rows.price <= 0) | np.isinf(rows.price)
        self._state["heard"][slot] = rows.known
        found = []
        if future.any() or wrong.any():
            found += self._flag("in_future", future, rows, slot) + self._flag("not_positive", wrong, rows, slot)
            good = np.flatnonzero(~(future | wrong))
            order = good[np.argsort(slot[good], kind="stable")]
        else:
            order = np.argsort(slot, kind="stable")
        found += self._judge(rows, slot[order], order)
        self._forget()
        return found

    def silent(self, now_ns: int) -> tuple[list[Found], list[Found]]:
        """Return which feeds have fallen silent while their venue is open, and which silences are over, by `now_ns`.

        A feed is silent after SILENT_GAPS of its usual gaps, but not before LEAST_SILENCE_NS. A venue that has closed
        ends every silence.
        """
        state, tracks = self._state[: len(self._names)], self._tracks.state[: len(self._names)]
        opened = np.full(len(state), -1, np.int64)
        for venue, (opens, closes) in enumerate(zip(self._calendars.opens, self._calendars.closes, strict=True)):
            place = int(np.searchsorted(opens, now_ns, side="right")) - 1
            if place >= 0 and now_ns < closes[place]:
                opened[state["venue"] == venue] = opens[place]
        gaps = SILENT_GAPS * SECOND_NS / np.maximum(tracks["rate"], 1e-9)
        most = np.clip(gaps, LEAST_SILENCE_NS, MOST_SILENCE_NS)
        warm = (tracks["seen"] >= self._limits.warm) & (opened >= 0)
        quiet = warm & (now_ns - np.maximum(state["heard"], opened) > most)
        begun, over = np.flatnonzero(quiet & ~state["silent"]), np.flatnonzero(state["silent"] & ~quiet)
        self._state["silent"][: len(state)] = quiet
        return (
            [Found("stale_feed", self._names[one], int(state["heard"][one]), now_ns) for one in begun],
            [Found("resumed", self._names[one], int(state["heard"][one]), now_ns) for one in over],
        )

    def last_heard(self) -> pl.DataFrame:
        """Return when each instrument was heard of last: instrument_id, kind, last."""
        heard = pl.Series("last", self._state["heard"][: len(self._names)], dtype=pl.Int64)
        return pl.DataFrame({"instrument_id": pl.Series(self._names, dtype=pl.String)}).with_columns(
            pl.lit(self.kind).alias("kind"), heard.cast(pl.Datetime("ns", "UTC"))
        )

    def findings(self, found: Sequence[Found], *, simulated: bool) -> pl.DataFrame:
        """Return what was found as rows of findings."""
        return tick_findings(found, provider=self.provider, kind=self.kind, simulated=simulated)

    def _hear_one(self, slot: int, rows: Rows, row: int) -> list[Found]:
        """Judge one row as `_judge` does many."""
        at, known, price = int(rows.at[row]), int(rows.known[row]), float(rows.price[row])
        state = self._state[slot]
        state["heard"] = known
        strange = [("in_future", at > known + SKEW_NS), ("not_positive", price <= 0 or math.isinf(price))]
        if any(is_so for _, is_so in strange):
            return self._firsts_one(slot, strange, known // MINUTE_NS, Found("", self._names[slot], at, known, price))
        newest = max(int(state["newest"]), at)
        state["newest"] = newest
        strays, bursts, reference, limit = False, False, math.nan, math.nan
        if not math.isnan(price):
            judged = self._tracks.judge_one(slot, newest // SECOND_NS, float(np.log(price)))
            strays, bursts, reference, limit = judged
        checks = [
            ("off_market", strays),
            ("out_of_order", at < newest - BEHIND_NS),
            ("outside_session", self._is_outside(int(state["venue"]), at)),
            ("burst", bursts),
        ]
        if rows.ids is not None:
            checks.append(("duplicate_id", self._ids.repeated_one(slot, int(rows.ids[row]))))
        if rows.spread is not None:
            checks += [("crossed", rows.spread[row] < 0), ("locked", rows.spread[row] == 0)]
        found = Found("", self._names[slot], at, known, price, reference, limit)
        return self._firsts_one(slot, checks, newest // MINUTE_NS, found)

    def _firsts_one(self, slot: int, checks: Sequence[tuple[str, bool]], minute: int, found: Found) -> list[Found]:
        made = []
        for check, is_so in checks:
            if is_so:
                self.counts[check] += 1
                flagged = self._state["flagged"][slot]
                if minute > flagged[CHECKS.index(check)]:
                    flagged[CHECKS.index(check)] = minute
                    made.append(found._replace(check=check))
        return made

    def _is_outside(self, venue: int, at: int) -> bool:
        if venue < 0:
            return False
        opens, closes = self._calendars.opens[venue], self._calendars.closes[venue]
        place = int(np.searchsorted(opens, at + EARLY_NS, side="right")) - 1
        return place < 0 or at > int(closes[place]) + AFTER_NS

    def _judge(self, rows: Rows, slot: Any, order: Any) -> list[Found]:
        if not len(order):
            return []
        at, price = rows.at[order], rows.price[order]
        newest = self._running(slot, at)
        priced = ~np.isnan(price)
        where = slice(None) if priced.all() else np.flatnonzero(priced)
        strays, bursts = np.zeros(len(order), bool), np.zeros(len(order), bool)
        reference, limit = np.full(len(order), np.nan), np.full(len(order), np.nan)
        if len(slot[where]):
            judged = self._tracks.judge(slot[where], newest[where] // SECOND_NS, np.log(price[where]))
            strays[where], bursts[where] = judged.strays, judged.bursts
            reference[where], limit[where] = judged.reference, judged.limit
        masks = {
            "off_market": strays,
            "out_of_order": at < newest - BEHIND_NS,
            "outside_session": self._outside(slot, at),
            "burst": bursts,
        }
        if rows.ids is not None:
            masks["duplicate_id"] = self._ids.repeated(slot, rows.ids[order])
        if rows.spread is not None:
            spread = rows.spread[order]
            masks |= {"crossed": spread < 0, "locked": spread == 0}
        minute = newest // MINUTE_NS
        found = []
        for check, mask in masks.items():
            for row in self._firsts(check, mask, slot, minute):
                found.append(  # noqa: PERF401  the comprehension would be longer than a line
                    Found(check, self._names[slot[row]], int(at[row]), int(rows.known[order[row]]), float(price[row]),
                          float(reference[row]), float(limit[row]))
                )  # fmt: skip
        return found

    def _flag(self, check: str, mask: Any, rows: Rows, slot: Any) -> list[Found]:
        """Return what rows are found that are not remembered; their minute is that in which they were heard."""
        order = np.flatnonzero(mask)
        order = order[np.argsort(slot[order], kind="stable")]
        chosen = self._firsts(check, np.ones(len(order), bool), slot[order], rows.known[order] // MINUTE_NS)
        return [
            Found(check, self._names[slot[row]], int(rows.at[row]), int(rows.known[row]), float(rows.price[row]))
            for row in order[chosen]
        ]

    def _firsts(self, check: str, mask: Any, slot: Any, minute: Any) -> Any:
        """Return the rows of `mask` that are the first of their slot and minute, also among those before."""
        rows = np.flatnonzero(mask)
        if not len(rows):
            return rows
        self.counts[check] += len(rows)
        flagged = self._state["flagged"][:, CHECKS.index(check)]
        whose, when = slot[rows], minute[rows]
        first = np.ones(len(rows), bool)
        first[1:] = (whose[1:] != whose[:-1]) | (when[1:] != when[:-1])
        chosen = first & (when > flagged[whose])
        flagged[whose[chosen]] = when[chosen]
        return rows[chosen]

    def _running(self, slot: Any, at: Any) -> Any:
        """Return the newest instant of each slot up to each row, and remember it."""
        rising = (at[1:] >= at[:-1]) | (slot[1:] != slot[:-1])
        if rising.all():
            newest = at
        else:
            values, rank = np.unique(at, return_inverse=True)
            shifted = np.maximum.accumulate(slot.astype(np.int64) * len(values) + rank)
            newest = values[shifted - slot.astype(np.int64) * len(values)]
        newest = np.maximum(newest, self._state["newest"][slot])
        self._state["newest"][slot] = newest
        return newest

    def _outside(self, slot: Any, at: Any) -> Any:
        """Return true where a trade lies in no session, nor in the hours around one."""
        outside = np.zeros(len(slot), bool)
        venue = self._state["venue"][slot]
        for one in np.unique(venue):
            if one >= 0:
                opens, closes = self._calendars.opens[one], self._calendars.closes[one]
                rows = venue == one
                place = np.searchsorted(opens, at[rows] + EARLY_NS, side="right") - 1
                outside[rows] = (place < 0) | (at[rows] > closes[place] + AFTER_NS)
        return outside

    def _places(self, instruments: Sequence[str]) -> list[int]:
        """Return the slot of each of `instruments`; new ones get one."""
        begin = len(self._names)
        for name in instruments:
            if name not in self._slots:
                self._slots[name] = len(self._names)
                self._names.append(name)
        more = len(self._names) - len(self._state)
        if more > 0:
            fresh = np.zeros(max(more, len(self._state)), _STATE)
            fresh["flagged"] = -1
            self._state = np.concatenate([self._state, fresh])
            self._tracks.grow(len(self._state))
            self._ids.grow(len(self._state))
        for slot in range(begin, len(self._names)):
            self._state["venue"][slot] = self._venue(self._names[slot])
        return [self._slots[name] for name in instruments]

    def _venue(self, name: str) -> int:
        return self._calendars.venues.get(self._venue_of.get(name, ""), -1)

    def _forget(self) -> None:
        """Forget those that were silent longest, a tenth at once, where there are too many."""
        if len(self._names) <= self._most:
            return
        heard = self._state["heard"][: len(self._names)]
        kept = np.sort(np.argsort(heard, kind="stable")[-max(1, self._most * 9 // 10) :])
        self._state = self._state[kept]
        self._tracks.keep(kept)
        self._ids.keep(kept)
        self._names = [self._names[slot] for slot in kept]
        self._slots = {name: slot for slot, name in enumerate(self._names)}
