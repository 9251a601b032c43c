"""One claim as applied repairs have it vote."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.services.api.prices import Prices

_SAME: Final = 1e-9  # share of a value by which another may differ and be the same, computed on another way


def repaired_bar(repairs: pl.DataFrame, claim: pl.DataFrame, raw: Prices | None) -> Prices | None:
    """Return `claim` with the applied ones of `repairs` made; None where none changes it.

    Args:
        repairs: Rows of the table repairs, of its instrument and timeframe.
        claim: One row of bar_claims.
        raw: What it says, as traded; null where it cannot be known.
    """
    at, provider = int(claim["ts_event"].cast(pl.Int64)[0]), claim["provider"][0]
    applied = repairs.filter(
        pl.col("provider") == provider,
        pl.col("state") == "applied",
        pl.col("record") == "bars",
        pl.lit(claim["ts_event"].dt.date()[0]).is_between(pl.col("start"), pl.col("end")),
    ).sort("ts_known")
    if raw is None or applied.is_empty():
        return None
    values = msgspec.structs.asdict(raw)
    for edits in applied["edits"]:
        for ts_event, column, before, after in msgspec.json.decode(edits):
            if ts_event == at and column in values and _is_same(values[column], before):
                values[column] = after
    mended = Prices(**values)
    return None if mended == raw else mended


def _is_same(value: float | None, other: float | None) -> bool:
    if value is None or other is None:
        return value is other
    return abs(value - other) <= _SAME * abs(other)
