"""Adjustment: factors by hand, properties, and Yahoo's own adjusted close over 42 years."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.adjust import (
    ADJUSTMENTS,
    Adjustment,
    adjust,
    factor_table,
    snap,
    unsplit,
    unsplit_dividends,
)

MONDAY = date(2024, 6, 3)
DAYS = [MONDAY + timedelta(number) for number in range(5)]
CENT = 0.01


def instants(days: list[date]) -> pl.Series:
    return pl.Series("ts_event", days).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")


def bars(
    closes: list[float], volumes: list[float | None] | None = None, *, days: list[date] | None = None
) -> pl.DataFrame:
    frame = pl.DataFrame({"ts_event": instants(days or DAYS[: len(closes)]), "close": closes})
    return frame if volumes is None else frame.with_columns(pl.Series("volume", volumes, dtype=pl.Float64))


def closes(values: list[float | None], days: list[date] | None = None) -> pl.DataFrame:
    return pl.DataFrame({"date": days or DAYS[: len(values)], "close": pl.Series(values, dtype=pl.Float64)})


def actions(*rows: tuple[date, str, float]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"ex_date": pl.Date, "type": pl.String, "value": pl.Float64}, orient="row")


def splits(*rows: tuple[date, float]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"ex_date": pl.Date, "value": pl.Float64}, orient="row")


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_bars_may_stand_in_any_order_and_unit_of_time(unit: Any) -> None:
    """A split 2-for-1 on Wednesday and half of the price paid on Friday, for the last and the first bar alike."""
    factors = pl.DataFrame({"ex_date": [DAYS[2], DAYS[4]], "split": [2.0, 1.0], "dividend": [1.0, 0.5]})
    series = bars([100.0, 100.0, 50.0, 50.0, 25.0]).with_columns(pl.col("ts_event").dt.cast_time_unit(unit))
    forward = adjust(series, factors, adjustment="all")
    assert [25.0] * 5 == forward["close"].to_list()
    assert adjust(series.reverse(), factors, adjustment="all").equals(forward.reverse())
    assert adjust(series, factors.tail(1), adjustment="split").equals(series)


def test_a_dividend_takes_its_share_of_the_close_before_the_ex_date() -> None:
    """1.00 paid on a close of 50.00 leaves 0.98."""
    table = factor_table(actions((DAYS[2], "dividend", 1.0)), closes([40.0, 50.0, 49.0, 49.0]))

    assert table.rows() == [(DAYS[2], 1.0, 0.98)]


def test_a_dividend_on_a_split_day_is_paid_on_the_new_shares() -> None:
    """After 2 for 1 the close of 50.00 is worth 25.00 a share, so 1.00 leaves 0.96."""
    table = factor_table(actions((DAYS[2], "dividend", 1.0), (DAYS[2], "split", 2.0)), closes([40.0, 50.0, 24.0]))

    assert table.rows() == [(DAYS[2], 2.0, 0.96)]


def test_a_dividend_on_a_split_day_of_split_adjusted_closes_needs_no_split() -> None:
    """If the close before reads 25.00 already, 1.00 leaves the same 0.96."""
    days = actions((DAYS[2], "dividend", 1.0), (DAYS[2], "split", 2.0))

    assert factor_table(days, closes([20.0, 25.0, 24.0]), basis="split").rows() == [(DAYS[2], 2.0, 0.96)]


def test_actions_of_one_day_work_together() -> None:
    """Two dividends of 0.50 add up to 1.00, and 2 for 1 with 3 for 1 make 6 for 1."""
    many = actions(
        (DAYS[1], "dividend", 0.5), (DAYS[1], "dividend", 0.5), (DAYS[2], "split", 2.0), (DAYS[2], "split", 3.0)
    )

    assert factor_table(many, closes([50.0, 49.0, 8.0])).rows() == [(DAYS[1], 1.0, 0.98), (DAYS[2], 6.0, 1.0)]


@pytest.mark.parametrize(
    ("action", "series"),
    [
        pytest.param((DAYS[0], "dividend", 1.0), [50.0, 50.0], id="on the first day: no close before"),
        pytest.param((MONDAY - timedelta(9), "dividend", 1.0), [50.0, 50.0], id="before the first close"),
        pytest.param((DAYS[3], "dividend", 1.0), [50.0, 50.0], id="after the last close"),
        pytest.param((DAYS[3], "split", 2.0), [50.0, 50.0], id="split after the last close"),
        pytest.param((DAYS[1], "split", 1.0), [50.0, 50.0], id="one for one"),
        pytest.param((DAYS[1], "dividend", 0.0), [50.0, 50.0], id="nothing paid"),
        pytest.param((DAYS[1], "dividend", 50.0), [50.0, 50.0], id="the whole close"),
        pytest.param((DAYS[1], "dividend", 5000.0), [50.0, 50.0], id="a dividend in cents"),
        pytest.param((DAYS[1], "dividend", 1.0), [0.0, 50.0], id="a close of zero"),
    ],
)
def test_actions_without_effect_are_left_out(action: tuple[date, str, float], series: list[float]) -> None:
    """An action that cannot touch any earlier price has no factor."""
    assert factor_table(actions(action), closes([*series])).is_empty()


def test_a_missing_close_is_passed_over() -> None:
    """The dividend is measured by the last close that is known."""
    table = factor_table(actions((DAYS[2], "dividend", 1.0)), closes([50.0, None, 49.0]))

    assert table.rows() == [(DAYS[2], 1.0, 0.98)]


@pytest.mark.parametrize("which", ["actions", "closes"])
def test_no_actions_or_no_closes_make_no_factors(which: str) -> None:
    """The empty table has the columns of a full one."""
    some_actions = actions() if which == "actions" else actions((DAYS[1], "split", 2.0))
    some_closes = closes([]) if which == "closes" else closes([1.0, 2.0])

    table = factor_table(some_actions, some_closes)

    assert dict(table.schema) == {"ex_date": pl.Date(), "split": pl.Float64(), "dividend": pl.Float64()}
    assert table.is_empty()


def factors(*rows: tuple[date, float, float]) -> pl.DataFrame:
    schema = {"ex_date": pl.Date, "split": pl.Float64, "dividend": pl.Float64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


SPLIT_AND_DIVIDEND = factors((DAYS[1], 2.0, 1.0), (DAYS[3], 1.0, 0.5))


@pytest.mark.parametrize(
    ("adjustment", "basis", "expected_closes", "expected_volumes"),
    [
        ("raw", "raw", [80.0, 40.0, 40.0, 20.0], [10.0, 20.0, None, 20.0]),
        ("split", "raw", [40.0, 40.0, 40.0, 20.0], [20.0, 20.0, None, 20.0]),
        ("all", "raw", [20.0, 20.0, 20.0, 20.0], [20.0, 20.0, None, 20.0]),
        ("split", "split", [80.0, 40.0, 40.0, 20.0], [10.0, 20.0, None, 20.0]),
        ("all", "split", [40.0, 20.0, 20.0, 20.0], [10.0, 20.0, None, 20.0]),
    ],
)
def test_prices_before_an_ex_date_are_brought_onto_the_last_bar(
    adjustment: Adjustment, basis: str, expected_closes: list[float], expected_volumes: list[float | None]
) -> None:
    """The bar of the ex-date itself is new already; volumes follow splits and never dividends."""
    given_bars = bars([80.0, 40.0, 40.0, 20.0], [10.0, 20.0, None, 20.0])

    adjusted = adjust(given_bars, SPLIT_AND_DIVIDEND, adjustment=adjustment, basis=basis)

    assert adjusted["close"].to_list() == expected_closes
    assert adjusted["volume"].to_list() == expected_volumes


def test_bars_without_volume_are_adjusted_too() -> None:
    """Only the columns that are there are touched."""
    assert adjust(bars([80.0, 40.0]), SPLIT_AND_DIVIDEND, adjustment="split")["close"].to_list() == [40.0, 40.0]


def test_split_adjusted_bars_are_not_made_raw_by_adjusting() -> None:
    """The error names the function that does it."""
    with pytest.raises(ValueError, match="use unsplit"):
        adjust(bars([1.0]), factors(), adjustment="raw", basis="split")


@pytest.mark.parametrize("adjustment", ADJUSTMENTS)
def test_nothing_in_nothing_out(adjustment: Adjustment) -> None:
    """No bars or no factors leave the bars alone."""
    assert adjust(bars([]), SPLIT_AND_DIVIDEND, adjustment=adjustment).is_empty()
    assert adjust(bars([80.0]), factors(), adjustment=adjustment).equals(bars([80.0]))


def test_adjusting_in_two_steps_is_adjusting_at_once() -> None:
    """Splits first and dividends later give what both together give."""
    given_bars = bars([80.0, 40.0, 40.0, 20.0], [10.0, 20.0, 5.0, 20.0])
    half_way = adjust(given_bars, SPLIT_AND_DIVIDEND, adjustment="split")

    assert adjust(half_way, SPLIT_AND_DIVIDEND, adjustment="all", basis="split").equals(
        adjust(given_bars, SPLIT_AND_DIVIDEND, adjustment="all")
    )


RATIOS = st.sampled_from([1.5, 2.0, 3.0, 4.0, 7.0, 20.0, 0.1, 0.05])
CENTS = st.integers(min_value=500, max_value=50_000_00)


@given(
    cents=st.lists(CENTS, min_size=5, max_size=5),
    volumes=st.lists(st.integers(1_000, 10_000_000), min_size=5, max_size=5),
    ratios=st.lists(RATIOS, min_size=0, max_size=2),
)
def test_unsplit_undoes_a_split_adjustment(cents: list[int], volumes: list[int], ratios: list[float]) -> None:
    """Prices in cents come back to the cent, volumes to the share, even through 32-bit floats."""
    raw = bars([cent / 100 for cent in cents], [float(volume) for volume in volumes])
    ex_days = splits(*((DAYS[2 * place + 1], ratio) for place, ratio in enumerate(ratios)))
    table = factor_table(ex_days.with_columns(pl.lit("split").alias("type")), closes([1.0] * 5))
    adjusted = adjust(raw, table, adjustment="split")
    touched = adjusted["close"] != raw["close"]
    sent = adjusted.with_columns(pl.col("close").cast(pl.Float32).cast(pl.Float64))

    back = unsplit(sent, ex_days)

    assert back["close"].filter(touched).to_list() == raw["close"].filter(touched).to_list()
    assert back["close"].to_list() == pytest.approx(raw["close"].to_list(), abs=CENT / 2)
    assert back["volume"].to_list() == pytest.approx(raw["volume"].to_list(), abs=CENT)


def test_unsplit_touches_only_what_a_later_split_has_touched() -> None:
    """A third decimal place after the last split is the provider's own and stays."""
    back = unsplit(bars([10.123456, 10.123456], [1.5, 1.5]), splits((DAYS[1], 2.0)))

    assert back.select("close", "volume").rows() == [(20.246912, 0.75), (10.123456, 1.5)]


