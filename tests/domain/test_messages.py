"""Messages and their envelope: every one has a subject, readers and tellers, and survives JSON."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from truetape.domain import announced_messages, class_messages, messages, register_messages
from truetape.domain.announced_messages import ActionStated, ActionTold, AnnouncementsChanged
from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.capability import Declaration, Offer
from truetape.domain.class_messages import ClassesTold
from truetape.domain.envelope import Envelope, seal
from truetape.domain.failures import REPEATABLE, FailureClass
from truetape.domain.flags import Quality
from truetape.domain.mail import MAIL, TELLS
from truetape.domain.messages import (
    AlertChanged,
    BackfillRequested,
    BatchGraded,
    BatchNormalized,
    BatchStored,
    CalendarsCorrected,
    DecisionMade,
    Edit,
    FactorsChanged,
    FindingsMade,
    FindingsStored,
    IndexChanged,
    InstrumentChanged,
    InstrumentsChanged,
    InstrumentsDeclared,
    InstrumentsMerged,
    Message,
    PayloadDoubted,
    PayloadRejected,
    RawCaptured,
    RoundClosed,
    SnapshotNamed,
    StreamCaptured,
    TicksHeard,
    TrustSettled,
)
from truetape.domain.register_messages import ListingsReviewed
from truetape.domain.ticks import Gap

DAY = date(2024, 6, 10)
RANGE: dict[str, Any] = {
    "round_id": "rnd_1",
    "instrument_id": "ins_a",
    "timeframe": "1d",
    "start": DAY,
    "end": DAY,
    "ts_known": 1,
}
DECIDED: dict[str, Any] = {
    "decision_id": "dec_1",
    "target": "rep_1",
    "action": "apply",
    "instrument_id": "ins_a",
    "kind": "bars",
    "timeframe": "1d",
    "start": DAY,
    "end": DAY,
    "provider": "p",
    "actor": "ann",
    "why": "seen at the venue",
    "ts_known": 1,
    "claimed": {"close": 1.5, "volume": None},
    "edits": (Edit(2, "close", 100.0, None),),
}
COUNTS: dict[str, Any] = {"new": 1, "corrected": 2, "repeated": 3, "quarantined": 4, "store_version": 5}
SEGMENT: dict[str, Any] = {
    "provider": "p",
    "connection": "p 0 1",
    "number": 0,
    "key": "k",
    "ts_known": 1,
    "frames": 2,
    "channels": ("trades",),
    "instruments": {"A": "ins_a"},
    "gaps": (Gap(symbol="A", channel="t", ts_event=2, since=1, words="1, 3"),),
}
TOLD = ActionTold(announcement_id="ann_a", change="new", status="announced", fields={"type": "split"})
EXAMPLES: list[tuple[Message, str]] = [
    (InstrumentsDeclared(listings=(), start=DAY, end=DAY, ts_known=1), ""),
    (InstrumentsChanged(instrument_ids=("ins_a",), ts_known=1), ""),
    (CalendarsCorrected(corrections=b"", ts_known=1), ""),
    (ClassesTold(table="class_nodes", taxonomy="gics", rows=b"", actor="ann", ts_known=1), ""),
    (InstrumentChanged(instrument_id="ins_a", ts_known=1, changes=("listings",)), "ins_a"),
    (
        InstrumentsMerged(
            decision_id="dec_1", instrument_id="ins_a", into="ins_b", stands=True, actor="ann", why="w", ts_known=1
        ),
        "ins_a",
    ),
    (BackfillRequested(job_id="job_1", symbols=("A",), start=DAY, end=DAY, ts_known=1), "job_1"),
    (StreamCaptured(**SEGMENT), "p"),
    (RawCaptured(provider="p", kind="bars", key="k", symbol="A", **RANGE), "ins_a"),
    (RoundClosed(kind="bars", captured=("k",), providers=("p",), **RANGE), "ins_a"),
    (DecisionMade(**DECIDED), "ins_a"),
    (
        ActionStated(
            statement_id="sta_1",
            announcement_id="ann_a",
            instrument_id="ins_a",
            said="announced",
            fields={"type": "split"},
            actor="ann",
            why="w",
            ts_known=1,
        ),
        "ins_a",
    ),
    (AnnouncementsChanged(instrument_id="ins_a", ts_known=1, announcements=(TOLD,)), "ins_a"),
    (ListingsReviewed(provider="sec", payload="k", ts_known=1, counts={"listing": 2}, held=0, words=""), "sec"),
    (SnapshotNamed(name="n", as_of=1, store_version=2, ts_known=3, actor="ann"), ""),
    (PayloadRejected(provider="p", kind="bars", key="k", reason="r", ts_known=1, instrument_id="ins_a"), "ins_a"),
    (PayloadDoubted(provider="p", key="k", ts_known=1, findings=b""), "p"),
    (FindingsMade(source="freshness", ts_known=1, findings=b""), "freshness"),
    (TrustSettled(ts_known=1, rows=b""), "trust"),
    (FindingsStored(ts_known=1, troubles=b""), ""),
    (AlertChanged(fingerprint="f", rule="r", state="firing", words="w", ts_known=1), "f"),
    (
        TicksHeard(provider="p", connection="c", number=0, ts_known=1, instruments=("a",), trades=(b"",), quotes=()),
        "p",
    ),
    (BatchNormalized(kind="bars", providers=("p",), frame=b"\x00\xff", **RANGE), "ins_a"),
    (BatchGraded(kind="bars", providers=("p",), golden=b"", quarantined=b"", findings=b"", **RANGE), "ins_a"),
    (BatchStored(kind="bars", **COUNTS, **RANGE), "ins_a"),
    (FactorsChanged(instrument_id="ins_a", ts_known=1, changed=1), "ins_a"),
    (IndexChanged(index_id="idx_a", ts_known=1, changed=1), "idx_a"),
]
NAMED = [pytest.param(message, subject, id=type(message).__name__) for message, subject in EXAMPLES]


def test_every_message_is_mailed_and_told() -> None:
    """No message is without a reader or without exactly one teller."""
    named = {**vars(messages), **vars(announced_messages), **vars(class_messages), **vars(register_messages)}
    defined = {one for one in named.values() if isinstance(one, type) and issubclass(one, Message)} - {Message}
    told = [kind for kinds in TELLS.values() for kind in kinds]

    assert set(MAIL) == defined == {type(message) for message, _ in EXAMPLES}
    assert sorted(kind.__name__ for kind in told) == sorted(kind.__name__ for kind in defined)
    assert {room for rooms in MAIL.values() for room in rooms} <= set(TELLS)


@pytest.mark.parametrize(("message", "subject"), NAMED)
def test_a_message_knows_its_subject_and_survives_json(message: Message, subject: str) -> None:
    """What is about one instrument keeps its order; what comes back is what was sent."""
    assert message.subject == subject
    assert msgspec.json.decode(msgspec.json.encode(message), type=type(message)) == message


def test_a_message_of_no_kind_has_no_subject() -> None:
    """The base has an empty one, so that any message may be published."""
    assert Message().subject == ""


@pytest.mark.parametrize(("message", "subject"), NAMED)
def test_an_envelope_has_what_cloudevents_asks_for(message: Message, subject: str) -> None:
    """Equal messages get equal ids, so that a receiver can drop repeats; the time is the sender's."""
    sealed = seal(message, source="ingestion", at_ns=1_717_977_600_000_000_000, traceparent="00-a-b-01")

    assert (sealed.specversion, sealed.datacontenttype) == ("1.0", "application/json")
    assert (sealed.source, sealed.subject, sealed.traceparent) == ("truetape/ingestion", subject, "00-a-b-01")
    assert sealed.type == f"truetape.{type(message).__name__}.v1"
    assert sealed.time == "2024-06-10T00:00:00Z"
    assert sealed.id == seal(message, source="replay", at_ns=0).id
    opened = msgspec.json.decode(msgspec.json.encode(sealed), type=Envelope)
    assert msgspec.json.decode(opened.data, type=type(message)) == message


