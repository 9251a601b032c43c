"""Repairs as records: what they hold, that they say so, and that they only fit the series they were made for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.domain.kinds import INSTANT
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs import Change, NotThisSeries, apply, find_repairs, undo
from truetape.services.quality.repairs.record import repair
from walking_series import of, spoilt, told, walk


def halved(series: PriceSeries) -> object:
    """The repair that halves the first close of a series."""
    after = series.values("close")
    after[0] /= 2
    return repair(series, kind="unit_flip", after={"close": after}, factor=0.5, evidence="Half.", confidence=2.0)


def test_a_record_holds_what_it_changed() -> None:
    """Cells before and after, the rows and columns, the instants of the first and last row, a confidence up to 1."""
    series = of(open=[1.0, 2.0], close=[3.0, None])
    after = {"open": np.array([1.0, 4.0]), "close": np.array([6.0, 5.0])}
    made = repair(series, kind="bar_rebuilt", after=after, factor=None, evidence="Why.", confidence=1.5)

    assert made is not None
    assert (
        Change(column="open", rows=(1,), before=(2.0,), after=(4.0,)),
        Change(column="close", rows=(0, 1), before=(3.0, None), after=(6.0, 5.0)),
    ) == made.changes
    assert ((0, 1), ("open", "close"), 1.0) == (made.rows, made.columns, made.confidence)
    assert (1_577_836_800_000_000_000, 1_577_923_200_000_000_000) == (made.first, made.last)
    assert [[1.0, 4.0], [6.0, 5.0]] == [apply(series, [made]).frame[name].to_list() for name in ("open", "close")]


def test_the_same_correction_has_the_same_name() -> None:
    """The id is a hash of what is changed where; evidence and confidence do not count."""
    one, again = halved(of(close=[4.0, 1.0])), halved(of(close=[4.0, 2.0]))
    other = halved(of(close=[5.0, 1.0]))

    assert one == again
    assert 16 == len(one.id)  # type: ignore[attr-defined]
    assert one.id != other.id  # type: ignore[attr-defined]


def test_what_changes_nothing_is_no_repair() -> None:
    """Equal cells, missing ones among them."""
    series = of(close=[1.0, None])

    assert None is repair(
        series, kind="unit_flip", after={"close": series.values("close")}, factor=1, evidence="", confidence=1
    )


def test_a_repair_fits_its_own_series_only() -> None:
    """Neither made twice, nor taken back from a series that it was not made in."""
    series = of(close=[4.0, 1.0])
    made = [halved(series)]
    done = apply(series, made)  # type: ignore[arg-type]

    with pytest.raises(NotThisSeries, match=r"expects close of row 0 to be 4.0; it was 2.0") as refused:
        apply(done, made)  # type: ignore[arg-type]
    assert ("close", 0) == (refused.value.column, refused.value.row)
    with pytest.raises(NotThisSeries, match=r"to be 2.0; it was 4.0"):
        undo(series, made)  # type: ignore[arg-type]


FAULTS = st.tuples(
    st.sampled_from(["open", "high", "low", "close", "adj_close", "volume", "dividends"]),
    st.integers(0, 119),
    st.integers(1, 60),
    st.sampled_from([100.0, 0.01, 4.0, 0.25, 0.0, 2.0, float("nan")]),
)


@given(faults=st.lists(FAULTS, max_size=6), seed=st.integers(0, 30))
@settings(max_examples=25)
def test_undo_is_the_inverse_of_repair_whatever_is_wrong(faults: list[tuple[str, int, int, float]], seed: int) -> None:
    """To the last bit, in any mess; and what was repaired needs no repair."""
    series = walk(120, seed=seed, paid={30: 1.0, 75: 1.5}, split={60: 4.0})
    for name, start, length, by in faults:
        series = spoilt(series, name, rows=slice(start, start + length), by=by)
    repairs = find_repairs(series)
    repaired = apply(series, repairs)

    assert series.frame.equals(undo(repaired, repairs).frame)
    assert () == find_repairs(repaired)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        pytest.param(of(close=[1.0]).frame.drop("close"), "must be ts, date, close", id="no close"),
        pytest.param(of(close=[1.0]).frame.with_columns(pl.lit(1).alias("close")), "must be", id="whole numbers"),
        pytest.param(of(close=[1.0, 2.0]).frame.reverse(), "must ascend", id="newest first"),
        pytest.param(of(close=[1.0]).frame.with_columns(name=1.0), "must be", id="a column of another name"),
    ],
)
def test_a_price_series_has_its_columns(frame: pl.DataFrame, words: str) -> None:
    """Anything else is refused where it is made."""
    with pytest.raises(ValueError, match=words):
        PriceSeries(frame=frame, timeframe="1d")


def test_fields_of_a_price_series() -> None:
    """Those that are there, in one order; those that are not are not known in any row."""
    series = of(volume=[1.0, None], close=[1.0, 2.0])

    assert (2, ("close", "volume")) == (len(series), series.fields)
    assert [1.0, None] == [None if np.isnan(value) else value for value in series.values("volume")]
    assert np.isnan(series.values("open")).tolist() == [True, True]
    assert INSTANT == series.frame.schema["ts"]
    assert series.frame.equals(replace(told(series, "close", {0: 9.0}), frame=series.frame).frame)
