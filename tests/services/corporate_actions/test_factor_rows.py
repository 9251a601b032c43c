"""Factors of one instrument as rows."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.schema import TABLES, check
from truetape.services.corporate_actions.factors import factor_rows

DAYS = [date(2024, 1, day) for day in (2, 3, 4, 5)]
BARS = rows("bars", ts_event=DAYS, close=[100.0, 50.0, None, 40.0])


def numbers(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return check(frame, TABLES["factors"].columns, kind="factors").select("ex_date", "split", "dividend").rows()


def factors(actions: pl.DataFrame, current: pl.DataFrame | None = None) -> pl.DataFrame:
    stored = rows("factors", ex_date=[]) if current is None else current
    return factor_rows(actions, BARS, stored, instrument_id="ins_a", ts_known=9)


def test_splits_and_dividends_become_factors() -> None:
    """A dividend is measured against the last known close before its ex-date; a null value is no action."""
    actions = rows(
        "actions",
        ex_date=[DAYS[1], DAYS[2], DAYS[3]],
        type=["split", "dividend", "dividend"],
        value=[2.0, None, 5.0],
    )

    found = factors(actions)

    assert numbers(found) == [(DAYS[1], 2.0, 1.0), (DAYS[3], 1.0, 0.9)]
    assert found["instrument_id"].to_list() == ["ins_a", "ins_a"]
    assert found["ts_known"].cast(pl.Int64).to_list() == [9, 9]
    assert found["simulated"].to_list() == [False, False]


def test_a_factor_whose_action_is_gone_is_neutral() -> None:
    """It stays as a row that changes no price, between the others by date."""
    actions = rows("actions", ex_date=[DAYS[3]], type="dividend", value=5.0)
    current = rows("factors", ex_date=[DAYS[1]], split=2.0, dividend=1.0)

    assert numbers(factors(actions, current)) == [(DAYS[1], 1.0, 1.0), (DAYS[3], 1.0, 0.9)]


@pytest.mark.parametrize("simulated", [True, False])
def test_factors_of_simulated_actions_are_simulated(simulated: bool) -> None:
    """The mark goes with the numbers."""
    actions = rows("actions", ex_date=[DAYS[1]], type="split", value=2.0, simulated=simulated)

    assert factors(actions)["simulated"].to_list() == [simulated]


def test_no_actions_are_no_factors() -> None:
    """An instrument without any action has no rows."""
    assert numbers(factors(rows("actions", ex_date=[]))) == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [("dividend", 5.0, "a,b"), ("special_dividend", 5.0, "c")], (1.0, 0.9), id="one payment, two names"
        ),
        pytest.param(
            [("dividend", 5.0, "a,b"), ("special_dividend", 20.0, "b,c")], (1.0, 0.5), id="b has both: two payments"
        ),
        pytest.param([("special_dividend", 5.0, "c")], (1.0, 0.9), id="a special dividend alone"),
        pytest.param(
            [("special_dividend", 5.0, "c"), ("capital_gain", 5.0, "d")], (1.0, 0.8), id="neither is the usual name"
        ),
        pytest.param([("split", 1.25, "a"), ("stock_dividend", 0.25, "b")], (1.25, 1.0), id="a quarter share more"),
        pytest.param([("split", 2.0, "a"), ("stock_dividend", 0.5, "a")], (3.0, 1.0), id="split and shares on top"),
        pytest.param([("split", 2.0, "a"), ("special_dividend", 5.0, "b")], (2.0, 0.8), id="5 of the new share's 25"),
        pytest.param([("split", 2.0, "a"), ("merger", 5.0, "b")], (2.0, 1.0), id="no distribution"),
    ],
)
def test_one_event_under_two_names_counts_once(
    said: list[tuple[str, float, str]], expected: tuple[float, float]
) -> None:
    """Unless one provider speaks of both; the close before the ex-date is 50."""
    types, values, agreed = (list(column) for column in zip(*said, strict=True))
    actions = rows("actions", ex_date=[DAYS[3]] * len(said), type=types, value=values, agreed=agreed)

    assert [(DAYS[3], *expected)] == numbers(factors(actions))
