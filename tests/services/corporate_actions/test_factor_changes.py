"""Factors of one instrument from its actions and closes, by knowledge time."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.known_spans import FOREVER
from truetape.domain.schema import check
from truetape.services.corporate_actions.factors import CHANGES, factor_changes

DAYS = [date(2024, 1, day) for day in (2, 3, 4, 5)]


def bars(*told: tuple[date, float | None, int, int]) -> pl.DataFrame:
    """Return closes with the knowledge times since and until which they stood."""
    schema = {"date": pl.Date(), "close": pl.Float64(), "since": pl.Int64(), "until": pl.Int64()}
    return pl.DataFrame(told, schema=schema, orient="row").with_columns(currency=pl.lit("USD"))


BARS = bars(*((day, close, 0, FOREVER) for day, close in zip(DAYS, [100.0, 50.0, None, 40.0], strict=True)))


def actions(*, since: Any = 0, until: Any = FOREVER, **columns: Any) -> pl.DataFrame:
    made = rows("actions", **columns)
    given = {"since": since, "until": until}
    spans = [
        pl.Series(name, one if isinstance(one, list) else [one] * len(made), dtype=pl.Int64)
        for name, one in given.items()
    ]
    return made.with_columns(spans)


def changes(told: pl.DataFrame, closes: pl.DataFrame = BARS) -> list[tuple[object, ...]]:
    found = check(factor_changes(told, closes), CHANGES, kind="changes")
    return found.select("ex_date", "since", "split", "dividend").rows()


def test_splits_and_dividends_become_factors() -> None:
    """A dividend is measured against the last known close before its ex-date; a null value is no action."""
    told = actions(
        ex_date=[DAYS[1], DAYS[2], DAYS[3]],
        type=["split", "dividend", "dividend"],
        value=[2.0, None, 5.0],
    )

    assert changes(told) == [(DAYS[1], 0, 2.0, 1.0), (DAYS[3], 0, 1.0, 0.9)]


def test_a_factor_changes_with_what_is_known_of_its_action() -> None:
    """5 of 50 from 10 on, amended to 10 of 50 at 20, cancelled at 30; told again at 40."""
    told = actions(
        ex_date=[DAYS[3]] * 3, type="dividend", value=[5.0, 10.0, 5.0], since=[10, 20, 40], until=[20, 30, FOREVER]
    )

    assert changes(told) == [
        (DAYS[3], 10, 1.0, 0.9),
        (DAYS[3], 20, 1.0, 0.8),
        (DAYS[3], 30, None, None),
        (DAYS[3], 40, 1.0, 0.9),
    ]


def test_a_factor_changes_with_what_is_known_of_the_close_before() -> None:
    """50 is corrected to 25, then withdrawn, so that the 100 before it counts: 1 - 5/50, 1 - 5/25, 1 - 5/100."""
    closes = bars(
        (DAYS[0], 100.0, 0, FOREVER), (DAYS[1], 50.0, 0, 10), (DAYS[1], 25.0, 10, 20), (DAYS[3], 40.0, 0, FOREVER)
    )
    told = actions(ex_date=[DAYS[3]], type="dividend", value=5.0)

    assert changes(told, closes) == [(DAYS[3], 0, 1.0, 0.9), (DAYS[3], 10, 1.0, 0.8), (DAYS[3], 20, 1.0, 0.95)]


def test_an_action_has_an_effect_while_a_close_from_its_ex_date_on_is_known() -> None:
    """One was there from 10 to 20, another comes at 30; before the first nothing is adjusted for what is to come."""
    closes = bars((DAYS[1], 50.0, 0, FOREVER), (DAYS[2], 50.0, 10, 20), (DAYS[3], 40.0, 30, FOREVER))
    told = actions(ex_date=[DAYS[2]], type="split", value=2.0)

    assert changes(told, closes) == [(DAYS[2], 10, 2.0, 1.0), (DAYS[2], 20, None, None), (DAYS[2], 30, 2.0, 1.0)]
    assert changes(told, closes.head(2)) == [(DAYS[2], 10, 2.0, 1.0), (DAYS[2], 20, None, None)]
    assert changes(told, closes.head(1)) == []


def test_a_dividend_without_an_earlier_close_has_no_effect() -> None:
    """There is nothing that it could be measured against; a split needs nothing."""
    told = actions(ex_date=[DAYS[0], DAYS[0]], type=["dividend", "split"], value=[5.0, 2.0])

    assert changes(told) == [(DAYS[0], 0, 2.0, 1.0)]


@pytest.mark.parametrize(("kind", "expected"), [("dividend", []), ("split", [(DAYS[3], 0, 5.0, 1.0)])])
def test_cash_in_another_currency_has_no_effect(kind: str, expected: list[Any]) -> None:
    """5 pounds cannot be measured against 50 dollars; a split has no currency, whatever is told of it."""
    told = actions(ex_date=[DAYS[3]], type=kind, value=5.0, currency="GBP")

    assert changes(told) == expected


@pytest.mark.parametrize("currency", ["USD", "", None])
def test_cash_in_the_currency_of_the_close_or_in_none_counts(currency: str | None) -> None:
    """Who does not say it means that of the prices."""
    assert changes(actions(ex_date=[DAYS[3]], type="dividend", value=5.0, currency=currency)) == [
        (DAYS[3], 0, 1.0, 0.9)
    ]


@pytest.mark.parametrize("simulated", [True, False])
def test_factors_of_simulated_actions_are_simulated(simulated: bool) -> None:
    """The mark goes with the numbers."""
    told = actions(ex_date=[DAYS[1]], type="split", value=2.0, simulated=simulated)

    assert factor_changes(told, BARS)["simulated"].to_list() == [simulated]


def test_no_actions_are_no_factors() -> None:
    """An instrument without any action has none."""
    assert changes(actions(ex_date=[])) == []


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
    told = actions(ex_date=[DAYS[3]] * len(said), type=types, value=values, agreed=agreed)

    assert [(DAYS[3], 0, *expected)] == changes(told)
