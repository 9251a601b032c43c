"""Which instruments a commit changes, as messages: one for each, or one for very many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from truetape.domain.messages import InstrumentChanged

MOST_NAMED: Final = 1000  # instruments of one commit that are told one by one
MASTER: Final = ("identifiers", "instrument_details", "instruments", "listing_details", "listings", "merges")


def changed_instruments(writes: Mapping[str, pl.DataFrame], *, ts_known: int) -> Iterator[InstrumentChanged]:
    """Yield what to tell about `writes`, rows by table; of a merge both records are told.

    Above MOST_NAMED instruments one message without an id stands for all of them.
    """
    parts = [_named(table, writes[table]) for table in MASTER if table in writes]
    if not parts:
        return
    touched = pl.concat(parts).group_by("instrument_id").agg(pl.col("table").unique().sort()).sort("instrument_id")
    if len(touched) <= MOST_NAMED:
        for instrument, tables in touched.iter_rows():
            yield InstrumentChanged(instrument_id=instrument, ts_known=ts_known, changes=tuple(tables))
        return
    tables = sorted({table for table in MASTER if table in writes and len(writes[table])})
    yield InstrumentChanged(instrument_id="", ts_known=ts_known, changes=tuple(tables), count=len(touched))


def _named(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    both = [rows["instrument_id"], rows["into"]] if table == "merges" else [rows["instrument_id"]]
    ids = pl.concat([one.rename("instrument_id") for one in both])
    return pl.DataFrame({"instrument_id": ids}).with_columns(pl.lit(table).alias("table"))
