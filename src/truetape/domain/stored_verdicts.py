"""What was decided: the tables that the storage room keeps."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.stored import ORIGIN_COLUMNS, VERDICT_COLUMNS, VERSIONED_COLUMNS, Table

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
            "round_id": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("round_id", "instrument_id", "timeframe", "ts_event", "provider", "check"),
        writer="storage",
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
}
