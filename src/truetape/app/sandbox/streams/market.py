"""The sandbox's markets: where each provider's tape stands, who listens to it, and which faults were met."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from truetape.app.sandbox.faults import Script
from truetape.app.sandbox.intraday import Hours
from truetape.app.sandbox.streams import speaker_of
from truetape.app.sandbox.streams.playback import Playback, Trouble
from truetape.app.sandbox.streams.speaker import Ground, Opening
from truetape.app.sandbox.streams.tape import Day, Tape
from truetape.domain.errors import BadInput
from truetape.domain.time import NANOSECONDS

FASTEST: Final = 1e6  # times life


class Market:
    """Play a dataset's last day to everybody who connects.

    The day goes on while nobody listens: who comes back hears the rest of it. When a symbol's day is over, it begins
    anew for the next who asks.

    Args:
        tape: What happens in the day.
        script: The faults; those of STREAM are met.
        speed: How many times faster than life; 0 as fast as possible, and then the day stands while nobody listens.
        clock: Seconds of a clock that only goes on.

    Raises:
        BadInput: The speed is none, or too high to be kept.
    """

    def __init__(
        self,
        tape: Tape,
        script: Script = (),
        *,
        speed: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= speed <= FASTEST:
            fix = f"Give a number from 0, as fast as possible, to {FASTEST:g}."
            raise BadInput(parameter="--speed", value=f"{speed:g}", fix=fix)
        self.speed = speed
        self.trouble = Trouble(script)
        self._tape = tape
        self._clock = clock
        self._stands: dict[tuple[str, str], tuple[int, float]] = {}  # the tape's time, and when by the clock
        self._listening: list[tuple[str, Playback]] = []

    def connect(self, provider: str, opening: Opening | None = None) -> Playback:
        """Return what a new client of `provider` hears."""
        kind = speaker_of(provider)
        playback = Playback(
            begin=partial(self._begin, provider, kind.hours),
            passed=partial(self._passed, provider),
            trouble=self.trouble,
            speed=self.speed,
        )
        ground = Ground(
            symbols=self._tape.dataset.symbols,
            standing=playback.standing,
            first_day_ns=lambda symbol: self._tape.day(symbol, kind.hours(symbol)).first_day_ns,
        )
        playback.meet(kind(opening or Opening(), ground))
        self._listening.append((provider, playback))
        return playback

    def leave(self, playback: Playback) -> None:
        """Forget a client."""
        self._listening = [one for one in self._listening if one[1] is not playback]

    def answer(self, provider: str, params: Mapping[str, str]) -> tuple[int, bytes]:
        """Return what a request over HTTP beside a stream gets: as the client who listens last hears the symbol."""
        fresh = self.connect(provider)
        self.leave(fresh)
        symbol = fresh.speaker.about(params)
        heard = [playback for name, playback in self._listening if name == provider and playback.plays(symbol)]
        return [fresh, *heard][-1].speaker.answer(params)

    def _begin(self, provider: str, hours: Callable[[str], Hours], symbol: str, now: int | None) -> tuple[Day, int]:
        day = self._tape.day(symbol, hours(symbol))
        place = day.after(self._stood(provider, symbol) if now is None else now)
        over = place == len(day.events) and now is None
        return day, 0 if over else place

    def _stood(self, provider: str, symbol: str) -> int:
        at, when = self._stands.get((provider, symbol), (0, 0.0))
        return at + round((self._clock() - when) * self.speed * NANOSECONDS) if at else 0

    def _passed(self, provider: str, symbol: str, at: int) -> None:
        self._stands[provider, symbol] = (at, self._clock() if self.speed else 0.0)
