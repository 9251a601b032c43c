"""What is unlikely of a series whose closes are 100 and 101 in turn: its sigma is 1.4826 x ln 1.01, or 1.475 %."""

from __future__ import annotations

from math import exp, log

import polars as pl
import pytest

from evidence_doubles import around, bars, broken, day, found

SIGMA = 1.4826 * log(1.01)
ACCUSING = ("spike", "level_shift", "far_high", "far_low")


def wave(**at: float) -> list[float]:
    """Return 63 closes of 100 and 101 in turn, with factors from rows named `r30`, or at rows named `x30` alone."""
    closes = [100.0 + number % 2 for number in range(63)]
    for name, factor in at.items():
        row, kind = int(name[1:]), name[0]
        closes = [c * factor if (n == row if kind == "x" else n >= row) else c for n, c in enumerate(closes)]
    return closes


def accused(records: pl.DataFrame, *args: object) -> dict[str, list[int]]:
    """Return the rows that each accusing check finds."""
    rows = {name: broken(name, records, *args) for name in ACCUSING}  # type: ignore[arg-type]
    return {name: own for name, own in rows.items() if own}


@pytest.mark.parametrize(
    ("factor", "repair", "number"),
    [(1.2, "rebuild", None), (0.5, "rebuild", None), (10.0, "scale_row", 0.1), (0.01, "scale_row", 100.0)],
)
def test_a_close_that_leaves_for_one_bar_is_a_spike(factor: float, repair: str, number: float | None) -> None:
    """Thirty rows of calm, one bar elsewhere, and back; powers of ten are misplaced decimal points."""
    records = bars(wave(x30=factor))
    (row,) = found("spike", records).rows(named=True)

    assert {"spike": [30]} == accused(records)
    assert (30, repair, number) == (row["row"], row["repair"], number and pytest.approx(row["repair_value"]))
    assert pytest.approx(101 * exp(-4 * SIGMA)) == row["expected_low"]
    assert pytest.approx(101 * exp(4 * SIGMA)) == row["expected_high"]


def test_a_spike_is_told_in_words() -> None:
    """With both closes, and how far it is for the series: ln (120 / 101) / 0.01475."""
    (told,) = found("spike", bars(wave(x30=1.2)))["explanation"]

    assert told == (
        "the close went from 101.0 to 120.0, and the next bar takes it back: 11.7 sigmas of a usual move of 1.48 %"
    )


def test_a_close_that_stays_where_it_went_is_another_level() -> None:
    """A fifth up at the open, for good, while as much is traded as ever."""
    records = bars(wave(r30=1.2))
    (row,) = found("level_shift", records).rows(named=True)

    assert {"level_shift": [30]} == accused(records)
    assert (30, "close", 120.0, None) == (row["row"], row["field"], row["value"], row["repair"])
    assert pytest.approx(101 * exp(6 * SIGMA)) == row["expected_high"]
    assert (
        "from 101.0 to 120.0 and stays there: 11.7 sigmas of a usual move of 1.48 %, at 1.0 times" in row["explanation"]
    )


@pytest.mark.parametrize(
    ("factor", "volume", "opens_at", "rows"),
    [
        (1.2, 5.0, 1.0, []),  # five times the usual volume: news
        (6.0, 5.0, 1.0, [30]),  # six times the price: beyond news
        (1.2, 1.0, 0.85, []),  # it opens at 102 and goes to 120 while trading
        (1.1, 1.0, 1.0, []),  # 5.8 sigmas
    ],
)
def test_real_moves_are_traded(factor: float, volume: float, opens_at: float, rows: list[int]) -> None:
    """A move is no fault if more was traded than usual, or if trading led there; it is noted all the same."""
    closes = wave(r30=factor)
    volumes = [1000.0 * (volume if number == 30 else 1.0) for number in range(63)]
    opens = [close * (opens_at if number == 30 else 1.0) for number, close in enumerate(closes)]

    assert rows == broken("level_shift", bars(closes, volume=volumes, open=opens))
    assert [30] == broken("sudden_move", bars(closes, volume=volumes, open=opens), sigmas=5.0)


