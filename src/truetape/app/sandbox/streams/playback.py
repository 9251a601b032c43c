"""One connection's playing of the tape: what is said when, in the tape's time, and how the script's faults spoil it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from truetape.app.sandbox.faults import STREAM, Fault, Script
from truetape.app.sandbox.streams.speaker import Frame, Speaker
from truetape.app.sandbox.streams.tape import Day, Event, Standing
from truetape.domain.ticks import Bar, Depth, Trade
from truetape.domain.time import NANOSECONDS

LATE_BY: Final = 20  # ticks, unless the script says otherwise
SWAPPED_BY: Final = 1
BEAT_SPEED: Final = 60.0  # of a tape that is played as fast as possible: heartbeats stand at intervals of its time


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next on the connection."""

    at: int  # in the tape's time, UTC nanoseconds
    frames: tuple[Frame, ...]
    wait_s: float = 0.0  # before them, and before everything after them
    silent_s: float | None = None  # say and answer nothing for so long, 0 until the client leaves
    reset: bool = False  # the connection


@dataclass
class Trouble:
    """Which tick meets which fault of a script. Ticks are counted over all connections to a provider.

    `hits` counts by the fault's place in the script.
    """

    script: Script
    hits: Counter[int] = field(default_factory=Counter)
    _said: Counter[tuple[str, str]] = field(default_factory=Counter)

    def meet(self, event: Event, speaker: Speaker) -> Fault | None:
        """Count one tick, and return the first fault in the script that is due and that the provider can say."""
        symbol = event.news.symbol
        if isinstance(event.news, Bar):
            return None
        self._said[speaker.provider, symbol] += 1
        number = self._said[speaker.provider, symbol]
        for place, fault in enumerate(self.script):
            times = 1 if fault.times is None else fault.times
            due = number >= fault.first and (times == 0 or self.hits[place] < times)
            if (
                fault.kind in STREAM
                and due
                and fault.concerns(speaker.provider, symbol)
                and _can(fault, event, speaker)
            ):
                self.hits[place] += 1
                return fault
        return None


def _can(fault: Fault, event: Event, speaker: Speaker) -> bool:
    if fault.kind == "wrong_checksum":
        return speaker.checks and isinstance(event.news, Depth)
    if fault.kind in ("late_trade", "correction", "cancel"):
        able = {"correction": speaker.corrects, "cancel": speaker.cancels}.get(fault.kind, True)
        return able and isinstance(event.news, Trade)
    return True


@dataclass
class _Held:
    event: Event
    ticks: int  # of the same symbol that still go before it