def test_other_messages_get_other_ids() -> None:
    """The id speaks for the whole content."""
    one, other = (FactorsChanged(instrument_id="ins_a", ts_known=known, changed=1) for known in (1, 2))

    assert seal(one, source="s", at_ns=0).id != seal(other, source="s", at_ns=0).id


def test_only_passing_failures_are_repeated() -> None:
    """Asking again helps where the provider was too busy or broken, and nowhere else."""
    assert {FailureClass.THROTTLED, FailureClass.TRANSIENT} == REPEATABLE
    assert len(FailureClass) == 9


def test_flags_are_separate_bits() -> None:
    """Any set of flags can stand in one number."""
    assert [int(flag) for flag in Quality] == [1, 2, 4, 8, 16]


def test_asks_and_declarations_have_sensible_defaults() -> None:
    """A question is about daily bars of all time, a request carries nothing secret, a provider lives and is free."""
    declaration = Declaration(
        name="p",
        title="P",
        offers=(Offer(kind="bars", timeframes=("1d",)),),
        basis="raw",
        zone="UTC",
        feed="f",
        needs_key=False,
        key_variable="",
        calls_per_second=1,
    )
    request = Request(url="https://p.example")

    assert Ask(kind="bars", symbol="A") == Ask(kind="bars", symbol="A", timeframe="1d", start=None, end=None)
    assert (request.params, request.headers, request.secrets, request.secret_headers) == ({}, {}, {}, {})
    assert Answer(url="", status=200, content_type="", headers={}, body=b"").elapsed_s == 0.0
    assert (declaration.trust, declaration.retired, declaration.redistribution) == (1.0, "", "none")
