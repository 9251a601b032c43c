"""Alpaca's formats, written: rows by symbol under one letter each, corporate actions by their type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import column, ratio

BARS: Final = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
SIDES: Final = {"ap": "ask", "as": "ask_size", "bp": "bid", "bs": "bid_size"}
LONG: Final = ("1d", "1w", "1mo")
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL: Final = datetime(2025, 11, 3, tzinfo=UTC)  # from then on sizes are in shares
TYPES: Final = (
    "forward_splits",
    "reverse_splits",
    "unit_splits",
    "stock_dividends",
    "cash_dividends",
    "spin_offs",
    "cash_mergers",
    "stock_mergers",
    "stock_and_cash_mergers",
    "redemptions",
    "name_changes",
    "worthless_removals",
    "rights_distributions",
)
_NO_CUSIP: Final = ""
_AGGRESSORS: Final = {"buy": "B", "sell": "S"}

Row = dict[str, Any]


def bars(frame: pl.DataFrame, *, zone: str = "America/New_York", token: str | None = None) -> bytes:
    """Return the body of `/v2/stocks/bars`: schema DECODED["bars"], by symbol and time.

    Days and longer bars are stamped with the midnight of their date in `zone`. `token` is that of the next page.
    """
    return _paged("bars", _bars(frame, zone=zone), token)


def latest_bars(frame: pl.DataFrame, *, zone: str = "America/New_York") -> bytes:
    """Return the body of `/v2/stocks/bars/latest`: the last row of each symbol."""
    return _encoded({"bars": {symbol: rows[-1] for symbol, rows in _bars(frame, zone=zone).items()}})


def trades(frame: pl.DataFrame, *, token: str | None = None) -> bytes:
    """Return the body of `/v2/stocks/trades`: schema DECODED["trades"], by symbol and time."""
    return _paged("trades", _by_symbol(frame, _trades), token)


def quotes(frame: pl.DataFrame, *, token: str | None = None) -> bytes:
    """Return the body of `/v2/stocks/quotes`: schema DECODED["quotes"], by symbol and time; sizes of stocks in lots."""
    return _paged("quotes", _by_symbol(frame, _quotes), token)


def snapshots(frame: pl.DataFrame, *, wrapped: bool = False) -> bytes:
    """Return the body of `/v2/stocks/snapshots`, or `wrapped` as for coins: DECODED["quotes"], a row for each symbol.

    The size of the last trade is not known and written as 0.
    """
    sides = {symbol: rows[-1] for symbol, rows in _by_symbol(frame, _quotes).items()}
    shots = {row["symbol"]: _snapshot(row, sides[row["symbol"]]) for row in frame.iter_rows(named=True)}
    return _encoded({"snapshots": shots} if wrapped else shots)


def corporate_actions(frame: pl.DataFrame, *, token: str | None = None) -> bytes:
    """Return the body of `/v1/corporate-actions`: schema DECODED["actions"], basis raw.

    What Alpaca has no type for is left out; CUSIPs are not known and empty.
    """
    told: dict[str, list[Row]] = {}
    for row in frame.iter_rows(named=True):
        name, fields = _action(row)
        if name:
            day = row["ex_date"].isoformat()
            dates = {"record_date": _day(row["record_date"]), "payable_date": _day(row["pay_date"])}
            dated = {"process_date": day, "ex_date": day, **{key: value for key, value in dates.items() if value}}
            told.setdefault(name, []).append({"id": _identity(name, row), **fields, **dated})
    ordered = {name: told[name] for name in TYPES if name in told}
    return _encoded({"corporate_actions": ordered, "next_page_token": token})


def assets(frame: pl.DataFrame) -> bytes:
    """Return the body of `/v2/assets`: schema DECODED["listings"]."""
    return _encoded([_asset(row) for row in frame.iter_rows(named=True)])


def asset(frame: pl.DataFrame) -> bytes:
    """Return the body of `/v2/assets/{symbol}` for the only row of `frame`, schema DECODED["listings"]."""
    return _encoded(_asset(frame.row(0, named=True)))


def rates(frame: pl.DataFrame, *, token: str | None = None) -> bytes:
    """Return the body of `/v1beta1/forex/rates`: schema DECODED["fx_rates"], by pair and time."""
    return _paged("rates", _rates(frame), token)


def latest_rates(frame: pl.DataFrame) -> bytes:
    """Return the body of `/v1beta1/forex/latest/rates`: the last row of each pair."""
    return _encoded({"rates": {pair: rows[-1] for pair, rows in _rates(frame).items()}})


def failure(words: str, *, code: int | None = None) -> bytes:
    """Return the body of an error."""
    return _encoded({"message": words} if code is None else {"code": code, "message": words})


def stamps(frame: pl.DataFrame, *, zone: str = "America/New_York") -> pl.Series:
    """Return the instants that bars are stamped with: their own, of days and longer the midnight in `zone`."""
    starts = frame["ts_event"]
    if frame.is_empty() or frame["timeframe"][0] not in LONG:
        return starts
    return starts.dt.replace_time_zone(None).dt.replace_time_zone(zone).dt.convert_time_zone("UTC")


def _bars(frame: pl.DataFrame, *, zone: str) -> dict[str, list[Row]]:
    stamped = frame.with_columns(stamps(frame, zone=zone).alias("ts_event"))
    return _by_symbol(stamped, lambda part: _rows({"t": _times(part), **_letters(part, BARS)}))


def _trades(part: pl.DataFrame) -> list[Row]:
    texts = {"x": part["venue"], "tks": part["side"].replace_strict(_AGGRESSORS, default=None, return_dtype=pl.String)}
    known: dict[str, list[Any]] = {key: values.to_list() for key, values in texts.items()}
    known["c"] = [None if codes is None else codes.split(",") for codes in part["conditions"]]
    known["i"] = [int(one) if one is not None and one.isdigit() else one for one in part["trade_id"]]
    prices = _letters(part, {"p": "price", "s": "size"})
    return [_told(row) for row in _rows({"t": _times(part), **prices, **known})]


def _quotes(part: pl.DataFrame) -> list[Row]:
    stock = ~pl.col("symbol").str.contains(r"[/\d]") & (pl.col("ts_event") < LOTS_UNTIL)
    lots = pl.when(stock).then(LOT).otherwise(1)
    sized = part.with_columns(pl.col("bid_size") / lots, pl.col("ask_size") / lots)
    return _rows({"t": _times(part), **_letters(sized, SIDES)})


def _snapshot(row: Row, sides: Row) -> Row:
    stamp = sides["t"]
    day = {"o": row["open"], "h": row["high"], "l": row["low"], "c": row["price"], "v": row["volume"]}
    before = {"t": stamp, "o": None, "h": None, "l": None, "c": row["previous_close"], "v": None}
    return {
        "latestTrade": {"t": stamp, "p": row["price"], "s": 0},
        "latestQuote": sides,
        "minuteBar": None,
        "dailyBar": {"t": stamp, **day},
        "prevDailyBar": before,
    }


def _rates(frame: pl.DataFrame) -> dict[str, list[Row]]:
    paired = frame.with_columns((pl.col("base") + pl.col("quote")).alias("symbol"))
    letters = {"bp": "bid", "mp": "rate", "ap": "ask"}
    return _by_symbol(paired, lambda part: _rows({**_letters(part, letters), "t": _times(part)}))


def _action(row: Row) -> tuple[str, Row]:
    """Return Alpaca's type of an action and the fields that only this type has; no type where it has none."""
    symbol, value, new = row["symbol"], row["value"], row["new_symbol"]
    over, under = ratio(value) if value else (None, None)
    plain = {"symbol": symbol, "cusip": _NO_CUSIP}
    if row["type"] == "split":
        cusips = {"old_cusip": _NO_CUSIP, "new_cusip": _NO_CUSIP}
        name, held = ("forward_splits", plain) if value > 1 else ("reverse_splits", {"symbol": symbol, **cusips})
        return name, {**held, "new_rate": over, "old_rate": under}
    if row["type"] == "merger":
        if new is None:
            return "cash_mergers", {"acquiree_symbol": symbol, "acquiree_cusip": _NO_CUSIP, "rate": value}
        sides = {"acquirer_symbol": new, "acquirer_cusip": _NO_CUSIP, "acquirer_rate": over}
        return "stock_mergers", {
            "acquiree_symbol": symbol,
            "acquiree_cusip": _NO_CUSIP,
            "acquiree_rate": under,
            **sides,
        }
    source = {"source_symbol": symbol, "source_cusip": _NO_CUSIP, "new_symbol": new, "new_cusip": _NO_CUSIP}
    cash = {**plain, "rate": value, "special": row["type"] == "special_dividend", "foreign": False}
    renamed = {"old_symbol": symbol, "old_cusip": _NO_CUSIP, "new_symbol": new, "new_cusip": _NO_CUSIP}
    others: dict[str, tuple[str, Row]] = {
        "dividend": ("cash_dividends", cash),
        "special_dividend": ("cash_dividends", cash),
        "stock_dividend": ("stock_dividends", {**plain, "rate": value}),
        "spin_off": ("spin_offs", {**source, "new_rate": over, "source_rate": under}),
        "rights": ("rights_distributions", {**source, "rate": value}),
        "symbol_change": ("name_changes", renamed),
        "delisting": ("worthless_removals", plain) if value is None else ("redemptions", {**plain, "rate": value}),
        "redemption": ("redemptions", {**plain, "rate": value}),
        "worthless": ("worthless_removals", plain),
    }
    return others.get(row["type"], ("", {}))


