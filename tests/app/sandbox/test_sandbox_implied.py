"""Splits and dividends read off the ratio of adjusted to raw closes, by hand arithmetic."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from truetape.app.sandbox.implied import implied_actions

DAYS = [date(2020, 1, day) for day in (2, 3, 6, 7)]


def bars(closes: list[float], adjusted: list[float]) -> pl.DataFrame:
    stamps = pl.Series(DAYS[: len(closes)]).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
    return pl.DataFrame({"ts_event": stamps, "close": closes, "adj_close": adjusted})


@pytest.mark.parametrize(
    ("closes", "adjusted", "expected"),
    [
        pytest.param([50.0, 51.0], [50.0, 51.0], [], id="nothing happened"),
        pytest.param([], [], [], id="no bars"),
        pytest.param([50.0, 49.0], [49.0, 49.0], [(DAYS[1], "dividend", 1.0)], id="1 - 1/50 = 0.98"),
        pytest.param([50.0, 49.0], [98.0, 98.0], [(DAYS[1], "dividend", 1.0)], id="another anchor"),
        pytest.param([90.0, 45.0], [45.0, 45.0], [(DAYS[1], "split", 2.0)], id="two for one"),
        pytest.param([90.0, 60.0], [60.0, 60.0], [(DAYS[1], "split", 1.5)], id="three for two"),
        pytest.param([5.0, 50.0], [50.0, 50.0], [(DAYS[1], "split", 0.1)], id="one for ten"),
        pytest.param([30.0, 26.0], [27.0, 26.0], [(DAYS[1], "dividend", 3.0)], id="a special tenth"),
        pytest.param(
            [100.0, 48.0],
            [49.0, 48.0],
            [(DAYS[1], "dividend", 1.0), (DAYS[1], "split", 2.0)],
            id="both: 1 of the new 50 is 2 %, 100 / 2 * 0.98 = 49",
        ),
        pytest.param(
            [100.0, 50.0, 50.0, 50.0],
            [48.02, 49.0, 49.0, 50.0],
            [(DAYS[1], "dividend", 1.0), (DAYS[1], "split", 2.0), (DAYS[3], "dividend", 1.0)],
            id="two dividends and a split: 50 * 0.98 * 0.98 = 48.02",
        ),
        pytest.param([50.0, 50.0], [50.01, 50.0], [], id="rounding"),
        pytest.param([50.0, 50.0], [51.0, 50.0], [], id="a rise by 2 % is no action that is known"),
    ],
)
def test_actions_are_read_off_the_ratio(
    closes: list[float], adjusted: list[float], expected: list[tuple[date, str, float]]
) -> None:
    """Each change of the ratio becomes the split and the cash that explain it."""
    assert expected == implied_actions(bars(closes, adjusted)).rows()


def test_cash_has_the_fewest_decimals_that_explain_the_close() -> None:
    """Cents are tried first; where they would miss the adjusted close by more than 1e-4 there are more decimals."""
    fine = bars([10.0, 10.0], [10.0 - 0.0625, 10.0])
    rounded = bars([500.0, 500.0], [500.0 - 1.0049, 500.0])

    assert [0.062] == implied_actions(fine)["value"].to_list()
    assert [1.0] == implied_actions(rounded)["value"].to_list()
