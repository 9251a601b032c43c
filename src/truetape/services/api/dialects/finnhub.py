"""Finnhub's candle and quote formats, written: parallel arrays of one letter each."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import column

COLUMNS: Final = {"c": "close", "h": "high", "l": "low", "o": "open", "v": "volume"}


def candle(bars: pl.DataFrame) -> bytes:
    """Return the body of `/stock/candle`: schema DECODED["bars"], basis split, ascending; stamps are `ts_event`."""
    if bars.is_empty():
        return msgspec.json.encode({"s": "no_data"})
    arrays = {letter: column(bars[name]) for letter, name in COLUMNS.items()}
    return msgspec.json.encode({**arrays, "t": bars["ts_event"].dt.epoch("s").to_list(), "s": "ok"})


def quote(quotes: pl.DataFrame) -> bytes:
    """Return the body of `/quote` for the last row of `quotes`, schema DECODED["quotes"]; all zeros if there is none.

    The instant is cut to seconds, and `volume` is not carried.
    """
    if quotes.is_empty():
        return msgspec.json.encode({"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0})
    row = quotes.row(-1, named=True)
    price, previous = row["price"], row["previous_close"]
    known = price is not None and previous
    body = {
        "c": price,
        "d": round(price - previous, 4) if known else None,
        "dp": round((price - previous) / previous * 100, 4) if known else None,
        "h": row["high"],
        "l": row["low"],
        "o": row["open"],
        "pc": previous,
        "t": int(row["ts_event"].timestamp()),
    }
    return msgspec.json.encode(body)


def failure(words: str) -> bytes:
    """Return the body of an error."""
    return msgspec.json.encode({"error": words})
