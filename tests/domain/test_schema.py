"""Schemas: exact columns, and tables that make sense."""

from __future__ import annotations

import polars as pl
import pytest

from truetape.domain.asks import KINDS
from truetape.domain.errors import SchemaMismatch
from truetape.domain.schema import DECODED, TABLES, check, empty

COLUMNS: dict[str, pl.DataType] = {"a": pl.Int64(), "b": pl.String()}


def test_every_kind_that_can_be_asked_for_has_a_schema() -> None:
    """And every schema can be asked for."""
    assert set(KINDS) == set(DECODED)


def test_a_frame_with_exactly_the_columns_passes() -> None:
    """It comes back as it is."""
    frame = pl.DataFrame({"a": [1], "b": ["x"]})

    assert check(frame, COLUMNS, kind="bars") is frame


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        pytest.param(pl.DataFrame({"a": [1]}), "missing columns ['b']", id="missing"),
        pytest.param(pl.DataFrame({"a": [1], "b": ["x"], "c": [1]}), "unexpected columns {'c': Int64}", id="unknown"),
        pytest.param(pl.DataFrame({"a": [1.5], "b": ["x"]}), "unexpected columns {'a': Float64}", id="another type"),
        pytest.param(pl.DataFrame({"b": ["x"], "a": [1]}), "its columns in another order", id="another order"),
    ],
)
def test_any_other_frame_is_refused_with_what_is_wrong(frame: pl.DataFrame, words: str) -> None:
    """The error says which columns differ, and which were expected."""
    with pytest.raises(SchemaMismatch) as caught:
        check(frame, COLUMNS, kind="bars")

    assert str(caught.value) == f"A frame of bars had {words}; expected ['a', 'b']."


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_is_whole(name: str) -> None:
    """Its key is among its columns, every row says when it was known and whether it is simulated."""
    table = TABLES[name]

    assert set(table.key) <= set(table.columns)
    assert {"ts_known", "simulated"} <= set(table.columns)
    assert table.versioned == ("version" in table.columns)
    writers = {"reference", "ingestion", "processing", "storage", "corporate_actions", "benchmarks", "distribution"}
    assert table.writer in writers


@pytest.mark.parametrize("kind", sorted(DECODED))
def test_an_empty_frame_has_every_column(kind: str) -> None:
    """It passes the check of its own kind."""
    assert check(empty(DECODED[kind]), DECODED[kind], kind=kind).is_empty()
