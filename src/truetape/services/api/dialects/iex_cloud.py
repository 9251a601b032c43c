"""IEX Cloud's daily chart, written: raw (u*), split-adjusted and fully adjusted (f*) prices in one row."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.time import NANOSECONDS
from truetape.services.api.dialects.numbers import column

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
