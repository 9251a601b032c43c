"""What kind of paper an instrument is, as far as its ticker and its name tell: common stock before warrants."""

from __future__ import annotations

from typing import Final

import polars as pl

PAPERS: Final = (  # in the order in which people mean them
    "common",
    "etf",
    "fund",
    "receipt",  # for shares that are kept elsewhere
    "index",
    "crypto",
    "fx",
    "commodity",
    "future",
    "option",
    "preferred",
    "bond",
    "unit",
    "right",
    "warrant",
)
_BY_KEY: Final = (
    (r"\.WS(\.|$)", "warrant"),
    (r"\.RT$", "right"),
    (r"\.U$", "unit"),
    (r"\.PR(\.|$)", "preferred"),
)
_BY_NAME: Final = (
    (r"(?i)\bwarrants?\b", "warrant"),
    (r"(?i)\brights?\s*$|\bsubscription rights?\b", "right"),
    (r"(?i)\bunits?\s*(?:,|$|\beach\b|consisting)", "unit"),
    (r"(?i)\b(?:american|global) depositary|\badr\b|\bads\b|\bgdr\b", "receipt"),
    (r"(?i)\bpreferred\b|\bpreference\b|\bpfd\b", "preferred"),
    (r"(?i)\bnotes due\b|\bdebentures?\b", "bond"),
)
_BY_CLASS: Final = {"etf": "etf", "fund": "fund", "bond": "bond", "index": "index", "crypto": "crypto", "fx": "fx",
                    "commodity": "commodity", "future": "future", "option": "option"}  # fmt: skip


def paper(*, key: pl.Expr, name: pl.Expr, asset_class: pl.Expr) -> pl.Expr:
    """Return which of PAPERS: what the key says, or else the asset class, or else words of the name; or common stock.

    Args:
        key: The ticker, as domain.symbology keys it.
        name: Of the security; may be null.
        asset_class: Of domain.kinds.ASSET_CLASSES; may be null.
    """
    found = pl.lit("common")
    for pattern, kind in reversed(_BY_NAME):
        found = pl.when(name.str.contains(pattern).fill_null(value=False)).then(pl.lit(kind)).otherwise(found)
    by_class = asset_class.replace_strict(_BY_CLASS, default=None, return_dtype=pl.String)
    found = pl.coalesce(by_class, found)
    for pattern, kind in reversed(_BY_KEY):
        found = pl.when(key.str.contains(pattern).fill_null(value=False)).then(pl.lit(kind)).otherwise(found)
    return found
