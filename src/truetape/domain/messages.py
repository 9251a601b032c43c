"""Everything that one room says to another.

A message is a fact: frozen, past tense, complete. New fields get a default; no field changes its type. Who tells it and
who hears it stands in domain.mail.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from truetape.domain.declared import DeclaredListing as DeclaredListing  # noqa: PLC0414  everybody finds it here
from truetape.domain.ticks import Gap


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all messages."""

    @property
    def subject(self) -> str:
        """What the message is about, mostly an instrument; messages of one subject keep their order."""
        return str(getattr(self, "instrument_id", ""))


class InstrumentsDeclared(Message, frozen=True, kw_only=True):
    """The operator's configuration names these listings."""

    listings: tuple[DeclaredListing, ...]
    start: date  # first session date of interest
    end: date  # last session date of interest
    ts_known: int
    simulated: bool = False
    trust: dict[str, float] = {}  # weights of providers' votes that the operator has fixed
    repair: dict[str, Any] = {}  # what becomes of proposed repairs, as the settings [quality.repair] say
    venues: tuple[str, ...] = ()  # whose calendars are kept too, beside those of the listings
    until: date | None = None  # last day whose sessions are kept, where it is not `end`


class BackfillRequested(Message, frozen=True, kw_only=True):
    """Somebody wants the history of these symbols; what is there already is not asked for again."""

    job_id: str
    symbols: tuple[str, ...]  # ours
    start: date  # inclusive, as is end
    end: date
    ts_known: int
    kind: str = "bars"
    timeframe: str = "1d"
    simulated: bool = False

    @property
    def subject(self) -> str:
        return self.job_id


class CalendarsCorrected(Message, frozen=True, kw_only=True):
    """Somebody says of days of venues' calendars what the calendars do not know."""

    corrections: bytes  # Arrow IPC stream, columns domain.calendar_corrections.CORRECTION
    ts_known: int
    simulated: bool = False


class InstrumentsChanged(Message, frozen=True, kw_only=True):
    """The instrument master holds new facts about these instruments."""

    instrument_ids: tuple[str, ...]
    ts_known: int
    end: date | None = None  # last session date of interest


class InstrumentChanged(Message, frozen=True, kw_only=True):
    """The master says something else of an instrument now: who keeps a part of it reads it again."""

    instrument_id: str  # "": so many that all are to be read again
    ts_known: int
    changes: tuple[str, ...]  # tables that say something else, in alphabetical order
    count: int = 1  # instruments that changed


class InstrumentsMerged(Message, frozen=True, kw_only=True):
    """Somebody found that two records are of one instrument, or takes that back. It holds until a later one is told."""

    decision_id: str
    instrument_id: str  # the record that is another's
    into: str  # that other one
    stands: bool  # false: it is taken back
    actor: str
    why: str
    ts_known: int
    evidence: str = ""
    simulated: bool = False


class RawCaptured(Message, frozen=True, kw_only=True):
    """A provider's bytes were archived. Nothing has read them yet."""

    provider: str
    kind: str  # what was asked for, a key of schema.DECODED
    key: str  # sha256 of the bytes, their name in the archive
    ts_known: int  # when we received them, UTC nanoseconds
    round_id: str
    instrument_id: str
    symbol: str  # in the provider's spelling
    timeframe: str
    start: date
    end: date
    simulated: bool = False
    page: str = ""  # the provider's mark of this page; "" for the first
    more: str = ""  # its mark of the page after this one; "" after the last
    why: str = ""  # why this provider was asked
    tried: tuple[str, ...] = ()  # who was asked before, and what came of it


class StreamCaptured(Message, frozen=True, kw_only=True):
    """What one connection to a provider's stream said in a short time was archived, in the lines of domain.captures.

    The segments of one connection follow each other without a gap, but for those that they name.
    """

    provider: str
    connection: str  # unique; its segments are numbered from 0
    number: int
    key: str  # sha256 of the lines, their name in the archive
    ts_known: int  # when the segment was closed, UTC nanoseconds; never earlier than that of the one before
    frames: int  # 0: nothing was said, and the connection lives
    channels: tuple[str, ...]  # record kinds that were asked for
    instruments: dict[str, str]  # instrument ids by the provider's symbols: of those that it speaks of
    gaps: tuple[Gap, ...] = ()  # noticed while it was heard; of symbol "": all of `instruments`
    ended: str = ""  # why the connection has ended, in its last segment
    simulated: bool = False

    @property
    def subject(self) -> str:
        return self.provider


