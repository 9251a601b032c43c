"""Versions: new, corrected and repeated rows."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.schema import TABLES, Table
from truetape.domain.versions import Decision, decide, withdraw

TABLE = Table(
    columns={
        "symbol": pl.String(),
        "day": pl.Date(),
        "price": pl.Float64(),
        "note": pl.String(),
        "simulated": pl.Boolean(),
        "ts_known": pl.Int64(),
        "version": pl.UInt32(),
    },
    key=("symbol", "day"),
    writer="nobody",
    versioned=True,
)
Key = tuple[str | None, date]
Values = tuple[float | None, str | None, bool]
Row = tuple[str | None, date, float | None, str | None, bool, int, int]
DAY = date(2024, 6, 10)


def frame(*rows: Row) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TABLE.columns, orient="row")


def summary(decision: Decision) -> tuple[list[tuple[object, ...]], int, int, int]:
    return decision.write.rows(), decision.new, decision.corrected, decision.repeated


BEFORE: Row = ("A", DAY, 1.5, "x", False, 10, 3)


@pytest.mark.parametrize(
    ("incoming", "expected"),
    [
        pytest.param(("A", DAY, 1.5, "x", False, 20, 0), None, id="the same values"),
        pytest.param(("A", DAY, 1.6, "x", False, 20, 0), ("A", DAY, 1.6, "x", False, 20, 4), id="another price"),
        pytest.param(("A", DAY, None, "x", False, 20, 0), ("A", DAY, None, "x", False, 20, 4), id="value to null"),
        pytest.param(("A", DAY, 1.5, "x", True, 20, 0), ("A", DAY, 1.5, "x", True, 20, 4), id="simulated"),
        pytest.param(
            ("A", DAY, 1.5000000000000002, "x", False, 20, 0),
            ("A", DAY, 1.5000000000000002, "x", False, 20, 4),
            id="the last bit",
        ),
    ],
)
def test_a_row_is_written_when_a_value_differs(incoming: Row, expected: Row | None) -> None:
    """A correction carries the next version and its own knowledge time; a repeat writes nothing."""
    decision = decide(frame(BEFORE), frame(incoming), TABLE)

    assert summary(decision) == ([], 0, 0, 1) if expected is None else ([expected], 0, 1, 0) == summary(decision)


def test_null_equals_null() -> None:
    """A value that is missing on both sides has not changed."""
    current = frame(("A", DAY, None, None, False, 10, 1))

    assert summary(decide(current, frame(("A", DAY, None, None, False, 20, 0)), TABLE)) == ([], 0, 0, 1)


def test_null_becomes_a_value() -> None:
    """A value that was missing and came is a correction."""
    current = frame(("A", DAY, None, None, False, 10, 1))
    incoming = frame(("A", DAY, 2.0, None, False, 20, 0))

    assert summary(decide(current, incoming, TABLE)) == ([("A", DAY, 2.0, None, False, 20, 2)], 0, 1, 0)


def test_a_key_may_hold_null() -> None:
    """Null is a key like any other."""
    current = frame((None, DAY, 1.0, None, False, 10, 1), ("A", DAY, 1.0, None, False, 10, 1))
    incoming = frame((None, DAY, 2.0, None, False, 20, 0))

    assert summary(decide(current, incoming, TABLE)) == ([(None, DAY, 2.0, None, False, 20, 2)], 0, 1, 0)


def test_of_rows_with_one_key_the_last_counts() -> None:
    """The others are repeats, whether the key is new or known."""
    twice = frame(("A", DAY, 7.0, "x", False, 20, 0), ("A", DAY, 8.0, "x", False, 20, 0))

    assert summary(decide(frame(), twice, TABLE)) == ([("A", DAY, 8.0, "x", False, 20, 1)], 1, 0, 1)
    assert summary(decide(frame(BEFORE), twice, TABLE)) == ([("A", DAY, 8.0, "x", False, 20, 4)], 0, 1, 1)


def test_nothing_comes_of_nothing() -> None:
    """No rows, no decision."""
    assert summary(decide(frame(), frame(), TABLE)) == ([], 0, 0, 0)
    assert summary(decide(frame(BEFORE), frame(), TABLE)) == ([], 0, 0, 0)


def test_version_may_be_missing_and_columns_misplaced() -> None:
    """What is written has exactly the table's columns."""
    incoming = frame(("B", DAY, 1.0, None, False, 20, 9)).drop("version").select(pl.all().reverse())
    shuffled = incoming.select(sorted(incoming.columns))

    written = decide(frame(BEFORE), shuffled, TABLE).write

    assert TABLE.columns == dict(written.schema)
    assert written.rows() == [("B", DAY, 1.0, None, False, 20, 1)]


