"""The mark of a stored round: after a crash, rounds without one are told again."""

from __future__ import annotations

import polars as pl

from truetape.domain.messages import BatchGraded
from truetape.domain.schema import TABLES


def round_mark(message: BatchGraded, *, golden: int, quarantined: int) -> pl.DataFrame:
    """Return the row of the rounds table that says that `message`, the last of its round, is stored."""
    row = {
        "round_id": message.round_id,
        "instrument_id": message.instrument_id,
        "kind": message.kind,
        "timeframe": message.timeframe,
        "start": message.start,
        "end": message.end,
        "providers": ",".join(message.providers),
        "golden": golden,
        "quarantined": quarantined,
        "ts_known": message.ts_known,
        "simulated": message.simulated,
    }
    columns = TABLES["rounds"].columns
    return pl.DataFrame({name: pl.Series([row[name]]).cast(dtype) for name, dtype in columns.items()})
