"""Frames as bytes: equal rows are equal bytes, however they were made."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import polars as pl
import pyarrow as pa
import pytest

from truetape.services.api.formats import TABLE_FORMATS
from truetape.services.api.render import even, rows_of

ROWS = pl.DataFrame(
    {
        "number": [1.5, None, 3.0, None],
        "text": ["x", None, "yz", ""],
        "flag": [True, None, False, None],
        "day": [date(2020, 1, 1), None, date(2020, 1, 2), None],
        "instant": pl.Series([datetime(2020, 1, 1, tzinfo=UTC), None, datetime(2020, 1, 2, tzinfo=UTC), None]).cast(
            pl.Datetime("ns", "UTC")
        ),
        "count": pl.Series([1, None, 2, None], dtype=pl.UInt32),
        "whole": [1, 2, 3, 4],
    }
)


def made_otherwise() -> list[pl.DataFrame]:
    """The same rows: cut out of more, put together of pieces, and with other values beneath the nulls."""
    more = pl.concat([ROWS.tail(3), ROWS, ROWS.head(2)])
    full = ROWS.with_columns(pl.col("number").fill_null(9.0), pl.col("text").fill_null("hidden"))
    gone = pl.col("flag").is_null() & pl.col("whole").is_in([2])
    hidden = full.with_columns(
        pl.when(pl.col("whole").is_in([1, 3])).then(pl.col("number")).alias("number"),
        pl.when(~gone).then(pl.col("text").replace("hidden", "")).alias("text"),
    ).with_columns(ROWS["text"])
    shifted = pa.concat_tables([more.slice(3, 4).to_arrow()]).slice(0)
    return [more.slice(3, 4), pl.concat([ROWS.head(1), ROWS.slice(1)]), hidden, pl.DataFrame(shifted)]


@pytest.mark.parametrize("form", TABLE_FORMATS)
@pytest.mark.parametrize("number", range(4))
def test_equal_rows_are_equal_bytes(form: str, number: int) -> None:
    """In every form, whatever the frame was made of."""
    other = made_otherwise()[number]
    assert ROWS.equals(other)

    assert rows_of(ROWS, form=form) == rows_of(other, form=form)


def test_arrow_holds_the_rows() -> None:
    """Nulls, texts and instants come back; without a null no mask is written."""
    assert ROWS.equals(pl.read_ipc_stream(io.BytesIO(rows_of(ROWS, form="arrow"))))
    assert ROWS.slice(1, 2).equals(pl.DataFrame(even(ROWS.slice(1, 2))))
    assert ROWS.clear().equals(pl.read_ipc_stream(io.BytesIO(rows_of(ROWS.clear(), form="arrow"))))


def test_lines_of_json_hold_the_rows() -> None:
    """One object for each row, instants as text."""
    lines = rows_of(ROWS.select("text", "instant").head(2), form="ndjson").decode().splitlines()

    assert ['{"text":"x","instant":"2020-01-01T00:00:00Z"}', '{"text":null,"instant":null}'] == lines