def test_instants_differ_by_a_nanosecond() -> None:
    """Keys are compared to the nanosecond."""
    table = TABLES["index_levels"]

    def level(ts_event: int) -> pl.DataFrame:
        row = ("EW5", ts_event, 100.0, 5, 0, 1, False)
        return pl.DataFrame(
            [
                pl.Series(name, [value]).cast(dtype)
                for (name, dtype), value in zip(table.columns.items(), row, strict=True)
            ]
        )

    decision = decide(level(1000), level(1001), table)

    assert (decision.new, decision.corrected, decision.repeated) == (1, 0, 0)


keys = st.tuples(st.sampled_from(["A", "B", None]), st.dates(DAY, date(2024, 6, 13)))
values = st.tuples(st.sampled_from([1.0, 2.0, 0.1 + 0.2, 0.3, None]), st.sampled_from(["x", None]), st.booleans())
batches = st.lists(st.lists(st.tuples(keys, values), max_size=12), max_size=6)


@settings(max_examples=150, deadline=None)
@given(batches)
def test_batches_give_what_a_dictionary_gives(
    arrived: list[list[tuple[Key, Values]]],
) -> None:
    """Whatever comes in whatever order, the store holds what a plain dictionary would hold."""
    model: dict[Key, tuple[Values, int, int]] = {}
    current = frame()
    for known, batch in enumerate(arrived):
        incoming = frame(*[(*key, *value, known, 77) for key, value in batch])
        expected_new = expected_corrected = 0
        for key, value in dict(batch).items():
            old = model.get(key)
            if old is None or old[0] != value:
                expected_new += old is None
                expected_corrected += old is not None
                model[key] = (value, known, old[2] + 1 if old else 1)
        decision = decide(current, incoming, TABLE)
        written = expected_new + expected_corrected
        assert (expected_new, expected_corrected, len(batch) - written) == summary(decision)[1:]
        current = (
            pl.concat([current, decision.write]).sort("version").unique(["symbol", "day"], keep="last").sort("note")
        )
    assert {row[:2]: (row[2:5], row[5], row[6]) for row in current.rows()} == model


GONE = pl.DataFrame(
    {"symbol": ["A", None, "Z"], "day": [DAY] * 3, "version": [4, 7, 1]},
    schema_overrides={"version": pl.UInt32},
)


@pytest.mark.parametrize("before", [[], [("B", DAY, 9.0, "x", False, 10, 2)]], ids=["nothing", "another"])
def test_a_row_that_was_withdrawn_is_new_and_numbered_on(before: list[Row]) -> None:
    """Whatever its values: withdrawn by version 4 it comes back as version 5; null is a key like any other."""
    incoming = frame(
        ("A", DAY, 1.5, "x", False, 20, 0), (None, DAY, 1.5, "x", False, 20, 0), ("C", DAY, 1.5, "x", False, 20, 0)
    )
    decision = decide(frame(*before), incoming, TABLE, withdrawn=GONE)
    assert decision.write["version"].to_list() == [5, 8, 1]
    assert (decision.new, decision.corrected, decision.repeated) == (3, 0, 0)
    assert decide(frame(*before), incoming, TABLE, withdrawn=GONE.clear()).write["version"].to_list() == [1, 1, 1]


def test_a_withdrawal_is_the_next_version() -> None:
    """Version 3 is withdrawn by version 4, at the time that it was known; it says nothing else."""
    told = withdraw(frame(BEFORE), TABLE, ts_known=99)
    assert dict(told.schema) == TABLE.withdrawal
    assert told.rows(named=True) == [{"symbol": "A", "day": DAY, "ts_known": 99, "version": 4, "simulated": False}]
