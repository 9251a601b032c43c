"""Which rooms hear each message, and which tell it: the only ways between rooms.

No message leads back to the room that told it, by whatever way: rooms that wait for each other could wait for ever.
"""

from __future__ import annotations

from truetape.domain.announced_messages import ActionStated, AnnouncementsChanged
from truetape.domain.class_messages import ClassesTold
from truetape.domain.messages import (
    AlertChanged,
    BackfillRequested,
    BatchGraded,
    BatchNormalized,
    BatchStored,
    CalendarsCorrected,
    DecisionMade,
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

MAIL: dict[type[Message], tuple[str, ...]] = {
    InstrumentsDeclared: ("reference", "quality"),
    BackfillRequested: ("ingestion",),
    InstrumentsMerged: ("reference",),
    CalendarsCorrected: ("reference",),
    ClassesTold: ("reference",),
    InstrumentsChanged: ("ingestion", "quality"),
    InstrumentChanged: ("processing", "distribution"),
    ListingsReviewed: ("distribution",),
    RawCaptured: ("processing",),
    StreamCaptured: ("processing",),
    RoundClosed: ("processing",),
    DecisionMade: ("processing",),
    ActionStated: ("corporate_actions",),
    SnapshotNamed: ("storage",),
    PayloadRejected: ("storage",),
    PayloadDoubted: ("storage",),
    BatchNormalized: ("quality",),
    TicksHeard: ("quality",),
    FindingsMade: ("storage",),
    TrustSettled: ("storage",),
    BatchGraded: ("storage",),
    FindingsStored: ("distribution",),
    BatchStored: ("corporate_actions", "distribution"),
    FactorsChanged: ("benchmarks", "distribution"),
    AnnouncementsChanged: ("distribution",),
    IndexChanged: ("distribution",),
    AlertChanged: (),
}

TELLS: dict[str, tuple[type[Message], ...]] = {
    "app": (
        InstrumentsDeclared,
        BackfillRequested,
        DecisionMade,
        SnapshotNamed,
        InstrumentsMerged,
        CalendarsCorrected,
        ClassesTold,
        ActionStated,
    ),
    "reference": (InstrumentsChanged, InstrumentChanged, ListingsReviewed),
    "ingestion": (RawCaptured, RoundClosed, StreamCaptured),
    "processing": (PayloadRejected, PayloadDoubted, TicksHeard, BatchNormalized),
    "quality": (BatchGraded, FindingsMade, TrustSettled),
    "storage": (BatchStored, FindingsStored),
    "corporate_actions": (FactorsChanged, AnnouncementsChanged),
    "benchmarks": (IndexChanged,),
    "distribution": (AlertChanged,),
    "api": (),
}