def test_a_spike_that_many_traded_is_news() -> None:
    """Five times the usual volume at a price that came back; where volume is not known, that is no excuse."""
    volumes = [5000.0 if number == 30 else 1000.0 for number in range(63)]

    assert [] == broken("spike", bars(wave(x30=0.8), volume=volumes))
    assert [30] == broken("spike", bars(wave(x30=0.8), volume=None))


def test_declared_actions_explain_a_move() -> None:
    """A split of two for one halves the price; where it is declared but nothing happens, prices seem to double."""
    known = around(actions=[(day(30), "split", 2.0)])

    assert {} == accused(bars(wave(r30=0.5), volume=[1000.0] * 30 + [2000.0] * 33), known)
    assert {"level_shift": [30]} == accused(bars(wave()), known)


def test_what_another_provider_says_too_accuses_nobody() -> None:
    """Two say that the close went up a fifth; the third, which alone does not, has no surprise to explain."""
    records = pl.concat([bars(wave(r30=1.2), provider=name) for name in "ab"])

    assert {} == accused(records)
    assert [30, 93] == broken("sudden_move", records)


def test_the_first_and_last_row_are_judged_by_what_is_known() -> None:
    """A jump with the last bar is another level as long as nothing takes it back."""
    assert {"level_shift": [62]} == accused(bars(wave(x62=1.2)))
    assert {"level_shift": [1]} == accused(bars(wave(x0=0.8)))


@pytest.mark.parametrize(
    ("name", "factor", "volume", "rows"),
    [
        ("high", 1.12, 1.0, [30]),  # ln 1.12 / 0.01475 = 7.7 sigmas
        ("high", 1.09, 1.0, []),  # 5.8
        ("high", 1.12, 3.0, []),  # traded
        ("high", 10.0, 3.0, [30]),  # beyond news
        ("low", 0.89, 1.0, [30]),  # 7.9
        ("low", 0.92, 1.0, []),  # 5.7
    ],
)
def test_highs_and_lows_may_not_stick_out(name: str, factor: float, volume: float, rows: list[int]) -> None:
    """Six sigmas beyond the bar's own prices and those beside it, at usual trading, are a bad trade."""
    ends = [close * (factor if number == 30 else 1.0) for number, close in enumerate(wave())]
    ends = [max(end, 101.0) if name == "high" else min(end, 100.0) for end in ends]
    volumes = [1000.0 * (volume if number == 30 else 1.0) for number in range(63)]

    assert rows == broken(f"far_{name}", bars(wave(), volume=volumes, **{name: ends}))


def test_a_far_end_suggests_the_body() -> None:
    """The high of 112 stands at a body of 100, so 100 x e^(6 sigma) is the most that is expected."""
    highs = [112.0 if number == 30 else 101.0 for number in range(63)]
    (row,) = found("far_high", bars(wave(), high=highs)).rows(named=True)

    assert ("set_field", 100.0, None) == (row["repair"], row["repair_value"], row["expected_low"])
    assert pytest.approx(100 * exp(6 * SIGMA)) == row["expected_high"]
    assert row["explanation"] == (
        "the high 112.0 is 7.0 sigmas of a usual move from open 100.0 and close 100.0 and from the bars beside it"
    )


def test_highs_beside_a_split_are_on_its_share_count() -> None:
    """The high of 115 on the ex-date is far above the 101 / 2 of the day before."""
    closes = wave(r30=0.5)
    highs = [57.5 if number == 30 else close for number, close in enumerate(closes)]
    known = around(actions=[(day(30), "split", 2.0)])

    assert [30] == broken("far_high", bars(closes, high=highs, volume=[1000.0] * 30 + [2000.0] * 33), known)


def test_two_bad_bars_are_out_of_line() -> None:
    """Two bars a fifth up among seven are far from the median of these; at the ends of a series nobody judges."""
    records = bars(wave(x1=1.2, x30=1.2, x31=1.2))
    told = found("out_of_line", records)

    assert [30, 31] == told["row"].to_list()
    assert told["explanation"][0].startswith("the close 120.0 is 11.7 sigmas from 101.0")
    assert [] == broken("out_of_line", bars(wave()))
