"""What is handed out on an ex-date: each type by hand arithmetic."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from truetape.domain.adjust import factor_table
from truetape.domain.distributions import per_day

EX, BEFORE = date(2024, 6, 5), date(2024, 6, 4)
CLOSES = pl.DataFrame({"date": [BEFORE, EX], "close": [100.0, 60.0]})
Row = tuple[str, float, float | None]


def actions(*rows: Row, priced: bool = True) -> pl.DataFrame:
    frame = pl.DataFrame(
        [(EX, *row) for row in rows],
        schema={"ex_date": pl.Date, "type": pl.String, "value": pl.Float64, "price": pl.Float64},
        orient="row",
    )
    return frame if priced else frame.drop("price")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([("split", 2.0, None)], (2.0, 1.0), id="two for one"),
        pytest.param([("split", 0.1, None)], (0.1, 1.0), id="one for ten"),
        pytest.param([("stock_dividend", 0.25, None)], (1.25, 1.0), id="a quarter share on each"),
        pytest.param([("split", 2.0, None), ("stock_dividend", 0.5, None)], (3.0, 1.0), id="both: 2 x 1.5"),
        pytest.param([("dividend", 4.0, None)], (1.0, 0.96), id="4 of 100"),
        pytest.param([("special_dividend", 20.0, None)], (1.0, 0.8), id="20 of 100"),
        pytest.param([("capital_gain", 10.0, None)], (1.0, 0.9), id="10 of 100"),
        pytest.param([("return_of_capital", 50.0, None)], (1.0, 0.5), id="half comes back"),
        pytest.param([("dividend", 1.0, None), ("special_dividend", 4.0, None)], (1.0, 0.95), id="they add up"),
        pytest.param([("spin_off", 0.5, 80.0)], (1.0, 0.6), id="half a share of 80 is 40 of 100"),
        pytest.param([("rights", 0.25, 60.0)], (1.0, 0.92), id="(100 + 0.25 x 60) / 1.25 is 92"),
        pytest.param([("rights", 1.0, 50.0)], (1.0, 0.75), id="(100 + 50) / 2 is 75"),
        pytest.param([("roll", 110.0, 100.0)], (1.0, 1.1), id="the next contract is a tenth dearer"),
        pytest.param([("roll", 95.0, 100.0)], (1.0, 0.95), id="the next contract is cheaper"),
        pytest.param([("split", 2.0, None), ("dividend", 5.0, None)], (2.0, 0.9), id="5 of the new share's 50"),
        pytest.param([("split", 2.0, None), ("spin_off", 1.0, 20.0)], (2.0, 0.6), id="20 of the new share's 50"),
        pytest.param([("split", 2.0, None), ("rights", 1.0, 30.0)], (2.0, 0.8), id="(50 + 30) / 2 is 40 of 50"),
    ],
)
def test_what_an_action_makes_of_a_close_of_100(rows: list[Row], expected: tuple[float, float]) -> None:
    """New shares for one old, and what stays of the price."""
    table = factor_table(actions(*rows), CLOSES)

    assert [EX] == table["ex_date"].to_list()
    assert pytest.approx(expected, rel=1e-15) == table.row(0)[1:]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(("rights", 0.5, 100.0), id="a right at the price itself"),
        pytest.param(("rights", 0.5, 140.0), id="a right above the price"),
        pytest.param(("rights", 0.5, None), id="a right at an unknown price"),
        pytest.param(("roll", 110.0, None), id="a roll from an unknown price"),
        pytest.param(("spin_off", 1.0, None), id="shares of unknown worth"),
        pytest.param(("spin_off", 1.0, 100.0), id="more than there is"),
        pytest.param(("dividend", 100.0, None), id="all of it"),
        pytest.param(("merger", 3.0, 5.0), id="no distribution"),
        pytest.param(("symbol_change", 1.0, None), id="a new name"),
    ],
)
def test_what_cannot_be_valued_or_changes_nothing_has_no_effect(row: Row) -> None:
    """No factor stands for it."""
    assert factor_table(actions(row), CLOSES).is_empty()


def test_without_a_column_of_prices_spin_offs_and_rights_are_left_out() -> None:
    """The other actions of the day count all the same."""
    table = factor_table(actions(("spin_off", 1.0, None), ("dividend", 10.0, None), priced=False), CLOSES)

    assert [(EX, 1.0, 0.9)] == table.rows()


def test_no_actions_hand_nothing_out() -> None:
    """The frame is empty, with its columns."""
    assert ["ex_date", "split", "cash", "rights", "rights_cost", "roll"] == per_day(actions()).columns


def test_rights_before_the_first_close_have_no_effect() -> None:
    """Nothing is known that they could be measured against."""
    assert factor_table(actions(("rights", 1.0, 50.0)), CLOSES.tail(1)).is_empty()
