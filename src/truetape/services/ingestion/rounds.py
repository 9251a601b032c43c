"""Which questions are open: rounds planned, resumed from the journal, or done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from truetape.domain.identity import round_id
from truetape.domain.messages import RawCaptured, RoundClosed


@dataclass
class Round:
    """One question to all providers: one instrument, one kind, one range of session dates (both inclusive)."""

    round_id: str
    instrument_id: str
    symbol: str
    kind: str
    timeframe: str
    start: date
    end: date
    captured: dict[str, RawCaptured] = field(default_factory=dict)  # by provider


@dataclass
class History:
    """What the journal says has happened already."""

    closed: dict[str, RoundClosed] = field(default_factory=dict)
    captures: dict[str, dict[str, RawCaptured]] = field(default_factory=dict)  # round -> provider -> capture


def recall(entries: Iterable[object]) -> History:
    """Return what `entries` of the journal, in order, amount to."""
    history = History()
    for entry in entries:
        if isinstance(entry, RawCaptured):
            history.captures.setdefault(entry.round_id, {})[entry.provider] = entry
        elif isinstance(entry, RoundClosed):
            history.closed[entry.round_id] = entry
    return history


def plan(
    listings: Iterable[tuple[str, str]],
    history: History,
    *,
    kind: str,
    timeframe: str,
    start: date,
    end: date,
    overlap_days: int,
) -> list[Round]:
    """Return the rounds still to run for each (instrument id, symbol), so that [`start`, `end`] is covered.

    What closed rounds cover is asked again only for the last `overlap_days`, where providers still correct themselves;
    a `start` before all that they cover asks for the whole range.
    """
    if start > end:
        return []
    spans, planned = _spans(history, kind, timeframe), []
    for instrument, symbol in listings:
        first, last = spans.get(instrument, (date.max, date.min))
        if first <= start and last >= end:
            continue
        since = start if start < first else max(start, last - timedelta(days=overlap_days))
        identity = round_id(instrument=instrument, kind=kind, timeframe=timeframe, start=since, end=end)
        captured = dict(history.captures.get(identity, {}))  # of a round that a crash cut short
        planned.append(Round(identity, instrument, symbol, kind, timeframe, since, end, captured))
    return planned


def _spans(history: History, kind: str, timeframe: str) -> dict[str, tuple[date, date]]:
    """Return the first and last session date that closed rounds cover, by instrument."""
    spans: dict[str, tuple[date, date]] = {}
    for one in history.closed.values():
        if (one.kind, one.timeframe) == (kind, timeframe):
            first, last = spans.get(one.instrument_id, (one.start, one.end))
            spans[one.instrument_id] = min(first, one.start), max(last, one.end)
    return spans


def widest(rounds: Iterable[Round]) -> list[Round]:
    """Return `rounds` less those whose whole range another one asks for too.

    While nobody answers, each new day plans a longer round; the shorter ones before it need not be asked any more.
    """
    kept: list[Round] = []
    for one in rounds:
        if not any(_covers(other, one) for other in kept):
            kept = [other for other in kept if not _covers(one, other)] + [one]
    return kept


def _covers(wide: Round, narrow: Round) -> bool:
    same = (wide.instrument_id, wide.kind, wide.timeframe) == (narrow.instrument_id, narrow.kind, narrow.timeframe)
    return same and wide.start <= narrow.start and narrow.end <= wide.end


def retold(history: History, *, stored: frozenset[str]) -> Iterator[RawCaptured | RoundClosed]:
    """Yield what the other rooms must hear again after a crash.

    That is every capture of a round that was never closed, then the closed rounds that never reached the store.
    """
    for identity, captures in history.captures.items():
        if identity not in history.closed:
            yield from captures.values()
    for identity, closing in history.closed.items():
        if identity not in stored:
            captures = history.captures.get(identity, {})
            yield from (captures[provider] for provider in closing.providers if provider in captures)
            yield closing
