"""The record kinds: what one payload says, in the provider's own symbol and basis, with exact columns.

Instants are `Datetime("ns", "UTC")`, prices and volumes float64, and null stands for missing (NaN never does).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.reference_kinds import REGISTERS

INSTANT: Final = pl.Datetime("ns", "UTC")
BASES: Final = ("raw", "split", "all")
ACTION_TYPES: Final = (
    "split",  # reverse ones are below 1
    "dividend",
    "special_dividend",
    "capital_gain",
    "return_of_capital",
    "stock_dividend",
    "spin_off",
    "merger",
    "unit_split",  # a unit falls apart into shares and warrants
    "redemption",
    "worthless",  # removed without a payment
    "rights",
    "symbol_change",
    "delisting",
)
ASSET_CLASSES: Final = ("equity", "etf", "fund", "index", "bond", "fx", "crypto", "future", "option", "commodity")

OHLCV_COLUMNS: Final = {
    "open": pl.Float64(),
    "high": pl.Float64(),
    "low": pl.Float64(),
    "close": pl.Float64(),
    "volume": pl.Float64(),
}
QUOTE_COLUMNS: Final = {
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
TRADE_COLUMNS: Final = {
    "price": pl.Float64(),
    "size": pl.Float64(),
    "trade_id": pl.String(),
    "conditions": pl.String(),  # the venue's codes, comma separated, in its order
    "side": pl.String(),  # of the aggressor: buy or sell
    "venue": pl.String(),  # in the provider's code
}
LISTING_COLUMNS: Final = {
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
RATE_COLUMNS: Final = {"rate": pl.Float64(), "bid": pl.Float64(), "ask": pl.Float64()}
OBSERVATION_COLUMNS: Final = {
    "period": pl.Date(),  # the first day of the month, quarter or year that is observed; else the day
    "value": pl.Float64(),
    "known_from": pl.Date(),  # first day on which this value stood, inclusive
    "known_to": pl.Date(),  # last day, inclusive; null: it still stands
}

Schema = dict[str, pl.DataType]

DECODED: Final[dict[str, Schema]] = {
    "bars": {
        "symbol": pl.String(),
        "timeframe": pl.String(),
        "ts_event": INSTANT,
        **OHLCV_COLUMNS,
        "adj_close": pl.Float64(),  # the provider's own fully adjusted close: evidence, never truth
        "currency": pl.String(),
        "basis": pl.String(),  # raw, split or all: what open to volume are adjusted for
        "running": pl.Boolean(),  # the bar was not finished when it was sent
    },
    "actions": {
        "symbol": pl.String(),
        "ex_date": pl.Date(),
        "type": pl.String(),  # of ACTION_TYPES
        "value": pl.Float64(),  # see domain.distributions: new shares for one old, added to it, or cash per share
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
        **QUOTE_COLUMNS,
        "currency": pl.String(),
    },
    "trades": {
        "symbol": pl.String(),
        "ts_event": INSTANT,
        **TRADE_COLUMNS,
        "currency": pl.String(),
    },
    "listings": {
        "symbol": pl.String(),
        **LISTING_COLUMNS,
    },
    "fx_rates": {
        "base": pl.String(),  # ISO 4217: one unit of it
        "quote": pl.String(),  # costs `rate` of this
        "ts_event": INSTANT,  # a daily fixing: 00:00 UTC of its date
        **RATE_COLUMNS,
    },
    "index_levels": {
        "symbol": pl.String(),
        "ts_event": INSTANT,
        "level": pl.Float64(),
        "currency": pl.String(),
    },
    "observations": {
        "symbol": pl.String(),  # the series
        **OBSERVATION_COLUMNS,
    },
    **REGISTERS,
}
