"""Rows with what stands beside them."""

from __future__ import annotations

import polars as pl

from truetape.services.quality.checks.beside import beside, marked, placed

FRAME = pl.DataFrame({"series": [0, 0, 0, 1, 1], "close": [1.0, 2.0, 3.0, 4.0, None]})


def test_rows_know_what_stands_beside_them_in_their_series() -> None:
    """The third row is the last of its series, the fourth the first of the next."""
    found = beside(FRAME, pl.col("close") >= 2, ["close"])

    assert found is not None
    assert [1, 2, 3] == found["at"].to_list()
    assert [1.0, 2.0, None] == found["close before"].to_list()
    assert [3.0, None, None] == found["close after"].to_list()


def test_the_ends_of_the_frame_have_nothing_beyond() -> None:
    """The first row has none before, the last none after."""
    found = beside(FRAME, (pl.col("close") == 1) | pl.col("close").is_null(), ["series"])

    assert found is not None
    assert [(0, None, 0), (4, 1, None)] == found.select("at", "series before", "series after").rows()


def test_an_empty_frame_has_no_rows() -> None:
    """Nothing is found in nothing."""
    assert beside(FRAME.clear(), pl.col("close") > 0, ["close"]) is None
    assert beside(FRAME, pl.col("close") > 100, ["close"]) is None


def test_what_was_found_is_put_back_at_its_place() -> None:
    """A mark and a value for each row that was found, nothing for the others."""
    near = beside(FRAME, pl.col("close") == 3, [])
    assert near is not None
    found = near.with_columns(pl.lit("x").alias("word"))

    assert [False, False, True, False, False] == marked(FRAME, found).to_list()
    assert [None, None, "x", None, None] == placed(FRAME, found, "word")["word"].to_list()
