"""Rules that one provider's bars must keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import bar_claims, weekdays
from truetape.services.quality.checks import broken_rules, quiet

GOOD: dict[str, float | None] = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5, "volume": 100.0}


def one_bar(**changes: float | None) -> pl.DataFrame:
    values: dict[str, Any] = {name: [value] for name, value in {**GOOD, **changes}.items()}
    return bar_claims("p", [0.0], **values)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, None, id="a good bar"),
        pytest.param({"volume": 0.0}, None, id="nothing traded"),
        pytest.param({"volume": None}, None, id="no volume"),
        pytest.param({"open": None, "high": None, "low": None}, None, id="only a close"),
        pytest.param({"high": 10.5, "low": 10.0}, None, id="open and close are the extremes"),
        pytest.param({"high": 10.5 - 1e-12}, None, id="the last bit of a float"),
        pytest.param({"close": None}, "no_close", id="no close"),
        pytest.param({"open": None, "close": None}, "no_close", id="no close and more"),
        pytest.param({"low": 0.0}, "not_positive", id="zero"),
        pytest.param({"close": -10.5}, "not_positive", id="negative"),
        pytest.param({"open": float("nan")}, "not_positive", id="no number"),
        pytest.param({"high": float("inf")}, "not_positive", id="infinite"),
        pytest.param({"volume": -1.0}, "not_positive", id="negative volume"),
        pytest.param({"high": 10.4}, "ohlc_order", id="a high below the close"),
        pytest.param({"low": 10.1}, "ohlc_order", id="a low above the open"),
        pytest.param({"high": None, "low": 10.1}, "ohlc_order", id="a low above the open, the high unknown"),
    ],
)
def test_the_first_broken_rule_is_named(changes: dict[str, float | None], expected: str | None) -> None:
    """Missing prices are not judged, but for the close."""
    assert broken_rules(one_bar(**changes), stale_sessions=3).to_list() == [expected]


def stale(closes: Sequence[float | None], *, sessions: int = 3, **changes: Any) -> list[bool]:
    rules = broken_rules(bar_claims("p", closes, **{"volume": 7.0, **changes}), stale_sessions=sessions)
    return [rule == "stale" for rule in rules]


def test_three_equal_bars_are_stale_but_for_the_first() -> None:
    """Two may be chance. The first of the run was the truth when it was sent."""
    assert stale([1, 2, 2, 3, 4, 4, 4, 4, 5]) == [False, False, False, False, False, True, True, True, False]


def test_the_length_of_a_run_is_a_setting() -> None:
    """With two sessions a single repeat is stale."""
    assert stale([1, 2, 2, 3], sessions=2) == [False, False, True, False]


def test_bars_without_trades_may_repeat() -> None:
    """Nothing was traded, so the price cannot have moved."""
    assert stale([2, 2, 2, 2], volume=0.0) == [False] * 4
    assert stale([2, 2, 2, 2], volume=[None] * 4) == [False] * 4


def test_another_volume_is_another_bar() -> None:
    """The price of a quiet stock may stand still."""
    assert stale([2, 2, 2, 2], volume=[7.0, 8.0, 9.0, 7.0]) == [False] * 4


def test_a_run_does_not_go_on_into_the_next_provider() -> None:
    """Two providers that say the same are witnesses, not a stale feed."""
    both = pl.concat([bar_claims("p", [2.0, 2.0], volume=7.0), bar_claims("q", [2.0, 2.0], volume=7.0)])

    assert broken_rules(both, stale_sessions=3).to_list() == [None] * 4


def test_no_bars_break_no_rule() -> None:
    """An empty batch is fine."""
    assert broken_rules(bar_claims("p", []), stale_sessions=3).to_list() == []


def ruled(name: str, rules: list[str | None], closes: list[float]) -> pl.DataFrame:
    return bar_claims(name, closes, days=weekdays(len(closes))).with_columns(pl.Series("rule", rules, dtype=pl.String))


def test_a_quiet_market_is_not_a_standing_feed() -> None:
    """A stale bar is believed where another provider says the same and nobody says anything fresh."""
    frame = pl.concat(
        [
            ruled("p", ["stale", "stale", "stale", None], [5.0, 5.0, 5.0, 6.0]),
            ruled("q", ["stale", "stale", "ohlc_order", None], [5.0, 4.0, 5.0, 6.0]),
            ruled("r", ["no_close", "no_close", "no_close", "stale"], [5.0, 4.0, 5.0, 6.0]),
        ]
    )

    assert quiet(frame).to_list() == [True, False, False, False] + [True, False, False, False] + [False] * 4
    assert quiet(ruled("p", [], [])).to_list() == []
