"""What a name of a state of the store stands for: the row of the table snapshots."""

from __future__ import annotations

import polars as pl

from truetape.domain.messages import SnapshotNamed
from truetape.domain.schema import TABLES


def snapshot_row(message: SnapshotNamed) -> pl.DataFrame:
    """Return the row of the table snapshots that keeps what `message` names."""
    columns = TABLES["snapshots"].columns
    return pl.DataFrame({name: pl.Series([getattr(message, name)]).cast(dtype) for name, dtype in columns.items()})
