"""Which questions are open: rounds planned, resumed from the journal, or done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from truetape.domain.identity import round_id
from truetape.domain.messages import DecisionMade, RawCaptured, RoundClosed, StreamCaptured
from truetape.domain.time import NANOSECONDS
from truetape.services.ingestion.intervals import ONE_DAY, IntervalLedger, Span, has_session, without

Place = tuple[str, int]  # of a segment: its connection and number there


class Listed(NamedTuple):
    """One listing that is asked about."""

    instrument_id: str
    symbol: str
    mic: str = ""
    first: date | None = None  # first date on which it was listed, inclusive; None: since ever
    last: date | None = None  # last date, inclusive; None: still


@dataclass(slots=True)
class Round:
    """One question to the providers: one instrument, one kind, one range of session dates (both inclusive)."""

    round_id: str
    instrument_id: str
    symbol: str
    kind: str
    timeframe: str
    start: date
    end: date
    captured: dict[str, list[RawCaptured]] = field(default_factory=dict)  # pages by provider
    only: tuple[str, ...] = ()  # providers that are asked; empty: whom the policy chooses
    job_id: str = ""  # the backfill that it belongs to
    partial: bool = False  # it heals a gap of a stream in a range that may not have ended: it settles no date

    @property
    def patient(self) -> bool:
        """Whether it can wait: it belongs to a backfill, or pays a debt."""
        return bool(self.job_id or self.only)


@dataclass
class History:
    """What the journal says has happened already."""

    ledger: IntervalLedger = field(default_factory=IntervalLedger)
    unstored: dict[str, RoundClosed | DecisionMade] = field(default_factory=dict)  # what never reached the store
    unread: list[StreamCaptured] = field(default_factory=list)  # segments that never reached the store
    heard_until: dict[str, int] = field(default_factory=dict)  # when each provider's stream was last heard


def recall(
    entries: Iterable[object], *, stored: frozenset[str] = frozenset(), read: frozenset[Place] = frozenset()
) -> History:
    """Return what `entries` of the journal, in order, amount to.

    Args:
        entries: The journal.
        stored: The rounds and decisions that the store has marked.
        read: The segments of streams that it has, by connection and number.
    """
    history = History()
    for entry in entries:
        if isinstance(entry, StreamCaptured):
            history.heard_until[entry.provider] = max(entry.ts_known, history.heard_until.get(entry.provider, 0))
            if (entry.connection, entry.number) not in read:
                history.unread.append(entry)
        elif isinstance(entry, DecisionMade):
            if entry.decision_id not in stored:
                history.unstored[entry.decision_id] = entry
        elif isinstance(entry, RawCaptured):
            history.ledger.capture(entry)
        elif isinstance(entry, RoundClosed):
            pages = history.ledger.captures.get(entry.round_id, {})
            history.ledger.close(entry)
            if entry.round_id not in stored:
                history.unstored[entry.round_id] = _with_captures(entry, pages)
    return history


def _with_captures(entry: RoundClosed, pages: Mapping[str, list[RawCaptured]]) -> RoundClosed:
    """Return `entry` with the facts behind its payloads, which old journals do not repeat in it."""
    if entry.captures or not entry.captured:
        return entry
    by_key = {page.key: page for each in pages.values() for page in each}
    found = tuple(by_key[key] for key in entry.captured if key in by_key)
    return RoundClosed(**{name: getattr(entry, name) for name in entry.__struct_fields__} | {"captures": found})


class Wanted(NamedTuple):
    """What is asked about every listing: a record kind over a range of session dates, both inclusive."""

    kind: str
    timeframe: str
    start: date
    end: date


def plan(
    listings: Iterable[Listed],
    ledger: IntervalLedger,
    wanted: Wanted,
    *,
    overlap_days: int,
    sessions: Mapping[str, Sequence[date]] = {},
    job_id: str = "",
) -> Iterator[Round]:
    """Yield the rounds still to run, so that the range is settled for each listing while it was listed.

    A gap behind what is settled begins `overlap_days` earlier, where providers still correct themselves. A gap in which
    the venue has no session needs no round.

    Args:
        listings: What is asked about.
        ledger: What is settled.
        wanted: What is asked.
        overlap_days: Calendar days.
        sessions: The known session dates of each venue, ascending, by MIC.
        job_id: The backfill that the rounds belong to.
    """
    kind, timeframe, start, end = wanted
    overlap = timedelta(days=overlap_days)
    for one in listings:
        first = start if one.first is None else max(start, one.first)
        last = end if one.last is None else min(end, one.last)
        settled = ledger.settled.get((one.instrument_id, kind, timeframe), ())
        days = sessions.get(one.mic, ())
        for gap in without((first, last), settled):
            if not has_session(gap, days):
                continue
            corrects = overlap_days and _follows(gap[0], settled)
            begin = max(first, gap[0] - ONE_DAY - overlap) if corrects else gap[0]
            identity = round_id(instrument=one.instrument_id, kind=kind, timeframe=timeframe, start=begin, end=gap[1])
            before = ledger.captures.get(identity)
            captured = {name: list(pages) for name, pages in before.items()} if before else {}
            yield Round(
                identity, one.instrument_id, one.symbol, kind, timeframe, begin, gap[1], captured, job_id=job_id
            )


def _follows(first: date, settled: Sequence[Span]) -> bool:
    before = first - ONE_DAY
    return any(begin <= before <= end for begin, end in settled)


def debts_due(
    symbols: Mapping[str, str], ledger: IntervalLedger, *, providers: Iterable[str], now_ns: int, after_s: float
) -> Iterator[Round]:
    """Yield a round for each provider that owes a range since `after_s` or longer: it alone is asked.

    Args:
        symbols: By instrument id.
        ledger: Who owes what.
        providers: Who can be asked.
        now_ns: The present.
        after_s: How long a provider is left alone after it was given up.
    """
    known = frozenset(providers)
    for (instrument, kind, timeframe), owed in ledger.debts.items():
        for name, debt in owed.items():
            if instrument not in symbols or name not in known or debt.since_ns + after_s * NANOSECONDS > now_ns:
                continue
            first, last = debt.span
            question = f"{kind}@{name}@{debt.since_ns}"
            identity = round_id(instrument=instrument, kind=question, timeframe=timeframe, start=first, end=last)
            yield Round(identity, instrument, symbols[instrument], kind, timeframe, first, last, only=(name,))


def widest(rounds: Iterable[Round]) -> list[Round]:
    """Return `rounds` less those whose whole range another one asks for too.

    While nobody answers, each new day plans a longer round; the shorter ones before it need not be asked any more.
    """
    by_series: dict[tuple[object, ...], list[Round]] = {}
    for one in rounds:
        kept = by_series.setdefault((one.instrument_id, one.kind, one.timeframe, one.only), [])
        if not any(_covers(other, one) for other in kept):
            kept[:] = [other for other in kept if not _covers(one, other)] + [one]
    return [one for kept in by_series.values() for one in kept]


def _covers(wide: Round, narrow: Round) -> bool:
    return wide.start <= narrow.start and narrow.end <= wide.end


def retold(history: History) -> Iterator[RawCaptured | RoundClosed | DecisionMade | StreamCaptured]:
    """Yield what the other rooms must hear again after a crash.

    That is every capture of a round that was never closed, then the closed rounds and the decisions, in their order,
    and the segments of streams, that never reached the store.
    """
    for captures in history.ledger.captures.values():
        for pages in captures.values():
            yield from pages
    for closing in history.unstored.values():
        if isinstance(closing, RoundClosed):
            yield from closing.captures
        yield closing
    yield from history.unread
