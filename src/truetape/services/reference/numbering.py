"""Which identifiers instruments have, as a list tells them beside what is known: one ISIN, CUSIP and CIK at a time.

What nobody told yet is written. Another number of a scheme takes the place of the one before from the day of the list
on; of a listing that is over, nothing takes the place of anything. Several FIGIs may stand beside each other, since
each venue has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from truetape.domain.schema import TABLES
from truetape.services.reference.questions import questions
from truetape.services.reference.stated import IDENTIFIERS

FIXED: Final = ("isin", "cusip", "cik")  # schemes of which an instrument has one at a time
_ABOUT: Final = ("instrument_id", "scheme")
_KEPT: Final = ("number", "instrument_id", "is_new", "live", "begins", "day", "provider", "spelled", "mic", "payload",
                "ts_known", "simulated")  # fmt: skip


@dataclass(frozen=True)
class Numbered:
    """Rows of the table identifiers that are to be written, and questions about the others."""

    rows: pl.DataFrame
    questions: pl.DataFrame


def numbered(rows: pl.DataFrame, known: pl.DataFrame) -> Numbered:
    """Return what the placed `rows` of one list say of identifiers.

    Args:
        rows: Columns of stated.Stated, `instrument_id` and `is_new`.
        known: Rows of the table identifiers with `record`, current ones of the same instruments.
    """
    told = rows.unpivot(index=list(_KEPT), on=list(IDENTIFIERS), variable_name="scheme").drop_nulls("value")
    distinct = told.sort("number").unique([*_ABOUT, "value"], keep="first", maintain_order=True)
    fixed = pl.col("scheme").is_in(list(FIXED))
    several = fixed & (pl.len().over(_ABOUT) > 1)
    asked = _several(distinct.filter(several))
    open_ones = known.filter(pl.col("valid_to").is_null())
    fresh = distinct.filter(~several).join(open_ones, on=[*_ABOUT, "value"], how="anti")
    before = known.group_by(_ABOUT).agg(
        pl.col("valid_to").is_null().any().alias("is_open"),
        pl.col("valid_to").max().alias("latest"),
        pl.col("valid_from").filter(pl.col("valid_to").is_null()).max().alias("opened"),
    )
    found = fresh.join(before, on=list(_ABOUT), how="left")
    had = fixed & pl.col("is_open").is_not_null()
    is_open = pl.col("is_open").fill_null(value=False)
    later = pl.col("opened").is_null() | (pl.col("opened") < pl.col("day"))
    chosen = found.filter(~had | (pl.col("live") & (~is_open | later)))
    since = pl.when("is_new").then("begins").when(had & is_open).then("day").when(had).then("latest")
    new = chosen.with_columns(valid_from=since, valid_to=pl.lit(None, dtype=pl.Date), source=pl.col("provider"))
    gone = open_ones.join(
        chosen.filter(had & is_open).select(*_ABOUT, pl.col("day").alias("until"), pl.col("ts_known").alias("now")),
        on=list(_ABOUT),
    )
    ended = gone.with_columns(instrument_id=pl.col("record"), valid_to=pl.col("until"), ts_known=pl.col("now"))
    return Numbered(pl.concat([_shaped(new), _shaped(ended)]), asked)


def _several(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the questions of numbers of which one list tells several about one instrument."""
    together = rows.group_by(_ABOUT, maintain_order=True).agg(
        pl.all().exclude(*_ABOUT, "value").first(), pl.col("value").sort().str.join(" and ").alias("values")
    )
    words = pl.format(
        "{} tells several {}s of one instrument, {}", "provider", pl.col("scheme").str.to_uppercase(), "values"
    )
    return questions(together, kind="identifier_differs", words=words, instruments=pl.col("instrument_id"))


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    columns = TABLES["identifiers"].columns
    return rows.with_columns(version=pl.lit(1, dtype=pl.UInt32)).select(
        pl.col(name).cast(dtype) for name, dtype in columns.items()
    )
