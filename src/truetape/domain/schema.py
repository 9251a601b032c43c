"""The exact columns of every record kind, and the tables that keep them.

Instants are `Datetime("ns", "UTC")`, prices and volumes float64, and null stands for missing (NaN never does).

Three stages share the record kinds:

- DECODED: what one payload says, in the provider's own symbol and basis.
- TABLES: what the store keeps; `*_claims` are decoded rows with identity and origin, the others are what was decided.
- in between, frames in messages have the schema of the table they are meant for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.errors import SchemaMismatch

INSTANT: Final = pl.Datetime("ns", "UTC")
BASES: Final = ("raw", "split", "all")
ACTION_TYPES: Final = (
    "split",  # reverse ones are below 1
    "dividend",
    "special_dividend",
    "capital_gain",
    "stock_dividend",
    "spin_off",
    "merger",
    "rights",
    "symbol_change",
    "delisting",
)
ASSET_CLASSES: Final = ("equity", "etf", "fund", "index", "bond", "fx", "crypto", "future", "option", "commodity")

_OHLCV: Final = {
    "open": pl.Float64(),
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "volume": pl.Float64(),
}
_QUOTE: Final = {
    "price": pl.Float64(),  # last trade
    "bid": pl.Float64(),
    "bid_size": pl.Float64(),
    "ask": pl.Float64(),
    "ask_size": pl.Float64(),
    "open": pl.Float64(),  # of the session, as are high, low and volume
    "high": pl.Float64(),
    "low": pl.Float64(),
    "previous_close": pl.Float64(),
    "volume": pl.Float64(),
}
_TRADE: Final = {
    "price": pl.Float64(),
    "size": pl.Float64(),
    "trade_id": pl.String(),
    "conditions": pl.String(),  # the venue's codes, comma separated, in its order
    "side": pl.String(),  # of the aggressor: buy or sell
    "venue": pl.String(),  # in the provider's code
}
_LISTING: Final = {
    "name": pl.String(),
    "exchange": pl.String(),  # in the provider's code
    "mic": pl.String(),
    "asset_class": pl.String(),  # of ASSET_CLASSES
    "currency": pl.String(),
    "status": pl.String(),  # active or delisted
    "first_date": pl.Date(),  # inclusive
    "last_date": pl.Date(),  # inclusive
    "isin": pl.String(),
    "cusip": pl.String(),
    "figi": pl.String(),
    "cik": pl.String(),  # ten digits
}
_RATE: Final = {"rate": pl.Float64(), "bid": pl.Float64(), "ask": pl.Float64()}
_OBSERVATION: Final = {
    "period": pl.Date(),  # the first day of the month, quarter or year that is observed; else the day
    "value": pl.Float64(),
    "known_from": pl.Date(),  # first day on which this value stood, inclusive
    "known_to": pl.Date(),  # last day, inclusive; null: it still stands
}
_ORIGIN: Final = {"ts_known": INSTANT, "simulated": pl.Boolean()}
_VERSIONED: Final = {"ts_known": INSTANT, "version": pl.UInt32(), "simulated": pl.Boolean()}
_VERDICT: Final = {
    "score": pl.Float64(),  # share of the providers' weight that agrees, in [0, 1]
    "method": pl.String(),  # consensus, plurality or single_source
    "agreed": pl.String(),  # providers that agree, comma separated, in alphabetical order
    "dissented": pl.String(),  # providers that claimed something else
}

Schema = dict[str, pl.DataType]

DECODED: Final[dict[str, Schema]] = {
    "bars": {
        "symbol": pl.String(),
        "timeframe": pl.String(),
        "ts_event": INSTANT,
        **_OHLCV,
        "adj_close": pl.Float64(),  # the provider's own fully adjusted close: evidence, never truth
        "currency": pl.String(),
        "basis": pl.String(),  # raw, split or all: what open to volume are adjusted for
        "running": pl.Boolean(),  # the bar was not finished when it was sent
    },
    "actions": {
        "symbol": pl.String(),
        "ex_date": pl.Date(),
        "type": pl.String(),  # of ACTION_TYPES
        "value": pl.Float64(),  # split, stock_dividend, spin_off: new shares for one old; dividends: cash per share
        "currency": pl.String(),
        "basis": pl.String(),  # raw: cash as paid then; split: cash per share of today's count
        "declared_date": pl.Date(),
        "record_date": pl.Date(),
        "pay_date": pl.Date(),
        "new_symbol": pl.String(),  # of a symbol_change, a spin_off or a stock merger
    },
    "quotes": {
        "symbol": pl.String(),
        "ts_event": INSTANT,
        **_QUOTE,
        "currency": pl.String(),
    },
    "trades": {
        "symbol": pl.String(),
        "ts_event": INSTANT,
        **_TRADE,
        "currency": pl.String(),
    },
    "listings": {
        "symbol": pl.String(),
        **_LISTING,
    },
    "fx_rates": {
        "base": pl.String(),  # ISO 4217: one unit of it
        "quote": pl.String(),  # costs `rate` of this
        "ts_event": INSTANT,  # a daily fixing: 00:00 UTC of its date
        **_RATE,
    },
    "index_levels": {
        "symbol": pl.String(),
        "ts_event": INSTANT,
        "level": pl.Float64(),
        "currency": pl.String(),
    },
    "observations": {
        "symbol": pl.String(),  # the series
        **_OBSERVATION,
    },
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


TABLES: Final[dict[str, Table]] = {
    "instruments": Table(
        columns={
            "instrument_id": pl.String(),
            "name": pl.String(),
            "asset_class": pl.String(),
            "currency": pl.String(),
            **_VERSIONED,
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
            **_VERSIONED,
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
            **_VERSIONED,
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
            **_OHLCV,
            "adj_close": pl.Float64(),
            "currency": pl.String(),
            "basis": pl.String(),
            "running": pl.Boolean(),
            "feed": pl.String(),
            "payload": pl.String(),
            **_ORIGIN,
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
            **_ORIGIN,
        },
        key=("payload", "instrument_id", "ex_date", "type", "provider"),
        writer="processing",
    ),
    "quotes": Table(
        columns={
            "instrument_id": pl.String(),
            "ts_event": INSTANT,
            "provider": pl.String(),
            **_QUOTE,
            "currency": pl.String(),
            "payload": pl.String(),
            **_ORIGIN,
        },
        key=("payload", "instrument_id", "ts_event", "provider"),
        writer="processing",
    ),
    "bars": Table(
        columns={
            "instrument_id": pl.String(),
            "timeframe": pl.String(),
            "ts_event": INSTANT,
            **_OHLCV,
            "currency": pl.String(),
            "basis": pl.String(),  # always raw
            "feed": pl.String(),
            "provider": pl.String(),  # whose numbers were taken
            "payload": pl.String(),  # the bytes they came from
            "flags": pl.UInt32(),  # see domain.flags
            **_VERDICT,
            **_VERSIONED,
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
            **_VERDICT,
            **_VERSIONED,
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
            **_OHLCV,
            "payload": pl.String(),
            **_ORIGIN,
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
            **_ORIGIN,
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
            **_ORIGIN,
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
            **_ORIGIN,
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
            **_VERSIONED,
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
            **_VERSIONED,
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
            **_VERSIONED,
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
