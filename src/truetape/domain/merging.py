"""Records of one instrument that stood apart: which permanent id stands for which other one.

A merge says that the record under one id is another's. Rows stay where they are; who reads them reads the other id. A
record that another was merged into may be merged itself: the last of such a row stands for all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from truetape.domain.errors import BadInput


def redirects(merges: pl.DataFrame) -> dict[str, str]:
    """Return, for each id that was merged into another, the id that stands for it in the end.

    Args:
        merges: Rows of the table merges, one for each `instrument_id`; those that do not stand count for nothing.
    """
    standing = merges.filter(pl.col("stands"))
    next_of = dict(zip(standing["instrument_id"].to_list(), standing["into"].to_list(), strict=True))
    return {one: _last(one, next_of) for one in next_of}


def redirected(rows: pl.DataFrame, merges: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with the `instrument_id` that stands for theirs.

    Args:
        rows: Of any table that has the column.
        merges: As for `redirects`.
    """
    known = redirects(merges)
    if not known:
        return rows
    return rows.with_columns(pl.col("instrument_id").replace(known))


def members(instrument_id: str, merges: pl.DataFrame) -> tuple[str, tuple[str, ...]]:
    """Return the id that stands for `instrument_id`, and all those that it stands for, itself first.

    Args:
        instrument_id: Any id.
        merges: As for `redirects`.
    """
    known = redirects(merges)
    final = known.get(instrument_id, instrument_id)
    return final, (final, *sorted(one for one, into in known.items() if into == final))


def together(instrument_ids: Collection[str], merges: pl.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids that stand for `instrument_ids`, and those of all records that they stand for; both ascending.

    Args:
        instrument_ids: Any ids.
        merges: As for `redirects`.
    """
    known = redirects(merges)
    final = {known.get(one, one) for one in instrument_ids}
    return tuple(sorted(final)), tuple(sorted(final | {one for one, into in known.items() if into in final}))


def refuse_cycle(instrument_id: str, into: str, *, known: Mapping[str, str]) -> None:
    """Accept that `instrument_id` is merged into `into`, `known` being what is redirected already.

    Raises:
        BadInput: It would stand for itself, or it is merged into another already.
    """
    if known.get(into, into) == instrument_id:
        fix = f"{into} stands for {known.get(into, into)}: a record cannot be merged into itself. Name two records."
        raise BadInput(parameter="into", value=into, fix=fix)
    if instrument_id in known:
        fix = f"It is merged into {known[instrument_id]} already. Undo that first: truetape instruments unmerge."
        raise BadInput(parameter="instrument", value=instrument_id, fix=fix)


def _last(one: str, next_of: Mapping[str, str]) -> str:
    seen = {one}
    while (following := next_of.get(one)) is not None and following not in seen:
        one = following
        seen.add(one)
    return one
