"""Evidence: records in the order of their series, with the columns that several checks share, each made once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.services.quality.checks.shared import SERIES, SHARED, STARTS
from truetape.services.quality.checks.surroundings import Surroundings

_OWN: Final = {"bars": OHLCV_COLUMNS, "quotes": {}, "trades": {}, "actions": {}}


def prepare(
    records: pl.DataFrame,
    *,
    kind: str = "bars",
    surroundings: Surroundings | None = None,
    needs: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Return `records` as evidence: ordered by (instrument_id, provider, timeframe, ts_event), with shared columns.

    Args:
        records: Rows of one record kind, with the columns of its claims. instrument_id, provider and timeframe become
            "" where they are missing, open, high, low and volume of bars null.
        kind: One of check.RECORD_KINDS.
        surroundings: What is known beside them.
        needs: Which of SHARED are wanted, and with them those that they rest on; None: all that the kind can have.

    Returns:
        The columns of `records`, `row` (UInt32, from 0, in this order), `place` (UInt32: as which row it was given,
        unless `records` say so themselves) and the shared columns.
    """
    around = surroundings or Surroundings()
    frame = ordered(completed(records, kind=kind))
    left = closure(SHARED if needs is None else needs, columns=frame.columns)
    while left:
        ready = [name for name in left if set(SHARED[name].rests_on) <= {*frame.columns}]
        frame = frame.with_columns(SHARED[name].column(frame, around).alias(name) for name in ready)
        left = [name for name in left if name not in ready]
    return frame


def completed(records: pl.DataFrame, *, kind: str) -> pl.DataFrame:
    """Return `records` with every column that evidence of their kind has of itself, and `place`."""
    missing: dict[str, pl.Expr] = {name: pl.lit("") for name in SERIES}
    missing |= {name: pl.lit(None, dtype=dtype) for name, dtype in _OWN[kind].items()}
    missing["place"] = pl.int_range(pl.len(), dtype=pl.UInt32)
    if kind == "actions":
        missing["ts_event"] = pl.col("ex_date").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    added = [value.alias(name) for name, value in missing.items() if name not in records.columns]
    return records.with_columns(added).with_columns(pl.col("ts_event").cast(INSTANT), pl.col("place").cast(pl.UInt32))


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` in the order of evidence, its rows numbered, with the shared column `starts`."""
    marked = frame.with_columns(STARTS)
    if not _in_order(marked):
        marked = frame.sort(*SERIES, "ts_event", maintain_order=True).with_columns(STARTS)
    return marked.with_row_index("row")


def _in_order(frame: pl.DataFrame) -> bool:
    """Return whether instants never descend within a series, and series ascend and are each in one piece."""
    descends = (pl.col("ts_event") < pl.col("ts_event").shift(1)) & ~pl.col("starts")
    if frame.select(descends.any()).item():
        return False
    keys = frame.select(SERIES).filter(frame["starts"])
    ascends = pl.lit(False)
    for name in reversed(SERIES):
        before = pl.col(name).shift(1)
        ascends = (pl.col(name) > before) | ((pl.col(name) == before) & ascends)
    return bool(keys.select(ascends.slice(1).all()).item())


def closure(names: Iterable[str], *, columns: Iterable[str]) -> list[str]:
    """Return those of `names`, and what they rest on, that can be made of `columns`, in the order of SHARED."""
    given = {*columns}
    able = {*given}
    for name, one in SHARED.items():
        if able.issuperset(one.rests_on):
            able.add(name)
    wanted: set[str] = set()
    left = [name for name in names if name in able]
    while left:
        name = left.pop()
        if name not in wanted | given:
            wanted.add(name)
            left.extend(SHARED[name].rests_on)
    return [name for name in SHARED if name in wanted]