class GaveUp(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that did not deliver in a round, and why."""

    provider: str
    failure_class: str
    words: str
    attempts: int


class RoundClosed(Message, frozen=True, kw_only=True):
    """What was asked about one instrument and range is settled: delivered, given up, or not to be had."""

    round_id: str
    instrument_id: str
    kind: str
    timeframe: str
    start: date
    end: date
    ts_known: int
    captured: tuple[str, ...]  # payload keys
    providers: tuple[str, ...]  # that sent them, in the order of captured; one may have sent several
    gave_up: tuple[GaveUp, ...] = ()
    captures: tuple[RawCaptured, ...] = ()  # the facts behind captured, in its order
    simulated: bool = False
    empty: str = ""  # why nobody has rows for it, where nobody has
    partial: bool = False  # asked before the range had ended, to heal gaps of a stream: it settles no date


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """One value of a provider's series that a repair changes, in raw basis.

    It is made only where the provider still says `before`.
    """

    ts_event: int  # UTC nanoseconds; of an action, 00:00 UTC of its ex-date
    column: str  # open to volume; of an action, its type
    before: float | None
    after: float | None  # null: the action never was


class DecisionMade(Message, frozen=True, kw_only=True):
    """Somebody decided about a quarantined claim or a repair. It holds until a later one takes its place."""

    decision_id: str
    target: str  # the id of the claim or of the repair
    action: str  # accept, correct, reject or undo of a claim; apply, undo or reject of a repair
    instrument_id: str
    kind: str  # bars or actions
    timeframe: str
    start: date  # session dates that are graded again, both inclusive
    end: date
    provider: str  # who made the claim
    actor: str
    why: str
    ts_known: int
    ts_event: int = 0  # of the claim, UTC nanoseconds
    payload: str = ""  # that the claim came in
    claimed: dict[str, float | None] = {}  # what the claim says, by column
    values: dict[str, float] = {}  # what is true instead, of a correction
    edits: tuple[Edit, ...] = ()  # of a repair that is applied
    currency: str = ""  # of the cash that it adds; "": that of the other claims
    simulated: bool = False


class SnapshotNamed(Message, frozen=True, kw_only=True):
    """A state of the store was given a name for ever. Nothing told before was still to be stored."""

    name: str
    as_of: int  # rows as they were known then, UTC nanoseconds
    store_version: int  # and held then
    ts_known: int  # when it was named
    actor: str
    note: str = ""
    simulated: bool = False


class PayloadRejected(Message, frozen=True, kw_only=True):
    """Archived bytes could not be decoded; they stay in the archive."""

    provider: str
    kind: str
    key: str
    reason: str
    ts_known: int
    simulated: bool = False
    instrument_id: str = ""


class PayloadDoubted(Message, frozen=True, kw_only=True):
    """A payload was read, and something in it is doubtful: rows that contradict each other, or fields that changed."""

    provider: str
    key: str  # of the payload
    ts_known: int
    findings: bytes  # Arrow IPC stream, schema.TABLES["findings"]
    simulated: bool = False

    @property
    def subject(self) -> str:
        return self.provider


class BatchNormalized(Message, frozen=True, kw_only=True):
    """All current claims about one instrument and range, in raw basis, ordered by (ts_event, provider).

    Claims before `start` and after `end` are there to judge the others by; nothing is decided about them.
    """

    kind: str  # bars, actions or fx_rates
    round_id: str
    instrument_id: str
    timeframe: str
    start: date
    end: date
    ts_known: int
    providers: tuple[str, ...]
    frame: bytes  # Arrow IPC stream: schema.TABLES["bar_claims"] or ["action_claims"], basis raw, or ["rate_claims"]
    last: bool = True  # the round has nothing more to say
    simulated: bool = False
    actions: bytes = b""  # beside daily bars: schema.TABLES["action_claims"], basis raw, of all dates; empty: not told
    decisions: tuple[DecisionMade, ...] = ()  # about the series, the oldest first
    decision: DecisionMade | None = None  # the one because of which it is graded again; round_id is its id
    lapsed: bytes = b""  # beside actions: claims of the range that providers no longer make; empty: none


class TicksHeard(Message, frozen=True, kw_only=True):
    """What a segment of a stream says of trades and quotes, for those who watch it."""

    provider: str
    connection: str
    number: int  # of the segment; it may be told again
    ts_known: int
    instruments: tuple[str, ...]  # `who` is a place among them
    trades: tuple[bytes, ...]  # arrays: who (int32), ts_event, ts_known (int64, UTC ns), price (float64), id (uint64)
    quotes: tuple[bytes, ...]  # arrays: who, ts_event, ts_known as above, bid and ask (float64; NaN: none)
    simulated: bool = False

    @property
    def subject(self) -> str:
        return self.provider


class FindingsMade(Message, frozen=True, kw_only=True):
    """Something is wrong that no batch of claims shows: a series is late, or a stream says what cannot be."""

    source: str  # freshness, or the provider whose stream it is
    ts_known: int
    findings: bytes  # Arrow IPC stream, schema.TABLES["findings"]
    simulated: bool = False

    @property
    def subject(self) -> str:
        return self.source


class TrustSettled(Message, frozen=True, kw_only=True):
    """How much the word of providers weighs from an instant on was learnt from their votes, or fixed."""

    ts_known: int
    rows: bytes  # Arrow IPC stream, schema.TABLES["trust"], version 0
    simulated: bool = False

    @property
    def subject(self) -> str:
        return "trust"


class BatchGraded(Message, frozen=True, kw_only=True):
    """One batch was checked and voted on."""

    kind: str
    round_id: str
    instrument_id: str
    timeframe: str
    start: date
    end: date
    ts_known: int
    providers: tuple[str, ...]
    golden: bytes  # Arrow IPC stream, schema.TABLES[kind], version 0
    quarantined: bytes  # schema.TABLES["quarantine"]
    findings: bytes  # schema.TABLES["findings"]
    last: bool = True
    simulated: bool = False
    votes: bytes = b""  # schema.TABLES["votes"]; empty: nobody could be wrong
    repairs: bytes = b""  # schema.TABLES["repairs"], version 0: proposals; empty: none
    decision: DecisionMade | None = None  # the one that it was graded again for
    withdrawn: bytes = b""  # keys of schema.TABLES[kind] whose rows, if there are any, no longer stand; empty: none


class BatchStored(Message, frozen=True, kw_only=True):
    """One batch is in the store: readers see it."""

    kind: str
    round_id: str
    instrument_id: str
    timeframe: str
    start: date
    end: date
    ts_known: int
    new: int
    corrected: int
    repeated: int
    quarantined: int
    store_version: int
    withdrawn: int = 0


class FindingsStored(Message, frozen=True, kw_only=True):
    """Findings and quarantined claims are in the store."""

    ts_known: int
    troubles: bytes  # Arrow IPC stream, columns services.storage.troubles.TROUBLE
    simulated: bool = False


class AlertChanged(Message, frozen=True, kw_only=True):
    """An alert fires, goes on or is over. Who listens outside may hear it on a topic; no room needs it."""

    fingerprint: str
    rule: str
    state: str  # firing or resolved
    words: str
    ts_known: int

    @property
    def subject(self) -> str:
        return self.fingerprint


class FactorsChanged(Message, frozen=True, kw_only=True):
    """The adjustment factors of an instrument were computed again."""

    instrument_id: str
    ts_known: int
    changed: int


class IndexChanged(Message, frozen=True, kw_only=True):
    """The levels of an index were computed again."""

    index_id: str
    ts_known: int
    changed: int

    @property
    def subject(self) -> str:
        return self.index_id