def _asset(row: Row) -> Row:
    classes = {"crypto": "crypto", "option": "us_option"}
    return {
        "id": _identity("asset", row),
        "class": classes.get(row["asset_class"], "us_equity"),
        "exchange": row["exchange"],
        "symbol": row["symbol"],
        "name": row["name"],
        "status": "inactive" if row["status"] == "delisted" else "active",
        "tradable": row["status"] != "delisted",
    }


def _by_symbol(frame: pl.DataFrame, write: Callable[[pl.DataFrame], list[Row]]) -> dict[str, list[Row]]:
    parts = frame.partition_by("symbol", maintain_order=True)
    return {part["symbol"][0]: write(part) for part in parts}


def _rows(columns: Mapping[str, list[Any]]) -> list[Row]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _letters(part: pl.DataFrame, names: Mapping[str, str]) -> dict[str, list[Any]]:
    return {letter: column(part[name]) for letter, name in names.items()}


def _told(row: Row) -> Row:
    return {key: value for key, value in row.items() if value is not None or key in ("p", "s")}


def _times(part: pl.DataFrame) -> list[str]:
    """Return the instants of `part` in RFC 3339, with as many decimals of a second as they have."""
    whole = part["ts_event"].dt.strftime("%Y-%m-%dT%H:%M:%S%.9f")
    times: list[str] = (whole.str.replace(r"\.?0{1,9}$", "", literal=False) + "Z").to_list()
    return times


def _paged(name: str, told: dict[str, list[Row]], token: str | None) -> bytes:
    return _encoded({name: told, "next_page_token": token})


def _identity(name: str, row: Row) -> str:
    """Return an id that is the same for the same thing: the official client wants a UUID."""
    words = (name, row["symbol"], *(str(row[key]) for key in ("ex_date", "type", "new_symbol") if key in row))
    return str(uuid5(NAMESPACE_URL, "/".join(words)))


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value)
