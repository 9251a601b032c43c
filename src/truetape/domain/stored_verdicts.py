"""What was decided: the tables that the storage room keeps."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.stored import ORIGIN_COLUMNS, VERDICT_COLUMNS, VERSIONED_COLUMNS, Table

FINDING_DETAILS: Final = {
    "field": pl.String(),  # the column that the finding is about; null: the row as a whole
    "value": pl.Float64(),  # what stood there
    "expected_low": pl.Float64(),  # and what was expected: from here
    "expected_high": pl.Float64(),  # to here, both inclusive; null: there is no such bound
    "repair": pl.String(),  # what is suggested, a key of services.quality.checks.REPAIRS; null: nothing
    "repair_value": pl.Float64(),  # and with which number
}

VERDICTS: Final[dict[str, Table]] = {
    "bars": Table(
        columns={
            "instrument_id": pl.String(),
            "timeframe": pl.String(),
            "ts_event": INSTANT,
            **OHLCV_COLUMNS,
            "currency": pl.String(),
            "basis": pl.String(),  # always raw
            "feed": pl.String(),
            "provider": pl.String(),  # whose numbers were taken
            "payload": pl.String(),  # the bytes they came from
            "flags": pl.UInt32(),  # see domain.flags
            **VERDICT_COLUMNS,
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "timeframe", "ts_event"),
        writer="storage",
        versioned=True,
    ),
    "actions": Table(
        columns={
            "instrument_id": pl.String(),
            "ex_date": pl.Date(),
            "type": pl.String(),
            "value": pl.Float64(),
            "currency": pl.String(),
            "provider": pl.String(),
            "payload": pl.String(),
            **VERDICT_COLUMNS,
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "ex_date", "type"),
        writer="storage",
        versioned=True,
    ),
    "quarantine": Table(
        columns={
            "instrument_id": pl.String(),
            "timeframe": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            "reason": pl.String(),  # a key of services.quality.dissent.REASONS
            "explanation": pl.String(),
            **OHLCV_COLUMNS,
            "payload": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("payload", "instrument_id", "timeframe", "ts_event", "provider"),
        writer="storage",
    ),
    "rejected_payloads": Table(
        columns={
            "payload": pl.String(),
            "provider": pl.String(),
            "kind": pl.String(),
            "reason": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("payload", "kind", "provider"),
        writer="storage",
    ),
    "findings": Table(
        columns={
            "instrument_id": pl.String(),
            "timeframe": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),  # "" where the finding is about all of them
            "check": pl.String(),
            "severity": pl.String(),  # note, warning or error
            "explanation": pl.String(),
            **FINDING_DETAILS,
            "round_id": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("round_id", "instrument_id", "timeframe", "ts_event", "provider", "check"),
        writer="storage",
    ),
    "quality_daily": Table(
        columns={
            "session": pl.Date(),  # the UTC date of the events that were judged, not that of the judgement
            "instrument_id": pl.String(),
            "timeframe": pl.String(),
            "provider": pl.String(),  # "" where a finding is about all of them
            "check": pl.String(),  # of a finding, or the reason of a quarantine; "" in the row that counts claims
            "severity": pl.String(),  # of a finding; "quarantine"; "" in the row that counts claims
            "count": pl.UInt32(),  # findings or quarantined claims; in the row that counts claims: those quarantined
            "judged": pl.UInt32(),  # claims; only in the row that counts them, as are the next two
            "agreed": pl.UInt32(),  # claims that agree with the golden row
            "missing": pl.UInt32(),  # claims that others made and this provider did not
            **VERSIONED_COLUMNS,
        },
        key=("session", "instrument_id", "timeframe", "provider", "check", "severity"),
        writer="storage",
        versioned=True,
    ),
    "votes": Table(
        columns={
            "round_id": pl.String(),
            "kind": pl.String(),  # bars or actions
            "venue": pl.String(),  # MIC; "" where it is not known
            "provider": pl.String(),
            "session": pl.Date(),  # UTC date on which the votes were cast
            "agreed": pl.Float64(),  # claims that agree with a consensus; a round counts for so many at most
            "dissented": pl.Float64(),  # and those that do not
            **ORIGIN_COLUMNS,
        },
        key=("round_id", "kind", "provider"),
        writer="storage",
    ),
    "trust": Table(
        columns={
            "provider": pl.String(),
            "kind": pl.String(),  # bars or actions; "" in a row that the operator has fixed, as is venue
            "venue": pl.String(),  # MIC; "" where it is not known
            "weight": pl.Float64(),  # of a vote, times what the provider declares; null: it is fixed no longer
            "agreed": pl.Float64(),  # votes behind it, older ones counting less
            "dissented": pl.Float64(),
            "rounds": pl.UInt32(),  # in which they were cast
            "since": INSTANT,  # rounds that are known from here on are weighed by it
            "fixed": pl.Boolean(),  # by the operator: it stands above what is learnt and declared
            **VERSIONED_COLUMNS,
        },
        key=("provider", "kind", "venue"),
        writer="storage",
        versioned=True,
    ),
    "rounds": Table(
        columns={
            "round_id": pl.String(),
            "instrument_id": pl.String(),
            "kind": pl.String(),
            "timeframe": pl.String(),
            "start": pl.Date(),
            "end": pl.Date(),
            "providers": pl.String(),  # that delivered, comma separated
            "golden": pl.UInt32(),
            "quarantined": pl.UInt32(),
            **ORIGIN_COLUMNS,
        },
        key=("round_id",),
        writer="storage",
    ),
    "repairs": Table(
        columns={
            "repair_id": pl.String(),
            "instrument_id": pl.String(),
            "record": pl.String(),  # bars or actions
            "timeframe": pl.String(),
            "provider": pl.String(),  # whose series it mends
            "start": pl.Date(),  # first session date that it changes, inclusive, as is end
            "end": pl.Date(),
            "columns": pl.String(),  # that it changes, comma separated
            "rows": pl.UInt32(),  # that it changes
            "kind": pl.String(),  # of fault
            "factor": pl.Float64(),  # by which values are multiplied; null where there is no single one
            "edits": pl.String(),  # every value before and after, JSON of messages.Edit
            "explanation": pl.String(),
            "evidence": pl.String(),  # JSON
            "confidence": pl.Float64(),  # in [0, 1]
            "state": pl.String(),  # proposed, applied, undone or rejected
            "decision_id": pl.String(),  # the decision behind the state; "" while it is proposed
            "decided_by": pl.String(),  # the actor; "" while it is proposed
            **VERSIONED_COLUMNS,
        },
        key=("repair_id",),
        writer="storage",
        versioned=True,
    ),
    "decisions": Table(
        columns={
            "decision_id": pl.String(),
            "target": pl.String(),  # the quarantined claim or the repair
            "action": pl.String(),
            "instrument_id": pl.String(),
            "kind": pl.String(),  # bars or actions
            "timeframe": pl.String(),
            "start": pl.Date(),  # session dates that were graded again, both inclusive
            "end": pl.Date(),
            "provider": pl.String(),  # who made the claim
            "actor": pl.String(),
            "why": pl.String(),
            "changed": pl.UInt32(),  # golden rows that got a new version
            "before": pl.String(),  # the first of those rows as they were, JSON; an empty list if none was there
            "after": pl.String(),  # and as they are since
            "fact": pl.String(),  # the message, JSON
            **ORIGIN_COLUMNS,
        },
        key=("decision_id",),
        writer="storage",
    ),
    "snapshots": Table(
        columns={
            "name": pl.String(),
            "as_of": INSTANT,  # rows as they were known then
            "store_version": pl.UInt32(),  # and as the store held them after that commit
            "actor": pl.String(),  # who named it
            "note": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("name",),
        writer="storage",
    ),
    "cold_files": Table(
        columns={
            "file": pl.String(),  # its key among the objects of its tier
            "table": pl.String(),
            "tier": pl.String(),  # warm or archive
            "start": pl.Date(),  # session dates of its rows, both inclusive
            "end": pl.Date(),
            "least": pl.String(),  # the first column of the table's key lies from here
            "greatest": pl.String(),  # to here, both inclusive
            "rows": pl.UInt32(),  # all versions and withdrawals
            "providers": pl.String(),  # how many of them are of each provider, JSON; {} where the table has none
            "bytes": pl.UInt32(),
            "stored_to": pl.UInt32(),  # the last version of the store that wrote one of its rows
            "sha256": pl.String(),  # of the whole file
            "state": pl.String(),  # standing; replaced: its rows stand elsewhere; deleted: they are gone
            **VERSIONED_COLUMNS,
        },
        key=("file",),
        writer="storage",
        versioned=True,
    ),
    "moves": Table(
        columns={
            "move_id": pl.String(),
            "action": pl.String(),  # move, fold or delete
            "table": pl.String(),
            "tier": pl.String(),  # that the rows went to; "" where they were deleted
            "start": pl.Date(),  # session dates of the rows, both inclusive
            "end": pl.Date(),
            "provider": pl.String(),  # whose rows they were; "" for everybody's
            "rows": pl.UInt32(),  # that left the tier where they were
            "bytes": pl.Float64(),  # that were written
            "actor": pl.String(),
            "why": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("move_id",),
        writer="storage",
    ),
}
