"""The exact columns of every record kind, and the tables that keep them.

Two stages share the record kinds:

- DECODED (see domain.kinds): what one payload says, in the provider's own symbol and basis.
- TABLES: what the store keeps; claims are decoded rows with identity and origin, the others are what was decided.

Frames in messages have the schema of the table that they are meant for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.errors import SchemaMismatch
from truetape.domain.kinds import (
    ACTION_TYPES,
    ASSET_CLASSES,
    BASES,
    DECODED,
    INSTANT,
    LISTING_COLUMNS,
    OBSERVATION_COLUMNS,
    OHLCV_COLUMNS,
    QUOTE_COLUMNS,
    RATE_COLUMNS,
    TRADE_COLUMNS,
    Schema,
)

__all__ = [
    "ACTION_TYPES",
    "ASSET_CLASSES",
    "BASES",
    "DECODED",
    "INSTANT",
    "TABLES",
    "Schema",
    "Table",
    "check",
    "empty",
]

ORIGIN_COLUMNS: Final = {"ts_known": INSTANT, "simulated": pl.Boolean()}
VERSIONED_COLUMNS: Final = {"ts_known": INSTANT, "version": pl.UInt32(), "simulated": pl.Boolean()}
VERDICT_COLUMNS: Final = {
    "score": pl.Float64(),  # share of the providers' weight that agrees, in [0, 1]
    "method": pl.String(),  # consensus, plurality or single_source
    "agreed": pl.String(),  # providers that agree, comma separated, in alphabetical order
    "dissented": pl.String(),  # providers that claimed something else
}


@dataclass(frozen=True)
class Table:
    """A table of the store: its columns, what identifies a row, and who writes it.

    A `versioned` table keeps superseded rows: the row with the greatest version is current. Other tables only grow;
    a row whose key is there already is a repeat.
    """

    columns: Schema
    key: tuple[str, ...]
    writer: str
    versioned: bool = False


_PAYLOAD: Final = {"payload": pl.String(), **ORIGIN_COLUMNS}

TABLES: Final[dict[str, Table]] = {
    "instruments": Table(
        columns={
            "instrument_id": pl.String(),
            "name": pl.String(),
            "asset_class": pl.String(),
            "currency": pl.String(),
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id",),
        writer="reference",
        versioned=True,
    ),
    "listings": Table(
        columns={
            "instrument_id": pl.String(),
            "symbol": pl.String(),
            "mic": pl.String(),
            "valid_from": pl.Date(),  # inclusive; null: since ever
            "valid_to": pl.Date(),  # exclusive; null: still valid
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "symbol", "mic"),
        writer="reference",
        versioned=True,
    ),
    "sessions": Table(
        columns={
            "mic": pl.String(),
            "session": pl.Date(),
            "open": INSTANT,
            "close": INSTANT,
            **VERSIONED_COLUMNS,
        },
        key=("mic", "session"),
        writer="reference",
        versioned=True,
    ),
    "bar_claims": Table(
        columns={
            "instrument_id": pl.String(),
            "timeframe": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            **OHLCV_COLUMNS,
            "adj_close": pl.Float64(),
            "currency": pl.String(),
            "basis": pl.String(),
            "running": pl.Boolean(),
            "feed": pl.String(),
            "payload": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("payload", "instrument_id", "timeframe", "ts_event", "provider"),
        writer="processing",
    ),
    "action_claims": Table(
        columns={
            "instrument_id": pl.String(),
            "ex_date": pl.Date(),
            "type": pl.String(),
            "provider": pl.String(),
            "value": pl.Float64(),
            "currency": pl.String(),
            "basis": pl.String(),
            "payload": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("payload", "instrument_id", "ex_date", "type", "provider"),
        writer="processing",
    ),
    "quotes": Table(
        columns={
            "instrument_id": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            **QUOTE_COLUMNS,
            "currency": pl.String(),
            "payload": pl.String(),
            **ORIGIN_COLUMNS,
        },
        key=("payload", "instrument_id", "ts_event", "provider"),
        writer="processing",
    ),
    "listing_claims": Table(
        columns={"number": pl.UInt32(), "provider": pl.String(), "symbol": pl.String(), **LISTING_COLUMNS, **_PAYLOAD},
        key=("payload", "provider", "number"),
        writer="processing",
    ),
    "rate_claims": Table(
        columns={
            "base": pl.String(),
            "quote": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            **RATE_COLUMNS,
            **_PAYLOAD,
        },
        key=("payload", "base", "quote", "ts_event", "provider"),
        writer="processing",
    ),
    "level_claims": Table(
        columns={
            "instrument_id": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            "level": pl.Float64(),
            "currency": pl.String(),
            **_PAYLOAD,
        },
        key=("payload", "instrument_id", "ts_event", "provider"),
        writer="processing",
    ),
    "observation_claims": Table(
        columns={
            "number": pl.UInt32(),  # of the row in its payload, from 0
            "provider": pl.String(),
            "symbol": pl.String(),
            **OBSERVATION_COLUMNS,
            **_PAYLOAD,
        },
        key=("payload", "provider", "number"),
        writer="processing",
    ),
    "trades": Table(
        columns={
            "instrument_id": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            **TRADE_COLUMNS,
            "correction": pl.String(),  # "cancel": the trade of this id never was; "correct": it was as said; or ""
            "currency": pl.String(),
            "place": pl.UInt32(),  # among the trades of the payload, from 0
            **_PAYLOAD,
        },
        key=("instrument_id", "ts_event", "provider", "venue", "trade_id", "correction"),
        writer="processing",
    ),
    "segments": Table(
        columns={
            "provider": pl.String(),
            "connection": pl.String(),
            "number": pl.UInt32(),
            "ts_event": INSTANT,  # when it was closed, as is ts_known
            **dict.fromkeys(("frames", "trades", "quotes"), pl.UInt32()),
            "gaps": pl.String(),  # instruments with what was not heard of them: since and until, UTC ns, in JSON
            "told_from": INSTANT,  # the first minute that was told because of it; null: none was
            "told_to": INSTANT,  # the last one
            "ended": pl.String(),
            **_PAYLOAD,
        },
        key=("connection", "number", "ts_event"),
        writer="processing",
    ),
    "captures": Table(
        columns={
            "payload": pl.String(),
            "provider": pl.String(),
            "round_id": pl.String(),
            "page": pl.String(),
            "kind": pl.String(),
            "instrument_id": pl.String(),
            "why": pl.String(),  # why this provider was asked
            "tried": pl.String(),  # who was asked before and what came of it, one a line
            **ORIGIN_COLUMNS,
        },
        key=("payload", "provider", "round_id", "page"),
        writer="processing",
    ),
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
    "jobs": Table(
        columns={
            "job_id": pl.String(),
            "kind": pl.String(),
            "timeframe": pl.String(),
            "start": pl.Date(),
            "end": pl.Date(),
            "symbols": pl.UInt32(),  # asked for
            "unknown": pl.String(),  # symbols that no listing has, comma separated
            "planned": pl.UInt32(),  # rounds; what is there already needs none
            "done": pl.UInt32(),
            "empty": pl.UInt32(),  # of those done: nobody has rows
            "waiting": pl.UInt32(),  # nobody could answer yet; they are asked again
            "state": pl.String(),  # running, waiting or done
            "requested": INSTANT,
            **VERSIONED_COLUMNS,
        },
        key=("job_id",),
        writer="ingestion",
        versioned=True,
    ),
    "factors": Table(
        columns={
            "instrument_id": pl.String(),
            "ex_date": pl.Date(),
            "split": pl.Float64(),  # new shares for one old; 1.0 without a split
            "dividend": pl.Float64(),  # 1 - cash / previous raw close; 1.0 without a dividend
            **VERSIONED_COLUMNS,
        },
        key=("instrument_id", "ex_date"),
        writer="corporate_actions",
        versioned=True,
    ),
    "index_levels": Table(
        columns={
            "index_id": pl.String(),
            "ts_event": INSTANT,
            "level": pl.Float64(),
            "members": pl.UInt32(),
            **VERSIONED_COLUMNS,
        },
        key=("index_id", "ts_event"),
        writer="benchmarks",
        versioned=True,
    ),
}


def check(frame: pl.DataFrame, expected: Schema, *, kind: str) -> pl.DataFrame:
    """Return `frame` if it has exactly the columns `expected`, in order.

    Raises:
        SchemaMismatch: A column is missing, unknown, misplaced or of another type.
    """
    if dict(frame.schema) == expected and frame.columns == list(expected):
        return frame
    found = {name: dtype for name, dtype in frame.schema.items() if expected.get(name) != dtype}
    missing = [name for name in expected if name not in frame.columns]
    what = f"unexpected columns {found}" if found else "its columns in another order"
    raise SchemaMismatch(
        kind=kind, expected=str(list(expected)), found=f"missing columns {missing}" if missing else what
    )


def empty(columns: Schema) -> pl.DataFrame:
    """Return a frame of no rows with `columns`."""
    return pl.DataFrame(schema=columns)
