"""Two records of one instrument: what somebody found, as a row of the table merges."""

from __future__ import annotations

import polars as pl

from truetape.domain.messages import InstrumentsMerged
from truetape.domain.schema import TABLES


def merge_row(message: InstrumentsMerged) -> pl.DataFrame:
    """Return the row of the table merges that `message` tells, version 1."""
    table = TABLES["merges"]
    names = ("instrument_id", "into", "stands", "actor", "why", "evidence", "simulated")
    values = {name: [getattr(message, name)] for name in names}
    known = pl.lit(message.ts_known).cast(table.columns["ts_known"]).alias("ts_known")
    version = pl.lit(1, dtype=pl.UInt32).alias("version")
    schema = {name: dtype for name, dtype in table.columns.items() if name in names}
    return pl.DataFrame(values, schema=schema).with_columns(known, version).select(list(table.columns))
