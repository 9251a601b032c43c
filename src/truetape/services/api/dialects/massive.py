"""Massive's formats, written: results of short names beside a status, and the address of the next page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import column, ratio

BARS: Final = {"v": "volume", "o": "open", "c": "close", "h": "high", "l": "low"}
LONG: Final = ("1d", "1w", "1mo")
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL: Final = datetime(2025, 11, 3, tzinfo=UTC)  # from then on sizes are in shares
REQUEST: Final = "00000000000000000000000000000000"  # the id of every answer
DIVIDENDS: Final = {"dividend": "CD", "special_dividend": "SC", "capital_gain": "LT"}
MARKETS: Final = {"index": "indices", "fx": "fx", "crypto": "crypto"}
CONDITIONS: Final = {"sell": [1], "buy": [2]}  # of coins: who took the offer
_SIDES: Final = {"bid_price": "bid", "bid_size": "bid_size", "ask_price": "ask", "ask_size": "ask_size"}
_SESSION: Final = {"open": "open", "high": "high", "low": "low", "previous_close": "previous_close", "volume": "volume"}

Row = dict[str, Any]


def aggregates(
    frame: pl.DataFrame, *, symbol: str = "", zone: str = "America/New_York", next_url: str | None = None
) -> bytes:
    """Return the body of `/v2/aggs/ticker/.../range/...`: schema DECODED["bars"] of one symbol, ascending.

    Days and longer bars are stamped with the midnight of their date in `zone`. `symbol` is named where there are none.
    """
    rows = _bars(frame, zone=zone)
    known = {"queryCount": len(rows), "resultsCount": len(rows), "adjusted": _adjusted(frame)}
    results = {"results": rows, "count": len(rows)} if rows else {}
    return _page({"ticker": frame["symbol"][0] if rows else symbol, **known, **results}, next_url)


def grouped(frame: pl.DataFrame, *, zone: str = "America/New_York") -> bytes:
    """Return the body of `/v2/aggs/grouped/...`: schema DECODED["bars"], one row for each symbol."""
    rows = [{"T": symbol, **row} for symbol, row in zip(frame["symbol"], _bars(frame, zone=zone), strict=True)]
    known = {"queryCount": len(rows), "resultsCount": len(rows), "adjusted": _adjusted(frame)}
    return _page({**known, "results": rows, "count": len(rows)}, None)


def trades(frame: pl.DataFrame, *, next_url: str | None = None) -> bytes:
    """Return the body of `/v3/trades/...`: schema DECODED["trades"] of one symbol, ascending.

    Conditions and venues that are no numbers are left out; of pairs, the side is told as a condition.
    """
    columns = {
        "sip_timestamp": frame["ts_event"].to_physical().to_list(),
        "participant_timestamp": frame["ts_event"].to_physical().to_list(),
        "price": column(frame["price"]),
        "size": column(frame["size"]),
        "id": frame["trade_id"].to_list(),
        "conditions": [_codes(codes, side) for codes, side in frame.select("conditions", "side").iter_rows()],
        "exchange": [int(venue) if venue and venue.isdigit() else None for venue in frame["venue"]],
    }
    return _page({"results": [_told(row) for row in _rows(columns)]}, next_url)


def quotes(frame: pl.DataFrame, *, next_url: str | None = None) -> bytes:
    """Return the body of `/v3/quotes/...`: DECODED["quotes"] of one symbol, ascending; sizes of stocks in lots."""
    sized = _in_lots(frame)
    columns = {
        "sip_timestamp": frame["ts_event"].to_physical().to_list(),
        **{name: column(sized[ours]) for name, ours in _SIDES.items()},
    }
    return _page({"results": [_told(row) for row in _rows(columns)]}, next_url)


def snapshots(frame: pl.DataFrame, *, unknown: tuple[str, ...] = ()) -> bytes:
    """Return the body of `/v3/snapshot`: DECODED["quotes"], a row for each symbol, and what is `unknown`."""
    missing = [{"ticker": symbol, "error": "NOT_FOUND", "message": "Ticker not found."} for symbol in unknown]
    return _page({"results": [*(_snapshot(row) for row in _in_lots(frame).iter_rows(named=True)), *missing]}, None)


def splits(frame: pl.DataFrame, *, next_url: str | None = None) -> bytes:
    """Return the body of `/stocks/v1/splits`: the splits of `frame`, schema DECODED["actions"]."""
    return _page(
        {"results": [_split(row) for row in frame.filter(pl.col("type") == "split").iter_rows(named=True)]}, next_url
    )


def dividends(frame: pl.DataFrame, *, next_url: str | None = None) -> bytes:
    """Return the body of `/stocks/v1/dividends`: the cash of `frame`, schema DECODED["actions"], basis raw."""
    cash = frame.filter(pl.col("type").is_in(list(DIVIDENDS)))
    return _page({"results": [_dividend(row) for row in cash.iter_rows(named=True)]}, next_url)


def tickers(frame: pl.DataFrame, *, next_url: str | None = None) -> bytes:
    """Return the body of `/v3/reference/tickers`: schema DECODED["listings"]."""
    rows = [_ticker(row) for row in frame.iter_rows(named=True)]
    return _page({"results": rows, "count": len(rows)}, next_url)


def ticker(frame: pl.DataFrame) -> bytes:
    """Return the body of `/v3/reference/tickers/...` for the only row of `frame`, schema DECODED["listings"]."""
    return _page({"results": _ticker(frame.row(0, named=True))}, None)


def last_quote(frame: pl.DataFrame) -> bytes:
    """Return the body of `/v1/last_quote/currencies/...` for the last row of `frame`, schema DECODED["fx_rates"].

    Both sides are the rate where they are not told; the instant is cut to milliseconds.
    """
    row = frame.row(-1, named=True)
    sides = {side: row["rate"] if row[side] is None else row[side] for side in ("ask", "bid")}
    last = {**sides, "exchange": 48, "timestamp": frame["ts_event"].dt.epoch("ms")[-1]}
    body = {"last": last, "request_id": REQUEST, "status": "success", "symbol": f"{row['base']}/{row['quote']}"}
    return msgspec.json.encode(body)


def failure(words: str, *, status: str = "ERROR") -> bytes:
    """Return the body of an error; all but plain ones say it in a message."""
    key = "error" if status == "ERROR" else "message"
    return msgspec.json.encode({"status": status, "request_id": REQUEST, key: words})


def stamps(frame: pl.DataFrame, *, zone: str = "America/New_York") -> pl.Series:
    """Return the instants that bars are stamped with: their own, of days and longer the midnight in `zone`."""
    starts = frame["ts_event"]
    if frame.is_empty() or frame["timeframe"][0] not in LONG:
        return starts
    return starts.dt.replace_time_zone(None).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")


def _bars(frame: pl.DataFrame, *, zone: str) -> list[Row]:
    columns = {letter: column(frame[name]) for letter, name in BARS.items()}
    return _rows({**columns, "t": stamps(frame, zone=zone).dt.epoch("ms").to_list()})


def _adjusted(frame: pl.DataFrame) -> bool:
    return len(frame) > 0 and frame["basis"][0] != "raw"


def _codes(codes: str | None, side: str | None) -> list[int] | None:
    known = [int(code) for code in (codes or "").split(",") if code.isdigit()]
    return known or CONDITIONS.get(side or "")


def _in_lots(frame: pl.DataFrame) -> pl.DataFrame:
    stock = (pl.col("symbol").str.slice(1, 1) != ":") & (pl.col("ts_event") < LOTS_UNTIL)
    lots = pl.when(stock).then(LOT).otherwise(1)
    return frame.with_columns(pl.col("bid_size") / lots, pl.col("ask_size") / lots)


def _snapshot(row: Row) -> Row:
    stamp = round(row["ts_event"].timestamp() * 1e6) * 1000
    names = {"bid": "bid", "bid_size": "bid_size", "ask": "ask", "ask_size": "ask_size"}
    quote = _told({name: row[ours] for name, ours in names.items()})
    trade = _told({"price": row["price"]})
    return {
        "ticker": row["symbol"],
        "session": _told({name: row[ours] for name, ours in _SESSION.items()}),
        **({"last_quote": {**quote, "last_updated": stamp}} if quote else {}),
        **({"last_trade": {**trade, "sip_timestamp": stamp}} if trade else {}),
    }


def _split(row: Row) -> Row:
    over, under = ratio(row["value"])
    kind = "forward_split" if row["value"] > 1 else "reverse_split"
    dated = {"execution_date": _day(row["ex_date"]), "adjustment_type": kind}
    return {"ticker": row["symbol"], "split_from": under, "split_to": over, **dated}


def _dividend(row: Row) -> Row:
    dates = {"declaration_date": "declared_date", "record_date": "record_date", "pay_date": "pay_date"}
    return {
        "ticker": row["symbol"],
        "cash_amount": row["value"],
        "currency": row["currency"],
        "dividend_type": DIVIDENDS[row["type"]],
        "ex_dividend_date": _day(row["ex_date"]),
        **_told({name: _day(row[ours]) for name, ours in dates.items()}),
    }


def _ticker(row: Row) -> Row:
    gone = {"delisted_utc": f"{row['last_date']}T00:00:00Z"} if row["last_date"] else {}
    kind = {"equity": "CS", "etf": "ETF", "fund": "FUND", "bond": "BOND"}.get(row["asset_class"])
    told = {
        "ticker": row["symbol"],
        "name": row["name"],
        "market": MARKETS.get(row["asset_class"], "stocks"),
        "locale": "us",
        "primary_exchange": row["mic"],
        "type": kind,
        "active": row["status"] != "delisted",
        "currency_name": (row["currency"] or "").lower() or None,
        "cik": row["cik"],
        "composite_figi": row["figi"],
        "list_date": _day(row["first_date"]),
    }
    return {**_told(told), **gone}


def _rows(columns: Mapping[str, list[Any]]) -> list[Row]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _told(row: Row) -> Row:
    return {key: value for key, value in row.items() if value is not None}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _page(body: Row, next_url: str | None) -> bytes:
    following = {} if next_url is None else {"next_url": next_url}
    return msgspec.json.encode({**body, "status": "OK", "request_id": REQUEST, **following})
