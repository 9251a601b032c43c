"""What is known beside the prices: the tables of the other rooms."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.domain.stored import VERSIONED_COLUMNS, Table

RECORDS: Final[dict[str, Table]] = {
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
        key=("instrument_id", "symbol", "mic", "valid_from"),  # a ticker may come back to its instrument
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
    "session_breaks": Table(
        columns={
            "mic": pl.String(),
            "session": pl.Date(),
            "break_start": INSTANT,  # when trading stops for lunch, exclusive
            "break_end": INSTANT,  # when it goes on, inclusive
            **VERSIONED_COLUMNS,
        },
        key=("mic", "session"),
        writer="reference",
        versioned=True,
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
    "alerts": Table(
        columns={
            "fingerprint": pl.String(),  # of the rule and what it groups by
            "rule": pl.String(),
            "channel": pl.String(),
            "labels": pl.String(),  # what the rule groups by, in JSON
            "severity": pl.String(),  # the gravest of its findings
            "state": pl.String(),  # firing or resolved
            "words": pl.String(),  # the explanation of the last finding
            "members": pl.String(),  # what stands still behind it, where it ends with a finding of its own; JSON
            "count": pl.UInt32(),  # findings since it began
            "suppressed": pl.UInt32(),  # of those, told to nobody
            "started": INSTANT,
            "seen": INSTANT,  # the last finding
            "sent": INSTANT,  # when the channel took it last; null: never
            "told": pl.Boolean(),  # the channel knows that it fires
            "owed": pl.Boolean(),  # the channel is still to be told of the present state
            **VERSIONED_COLUMNS,
        },
        key=("fingerprint",),
        writer="distribution",
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