def test_unsplit_rounds_volumes_that_are_nearly_whole() -> None:
    """A third of 100 shares, times 3, is 100 shares."""
    back = unsplit(bars([1.0, 1.0], [99.999 * 3, None]), splits((DAYS[2], 3.0)))

    assert back["volume"].to_list() == [100.0, None]


def test_unsplit_without_volume_splits_or_bars() -> None:
    """Bars may lack a volume, and there may be nothing to do."""
    assert unsplit(bars([10.0]), splits((DAYS[2], 2.0)))["close"].to_list() == [20.0]
    assert unsplit(bars([10.0]), splits()).equals(bars([10.0]))
    assert unsplit(bars([]), splits((DAYS[2], 2.0))).is_empty()


def test_dividends_of_todays_count_become_cash_as_paid() -> None:
    """Apple's 0.00054 of 1987 was 12 cents a share: five splits, 224 for 1, came later."""
    apple = splits(
        (date(2020, 8, 31), 4.0),
        (date(1987, 6, 16), 2.0),
        (date(2000, 6, 21), 2.0),
        (date(2005, 2, 28), 2.0),
        (date(2014, 6, 9), 7.0),
    )
    paid = pl.DataFrame(
        {"ex_date": [date(1987, 5, 11), date(2012, 8, 9), date(2021, 2, 5)], "value": [0.000536, 0.094643, 0.205]}
    )

    back = unsplit_dividends(paid, apple)

    assert back["value"].to_list() == pytest.approx([0.120064, 2.65, 0.205], abs=1e-5)
    assert unsplit_dividends(paid, splits()).equals(paid)
    assert unsplit_dividends(paid.clear(), apple).is_empty()


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (187.14999389648438, 187.15),
        (0.1283479928970337, 0.1283479928970337),
        (0.12340000271797180, 0.1234),
        (26.5, 26.5),
        (0.00001, 0.00001),
        (12.3456, 12.3456),
        (None, None),
    ],
)
def test_snap_removes_what_32_bits_have_added_and_nothing_else(price: float | None, expected: float | None) -> None:
    """A price that is no number of cents, or of hundredths of a cent, stays as it is."""
    assert pl.select(snap(pl.lit(price, dtype=pl.Float64))).item() == expected


