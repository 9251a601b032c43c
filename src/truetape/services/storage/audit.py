"""What was decided by people and what became of it: the rows of the tables decisions and repairs."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.kinds import INSTANT, OHLCV_COLUMNS
from truetape.domain.messages import BatchGraded, DecisionMade
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide
from truetape.domain.wire import unpack

MOST_SHOWN: Final = 20  # rows that a decision changed and that the audit quotes; every one keeps its versions anyway
STATES: Final = {"apply": "applied", "undo": "undone", "reject": "rejected"}
_PROPOSED: Final = {"state": "proposed", "decision_id": "", "decided_by": ""}


def decision_row(
    made: DecisionMade, *, current: pl.DataFrame, written: pl.DataFrame, gone: pl.DataFrame
) -> pl.DataFrame:
    """Return the row of the table decisions about `made`.

    Args:
        made: What was decided.
        current: Golden rows as they were.
        written: Those that it changed, as they are since.
        gone: Those that no longer stand because of it, as they were.
    """
    key = list(TABLES[made.kind].key)
    changed = pl.concat([written.select(key), gone.select(key)])
    before = current.join(changed, on=key, how="semi", maintain_order="left")
    row = {name: getattr(made, name) for name in TABLES["decisions"].columns if hasattr(made, name)}
    row |= {
        "changed": len(changed),
        "before": _quoted(before),
        "after": _quoted(written),
        "fact": msgspec.json.encode(made).decode(),
    }
    return _rows("decisions", [row])


def repair_rows(message: BatchGraded, known: pl.DataFrame) -> pl.DataFrame:
    """Return the new versions of rows of the table repairs that `message` brings.

    Proposals are new or repeat what is known; they change no state. One that changes nothing but what a known repair
    of the same series, from the same values, changes too is a piece of that one, seen in a shorter range. A decision
    about a repair changes its state.

    Args:
        message: A batch.
        known: The stored repairs of its instrument.
    """
    columns = list(TABLES["repairs"].columns)
    found = unpack(message.repairs).select(columns) if message.repairs else known.clear()
    states = ("state", "decision_id", "decided_by")
    fresh = _without_pieces(found.join(known, on="repair_id", how="anti"), known).with_columns(
        pl.lit(_PROPOSED[name]).alias(name) for name in states
    )
    made = message.decision
    if made is not None and made.action in STATES:
        touched = pl.concat([known, fresh]).filter(pl.col("repair_id") == made.target)
        state = {"state": STATES[made.action], "decision_id": made.decision_id, "decided_by": made.actor}
        changed = touched.with_columns(
            *(pl.lit(value).alias(name) for name, value in state.items()),
            pl.lit(made.ts_known).cast(INSTANT).alias("ts_known"),
        )
        fresh = pl.concat([fresh.filter(pl.col("repair_id") != made.target), changed])
    return decide(known, fresh.select(columns), TABLES["repairs"]).write


def _without_pieces(fresh: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `fresh` that change something that no row of `known` changes."""
    series = ["record", "timeframe", "provider"]
    near = known.join(fresh.select(series).unique(), on=series, how="semi")
    cells = {(one[0], *edit[:3]) for one in near.select("provider", "edits").iter_rows() for edit in _edits(one[1])}
    fits = [
        any((provider, *edit[:3]) not in cells for edit in _edits(edits))
        for provider, edits in fresh.select("provider", "edits").iter_rows()
    ]
    return fresh.filter(pl.Series(fits, dtype=pl.Boolean))


def _edits(told: str) -> list[list[Any]]:
    return list(msgspec.json.decode(told))


def _quoted(rows: pl.DataFrame) -> str:
    values = [
        name for name in ("ts_event", "ex_date", "type", "value", *OHLCV_COLUMNS, "version") if name in rows.columns
    ]
    shown = rows.select(values).head(MOST_SHOWN)
    days = shown.with_columns(pl.col("ts_event").cast(pl.String)) if "ts_event" in values else shown
    return msgspec.json.encode(days.to_dicts()).decode()


def _rows(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = TABLES[table].columns
    frame = pl.DataFrame(rows, schema={name: pl.Int64() if kind == INSTANT else kind for name, kind in columns.items()})
    return frame.with_columns(pl.col("ts_known").cast(INSTANT))
