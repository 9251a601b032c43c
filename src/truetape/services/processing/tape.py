"""The trades that stand: each once, as corrected, in the order of time, with what it counts for in a bar.

Trades are rows of schema.TABLES["trades"]. In time they stand in the order of `ts_event`; at one instant, in that in
which they were first heard (`ts_known`, `place`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from truetape.domain.sales import Sale, sale_of

NAME: Final = ["instrument_id", "venue", "trade_id"]
_COUNTED: Final = [f"for_{what}" for what in Sale._fields]
_CORRECTED: Final = ("price", "size", "conditions")
_SAME: Final = ("instrument_id", "ts_event", "venue", "trade_id", "correction")
_ORDER: Final = ("ts_event", "ts_known", "place")


def standing(trades: pl.DataFrame, *, sales: Mapping[str, Sale]) -> pl.DataFrame:
    """Return the trades that stand, ordered by time, with `for_range`, `for_ends` and `for_volume`.

    The same trade twice is one; what was cancelled never was, and what was corrected was as it was said last. Trades of
    no size or price are none.

    Args:
        trades: Rows of the table trades.
        sales: What trades count for, by condition.
    """
    once = _mended(trades.sort(_ORDER[1:]).unique(_SAME, keep="first", maintain_order=True))
    real = once.filter(pl.col("price") > 0, pl.col("size") > 0)
    return real.with_columns(_counted(real, sales)).sort(_ORDER)


def folded(rows: pl.DataFrame, *, by: Sequence[str]) -> pl.DataFrame:
    """Return a bar for each group of `rows`, as `standing` returns them: `by`, open, high, low, close and volume.

    Prices are null where no trade of the group may make one.
    """
    exact = bool((rows["size"] == rows["size"].floor()).all()) and float(rows["size"].sum()) < 2**53
    volume = pl.col("size").filter(pl.col("for_volume"))
    ends = pl.col("price").filter(pl.col("for_ends"))
    reach = pl.col("price").filter(pl.col("for_range"))
    made = rows.group_by(by, maintain_order=True).agg(
        pl.coalesce(ends.first(), reach.first()).alias("open"),
        reach.max().alias("high"),
        reach.min().alias("low"),
        pl.coalesce(ends.last(), reach.last()).alias("close"),
        (volume.sum() if exact else volume).alias("volume"),
    )
    if not exact:  # sums of fractions depend on their order, and this one does not
        made = made.with_columns(pl.Series("volume", [math.fsum(sizes) for sizes in made["volume"]], dtype=pl.Float64))
    return made


def _mended(trades: pl.DataFrame) -> pl.DataFrame:
    """Return plain trades as corrections and cancels leave them; the last word about a trade counts."""
    plain, fixes = trades.filter(pl.col("correction") == ""), trades.filter(pl.col("correction") != "")
    if fixes.is_empty():
        return plain
    by_id = fixes.filter(~nameless(fixes)).sort(_ORDER[1:])
    last = by_id.unique(NAME, keep="last", maintain_order=True).select(
        *NAME, *(pl.col(name).alias(f"new_{name}") for name in ("correction", *_CORRECTED))
    )
    mended = plain.join(last, on=NAME, how="left", maintain_order="left")
    mended = mended.filter(pl.col("new_correction").ne_missing("cancel"))
    is_new = pl.col("new_correction").is_not_null()
    mended = mended.with_columns(
        pl.when(is_new).then(f"new_{name}").otherwise(name).alias(name) for name in _CORRECTED
    ).select(plain.columns)
    return _withoutnameless(mended, fixes.filter(nameless(fixes)))


def _withoutnameless(plain: pl.DataFrame, cancels: pl.DataFrame) -> pl.DataFrame:
    """Return `plain` without the trades that cancels without an id mean: of that instant, price and size, one each."""
    if cancels.is_empty():
        return plain
    alike = ["instrument_id", "ts_event", "price", "size"]
    number = pl.int_range(pl.len()).over(alike).alias("number")
    gone = cancels.with_columns(number).select(*alike, "number")
    return (
        plain.with_columns(number).join(gone, on=[*alike, "number"], how="anti", maintain_order="left").drop("number")
    )


def nameless(rows: pl.DataFrame) -> pl.Series:
    """Return true for trades whose id is their place: the provider gave them none."""
    own = rows["payload"].str.slice(0, 16) + ":" + rows["place"].cast(pl.String)
    return (rows["trade_id"] == own).fill_null(value=False)


def _counted(rows: pl.DataFrame, sales: Mapping[str, Sale]) -> list[pl.Series]:
    """Return what each row counts for, judged once for each combination of conditions."""
    if rows.is_empty():
        return [pl.Series(name, [], dtype=pl.Boolean) for name in _COUNTED]
    codes = rows["conditions"].fill_null("")
    names = codes.unique(maintain_order=True).to_list()
    judged = {name: sale_of(name, sales) for name in names}
    return [
        codes.replace_strict(names, [getattr(judged[name], what) for name in names], return_dtype=pl.Boolean).alias(
            f"for_{what}"
        )
        for what in Sale._fields
    ]
