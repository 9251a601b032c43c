"""What providers said: the tables that the processing room keeps."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import (
    INSTANT,
    LISTING_COLUMNS,
    OBSERVATION_COLUMNS,
    OHLCV_COLUMNS,
    QUOTE_COLUMNS,
    RATE_COLUMNS,
    TRADE_COLUMNS,
)
from truetape.domain.stored import ORIGIN_COLUMNS, Table

_PAYLOAD: Final = {"payload": pl.String(), **ORIGIN_COLUMNS}

CLAIMS: Final[dict[str, Table]] = {
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
}
