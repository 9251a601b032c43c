"""Frames survive the way through a message."""

from __future__ import annotations

import polars as pl
import pytest

from truetape.domain.schema import TABLES, empty
from truetape.domain.wire import pack, unpack


@pytest.mark.parametrize("table", sorted(TABLES))
def test_an_empty_frame_keeps_its_columns(table: str) -> None:
    """Column names, types and zones come back, although there is no row."""
    frame = empty(TABLES[table].columns)

    assert unpack(pack(frame)).schema == frame.schema


def test_values_come_back_exactly() -> None:
    """Nanoseconds, nulls, long strings and the last bit of a float are kept."""
    frame = pl.DataFrame(
        {
            "instant": pl.Series([1, None], dtype=pl.Datetime("ns", "UTC")),
            "price": [0.1 + 0.2, None],
            "words": ["a much longer string than fits into a view", None],
            "flags": pl.Series([2**32 - 1, None], dtype=pl.UInt32),
        }
    )

    assert unpack(pack(frame)).equals(frame)
    assert unpack(pack(frame)).schema == frame.schema
