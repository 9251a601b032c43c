"""Take back golden rows: the withdrawals of those that are there, and a finding about each that says why."""

from __future__ import annotations

import polars as pl

from truetape.domain.messages import BatchGraded
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.versions import WITHDRAWN, withdraw
from truetape.domain.wire import unpack


def withdrawn_rows(message: BatchGraded, current: pl.DataFrame) -> pl.DataFrame:
    """Return those of the `current` golden rows that `message` says no longer stand."""
    if not message.withdrawn:
        return current.clear()
    return current.join(unpack(message.withdrawn), on=TABLES[message.kind].key, how="semi", maintain_order="left")


def withdrawals(message: BatchGraded, gone: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the withdrawals of the rows `gone`, as the store takes them."""
    return {message.kind: withdraw(gone, TABLES[message.kind], ts_known=message.ts_known)} if len(gone) else {}


def withdrawal_findings(message: BatchGraded, gone: pl.DataFrame) -> pl.DataFrame:
    """Return a row of the table findings about each of the rows `gone`, with the reason that `message` gives."""
    columns = TABLES["findings"].columns
    if gone.is_empty():
        return empty(columns)
    told = gone.join(unpack(message.withdrawn), on=TABLES[message.kind].key, maintain_order="left")
    is_action = message.kind == "actions"
    when = pl.col("ex_date").cast(INSTANT) if is_action else pl.col("ts_event")
    values: dict[str, pl.Expr] = {
        "round_id": pl.lit(message.round_id),
        "instrument_id": pl.col("instrument_id"),
        "timeframe": pl.lit(message.timeframe),
        "ts_event": when,
        "provider": pl.lit(""),
        "check": pl.lit(WITHDRAWN),
        "severity": pl.lit("warning"),
        "explanation": pl.format("The stored row no longer stands: {}.", pl.col("why").str.strip_chars_end(". ")),
        "field": pl.col("type") if is_action else pl.lit(None, dtype=pl.String),
        "value": pl.col("value" if is_action else "close"),
        "ts_known": pl.lit(message.ts_known).cast(INSTANT),
        "simulated": pl.lit(message.simulated),
    }
    blank = (pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns.items() if name not in values)
    named = (value.alias(name) for name, value in values.items())
    rows = told.select(*named, *blank).select(list(columns))
    return rows.unique(TABLES["findings"].key, keep="first", maintain_order=True)
