"""The interval ledger: which dates of a series are settled, which are empty and why, and who still owes what."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from truetape.domain.failures import FailureClass
from truetape.domain.messages import RawCaptured, RoundClosed

Span = tuple[date, date]  # session dates, both inclusive
Series = tuple[str, str, str]  # instrument id, record kind, timeframe

ONE_DAY: Final = timedelta(days=1)
PASSING: Final = frozenset(
    {FailureClass.THROTTLED, FailureClass.QUOTA, FailureClass.TRANSIENT, FailureClass.BLOCKED, FailureClass.CONFLICT}
)


@dataclass(frozen=True)
class Debt:
    """A range that a provider could not deliver when it was asked, and may deliver later."""

    span: Span
    since_ns: int  # when it was given up
    words: str


@dataclass
class IntervalLedger:
    """What the journal says of every series; fed with its entries in order."""

    settled: dict[Series, list[Span]] = field(default_factory=dict)  # merged, ascending
    empty: dict[Series, list[tuple[Span, str]]] = field(default_factory=dict)
    debts: dict[Series, dict[str, Debt]] = field(default_factory=dict)  # by provider
    sources: dict[Series, str] = field(default_factory=dict)  # the provider that a series began with
    captures: dict[str, dict[str, list[RawCaptured]]] = field(default_factory=dict)  # of open rounds, by provider

    def capture(self, message: RawCaptured) -> None:
        """Remember one page of a round that is not closed yet; the same page again stands for the one before."""
        if not message.round_id:
            return
        pages = self.captures.setdefault(message.round_id, {}).setdefault(message.provider, [])
        place = (message.start, message.end, message.page)
        pages[:] = [*(one for one in pages if (one.start, one.end, one.page) != place), message]

    def close(self, message: RoundClosed) -> None:
        """Settle the range of a round; who was given up for a reason that may pass owes it.

        A partial round settles nothing: its range may not have ended.
        """
        series, span = (message.instrument_id, message.kind, message.timeframe), (message.start, message.end)
        self.captures.pop(message.round_id, None)
        if message.partial:
            return
        known = self.settled.get(series)
        self.settled[series] = [span] if known is None else merged([*known, span])
        if message.empty:
            self.empty.setdefault(series, []).append((span, message.empty))
        owed = self.debts.get(series, {})
        if message.providers:
            self.sources.setdefault(series, message.providers[0])
        for name in message.providers:
            debt = owed.get(name)
            if debt is not None and covers(span, debt.span):
                del owed[name]
        for one in message.gave_up:
            if one.failure_class in PASSING:
                before = owed.get(one.provider)
                whole = span if before is None else (min(span[0], before.span[0]), max(span[1], before.span[1]))
                owed[one.provider] = Debt(whole, message.ts_known, one.words)
        if owed:
            self.debts[series] = owed
        else:
            self.debts.pop(series, None)

    def put_off(self, series: Series, provider: str, now_ns: int) -> None:
        """Note that `provider` could not pay its debt at `now_ns` either."""
        owed = self.debts.get(series, {})
        if provider in owed:
            owed[provider] = Debt(owed[provider].span, now_ns, owed[provider].words)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the same dates as the fewest spans, ascending."""
    result: list[Span] = []
    for first, last in sorted(spans):
        if result and first <= result[-1][1] + ONE_DAY:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return result


def without(span: Span, settled: Sequence[Span]) -> list[Span]:
    """Return what of `span` is in none of `settled` (merged, ascending)."""
    first, last = span
    gaps: list[Span] = []
    for begin, end in settled:
        if end < first:
            continue
        if begin > last:
            break
        if begin > first:
            gaps.append((first, begin - ONE_DAY))
        first = end + ONE_DAY
    if first <= last:
        gaps.append((first, last))
    return gaps


def covers(wide: Span, narrow: Span) -> bool:
    """Return whether every date of `narrow` is in `wide`."""
    return wide[0] <= narrow[0] and narrow[1] <= wide[1]


def has_session(span: Span, sessions: Sequence[date]) -> bool:
    """Return whether the venue trades on a date of `span`.

    Args:
        span: The dates.
        sessions: The known session dates, ascending. Before the first and after the last nothing is known, and any date
            may be one.
    """
    if not sessions or span[0] < sessions[0] or span[1] > sessions[-1]:
        return True
    place = bisect_left(sessions, span[0])
    return sessions[place] <= span[1]
