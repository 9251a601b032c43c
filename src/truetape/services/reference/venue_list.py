"""The venues that a register lists, as rows of the golden table: with their place in the tree and their zone."""

from __future__ import annotations

import polars as pl

from truetape.domain.schema import TABLES
from truetape.domain.venues import zones
from truetape.services.reference.config import borrowed
from truetape.services.reference.venue_zones import CITIES, COUNTRIES, OWN


def venue_rows(claims: pl.DataFrame) -> pl.DataFrame:
    """Return rows of the table venues, version 1, of what one list says; of a code that stands twice, the last counts.

    Args:
        claims: Rows of the table venue_claims of one payload.
    """
    own = OWN | {mic: OWN[keeper] for mic, keeper in borrowed().items() if keeper in OWN}
    listed = claims.sort("number").unique("mic", keep="last", maintain_order=True)
    told = listed.with_columns(
        pl.when(pl.col("is_segment").fill_null(value=False)).then(pl.lit("segment")).otherwise(pl.lit("operating"))
        .alias("level"),
        pl.col("entity").alias("legal_entity"),
        pl.col("operating_mic").fill_null(pl.col("mic")),
        zones(listed, own=own, countries=COUNTRIES, cities=CITIES).alias("zone"),
        pl.lit(1, dtype=pl.UInt32).alias("version"),
    )  # fmt: skip
    return told.select([pl.col(name).cast(dtype) for name, dtype in TABLES["venues"].columns.items()])
