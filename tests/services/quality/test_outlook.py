"""Outlooks of rates, by hand arithmetic, and how often chance alone alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from truetape.services.quality.outlook import Outlook, outlook


def test_a_straight_rise_is_foreseen() -> None:
    """From 1 to 12 of 1000 by one a day: 0.001 a day more, above 0.0155 on the fourth day, 0.013 expected tomorrow."""
    found = outlook(range(1, 13), [1000] * 12, objective=0.0155, horizon=2)

    assert ("worse", 4) == (found.trend, found.crosses_in)
    assert pytest.approx(0.001) == found.slope
    assert [pytest.approx(0.013), pytest.approx(0.014)] == [one.rate for one in found.expected]
    assert pytest.approx(0.012) == found.today
    assert pytest.approx(0.006) == found.usual
    assert not found.unusual


def test_a_fall_never_crosses() -> None:
    """From 12 to 1: better, and nothing below nought is expected."""
    found = outlook(range(12, 0, -1), [1000] * 12, objective=0.015, horizon=3)

    assert ("better", None) == (found.trend, found.crosses_in)
    assert [pytest.approx(0.0), pytest.approx(0.0), pytest.approx(0.0)] == [one.rate for one in found.expected]


def test_the_level_weighs_the_newest_day_most() -> None:
    """Two days of 100 rows, 10 faults and then 20: (0.8 * 10 + 20) / (0.8 * 100 + 100) = 28 / 180."""
    found = outlook([10, 20], [100, 100], objective=0.5, horizon=1)

    assert pytest.approx(28 / 180) == found.level
    assert ("unknown", None, False) == (found.trend, found.usual, found.unusual)


def test_the_interval_of_a_steady_rate_is_binomial() -> None:
    """Two of 100 every day, p = 24.5/1201: half of it is 1.96 sqrt(p q (1/100 + sum w^2 / (100 (sum w)^2)))."""
    found = outlook([2] * 12, [100] * 12, objective=0.05, horizon=1)
    weights = [0.8**age for age in range(12)]
    rate = 24.5 / 1201
    spread = sum(one * one for one in weights) / (100 * sum(weights) ** 2)
    half = 1.959964 * math.sqrt(rate * (1 - rate) * (1 / 100 + spread))

    [ahead] = found.expected
    assert (1, 0.0) == (ahead.days, ahead.low)
    assert [pytest.approx(0.02), pytest.approx(0.02 + half)] == [ahead.rate, ahead.high]
    assert ("steady", 0.0, None) == (found.trend, found.slope, found.crosses_in)


def test_a_rate_above_its_objective_has_crossed() -> None:
    """Half of the rows are wrong."""
    assert 0 == outlook([50] * 12, [100] * 12, objective=0.05).crosses_in


def test_a_crossing_too_far_away_is_not_told() -> None:
    """0.001 a day more, and 0.5 to go."""
    assert outlook(range(1, 13), [1000] * 12, objective=0.6).crosses_in is None


def test_days_without_rows_count_in_time() -> None:
    """Every other day 1, 2, 3 ... of 1000: half the slope; the last day has no rows."""
    faults = [number // 2 + 1 if number % 2 == 0 else 0 for number in range(24)]
    found = outlook(faults, [1000 if number % 2 == 0 else 0 for number in range(24)], objective=1.0)

    assert (None, "worse") == (found.today, found.trend)
    assert pytest.approx(0.0005) == found.slope


@pytest.mark.parametrize("judged", [[], [0, 0]])
def test_nothing_judged_has_no_outlook(judged: list[int]) -> None:
    """Nothing is known of it."""
    expected = Outlook(None, None, unusual=False, level=0.0, trend="unknown", slope=0.0, expected=(), crosses_in=None)

    assert expected == outlook([0] * len(judged), judged, objective=0.1)


def test_one_day_is_its_own_level() -> None:
    """It has no trend."""
    found = outlook([1], [10], objective=0.5)

    assert (0.1, 0.1, "unknown") == (found.today, found.level, found.trend)


@pytest.mark.parametrize(("last", "unusual"), [(0, False), (6, False), (12, True), (40, True)])
def test_a_wild_day_is_unusual_and_no_trend(last: int, unusual: bool) -> None:
    """Twenty days of 2 in 100: 12 have a chance of 1e-6, 6 one of 2 %."""
    found = outlook([2] * 20 + [last], [100] * 21, objective=0.5)

    assert (unusual, "steady") == (found.unusual, found.trend)


@pytest.mark.parametrize("kind", ["rare", "common", "uneven"])
def test_chance_alone_seldom_alarms(kind: str) -> None:
    """Of 600 steady series of 28 days at most 1 in 30 is called worse and 1 in 100 unusual; 93 % of forecasts hold."""
    random = np.random.default_rng({"rare": 1, "common": 2, "uneven": 3}[kind])
    worse = unusual = inside = 0
    for _ in range(600):
        rate: float | np.ndarray = {"rare": 0.0005, "common": 0.03}.get(kind, 0.02)
        if kind == "uneven":
            rate = np.clip(random.gamma(4.0, 0.02 / 4.0, size=29), 0, 1)
        faults = random.binomial(1000, rate, size=29)
        found = outlook(faults[:28].tolist(), [1000] * 28, objective=0.5, horizon=1)
        worse += found.trend == "worse"
        unusual += found.unusual
        inside += found.expected[0].low <= faults[28] / 1000 <= found.expected[0].high

    assert (worse / 600 <= 1 / 30, unusual / 600 <= 1 / 100, inside / 600 >= 0.93) == (True, True, True), (
        worse, unusual, inside,
    )  # fmt: skip


def test_a_real_degradation_is_seen() -> None:
    """A rate that doubles over four weeks is called worse in nearly every series."""
    random = np.random.default_rng(4)
    rates = np.linspace(0.02, 0.04, 28)
    found = [outlook(random.binomial(2000, rates).tolist(), [2000] * 28, objective=0.05) for _ in range(100)]

    assert sum(one.trend == "worse" for one in found) >= 95
