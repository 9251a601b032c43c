"""One answer of rows that lie in several tiers: what stands, what was withdrawn, and all versions.

Cold rows carry the version of the store that wrote them; whatever the hot tier still holds of a key whose old states
were carried away was written after all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from truetape.domain.schema import Table
from truetape.ports.store import Selection
from truetape.ports.tiering import STORED, WITHDRAWN

NEWEST: Final = 2**62  # the version that hot rows are given: after all cold ones


def states(rows: pl.DataFrame, *, withdrawn: bool) -> pl.DataFrame:
    """Return rows of the hot tier as states, written after all cold ones."""
    return rows.with_columns(
        pl.lit(NEWEST, dtype=pl.Int64).alias(STORED), pl.lit(withdrawn, dtype=pl.Boolean).alias(WITHDRAWN)
    )


def known(cold: pl.DataFrame, selection: Selection) -> pl.DataFrame:
    """Return those states of the cold tiers that the times of `selection` let see."""
    conditions = []
    if selection.as_of is not None:
        conditions.append(pl.col("ts_known").dt.epoch("ns") <= max(-(2**63), min(2**63 - 1, selection.as_of)))
    if selection.at_version is not None:
        conditions.append(pl.col(STORED) <= selection.at_version)
    return cold.filter(conditions) if conditions else cold


def standing(found: pl.DataFrame, table: Table, selection: Selection) -> pl.DataFrame:
    """Return what `selection` asks for of all its states, in the order of the key.

    Args:
        found: States of both tiers that the times of the selection let see; each key and version may come twice.
        table: Whose they are.
        selection: Its filters of columns that are no key, its limit and its `since_version` are left to the caller.
    """
    if not table.versioned:
        return _first_of_each(found.sort(*table.key, STORED, nulls_last=True), table.key)
    ordered = found.sort(*table.key, "version", STORED, nulls_last=True)
    if selection.history:
        kept = _first_of_each(ordered, (*table.key, "version"))
        return kept.filter(pl.col(WITHDRAWN) == selection.withdrawn)
    newest = _last_of_each(_first_of_each(ordered, (*table.key, "version")), table.key)
    return newest.filter(pl.col(WITHDRAWN) == selection.withdrawn)


def chosen(rows: pl.DataFrame, table: Table, selection: Selection) -> pl.DataFrame:
    """Return the rows that the filters by columns and the limit of `selection` leave, with its columns."""
    conditions = [pl.col(name).cast(pl.String).is_in(list(values)) for name, values in selection.equal.items()]
    left = rows.filter(conditions) if conditions else rows
    left = left if selection.limit is None else left.head(selection.limit)
    return left.select(selection.columns or tuple(table.columns))


def without(rows: pl.DataFrame, held: pl.DataFrame, identity: Sequence[str]) -> pl.DataFrame:
    """Return those of `rows` whose identity is not among `held`, in their order."""
    if held.is_empty():
        return rows
    return rows.join(held, on=list(identity), how="anti", nulls_equal=True, maintain_order="left")


def _first_of_each(ordered: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return ordered.filter(_differs(key, 1) | (pl.int_range(pl.len()) == 0))


def _last_of_each(ordered: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    return ordered.filter(_differs(key, -1) | (pl.int_range(pl.len()) == pl.len() - 1))


def _differs(key: Sequence[str], by: int) -> pl.Expr:
    return pl.any_horizontal([pl.col(name).ne_missing(pl.col(name).shift(by)) for name in key])
