"""Price increments: known, learnt from decimals, or as usual."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pipeline_doubles import bar_claims
from truetape.services.quality.increments import decimals, with_increments


@pytest.mark.parametrize(
    ("price", "places"),
    [
        (18.0, 0),
        (18.5, 1),
        (18.06, 2),
        (0.1234, 4),
        (1e-8, 8),
        (16.0625, 4),
        (16.06250019, 4),  # a 32-bit artefact
        (16.499952, 5),
        (123456.789012345, 1),  # 123456.8 is as near as a 32-bit float can say
    ],
)
def test_decimals_are_those_that_were_meant(price: float, places: int) -> None:
    """What a 32-bit float adds is not counted."""
    assert pl.select(decimals(pl.lit(price))).item() == places


def increments(*claims: pl.DataFrame, known: dict[str, float] | None = None) -> list[float]:
    return with_increments(pl.concat(claims), usual=0.01, known=known or {})["increment"].unique().sort().to_list()


def priced(name: str, first: float, step: float, *, bars: int = 20, **changes: Any) -> pl.DataFrame:
    return bar_claims(name, [round(first + step * number, 8) for number in range(bars)], **changes)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param([priced("p", 40.0, 0.01)], [0.01], id="cents"),
        pytest.param([priced("p", 2500.0, 7.0)], [1.0], id="whole yen"),
        pytest.param([priced("p", 2500.0, 7.0, bars=19)], [0.01], id="too few to be a habit"),
        pytest.param([priced("p", 2500.0, 7.0), priced("q", 2500.01, 7.0)], [1.0], id="the coarsest provider counts"),
        pytest.param([priced("p", 40.0, 0.0001)], [0.01], id="finer than usual is usual where a cent is little"),
        pytest.param([priced("p", 0.05, 0.0001)], [0.0001], id="a cent would be a fifth of the price"),
        pytest.param([priced("p", 0.05, 0.0001, bars=1)], [0.01], id="one bar of two decimals"),
        pytest.param([priced("p", 0.0512, 0.0001, bars=1)], [0.0001], id="one bar of four decimals"),
        pytest.param([priced("p", 0.05, 0.0001), priced("q", 0.05, 0.01)], [0.01], id="one of them writes cents"),
        pytest.param([priced("p", 3.0, 0.0)], [0.015], id="coarse, and not more than a two hundredth of the price"),
    ],
)
def test_increments_are_learnt_where_the_usual_one_cannot_be(claims: list[pl.DataFrame], expected: list[float]) -> None:
    """Coarse habits need twenty claims; fine ones show at once, where the usual increment is too coarse to be true."""
    assert expected == increments(*claims)


def test_what_is_known_stands_above_what_is_learnt() -> None:
    """The instrument's own increment stands above its currency's."""
    rows = priced("p", 0.05, 0.0001)

    assert increments(rows, known={"USD": 0.05}) == [0.05]
    assert increments(rows, known={"USD": 0.05, "ins_a": 0.005}) == [0.005]
    assert increments(rows, known={"EUR": 0.05}) == [0.0001]


def test_each_instrument_has_its_own() -> None:
    """A penny stock beside another does not change it."""
    penny = priced("p", 0.05, 0.0001, instrument_id="ins_b")
    dear = priced("p", 40.0, 0.01, bars=3)

    found = with_increments(pl.concat([penny, dear]), usual=0.01, known={})

    assert found.select("instrument_id", "increment").unique(maintain_order=True).rows() == [
        ("ins_b", 0.0001),
        ("ins_a", 0.01),
    ]
