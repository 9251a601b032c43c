"""What is usual for a series at a time, by series that go up and down by one percent."""

from __future__ import annotations

from datetime import timedelta
from math import log
from typing import Any

import polars as pl
import pytest

from evidence_doubles import MONDAY, around, bars, day
from truetape.services.quality.checks import Surroundings, prepare
from truetape.services.quality.checks.regime import NORMAL, SAMPLE, turnover_spread

UP = log(1.01)


def wave(count: int, *, step: float = 1.0) -> list[float]:
    """Return closes of 100 and 100 + step in turn."""
    return [100.0 + step * (number % 2) for number in range(count)]


def column(name: str, records: pl.DataFrame, known: Surroundings | None = None) -> list[Any]:
    return prepare(records, surroundings=known, needs=[name])[name].to_list()


def test_the_usual_move_is_the_robust_sigma() -> None:
    """Every move is ln 1.01, up or down, so sigma is 1.4826 times that, in a whole block and in what is left over."""
    assert [pytest.approx(NORMAL * UP)] * 30 == column("usual_move", bars(wave(30)))


def test_a_fault_of_few_rows_does_not_move_it() -> None:
    """Three closes of 500 among thirty leave the median where it was."""
    closes = [500.0 if number in (4, 11, 12) else close for number, close in enumerate(wave(30))]

    assert [pytest.approx(NORMAL * UP)] * 30 == column("usual_move", bars(closes))


@pytest.mark.parametrize(("rows", "known"), [(6, 0), (7, 0), (8, 8)])
def test_seven_moves_make_a_regime(rows: int, known: int) -> None:
    """Eight rows have seven moves; with fewer, nothing is said."""
    told = column("usual_move", bars(wave(rows)))

    assert known == sum(value is not None for value in told)


def test_moves_of_nothing_do_not_count() -> None:
    """A series that trades every third day has the sigma of the days on which it trades."""
    closes = [close for close in wave(14) for _ in range(3)]

    assert [pytest.approx(NORMAL * UP)] * 42 == column("usual_move", bars(closes))


def test_blocks_are_judged_with_their_neighbours_by_the_greatest() -> None:
    """Of four blocks of 21 rows the second moves by two percent: the first three are judged by it, the fourth not."""
    closes = wave(21) + wave(21, step=2.0) + wave(42)
    wild, calm = pytest.approx(NORMAL * log(1.02)), pytest.approx(NORMAL * UP)

    assert [wild] * 63 + [calm] * 21 == column("usual_move", bars(closes))


def test_turnover_is_judged_by_the_middle_block() -> None:
    """Volumes of 1, 3, 2 in three blocks at a price of 100: the ends have the mean of two, the middle the median."""
    records = bars([100.0] * 63, volume=[1.0] * 21 + [3.0] * 21 + [2.0] * 21)

    assert [200.0] * 21 + [200.0] * 21 + [250.0] * 21 == column("usual_turnover", records)


def test_series_have_regimes_of_their_own() -> None:
    """A series of one percent beside one of two, and one that is too short."""
    records = pl.concat([bars(wave(25)), bars(wave(25, step=2.0), instrument_id="b"), bars(wave(5), instrument_id="c")])
    expected = [NORMAL * UP] * 25 + [NORMAL * log(1.02)] * 25 + [None] * 5

    assert [None if one is None else pytest.approx(one) for one in expected] == column("usual_move", records)


def test_declared_actions_are_taken_out_of_a_move() -> None:
    """101 to 50 with two shares for one, then 50 to 49 with a dividend of 1: nothing is left of either."""
    records = bars([101.0, 50.5, 49.5])
    known = around(actions=[(day(1), "split", 2.0), (day(2), "dividend", 1.0)])

    assert [None, pytest.approx(0.0), pytest.approx(0.0)] == column("move", records, known)
    assert [None, pytest.approx(log(0.5)), pytest.approx(log(49.5 / 50.5))] == column("move", records)


def test_the_spread_of_turnover_is_that_of_its_logarithm() -> None:
    """Volumes of 100 and 400 in turn have a median of 100 or 400, and every other one lies ln 4 from it."""
    records = bars([100.0] * 21, volume=[100.0, 400.0] * 10 + [100.0])
    evidence = prepare(records, needs=["usual_turnover", "starts"])

    assert [10_000.0] * 21 == evidence["usual_turnover"].to_list()
    assert [pytest.approx(NORMAL * log(4))] * 21 == turnover_spread(evidence).to_list()


def shaken(factors: list[float]) -> pl.DataFrame:
    """Return as many series of 40 rows, each with its last close times its factor."""
    return pl.concat(
        bars([*wave(39), 100.0 * factor], instrument_id=f"i{number}") for number, factor in enumerate(factors)
    )


def test_what_the_whole_market_does_is_no_surprise() -> None:
    """Five series fall by a tenth at once; four are no market, and one that rises then is as far as it is by itself."""
    fall = log(0.9) / (NORMAL * UP)

    assert [pytest.approx(0.0)] * 5 == last_surprises(shaken([0.9] * 5))
    assert [pytest.approx(fall)] * 4 == last_surprises(shaken([0.9] * 4))
    assert pytest.approx(log(1.1) / (NORMAL * UP) / (-log(0.9) / UP)) == last_surprises(shaken([0.9] * 5 + [1.1]))[-1]


def test_turmoil_widens_what_is_usual() -> None:
    """Moves of a, a, -a, -a, 3a: the last is 2a from the median a, and all are a / ln 1.01 times an ordinary day's."""
    a = log(1.2)
    surprises = last_surprises(shaken([1.2, 1.2, 1 / 1.2, 1 / 1.2, 1.2**3]))

    assert pytest.approx(2 * a / (NORMAL * UP) / (a / UP)) == surprises[-1]


def test_a_sample_speaks_for_a_large_market() -> None:
    """Of many series only some are looked at, and all are excused by what these did."""
    surprises = last_surprises(shaken([0.9] * (2 * SAMPLE + 1)))

    assert [pytest.approx(0.0)] * (2 * SAMPLE + 1) == surprises


def test_nothing_is_known_of_nothing() -> None:
    """Evidence without rows has the columns all the same."""
    empty = prepare(bars([1.0]).clear(), needs=["surprise", "usual_turnover"])

    assert {"move", "usual_move", "surprise", "usual_turnover"} <= {*empty.columns}
    assert 0 == len(empty)


def last_surprises(records: pl.DataFrame) -> list[float]:
    evidence = prepare(records, needs=["surprise"])
    last = MONDAY + timedelta(days=39 // 5 * 7 + 39 % 5)
    return evidence.filter(pl.col("ts_event").dt.date() == last)["surprise"].to_list()
