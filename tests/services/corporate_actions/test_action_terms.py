"""What spun-off shares and rights are valued at, and the factors that follow, by hand arithmetic."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from truetape.domain.known_spans import FOREVER
from truetape.services.corporate_actions.factors import factor_changes
from truetape.services.corporate_actions.terms import (
    PRICES,
    SpinOff,
    first_prices,
    in_other_currency,
    listed_as,
    missing_terms,
    stated,
    unstated,
)

FRIDAY, MONDAY, TUESDAY = date(2024, 6, 7), date(2024, 6, 10), date(2024, 6, 11)


def closes(*told: tuple[date, float, int, int]) -> pl.DataFrame:
    schema = {"date": pl.Date(), "close": pl.Float64(), "since": pl.Int64(), "until": pl.Int64()}
    return pl.DataFrame(told, schema=schema, orient="row").with_columns(currency=pl.lit("USD"))


BARS = closes((FRIDAY, 100.0, 0, FOREVER), (MONDAY, 80.0, 0, FOREVER))


def prices(*told: tuple[date, str, float, int, int]) -> pl.DataFrame:
    return pl.DataFrame(told, schema=PRICES, orient="row")


def actions(kind: str, value: float | None, *, until: int = FOREVER) -> pl.DataFrame:
    made = rows("actions", ex_date=[MONDAY], type=kind, value=value, agreed="a")
    return made.with_columns(pl.Series("since", [0]), pl.Series("until", [until]))


def announced(**columns: Any) -> pl.DataFrame:
    given = {"status": "confirmed", "price": "", "new_symbol": "", **columns}
    made = rows("announcements", effective_date=[MONDAY], **given)
    return made.with_columns(pl.Series("since", [5]), pl.Series("until", [50]))


def changes(told: pl.DataFrame, valued: pl.DataFrame) -> list[tuple[object, ...]]:
    return factor_changes(told, BARS, valued).select("since", "split", "dividend").rows()


def test_a_spin_off_takes_the_worth_of_its_shares() -> None:
    """Half a share worth 30 for each, from a close of 100: 1 - 15/100; before its worth is known it takes nothing."""
    valued = prices((MONDAY, "spin_off", 30.0, 10, 20), (MONDAY, "spin_off", 40.0, 20, FOREVER))

    assert changes(actions("spin_off", 0.5), valued) == [(10, 1.0, 0.85), (20, 1.0, 0.8)]
    assert changes(actions("spin_off", 0.5), prices()) == []


def test_rights_leave_the_theoretical_price() -> None:
    """One new share at 60 for each four, from 100: (100 + 15) / 1.25 = 92; 0.92 stays. At 100 and more all of it."""
    cheap, dear = (prices((MONDAY, "rights", one, 0, FOREVER)) for one in (60.0, 100.0))

    assert changes(actions("rights", 0.25), cheap) == [(0, 1.0, pytest.approx(0.92))]
    assert changes(actions("rights", 0.25), dear) == []


def test_of_two_prices_that_stand_at_once_the_first_counts() -> None:
    """Two announcements of one event do not count it twice."""
    both = prices((MONDAY, "spin_off", 30.0, 0, FOREVER), (MONDAY, "spin_off", 40.0, 0, FOREVER))

    assert changes(actions("spin_off", 0.5), both) == [(0, 1.0, 0.85)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"type": "rights", "price": "7/2"}, [(MONDAY, "rights", 3.5, 5, 50)]),
        ({"type": "spin_off", "price": "30"}, [(MONDAY, "spin_off", 30.0, 5, 50)]),
        ({"type": "spin_off", "price": "30", "status": "cancelled"}, []),
        ({"type": "spin_off", "price": "much"}, []),
        ({"type": "merger", "price": "30"}, []),
        ({"type": "rights"}, []),
    ],
)
def test_prices_are_those_of_announcements_that_stand(columns: dict[str, str], expected: list[Any]) -> None:
    """What was called off, is no number, or is no price of what is handed out, does not count."""
    assert expected == stated(announced(**columns)).rows()


def test_what_is_not_stated_is_the_first_close_of_the_new_shares() -> None:
    """Known from 5 on; the close of Monday from 10 to 30, then withdrawn, so that Tuesday's counts; until 50."""
    (one,) = unstated(announced(type="spin_off", new_symbol="NEW"))
    told = closes(
        (FRIDAY, 9.0, 0, FOREVER), (MONDAY, 30.0, 10, 30), (TUESDAY, 32.0, 20, FOREVER), (date(2024, 7, 1), 1.0, 0, 9)
    )

    assert one == SpinOff("NEW", MONDAY, 5, 50)
    assert first_prices(one, told).rows() == [
        (MONDAY, "spin_off", 30.0, 10, 20),
        (MONDAY, "spin_off", 30.0, 20, 30),
        (MONDAY, "spin_off", 32.0, 30, 50),
    ]
    assert unstated(announced(type="spin_off", new_symbol="NEW", price="30")) == []


def test_new_shares_are_found_by_the_ticker_of_the_ex_date() -> None:
    """One that was given up before is another's; an id names itself; where two have it, nobody is guessed."""
    listings = rows(
        "listings",
        instrument_id=["ins_old", "ins_new", "ins_a", "ins_b"],
        symbol=["NEW", "NEW", "TWO", "TWO"],
        valid_from=[None, date(2024, 6, 12), None, None],
        valid_to=[date(2010, 1, 1), None, None, None],
    )

    assert listed_as(listings, "NEW", MONDAY) == "ins_new"
    assert listed_as(listings, "ins_old", MONDAY) == "ins_old"
    assert listed_as(listings, "TWO", MONDAY) is None
    assert listed_as(listings, "NONE", MONDAY) is None


def test_what_cannot_be_valued_is_named() -> None:
    """A spin-off without a price that stands; not one that is gone, is valued, or needs none."""
    assert list(missing_terms(actions("spin_off", 0.5), prices())) == [{"type": "spin_off", "ex_date": MONDAY}]
    assert list(missing_terms(actions("spin_off", 0.5), prices((MONDAY, "spin_off", 1.0, 0, FOREVER)))) == []
    assert list(missing_terms(actions("spin_off", 0.5, until=9), prices())) == []
    assert list(missing_terms(actions("spin_off", None), prices())) == []
    assert list(missing_terms(actions("split", 2.0), prices())) == []


def test_cash_in_another_currency_is_named() -> None:
    """Only where both are known, and while it stands."""
    pounds = actions("dividend", 1.0).with_columns(currency=pl.lit("GBP"))
    unknown = BARS.with_columns(currency=pl.lit(None, pl.String))

    assert list(in_other_currency(pounds, BARS)) == [{"type": "dividend", "ex_date": MONDAY, "currency": "GBP"}]
    assert list(in_other_currency(pounds, unknown)) == []
    assert list(in_other_currency(actions("dividend", 1.0), BARS)) == []
    assert list(in_other_currency(pounds.with_columns(until=pl.lit(9)), BARS)) == []
