"""Gaps of streams, and the questions that heal them: what was not heard live is asked for as history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from truetape.domain.identity import round_id
from truetape.domain.messages import RoundClosed, StreamCaptured
from truetape.domain.time import DAY_NS, NANOSECONDS, to_datetime
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.rounds import Round

TIMEFRAME: Final = "1m"
MINUTE_NS: Final = 60 * NANOSECONDS

Wound = tuple[str, str]  # provider, instrument id


@dataclass(frozen=True)
class Span:
    """What was not heard: from `since` to `until`, UTC nanoseconds."""

    since: int
    until: int


@dataclass(frozen=True)
class Try:
    """The last time a gap was asked for."""

    number: int
    again_ns: int  # not before


class Healing:
    """The gaps that are not healed yet, one span for each provider and instrument."""

    def __init__(self, *, after_s: float, days: int, retry_s: float) -> None:
        """Begin without gaps.

        Args:
            after_s: Seconds after the end of a gap's last minute before it is asked for.
            days: How far back, from its end, a gap is healed; what is older than that is given up.
            retry_s: Wait before it is asked for again; doubles with each try, up to a day.
        """
        self._after_ns = int(after_s * NANOSECONDS)
        self._most_ns = days * DAY_NS
        self._retry_ns = int(retry_s * NANOSECONDS)
        self.open: dict[Wound, Span] = {}
        self._tries: dict[Wound, Try] = {}

    def note(self, message: StreamCaptured) -> None:
        """Remember the gaps of a segment."""
        for gap in message.gaps:
            whom = message.instruments.values() if not gap.symbol else (message.instruments.get(gap.symbol, ""),)
            for instrument in dict.fromkeys(whom):
                if instrument:
                    self._widen((message.provider, instrument), Span(gap.since or gap.ts_event, gap.ts_event))

    def _widen(self, wound: Wound, new: Span) -> None:
        before = self.open.get(wound, new)
        until = max(before.until, new.until)
        self.open[wound] = Span(max(min(before.since, new.since), until - self._most_ns), until)

    def close(self, message: RoundClosed) -> None:
        """Forget the gaps that a round heals: those that had ended when its answers came.

        A gap that came up meanwhile stays.
        """
        if not message.partial or message.kind != "bars" or message.timeframe != TIMEFRAME:
            return
        known = min((one.ts_known for one in message.captures), default=message.ts_known)
        for wound, span in list(self.open.items()):
            first, last = _dates(span)
            covered = message.start <= first and last <= message.end
            if wound[1] == message.instrument_id and covered and _minute_end(span.until) <= known:
                del self.open[wound]
                self._tries.pop(wound, None)

    def due(self, symbols: Mapping[str, str], *, now_ns: int) -> Iterator[Round]:
        """Yield a round for each gap whose bars the provider should have by now.

        The provider itself is asked first; whoever the policy chooses, where that did not heal it.

        Args:
            symbols: Of the instruments that are known, by id.
            now_ns: The present.
        """
        for wound, span in list(self.open.items()):
            if span.until + self._most_ns < now_ns:
                del self.open[wound]
                continue
            tried = self._tries.get(wound, Try(0, _minute_end(span.until) + self._after_ns))
            if wound[1] not in symbols or tried.again_ns > now_ns:
                continue
            wait = min(DAY_NS, self._retry_ns * 2 ** min(tried.number, 16))
            self._tries[wound] = Try(tried.number + 1, now_ns + wait)
            yield _round(wound, span, symbols[wound[1]], now_ns=now_ns, alone=not tried.number)


def healing_of(config: IngestionConfig) -> Healing:
    """Return a healing without gaps, as patient as the settings say."""
    streams = config.streams
    return Healing(after_s=streams.heal_after_s, days=streams.heal_days, retry_s=config.retry_round_s)


def _round(wound: Wound, span: Span, symbol: str, *, now_ns: int, alone: bool) -> Round:
    provider, instrument = wound
    first, last = _dates(span)
    question = f"bars@{provider}@{span.until}@{now_ns}"
    identity = round_id(instrument=instrument, kind=question, timeframe=TIMEFRAME, start=first, end=last)
    only = (provider,) if alone else ()
    return Round(identity, instrument, symbol, "bars", TIMEFRAME, first, last, only=only, partial=True)


def _minute_end(instant_ns: int) -> int:
    return instant_ns - instant_ns % MINUTE_NS + MINUTE_NS


def _dates(span: Span) -> tuple[date, date]:
    """Return the dates of a span in UTC, by which intraday bars are asked for."""
    return to_datetime(span.since).date(), to_datetime(span.until).date()
