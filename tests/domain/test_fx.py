"""Exchange rates of a day, and series in another currency; every number is worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from truetape.domain.fx import RATES, USED, converted, rates_on

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
    done = converted(bars, QUOTED, days=bars["date"], target="USD", amounts=("close",))
    assert ["USD"] * 4 == done["currency"].to_list()
    assert [1.0, 2.0, 3.0, 4.0] == done["volume"].to_list()
    assert [pytest.approx(110.0), 200.0, pytest.approx(108.0), None] == done["close"].to_list()
    assert [MONDAY, FRIDAY, FRIDAY, None] == done["fx_fixed"].to_list()
    assert ["EUR/USD", "", "1/(EUR/GBP) x EUR/USD", None] == done["fx_path"].to_list()
    assert ["date", "close", "volume", "currency", *USED] == done.columns


def test_the_day_that_counts_is_told_and_no_rows_stay_none() -> None:
    """A bar of Monday morning may use Friday's fixing, which is three days old on Sunday's evening less one."""
    rows = pl.DataFrame({"close": [10.0, 10.0], "currency": ["EUR", "EUR"]})
    days = pl.Series([date(2024, 3, 3), MONDAY])
    done = converted(rows, QUOTED, days=days, target="USD", amounts=("close",))
    assert [pytest.approx(10.8), pytest.approx(11.0)] == done["close"].to_list()
    assert [(FRIDAY, 2), (MONDAY, 0)] == done.select("fx_fixed", "fx_age_days").rows()
    none = converted(rows.clear(), QUOTED, days=days.clear(), target="USD", amounts=("close",))
    assert (0, ["close", "currency", *USED]) == (len(none), none.columns)


@pytest.mark.parametrize(
    ("source", "target", "day", "rate", "path"),
    [
        ("DEM", "EUR", date(2000, 1, 3), 1 / 1.95583, "1/(EUR/DEM)"),
        ("EUR", "DEM", date(2000, 1, 3), 1.95583, "EUR/DEM"),
        ("DEM", "USD", date(2000, 1, 3), 1.02 / 1.95583, "1/(EUR/DEM) x EUR/USD"),
        ("USD", "ITL", date(2000, 1, 3), 1936.27 / 1.02, "1/(EUR/USD) x EUR/ITL"),
        ("FRF", "DEM", date(2000, 1, 3), 1.95583 / 6.55957, "1/(EUR/FRF) x EUR/DEM"),  # triangulated, as the law asks
        ("DEM", "USD", date(1998, 6, 1), 0.56, "DEM/USD"),  # before, a rate of its own
        ("DEM", "EUR", date(1998, 6, 1), None, None),  # and there was no euro
        ("TRL", "TRY", date(2000, 1, 3), 1e-6, ""),
        ("TRL", "USD", date(2006, 1, 2), 1e-6 / 1.35, "1/(USD/TRY)"),
        ("TRY", "USD", date(2000, 1, 3), 1e6 / 540_000, "1/(USD/TRY)"),  # told in old lira then
        ("BGL", "EUR", date(2026, 1, 5), 1 / 1000 / 1.95583, "1/(EUR/BGN)"),
        ("BYB", "BYN", date(2020, 1, 2), 1e-7, ""),  # twice fewer noughts
    ],
)
def test_old_currencies(source: str, target: str, day: date, rate: float | None, path: str | None) -> None:
    """What became the euro is a fixed part of it from that day on, and old units are new ones on any day."""
    told = _rates(
        ("DEM", "USD", date(1998, 6, 1), 0.56),
        ("EUR", "USD", date(2000, 1, 3), 1.02),
        ("USD", "TRL", date(2000, 1, 3), 540_000.0),
        ("USD", "TRY", date(2006, 1, 2), 1.35),
    )
    found = rates_on(pl.Series([day]), told, source=source, target=target).row(0, named=True)
    assert path == found["path"]
    assert found["rate"] == (rate if rate is None else pytest.approx(rate, rel=1e-14))


def test_a_series_goes_on_over_the_day_it_became_the_euro() -> None:
    """The days on both sides of the first of January stand in one answer, in the order asked."""
    told = _rates(("DEM", "USD", date(1998, 12, 30), 0.6), ("EUR", "USD", date(1999, 1, 4), 1.18))
    days = pl.Series([date(1999, 1, 4), date(1998, 12, 31)])
    found = rates_on(days, told, source="DEM", target="USD")
    assert [pytest.approx(1.18 / 1.95583), 0.6] == found["rate"].to_list()
    assert [date(1999, 1, 4), date(1998, 12, 30)] == found["fixed"].to_list()
