"""IEX Cloud's formats, written: raw (u*), split-adjusted and fully adjusted (f*) prices in one row; lists, quotes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec
import polars as pl

from truetape.domain.time import NANOSECONDS
from truetape.services.api.dialects.numbers import column, ratio

ZONE: Final = "America/New_York"
CASH: Final = {"dividend": "Cash", "special_dividend": "Special Cash"}
TYPES: Final = {"equity": "cs", "etf": "et", "fund": "oef", "bond": "bo", "crypto": "crypto"}
FIELDS: Final = ("open", "high", "low", "close", "volume")


def chart(raw: pl.DataFrame, *, split: pl.DataFrame, full: pl.DataFrame) -> bytes:
    """Return the body of `/stock/{symbol}/chart/{range}`, oldest row first.

    Args:
        raw: Schema DECODED["bars"] as traded.
        split: The same bars adjusted for splits.
        full: The same bars adjusted for splits and dividends; its close is the row's `fClose`.
    """
    columns = {
        **{f"u{name.title()}": column(raw[name]) for name in FIELDS},
        **{name: column(split[name]) for name in FIELDS},
        **{f"f{name.title()}": column(full[name]) for name in FIELDS},
        **_changes(split["close"]),
        "date": raw["ts_event"].dt.strftime("%Y-%m-%d").to_list(),
        "label": raw["ts_event"].dt.strftime("%b %-d, %y").to_list(),
        "symbol": raw["symbol"].to_list(),
        "key": raw["symbol"].to_list(),
        "updated": ((raw["ts_event"].dt.epoch("ns") // NANOSECONDS + 86_400) * 1000).to_list(),
    }
    fixed = {"id": "HISTORICAL_PRICES", "subkey": ""}
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return msgspec.json.encode([{**fixed, **row} for row in rows])


def minutes(bars: pl.DataFrame) -> bytes:
    """Return the body of `/stock/{symbol}/chart/date/{day}`: minutes in New York's time, oldest first.

    Args:
        bars: Schema DECODED["bars"], basis raw, of one minute each.
    """
    walls = bars["ts_event"].dt.convert_time_zone(ZONE)
    columns = {
        "date": walls.dt.to_string("%Y-%m-%d").to_list(),
        "minute": walls.dt.to_string("%H:%M").to_list(),
        "label": walls.dt.to_string("%I:%M %p").to_list(),
        **{name: column(bars[name]) for name in FIELDS},
    }
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    return msgspec.json.encode(list(rows))


def quote(quotes: pl.DataFrame) -> bytes:
    """Return the body of `/stock/{symbol}/quote` for the last row of `quotes`, schema DECODED["quotes"].

    The instant is cut to milliseconds.
    """
    row = quotes.row(-1, named=True)
    body = {
        "symbol": row["symbol"],
        "latestPrice": row["price"],
        "latestUpdate": _milliseconds(row["ts_event"]),
        "latestVolume": row["volume"],
        "open": row["open"],
        "high": row["high"],
        "low": row["low"],
        "previousClose": row["previous_close"],
        "iexBidPrice": row["bid"] or 0,
        "iexBidSize": row["bid_size"] or 0,
        "iexAskPrice": row["ask"] or 0,
        "iexAskSize": row["ask_size"] or 0,
        "currency": row["currency"],
    }
    return msgspec.json.encode(body)


def dividends(actions: pl.DataFrame) -> bytes:
    """Return the body of `/stock/{symbol}/dividends/{range}`, newest first: schema DECODED["actions"], basis raw."""
    rows = actions.filter(pl.col("type").is_in(list(CASH))).sort("ex_date", descending=True)
    dates = {
        "exDate": "ex_date",
        "paymentDate": "pay_date",
        "recordDate": "record_date",
        "declaredDate": "declared_date",
    }
    return msgspec.json.encode(
        [
            {
                **{theirs: row[ours].isoformat() if row[ours] else None for theirs, ours in dates.items()},
                "amount": row["value"],
                "flag": CASH[row["type"]],
                "currency": row["currency"],
                "symbol": row["symbol"],
            }
            for row in rows.iter_rows(named=True)
        ]
    )


def splits(actions: pl.DataFrame) -> bytes:
    """Return the body of `/stock/{symbol}/splits/{range}`, newest first: the splits of `actions`."""
    rows = actions.filter(pl.col("type") == "split").sort("ex_date", descending=True)
    return msgspec.json.encode(
        [
            {
                "exDate": day.isoformat(),
                "ratio": old / new,
                "toFactor": new,
                "fromFactor": old,
                "description": f"{new:g}-for-{old:g} split",
                "symbol": symbol,
            }
            for symbol, day, value in rows.select("symbol", "ex_date", "value").iter_rows()
            for new, old in [ratio(value)]
        ]
    )


def symbols(listings: pl.DataFrame, *, day: date) -> bytes:
    """Return the body of `/ref-data/symbols` as of `day`: `listings` of schema DECODED["listings"]."""
    rows = [
        {
            "symbol": row["symbol"],
            "exchange": row["exchange"],
            "name": row["name"] or "",
            "date": day.isoformat(),
            "type": TYPES.get(row["asset_class"], ""),
            "currency": row["currency"],
            "isEnabled": row["status"] != "delisted",
            "figi": row["figi"],
            "cik": row["cik"],
        }
        for row in listings.iter_rows(named=True)
    ]
    return msgspec.json.encode(rows)


def rates(fx_rates: pl.DataFrame) -> bytes:
    """Return the body of `/fx/latest` and, a day for each row, of `/fx/historical`: schema DECODED["fx_rates"]."""
    return msgspec.json.encode(
        [
            {"symbol": base + quoted, "rate": rate, "timestamp": _milliseconds(moment)}
            for base, quoted, moment, rate in fx_rates.select("base", "quote", "ts_event", "rate").iter_rows()
        ]
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _changes(close: pl.Series) -> dict[str, list[float | None]]:
    """Return the changes since the row before and since the first row."""
    frame = close.to_frame("close").select(
        (pl.col("close") - pl.col("close").shift()).fill_null(0.0).alias("change"),
        (pl.col("close") / pl.col("close").shift() - 1).round(4).fill_null(0.0).alias("changePercent"),
        (pl.col("close") / pl.col("close").first() - 1).fill_null(0.0).alias("changeOverTime"),
    )
    finite = frame.select(pl.when(pl.all().is_finite()).then(pl.all()).otherwise(0.0))
    changes: dict[str, list[float | None]] = finite.to_dict(as_series=False)
    return {**changes, "marketChangeOverTime": changes["changeOverTime"]}
