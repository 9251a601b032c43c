"""How soon something is due, as settings say it."""

from __future__ import annotations

from typing import Final

import msgspec

from truetape.domain.durations import EXAMPLES, seconds_of

DAILY: Final = ("1d",)
IN_SESSION: Final = ("1m", "5m", "15m", "30m", "1h", "trades", "quotes")
NEVER: Final = "never"
DAILY_FORM: Final = f'{EXAMPLES} and "after close" or "after open", for example "2h after close"; or "never"'
IN_SESSION_FORM: Final = f'{EXAMPLES}, for which nothing may come during a session; or "never"'


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """How soon something is due. `within_s` of 0: never."""

    within_s: float
    after: str = ""  # open or close of a session; "": at any time during a session


class Objectives(msgspec.Struct, frozen=True, kw_only=True):
    """Objectives by kind (a timeframe, trades or quotes); the most specific one holds."""

    everywhere: dict[str, Objective] = {}
    venues: dict[str, dict[str, Objective]] = {}  # by MIC
    instruments: dict[str, dict[str, Objective]] = {}  # by symbol

    def of(self, *, symbol: str, mic: str) -> dict[str, Objective]:
        """Return the objectives that hold for an instrument, by kind."""
        every = {**self.everywhere, **self.venues.get(mic, {}), **self.instruments.get(symbol, {})}
        return {kind: one for kind, one in every.items() if one.within_s}

    def __bool__(self) -> bool:
        return bool(self.everywhere or self.venues or self.instruments)


def objective_of(kind: str, text: str) -> Objective | None:
    """Return the objective that `text` means for `kind`: "2h after close", "5m" or "never"; None if it means none."""
    if text.strip() == NEVER:
        return Objective(within_s=0.0)
    length, separator, moment = text.partition(" after ")
    seconds, after = seconds_of(length), moment.strip()
    fits = after in {"open", "close"} if kind in DAILY else not separator
    return Objective(within_s=seconds, after=after) if seconds and fits else None