class Playback:
    """What one client hears.

    Args:
        begin: From where on a symbol is played: its day, and the place of its next event. It is told where the tape
            stands, or None where nothing binds it.
        passed: Is told how far the tape of a symbol was played.
        trouble: The faults.
        speed: How many times faster than life; 0 as fast as possible.
    """

    speaker: Speaker

    def __init__(
        self,
        *,
        begin: Callable[[str, int | None], tuple[Day, int]],
        passed: Callable[[str, int], None],
        trouble: Trouble,
        speed: float,
    ) -> None:
        self.now: int | None = None  # in the tape's time
        self._begin = begin
        self._passed = passed
        self._trouble = trouble
        self._speed = speed
        self._beat_ns = 0
        self._next_beat = 0
        self._days: dict[str, Day] = {}
        self._standings: dict[str, Standing] = {}
        self._next: list[tuple[int, str, int]] = []  # when, whose and which event
        self._held: dict[str, list[_Held]] = {}

    def meet(self, speaker: Speaker) -> Playback:
        """Let `speaker` speak, and return this playback."""
        self.speaker = speaker
        self._beat_ns = round(speaker.beat_s * (self._speed or BEAT_SPEED) * NANOSECONDS)
        return self

    def standing(self, symbol: str) -> Standing:
        """Return what is known of our `symbol` now."""
        if symbol in self._days:
            return self._standings[symbol]
        day, place = self._starts(symbol)
        return day.standing(place)

    def plays(self, symbol: str | None) -> bool:
        """Return whether our `symbol` is played to the client."""
        return symbol in self._days

    def hear(self, frame: Frame) -> list[Frame]:
        """Return what is answered to a frame of the client; what it asks for is played from now on."""
        said = self.speaker.hear(frame)
        self.join()
        return said

    def join(self) -> None:
        """Play what the client has asked for since."""
        for symbol in self.speaker.symbols:
            if symbol not in self._days:
                day, place = self._starts(symbol)
                self._days[symbol], self._standings[symbol] = day, day.standing(place)
                self._push(day, place)

    def due(self) -> int | None:
        """Return when the next step is due in the tape's time, UTC nanoseconds; None when everything is over."""
        if not self._next:
            return None
        at = self._next[0][0]
        return self._next_beat if self._beats_before(at) else at

    def step(self) -> Step | None:
        """Return what is done next, mostly one event; None when everything that was asked for is over."""
        if not self._next:
            return None
        at, symbol, place = self._next[0]
        if self._beats_before(at):
            self._next_beat += self._beat_ns
            return Step(self._next_beat - self._beat_ns, tuple(self.speaker.beat()))
        heappop(self._next)
        day = self._days[symbol]
        self._push(day, place + 1)
        return self._play(day.events[place], last=place + 1 == len(day.events))

    def skip(self, seconds: float) -> None:
        """Lose what happens in so many seconds of the tape's time."""
        until = (self.now or 0) + round(seconds * NANOSECONDS)
        while self._next and self._next[0][0] <= until:
            _, symbol, place = heappop(self._next)
            self._push(self._days[symbol], place + 1)
            self._learn(self._days[symbol].events[place])
        self._next_beat = max(self._next_beat, until)

    def _starts(self, symbol: str) -> tuple[Day, int]:
        return self._begin(symbol, self.now if self._speed else None)

    def _push(self, day: Day, place: int) -> None:
        if place < len(day.events):
            heappush(self._next, (day.events[place].at, day.symbol, place))

    def _beats_before(self, at: int) -> bool:
        if not self._beat_ns:
            return False
        if self._next_beat == 0:
            self._next_beat = at + self._beat_ns
        return self._next_beat <= at

    def _learn(self, event: Event) -> None:
        symbol = event.news.symbol
        self._standings[symbol].learn(event)
        self.now = max(self.now or 0, event.at)
        self._passed(symbol, event.at)

    def _play(self, event: Event, *, last: bool) -> Step:
        self._learn(event)
        wanted = self.speaker.wants(event)
        step = self._said(event, self._trouble.meet(event, self.speaker)) if wanted else Step(event.at, ())
        ticked = wanted and not isinstance(event.news, Bar)
        released = self._released(event.news.symbol, all_of_them=last, ticked=ticked)
        return Step(step.at, (*step.frames, *released), step.wait_s, step.silent_s, step.reset) if released else step

    def _said(self, event: Event, fault: Fault | None) -> Step:
        kind = fault.kind if fault else ""
        if fault and kind in ("reordered", "late_trade"):
            usual = LATE_BY if kind == "late_trade" else SWAPPED_BY
            self._held.setdefault(event.news.symbol, []).append(_Held(event, (fault.rows or usual) + 1))
        if fault and kind == "silence":
            return Step(event.at, (), silent_s=fault.seconds)
        wait_s = fault.seconds if fault and kind == "delayed" else 0.0
        return Step(event.at, tuple(self._frames(event, kind)), wait_s, reset=kind == "disconnect")

    def _frames(self, event: Event, kind: str) -> Sequence[Frame]:
        speaker = self.speaker
        if kind in ("gap", "disconnect", "reordered", "late_trade"):
            return ()
        if kind == "repeated":
            return (*speaker.say(event), *speaker.say(event))
        if kind == "garbage_frame":
            return (speaker.garbage, *speaker.say(event))
        special = {"wrong_checksum": speaker.spoilt, "correction": speaker.corrected, "cancel": speaker.cancelled}
        return special.get(kind, speaker.say)(event)

    def _released(self, symbol: str, *, all_of_them: bool, ticked: bool) -> list[Frame]:
        held = self._held.get(symbol)
        if not held:
            return []
        for one in held:
            one.ticks -= ticked
        free = [one for one in held if all_of_them or one.ticks <= 0]
        self._held[symbol] = [one for one in held if one not in free]
        return [frame for one in free for frame in self.speaker.late(one.event)]
