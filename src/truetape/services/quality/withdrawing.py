"""Rows that nothing stands for any longer: their decision was undone, or their providers no longer tell them."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.messages import BatchNormalized, DecisionMade, Edit
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.time import to_datetime
from truetape.domain.wire import unpack

GIVING: Final = ("accept", "correct", "apply")  # decisions that a row may stand by
WHY: Final = "why"


def without_ground(batch: BatchNormalized, golden: pl.DataFrame) -> pl.DataFrame:
    """Return the keys of rows that no longer stand, if they are there, each with the reason: a sentence in `why`.

    These are rows of the batch's range that are not golden now and that a decision gave their values which has been
    undone, that a repair takes away, or that are actions of which every provider's claim lapsed or lost.

    Args:
        batch: What was graded, with the decisions about its series and the claims that lapsed.
        golden: What came of it: schema TABLES[batch.kind].
    """
    key = TABLES[batch.kind].key
    columns = {name: TABLES[batch.kind].columns[name] for name in key} | {WHY: pl.String()}
    found = pl.DataFrame([*_undone(batch), *_lapsed(batch)], schema={**columns, **_counted(columns)}, orient="row")
    keys = found.with_columns(pl.col(name).cast(columns[name]) for name in _counted(columns))
    return keys.join(golden, on=key, how="anti").unique(key, keep="first", maintain_order=True)


def _counted(columns: dict[str, pl.DataType]) -> dict[str, pl.DataType]:
    """Return the columns of instants, which are first written as numbers."""
    return {name: pl.Int64() for name, dtype in columns.items() if dtype == INSTANT}


def _undone(batch: BatchNormalized) -> list[tuple[object, ...]]:
    made = batch.decision
    if made is None:
        return []
    why = f"{made.actor} decided to {made.action} {made.target}: {made.why}"
    if made.action in GIVING:
        return [_place(batch, edit, why) for edit in made.edits if edit.after is None]
    before = [one for one in batch.decisions if one.target == made.target and one.action in GIVING]
    return [_place(batch, edit, why) for one in before for edit in (one.edits or _claimed(one))]


def _claimed(made: DecisionMade) -> tuple[Edit, ...]:
    """Return the one value that a decision about a claim gives."""
    return (Edit(ts_event=made.ts_event, column="close", before=None, after=None),)


def _place(batch: BatchNormalized, edit: Edit, why: str) -> tuple[object, ...]:
    if batch.kind == "actions":
        return batch.instrument_id, to_datetime(edit.ts_event).date(), edit.column, why
    return batch.instrument_id, batch.timeframe, edit.ts_event, why


def _lapsed(batch: BatchNormalized) -> list[tuple[object, ...]]:
    if not batch.lapsed:
        return []
    told = unpack(batch.lapsed).group_by("instrument_id", "ex_date", "type", maintain_order=True).agg("provider")
    return [
        (instrument, ex_date, kind, f"{', '.join(providers)} told the {kind} of {ex_date} before and no longer does")
        for instrument, ex_date, kind, providers in told.iter_rows()
    ]
