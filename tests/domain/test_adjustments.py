"""The ways of adjusting by name."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest

from truetape.domain.adjust import ADJUSTMENTS
from truetape.domain.adjustments import (
    ABOUT,
    ANY_ADJUSTMENT,
    QUICK,
    AnyAdjustment,
    basis_of,
    check_anchor,
    mode_of,
    plain,
)
from truetape.domain.errors import BadInput
from truetape.domain.scaling import MODES

DAY = date(2024, 6, 10)


def test_there_is_one_vocabulary() -> None:
    """Every mode of scaling and every quick way has its name, and each is told about."""
    assert get_args(AnyAdjustment) == ANY_ADJUSTMENT
    assert {*ANY_ADJUSTMENT} == {*MODES, *ADJUSTMENTS}
    assert [] == [name for name in ANY_ADJUSTMENT if name not in ABOUT]
    assert {*QUICK} == {*ADJUSTMENTS} - {"raw"}


@pytest.mark.parametrize("name", ANY_ADJUSTMENT)
def test_two_names_are_of_one_adjustment(name: AnyAdjustment) -> None:
    """All and total_return are the same; every other name stands for itself."""
    same = name in ("all", "total_return")

    assert ("all" if same else name) == plain(name)
    assert ("total_return" if same else name) == mode_of(name)


def test_the_basis_tells_of_the_anchor() -> None:
    """So that nobody takes such prices for those of today's shares."""
    assert basis_of("split", None) == "split"
    assert basis_of("split", DAY) == "split@2024-06-10"


@pytest.mark.parametrize("name", ["raw", "scaled_raw", "lean_total_return"])
def test_what_has_no_place_for_an_anchor_says_so(name: AnyAdjustment) -> None:
    """The words say what to do instead; without an anchor all is well."""
    check_anchor(name, None)
    with pytest.raises(BadInput, match="2024-06-10") as error:
        check_anchor(name, DAY)
    assert len(error.value.fix) > 20


@pytest.mark.parametrize("name", ["split", "all", "forward_split", "difference", "forward_difference"])
def test_all_others_have_a_place_for_an_anchor(name: AnyAdjustment) -> None:
    """Any day may keep its prices."""
    check_anchor(name, DAY)
