"""Finnhub's formats, written: parallel arrays of one letter each, and lists of objects."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import column, ratio

TYPES: Final = {"equity": "Common Stock", "etf": "ETP", "fund": "Open-End Fund", "bond": "Bond", "index": "Index"}
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


def ticks(trades: pl.DataFrame, *, symbol: str, skip: int = 0, limit: int = 25_000) -> bytes:
    """Return the body of `/stock/tick`: `limit` of `trades` after the first `skip`, schema DECODED["trades"].

    Moments are cut to milliseconds.
    """
    page = trades.slice(skip, limit)
    codes = [code.split(",") if code else [] for code in page["conditions"]]
    body = {
        "s": symbol,
        "skip": skip,
        "count": len(page),
        "total": len(trades),
        "t": page["ts_event"].dt.epoch("ms").to_list(),
        "p": page["price"].to_list(),
        "v": column(page["size"]),
        "x": page["venue"].fill_null("").to_list(),
        "c": codes,
    }
    return msgspec.json.encode(body)


def dividends(actions: pl.DataFrame, split_actions: pl.DataFrame) -> bytes:
    """Return the body of `/stock/dividend`.

    Args:
        actions: Schema DECODED["actions"], basis raw.
        split_actions: The same actions in basis split.
    """
    cash = pl.col("type") == "dividend"
    adjusted = split_actions.filter(cash)["value"]
    rows = [
        {
            "symbol": row["symbol"],
            "date": row["ex_date"].isoformat(),
            "amount": row["value"],
            "adjustedAmount": value,
            "payDate": row["pay_date"].isoformat() if row["pay_date"] else "",
            "recordDate": row["record_date"].isoformat() if row["record_date"] else "",
            "declarationDate": row["declared_date"].isoformat() if row["declared_date"] else "",
            "currency": row["currency"] or "",
        }
        for row, value in zip(actions.filter(cash).iter_rows(named=True), adjusted, strict=True)
    ]
    return msgspec.json.encode(rows)


def splits(actions: pl.DataFrame) -> bytes:
    """Return the body of `/stock/split`: the splits of `actions`, schema DECODED["actions"]."""
    rows = actions.filter(pl.col("type") == "split").select("symbol", "ex_date", "value").iter_rows()
    return msgspec.json.encode(
        [
            {"symbol": symbol, "date": day.isoformat(), "fromFactor": old, "toFactor": new}
            for symbol, day, value in rows
            for new, old in [ratio(value)]
        ]
    )


def symbols(listings: pl.DataFrame) -> bytes:
    """Return the body of `/stock/symbol`: `listings` of schema DECODED["listings"]."""
    rows = [
        {
            "currency": row["currency"] or "",
            "description": row["name"] or "",
            "displaySymbol": row["symbol"],
            "figi": row["figi"] or "",
            "isin": row["isin"] or "",
            "mic": row["mic"] or "",
            "symbol": row["symbol"],
            "type": TYPES.get(row["asset_class"], ""),
        }
        for row in listings.iter_rows(named=True)
    ]
    return msgspec.json.encode(rows)


def rates(base: str, quotes: dict[str, float]) -> bytes:
    """Return the body of `/forex/rates`: what one unit of `base` costs, by currency."""
    return msgspec.json.encode({"base": base, "quote": quotes})


def failure(words: str) -> bytes:
    """Return the body of an error."""
    return msgspec.json.encode({"error": words})
