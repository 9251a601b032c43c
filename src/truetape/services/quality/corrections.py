"""Late corrections: what providers said of the same bars before, and who has changed its mind since."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.adjust import PRICES
from truetape.domain.schema import TABLES
from truetape.services.quality.differences import BAR, alike

_CLAIM: Final = [*BAR, "provider"]


def superseded(stored: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Return the claims of `stored` that newer ones of the same provider have replaced, in raw basis.

    The price of a current claim in raw basis, out of the same as it was stored, is what brings the older ones to raw
    basis too: a provider that adjusts has done so in all of its answers, but for splits in between.

    Args:
        stored: schema bar_claims, any basis, as they were told.
        current: The newest claims, schema bar_claims, basis raw.
    """
    mine = [*_CLAIM, "payload"]
    now = stored.select(*mine, "basis", told="close").join(current.select(*mine, raw="close"), on=mine)
    scales = now.select(
        *_CLAIM, "basis", (pl.col("raw") / pl.col("told")).alias("scale"), pl.col("payload").alias("by")
    )
    older = stored.join(scales, on=[*_CLAIM, "basis"]).filter(pl.col("payload") != pl.col("by"))
    scaled = [(pl.col(name) * pl.col("scale")).alias(name) for name in PRICES]
    return older.with_columns(*scaled, pl.lit("raw").alias("basis")).select(list(TABLES["bar_claims"].columns))


def with_corrections(lost: pl.DataFrame, earlier: pl.DataFrame, *, relative: float) -> pl.DataFrame:
    """Return `lost` with what was said before: `own_before`, `others_before` and `corrected`.

    `own_before` is the close that the provider itself told before, if that claim is what was found true now.
    `others_before` are the providers, comma separated, that said before what this claim still says. `corrected` is the
    instant of the latest of these older claims.

    Args:
        lost: As `outvoted` returns it.
        earlier: As `superseded` returns it.
        relative: The share of a price within which two are alike.
    """
    rows = lost.with_row_index("row")
    was = {name: f"was_{name}" for name in (*PRICES, "provider", "ts_known")}
    met = rows.join(earlier.select(*BAR, pl.col(was).name.prefix("was_")), on=BAR)
    own = (pl.col("was_provider") == pl.col("provider")) & _like("won_", relative)
    theirs = pl.col("agreed").str.split(",").list.contains(pl.col("was_provider")) & _like("", relative)
    told = met.with_columns(own.alias("own"), ((pl.col("was_provider") != pl.col("provider")) & theirs).alias("theirs"))
    said = (
        told.filter(pl.col("own") | pl.col("theirs"))
        .group_by("row")
        .agg(
            pl.col("was_close").filter("own").sort_by(pl.col("was_ts_known").filter("own")).last().alias("own_before"),
            pl.col("was_provider").filter("theirs").unique().sort().str.join(",").alias("others_before"),
            pl.col("was_ts_known").max().alias("corrected"),
        )
    )
    return rows.join(said, on="row", how="left", maintain_order="left").drop("row")


def _like(prefix: str, relative: float) -> pl.Expr:
    return alike([f"was_{name}" for name in PRICES], [f"{prefix}{name}" for name in PRICES], relative=relative)
