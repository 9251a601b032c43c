"""Exchange rates of a day, and series in another currency; every number is worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from truetape.domain.fx import RATES, converted, rates_on

FRIDAY, SATURDAY, MONDAY = date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 4)


def _rates(*rows: tuple[str, str, date, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RATES, orient="row")


QUOTED = _rates(
    ("EUR", "USD", FRIDAY, 1.08),
    ("EUR", "USD", MONDAY, 1.10),
    ("EUR", "GBP", FRIDAY, 0.85),
    ("EUR", "GBP", MONDAY, 0.88),
    ("USD", "JPY", FRIDAY, 150.0),
)


@pytest.mark.parametrize(
    ("source", "target", "day", "rate", "fixed", "path"),
    [
        ("EUR", "USD", MONDAY, 1.10, MONDAY, "EUR/USD"),
        ("EUR", "USD", SATURDAY, 1.08, FRIDAY, "EUR/USD"),  # the weekend has Friday's
        ("USD", "EUR", FRIDAY, 1 / 1.08, FRIDAY, "1/(EUR/USD)"),
        ("USD", "GBP", FRIDAY, 0.85 / 1.08, FRIDAY, "1/(EUR/USD) x EUR/GBP"),
        ("EUR", "JPY", MONDAY, 1.10 * 150, FRIDAY, "EUR/USD x USD/JPY"),  # as old as its older half
        ("GBp", "EUR", FRIDAY, 1 / 85, FRIDAY, "1/(EUR/GBP)"),  # a hundredth of a pound
        ("EUR", "GBp", FRIDAY, 85.0, FRIDAY, "EUR/GBP"),
        ("GBp", "GBP", FRIDAY, 0.01, FRIDAY, ""),
        ("CHF", "CHF", FRIDAY, 1.0, FRIDAY, ""),
    ],
)
def test_the_rate_of_a_day(source: str, target: str, day: date, rate: float, fixed: date, path: str) -> None:
    """As quoted, the other way round, or across a pivot; the path says how."""
    found = rates_on(pl.Series([day]), QUOTED, source=source, target=target).row(0, named=True)
    assert (day, fixed, path) == (found["date"], found["fixed"], found["path"])
    assert found["rate"] == pytest.approx(rate, rel=1e-14)


def test_a_rate_that_is_too_old_is_none() -> None:
    """A week at most, unless more is allowed; before the first fixing there is none."""
    days = pl.Series([MONDAY + timedelta(days=7), MONDAY + timedelta(days=8), date(2024, 2, 29)])
    assert [1.10, None, None] == rates_on(days, QUOTED, source="EUR", target="USD")["rate"].to_list()
    longer = rates_on(days, QUOTED, source="EUR", target="USD", oldest=timedelta(days=30))
    assert [1.10, 1.10, None] == longer["rate"].to_list()
    assert [None] == rates_on(days[:1], QUOTED, source="EUR", target="CHF")["path"].to_list()


def test_rates_that_cannot_be_right_are_ignored_and_the_last_of_a_day_counts() -> None:
    """Nought and infinity are no rates; a correction stands after what it corrects."""
    told = _rates(
        ("EUR", "USD", FRIDAY, 1.07),
        ("EUR", "USD", FRIDAY, 1.08),
        ("EUR", "USD", MONDAY, 0.0),
        ("EUR", "USD", MONDAY, float("inf")),
    )
    found = rates_on(pl.Series([MONDAY, FRIDAY]), told, source="EUR", target="USD")
    assert [(MONDAY, 1.08, FRIDAY), (FRIDAY, 1.08, FRIDAY)] == found.select("date", "rate", "fixed").rows()


def test_only_the_pivots_that_are_allowed() -> None:
    """Without the euro there is no way from dollars to pounds here; the order of pivots is the order of preference."""
    days = pl.Series([FRIDAY])
    assert [None] == rates_on(days, QUOTED, source="USD", target="GBP", pivots=("CHF",))["rate"].to_list()
    more = pl.concat([QUOTED, _rates(("USD", "CHF", FRIDAY, 0.9), ("CHF", "GBP", FRIDAY, 0.8))])
    chosen = rates_on(days, more, source="USD", target="GBP", pivots=("CHF", "EUR"))
    assert [("USD/CHF x CHF/GBP", pytest.approx(0.72))] == chosen.select("path", "rate").rows()


def test_a_series_in_several_currencies_becomes_one() -> None:
    """Each row by the rate of its own date; volumes stay, and rows without a rate have no price."""
    bars = pl.DataFrame(
        {
            "date": [MONDAY, FRIDAY, FRIDAY, FRIDAY],
            "close": [100.0, 200.0, 8500.0, 5.0],
            "volume": [1.0, 2.0, 3.0, 4.0],
            "currency": ["EUR", "USD", "GBp", "XXX"],
        }
    )
    done = converted(bars, QUOTED, target="USD", amounts=("close",))
    assert ["USD"] * 4 == done["currency"].to_list()
    assert [1.0, 2.0, 3.0, 4.0] == done["volume"].to_list()
    assert [pytest.approx(110.0), 200.0, pytest.approx(108.0), None] == done["close"].to_list()
    assert [MONDAY, FRIDAY, FRIDAY, None] == done["fx_date"].to_list()
    assert ["date", "close", "volume", "currency", "fx_rate", "fx_date"] == done.columns


def test_instants_count_by_their_date_and_no_rows_stay_none() -> None:
    """A bar at noon of a day has the rate of that day."""
    noon = pl.Series("ts_event", [MONDAY]).cast(pl.Datetime("ns", "UTC")) + timedelta(hours=12)
    rows = pl.DataFrame({"ts_event": noon, "close": [10.0], "currency": ["EUR"]})
    assert [pytest.approx(11.0)] == converted(rows, QUOTED, target="USD", amounts=("close",))["close"].to_list()
    none = converted(rows.clear(), QUOTED, target="USD", amounts=("close",))
    assert (0, ["ts_event", "close", "currency", "fx_rate", "fx_date"]) == (len(none), none.columns)
