"""What keeping history costs: bytes and money by tier, and what another rule would make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
import polars as pl
from msgspec import Meta

from truetape.services.storage.lifecycle import Step

Price = Annotated[float, Meta(ge=0, le=1000)]
GB: Final = 10**9  # as services for objects bill
TIERS: Final = ("hot", "warm", "archive", "payloads")
BYTES_A_ROW: Final = 16  # of a cold row, where none is there to measure
_BY: Final = ("tier", "table", "provider")


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What a gigabyte of 10**9 bytes costs a month, by tier, in `currency`."""

    hot: Price = 0.08
    warm: Price = 0.023
    archive: Price = 0.004
    payloads: Price = 0.08
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"


def costs(holdings: pl.DataFrame, prices: Prices) -> pl.DataFrame:
    """Return tier, table, provider, rows, bytes and money a month, dearest first.

    Args:
        holdings: Columns `tier`, `table`, `provider`, `rows` and `bytes`, any number of rows for each three.
        prices: A gigabyte and month, by tier.
    """
    price = pl.col("tier").replace_strict({tier: getattr(prices, tier) for tier in TIERS}, return_dtype=pl.Float64)
    summed = holdings.group_by(_BY).agg(pl.col("rows", "bytes").sum())
    return summed.with_columns((pl.col("bytes") / GB * price).alias("money")).sort(
        "money", *_BY, descending=[True, False, False, False]
    )


def after(holdings: pl.DataFrame, steps: Sequence[Step]) -> pl.DataFrame:
    """Return what would lie where when `steps` are done; bytes of cold rows as those that are there now have.

    Args:
        holdings: Columns `tier`, `table`, `start`, `end`, `provider`, `rows` and `bytes`.
        steps: What is done. Deletions by licence are left out, which are not told by their days.
    """
    a_row = _bytes_a_row(holdings)
    for step in (one for one in steps if not one.provider):
        is_meant = (
            (pl.col("table") == step.table)
            & (pl.col("start") >= step.start)
            & (pl.col("end") <= step.end)
            & (pl.col("tier") != step.goal)
        )
        if step.goal == "delete":
            holdings = holdings.filter(~is_meant)
            continue
        moved = holdings.filter(is_meant).with_columns(
            pl.lit(step.goal).alias("tier"),
            (pl.col("rows") * a_row.get(step.table, BYTES_A_ROW)).round().cast(pl.Int64).alias("bytes"),
        )
        holdings = pl.concat([holdings.filter(~is_meant), moved])
    return holdings


def _bytes_a_row(holdings: pl.DataFrame) -> Mapping[str, float]:
    cold = holdings.filter(pl.col("tier").is_in(["warm", "archive"]) & (pl.col("rows") > 0))
    summed = cold.group_by("table").agg(pl.col("bytes").sum() / pl.col("rows").sum())
    return dict(summed.iter_rows())
