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

    What closed rounds cover is asked again only for the last `overlap_days`, where providers still correct themselves.
    """
    planned = []
    for instrument, symbol in listings:
        covered = _covered(history, instrument, kind, timeframe)
        if covered is not None and covered >= end:
            continue
        since = start if covered is None else max(start, covered - timedelta(days=overlap_days))
        identity = round_id(instrument=instrument, kind=kind, timeframe=timeframe, start=since, end=end)
        captured = dict(history.captures.get(identity, {}))  # of a round that a crash cut short
        planned.append(Round(identity, instrument, symbol, kind, timeframe, since, end, captured))
    return planned


def _covered(history: History, instrument: str, kind: str, timeframe: str) -> date | None:
    ends = [
        one.end
        for one in history.closed.values()
        if (one.instrument_id, one.kind, one.timeframe) == (instrument, kind, timeframe)
    ]
    return max(ends, default=None)


def retold(history: History, *, stored: frozenset[str]) -> Iterator[RawCaptured | RoundClosed]:
    """Yield what the other rooms must hear again after a crash: closed rounds that never reached the store."""
    for identity, closing in history.closed.items():
        if identity not in stored:
            captures = history.captures.get(identity, {})
            yield from (captures[provider] for provider in closing.providers if provider in captures)
            yield closing
