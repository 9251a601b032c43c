"""Dividends, adjusted closes and capital gains: made faults of each kind, and payments that are right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs import apply, find_repairs, undo
from walking_series import of, spoilt, told, walk

QUARTERLY = {30: 1.0, 94: 1.0, 158: 1.0, 222: 1.0, 286: 1.0}
ROWS = 320


def payer(**more: object) -> PriceSeries:
    """A steady payer of 1 % a quarter."""
    return walk(ROWS, paid=QUARTERLY, **more)  # type: ignore[arg-type]


def stepped(series: PriceSeries, row: int, *, by: float) -> PriceSeries:
    """The series with its adjusted closes before a row multiplied."""
    return spoilt(series, "adj_close", rows=slice(0, row), by=by)


def part(series: PriceSeries, row: int, amount: float) -> float:
    """The amount as a part of the close before."""
    return amount / float(series.values("close")[row - 1])


def known_as(series: PriceSeries, row: int, amount: float) -> PriceSeries:
    """The series with its adjusted closes made as if `amount` had been paid on a row, whatever its dividends say."""
    paid = QUARTERLY.get(row, 0.0)
    return stepped(series, row, by=(1 - part(series, row, amount)) / (1 - part(series, row, paid)))


def same(found: PriceSeries, right: PriceSeries) -> bool:
    """Whether all values agree to nine digits."""
    return all(
        np.allclose(found.values(name), right.values(name), rtol=1e-9, atol=1e-12, equal_nan=True)
        for name in right.fields
    )


def unadjusted() -> PriceSeries:
    """A payer whose adjusted close is its close."""
    series = payer()
    return replace(series, frame=series.frame.with_columns(adj_close=series.frame["close"]))


def hundredths() -> PriceSeries:
    """A payer whose adjusted close knows of a hundredth of each dividend."""
    series = payer()
    for row, amount in QUARTERLY.items():
        series = known_as(series, row, amount / 100)
    return series


def unsplit() -> PriceSeries:
    """A payer whose dividends up to a split of 5 for 1 are per old share."""
    series = told(payer(), "splits", {200: 5.0})
    return told(series, "dividends", {30: 5.0, 94: 5.0, 158: 5.0})


@pytest.mark.parametrize(
    ("bad", "kinds"),
    [
        pytest.param(told(payer(), "dividends", {158: 100.0}), {"dividend_unit"}, id="100 listed"),
        pytest.param(told(payer(), "dividends", {158: 0.01}), {"dividend_unit"}, id="0.01 listed"),
        pytest.param(
            told(known_as(payer(), 158, 50.0), "dividends", {158: 50.0}), None, id="half the price: no known factor"
        ),
        pytest.param(known_as(payer(), 158, 0.01), {"adjustment_size"}, id="0.01 adjusted"),
        pytest.param(hundredths(), {"adjustment_size"}, id="all adjusted by 0.01"),
        pytest.param(known_as(payer(), 158, 0.0), {"adjustment_missing"}, id="not adjusted"),
        pytest.param(unadjusted(), {"adjustment_missing"}, id="none adjusted"),
        pytest.param(known_as(payer(), 158, 3.0), {"adjustment_size"}, id="adjusted three times"),
        pytest.param(known_as(payer(), 158, 0.4), {"adjustment_size"}, id="adjusted by two fifths"),
        pytest.param(
            told(payer(), "dividends", {158: 0.0}), {"dividend_missing"}, id="known to the adjusted close only"
        ),
        pytest.param(told(payer(), "dividends", {158: 2.0}), {"dividend_doubled"}, id="twice its size listed"),
        pytest.param(known_as(payer(), 158, 60.0), {"adjustment_size"}, id="adjusted by most of the price"),
        pytest.param(told(payer(), "dividends", {160: 1.0}), {"dividend_phantom"}, id="again two days later"),
        pytest.param(told(payer(), "dividends", {157: 1.0}), {"dividend_phantom"}, id="again the day before"),
        pytest.param(unsplit(), {"dividend_split"}, id="per old share"),
        pytest.param(
            told(told(payer(), "splits", {200: 5.0}), "dividends", {30: 0.2, 94: 0.2, 158: 0.2}),
            {"dividend_split"},
            id="split twice",
        ),
    ],
)
def test_faults_of_one_payer(bad: PriceSeries, kinds: set[str] | None) -> None:
    """Each comes back to what was paid; undo brings the fault back; what no factor explains is left alone."""
    repairs = find_repairs(bad)
    repaired = apply(bad, repairs)
    right = payer()

    assert (kinds or set()) == {one.kind for one in repairs}
    assert bool(kinds) == same(
        replace(repaired, frame=repaired.frame.drop("splits")), replace(right, frame=right.frame.drop("splits"))
    )
    assert bad.frame.equals(undo(repaired, repairs).frame)
    assert () == find_repairs(repaired)


def large(amount: float = 6.0) -> PriceSeries:
    """A quiet payer whose one dividend on row 100 is 6 % of the price."""
    return walk(200, move=0.004, paid={100: amount})


def misread(series: PriceSeries, row: int, *, declared: float, paid: float, adjusted: bool) -> PriceSeries:
    """The series with another amount declared, and its adjusted close made from it or without adjusted closes."""
    bad = told(series, "dividends", {row: declared})
    if not adjusted:
        return replace(bad, frame=bad.frame.drop("adj_close"))
    return stepped(bad, row, by=(1 - part(series, row, declared)) / (1 - part(series, row, paid)))


@pytest.mark.parametrize("adjusted", [True, False])
@pytest.mark.parametrize(
    ("paid", "declared"),
    [
        pytest.param(6.0, 0.06, id="a hundredth"),
        pytest.param(0.3, 30.0, id="hundredfold"),
    ],
)
def test_the_price_alone_tells_an_amount(paid: float, declared: float, *, adjusted: bool) -> None:
    """The adjusted close repeats the wrong amount, or there is none."""
    right = large(paid)
    bad = misread(right, 100, declared=declared, paid=paid, adjusted=adjusted)
    repairs = find_repairs(bad)

    assert ["dividend_unit"] == [one.kind for one in repairs]
    assert same(apply(bad, repairs), right if adjusted else replace(right, frame=right.frame.drop("adj_close")))


def test_others_tell_an_amount_that_the_price_does_not() -> None:
    """A dividend of 0.3 % among five others, a hundredth of them, which the adjusted close repeats."""
    paid = dict.fromkeys(QUARTERLY, 0.3)
    right = walk(ROWS, paid=paid)
    bad = misread(right, 158, declared=0.003, paid=0.3, adjusted=True)

    assert same(apply(bad, find_repairs(bad)), right)


def test_a_split_is_missing_in_one_dividend_without_adjusted_closes() -> None:
    """The price, which hardly moves, and the other dividends tell: 10 a share were 1."""
    right = told(payer(move=0.004), "splits", {160: 10.0})
    bad = misread(right, 158, declared=10.0, paid=1.0, adjusted=False)
    repairs = find_repairs(bad)

    assert ["dividend_split"] == [one.kind for one in repairs]
    assert 1.0 == pytest.approx(apply(bad, repairs).values("dividends")[158])


def test_a_dividend_that_neither_price_nor_adjusted_close_knows() -> None:
    """A large payer pays no more than it ever did, on a day on which nothing falls."""
    right = walk(ROWS, move=0.002, paid=dict.fromkeys(QUARTERLY, 8.0))
    bad = told(right, "dividends", {125: 8.0})
    known = stepped(bad, 125, by=1 - part(bad, 125, 8.0))

    assert ["dividend_phantom"] == [one.kind for one in find_repairs(bad)]
    assert same(apply(bad, find_repairs(bad)), right)
    assert ["dividend_phantom"] == [one.kind for one in find_repairs(known)]
    assert same(apply(known, find_repairs(known)), right)


def test_a_dividend_in_pence_that_the_adjusted_close_does_not_know() -> None:
    """Both faults are mended at once."""
    right = payer()
    bad = told(known_as(right, 158, 0.0), "dividends", {158: 100.0})

    assert same(apply(bad, find_repairs(bad)), right)


def test_the_copy_of_a_dividend_is_the_one_that_the_price_does_not_show() -> None:
    """A copy on the day after, and the adjusted close made from both."""
    right = walk(ROWS, move=0.004, paid=dict.fromkeys(QUARTERLY, 3.0))
    for copy in (157, 159):
        bad = told(right, "dividends", {copy: 3.0})
        bad = stepped(bad, copy, by=1 - part(bad, copy, 3.0))
        repairs = find_repairs(bad)

        assert [("dividend_phantom", (copy,))] == [
            (one.kind, one.changes[0].rows) for one in repairs if one.changes[0].column == "dividends"
        ]
        assert same(apply(bad, repairs), right)


def test_copies_in_a_series_with_no_other_dividend() -> None:
    """Within five days one of two is a copy; later the payer may pay as often as that."""
    near, far = walk(paid={100: 2.0}), walk(paid={100: 2.0, 107: 2.0})

    assert ["dividend_phantom"] == [one.kind for one in find_repairs(told(near, "dividends", {102: 2.0}))]
    assert () == find_repairs(far)


@pytest.mark.parametrize("exclusive", [False, True])
def test_capital_gains_are_taken_off_once(*, exclusive: bool) -> None:
    """The prices tell whether the dividend includes the gain; the adjusted close took off both."""
    ordinary, gains = {30: 0.2, 94: 0.2, 222: 0.2}, {158: 9.0, 286: 6.0}
    listed = ordinary | {row: gain + 0.2 for row, gain in gains.items()}
    fallen = {row: amount + (gains.get(row, 0.0) if exclusive else 0.0) for row, amount in listed.items()}
    right = walk(ROWS, paid=fallen)
    right = told(right, "dividends", listed)
    right = replace(right, frame=right.frame.with_columns(capital_gains=right.frame["dividends"] * 0.0))
    bad = told(right, "capital_gains", gains)
    if not exclusive:
        for row, gain in gains.items():
            bad = stepped(bad, row, by=(1 - part(bad, row, listed[row] + gain)) / (1 - part(bad, row, listed[row])))
    repairs = find_repairs(bad)

    assert ([] if exclusive else ["gain_counted_twice"] * 2) == [one.kind for one in repairs]
    assert np.allclose(right.values("adj_close"), apply(bad, repairs).values("adj_close"), rtol=1e-12)


def test_a_gain_without_other_dividends_is_judged_by_the_price() -> None:
    """All of the dividend is gain, of 10 % of the price."""
    right = walk(paid={100: 10.0})
    bad = replace(right, frame=right.frame.with_columns(capital_gains=right.frame["dividends"]))
    bad = stepped(bad, 100, by=(1 - part(bad, 100, 20.0)) / (1 - part(bad, 100, 10.0)))

    assert np.allclose(right.values("adj_close"), apply(bad, find_repairs(bad)).values("adj_close"), rtol=1e-12)


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(payer(), id="a steady payer"),
        pytest.param(walk(ROWS, paid=QUARTERLY | {158: 35.0}), id="a special dividend of a third of the price"),
        pytest.param(walk(ROWS, paid=QUARTERLY | {158: 0.004}), id="a tiny one"),
        pytest.param(walk(ROWS, paid=QUARTERLY | {286: 2.0}), id="twice the usual"),
        pytest.param(walk(ROWS, paid=QUARTERLY | {288: 4.0}), id="a special one two days later"),
        pytest.param(walk(ROWS, paid=dict.fromkeys(range(10, 300, 7), 0.5)), id="every week"),
        pytest.param(walk(paid={0: 1.0} | {100: 1.0}), id="one on the first bar"),
        pytest.param(known_as(payer(move=0.05), 158, 2.0), id="adjusted twice, less than half a usual move"),
        pytest.param(known_as(payer(move=0.004), 158, 1.25), id="adjusted by a quarter more, which others do not tell"),
        pytest.param(told(payer(), "close", dict.fromkeys(range(ROWS), None)), id="no closes"),
        pytest.param(told(payer(), "adj_close", dict.fromkeys(range(ROWS), None)), id="no adjusted closes"),
        pytest.param(replace(payer(), frame=payer().frame.drop("dividends")), id="no dividends"),
        pytest.param(of(close=[2.0, 1.0], dividends=[0.0, 1.0]), id="two bars"),
        pytest.param(of(close=[2.0, None], dividends=[0.0, 1.0]), id="a dividend after the last bar"),
    ],
)
def test_payments_that_need_no_repair(series: PriceSeries) -> None:
    """Nothing is repaired."""
    assert () == find_repairs(series)


def test_missing_dividends_are_found_only_where_bars_tell_their_close_before() -> None:
    """A weekly close is not the one before the ex-date; a lone payer must be borne out by the price."""
    bad = told(payer(), "dividends", {158: 0.0})
    two = told(walk(ROWS, move=0.003, paid={94: 3.0, 222: 3.0}), "dividends", {222: 0.0})
    other = told(walk(ROWS, move=0.003, paid={94: 0.05, 222: 3.0}), "dividends", {222: 0.0})
    silent = stepped(walk(ROWS, move=0.003, paid={94: 3.0}), 222, by=0.97)

    assert () == find_repairs(replace(bad, timeframe="1w"))
    assert ["dividend_missing"] == [one.kind for one in find_repairs(two)]
    assert () == find_repairs(other)
    assert () == find_repairs(silent)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(
            told(walk(ROWS, move=0.04, paid=dict.fromkeys(QUARTERLY, 0.3)), "dividends", {159: 0.3}),
            id="a copy that the adjusted close does not know",
        ),
    ],
)
def test_a_copy_is_told_by_the_adjusted_close(bad: PriceSeries) -> None:
    """Prices that move by 4 % a day tell nothing of 0.3 %."""
    assert [(159,)] == [one.rows for one in find_repairs(bad)]


def test_what_no_witness_tells_is_left_alone() -> None:
    """A copy that prices do not tell from its original; a hundredth of one; a fall that was none."""
    loud = walk(ROWS, move=0.04, paid=dict.fromkeys(QUARTERLY, 0.3))
    copied = told(loud, "dividends", {159: 0.3})
    copied = stepped(copied, 159, by=1 - part(copied, 159, 0.3))
    tenth = float(walk(200, move=0.2).values("close")[99]) / 10
    wild = walk(200, move=0.2, paid={100: tenth})
    hundredth = stepped(wild, 100, by=(1 - part(wild, 100, tenth / 100)) / (1 - part(wild, 100, tenth)))
    nothing_fell = told(walk(), "dividends", {100: 4.5})

    assert () == find_repairs(copied)
    assert () == find_repairs(hundredth)
    assert () == find_repairs(nothing_fell)


def test_longer_bars_take_what_was_paid_from_the_adjusted_close() -> None:
    """A hundredth of 1.08 % is 0.0108 %, though the dividend is 1 % of the close that the bars know."""
    series = replace(walk(60, paid={30: 1.0}), timeframe="1w")
    wanted = stepped(series, 30, by=(1 - 0.0108) / (1 - part(series, 30, 1.0)))
    bad = stepped(series, 30, by=(1 - 0.000108) / (1 - part(series, 30, 1.0)))

    assert np.allclose(wanted.values("adj_close"), apply(bad, find_repairs(bad)).values("adj_close"), rtol=1e-9)