def yahoo_day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


@pytest.fixture(scope="module")
def apple(recordings: Path) -> dict[str, Any]:
    text = (recordings / "yahoo/chart_v8/AAPL_1d_max_1980-2022_div_splits.json").read_text()
    result: dict[str, Any] = json.loads(text)["chart"]["result"][0]
    return result


def worst_error(apple: dict[str, Any], *, dividends: bool) -> float:
    days = [yahoo_day(seconds) for seconds in apple["timestamp"]]
    close = apple["indicators"]["quote"][0]["close"]
    events = apple["events"]
    told = [
        (yahoo_day(one["date"]), "split", one["numerator"] / one["denominator"]) for one in events["splits"].values()
    ]
    if dividends:
        told += [(yahoo_day(one["date"]), "dividend", one["amount"]) for one in events["dividends"].values()]
    table = factor_table(actions(*told), closes(close, days), basis="split")
    adjusted = adjust(bars(close, days=days), table, adjustment="all", basis="split")["close"]
    expected = pl.Series(apple["indicators"]["adjclose"][0]["adjclose"])
    worst = ((adjusted - expected) / expected).abs().max()
    assert isinstance(worst, float)
    return worst


def test_yahoos_adjusted_close_is_reproduced_over_42_years(apple: dict[str, Any]) -> None:
    """74 dividends and 5 splits of AAPL from 1980 to 2022 agree to one in a million, and not without the dividends."""
    assert len(apple["timestamp"]) == 10_395
    assert len(apple["events"]["dividends"]) == 74
    assert worst_error(apple, dividends=True) < 1e-6
    assert worst_error(apple, dividends=False) > 0.1
