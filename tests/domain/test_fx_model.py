"""Random rates against a plain model: which fixing counts, that ways agree, and that nothing of later is seen."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from lengths import usually
from truetape.domain.fixings import FIXINGS, last_out
from truetape.domain.fx import OLDEST, RATES, converted, rates_on

CODES = ("EUR", "USD", "GBP", "JPY", "CHF", "SEK")
START = date(2024, 1, 1)
DAYS = 60
SEEDS = range(usually(2, long=400))
Row = tuple[str, str, date, float]


def worth(seed: int) -> dict[str, list[float]]:
    """What a unit of each currency is worth on each day, in some common good: rates made of it fit each other."""
    dice = random.Random(seed)
    return {code: [dice.uniform(0.01, 2.0) for _ in range(DAYS)] for code in CODES}


def told(seed: int) -> list[Row]:
    """Rates of some pairs on some days, each pair in one of its two directions."""
    dice, value = random.Random(seed), worth(seed)
    pairs = [pair for pair in ((one, other) for one in CODES for other in CODES if one < other) if dice.random() < 0.5]
    turned = [pair if dice.random() < 0.5 else pair[::-1] for pair in pairs]
    return [
        (base, quote, START + timedelta(days=day), value[base][day] / value[quote][day])
        for base, quote in turned
        for day in range(DAYS)
        if dice.random() < 0.6
    ]


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=RATES, orient="row")


def model(rows: list[Row], source: str, target: str, day: date) -> tuple[float, date] | None:
    """The rate of a day and its date: directly, turned, then across EUR, USD and GBP, as far back as is allowed."""

    def leg(base: str, quote: str) -> tuple[float, date] | None:
        found = [
            (on, rate if (one, other) == (base, quote) else None, rate)
            for one, other, on, rate in rows
            if {one, other} == {base, quote} and day - OLDEST <= on <= day
        ]
        straight = [(on, rate) for on, rate, _ in found if rate is not None]
        if straight:
            on, rate = max(straight)
            return rate, on
        turned = [(on, rate) for on, is_straight, rate in found if is_straight is None]
        if turned:
            on, rate = max(turned)
            return 1 / rate, on
        return None

    if source == target:
        return 1.0, day
    direct = leg(source, target)
    if direct:
        return direct
    for pivot in ("EUR", "USD", "GBP"):
        if pivot in (source, target):
            continue
        first, second = leg(source, pivot), leg(pivot, target)
        if first and second:
            return first[0] * second[0], min(first[1], second[1])
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_every_rate_is_that_of_the_model(seed: int) -> None:
    """The same rate and the same date for every pair and day, and none where the model has none."""
    rows, dice = told(seed), random.Random(seed)
    for _ in range(8):
        source, target = dice.choice(CODES), dice.choice(CODES)
        days = [START + timedelta(days=dice.randrange(-3, DAYS + 12)) for _ in range(12)]
        found = rates_on(pl.Series(days), frame(rows), source=source, target=target)
        expected = [model(rows, source, target, day) for day in days]
        assert [one and one[1] for one in expected] == found["fixed"].to_list()
        assert [one and pytest.approx(one[0], rel=1e-12) for one in expected] == found["rate"].to_list()


@pytest.mark.parametrize("seed", SEEDS)
def test_ways_there_and_back_and_across_agree(seed: int) -> None:
    """With every pair told on a day, there and back is one, and any third currency on the way changes nothing."""
    value = worth(seed)
    rows = [(one, other, START, value[one][0] / value[other][0]) for one, other in pairwise((*CODES, CODES[0]))]
    day = pl.Series([START])

    def rate(source: str, target: str, pivots: tuple[str, ...] = CODES) -> float | None:
        found: float | None = rates_on(day, frame(rows), source=source, target=target, pivots=pivots)["rate"][0]
        return found

    for source in CODES:
        for target in CODES:
            there, back = rate(source, target), rate(target, source)
            assert (there is None) == (back is None)
            if there is not None and back is not None:
                assert there * back == pytest.approx(1.0, rel=1e-14)
                assert there == pytest.approx(value[source][0] / value[target][0], rel=1e-13)


@pytest.mark.parametrize("seed", range(usually(5, long=400)))
def test_no_moment_sees_a_rate_that_was_not_out(seed: int) -> None:
    """Rates that come out after a moment may be anything: what is converted at it stays what it was."""
    fixing = list(FIXINGS)[seed % len(FIXINGS)]
    dice, rows, rule = random.Random(seed), told(seed), FIXINGS[fixing]
    begin = datetime(START.year, START.month, START.day, tzinfo=UTC)
    moments = sorted(begin + timedelta(minutes=dice.randrange(DAYS * 1440)) for _ in range(20))
    prices = pl.DataFrame({"at": moments, "close": [100.0] * 20, "currency": [dice.choice(CODES) for _ in moments]})
    until = moments[9]

    def close(known: list[Row]) -> list[tuple[float | None, date | None]]:
        days = last_out(prices["at"], fixing)
        done = converted(prices, frame(known), days=days, target="USD", amounts=("close",))
        return done.select("close", "fx_fixed").rows()[:10]

    def is_out(day: date) -> bool:
        return datetime.combine(day, rule.out, tzinfo=ZoneInfo(rule.zone)) <= until

    forged = [(one, other, day, rate if is_out(day) else rate * 7) for one, other, day, rate in rows]
    cut = [row for row in rows if is_out(row[2])]
    assert close(rows) == close(forged) == close(cut)
