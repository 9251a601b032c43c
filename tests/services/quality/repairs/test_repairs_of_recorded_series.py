"""Repairs of series that a provider really served, against what reviewers accept as right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetape.app.plain_files import Prices, read_prices, read_sheet
from truetape.domain.price_series import FIELDS
from truetape.services.quality.repairs import apply, find_repairs, undo

FOLDER = "bad_prices_yfinance"
TOLERANCE = 1e-5  # the recordings' README states 5e-6 to 1e-2 for prices and 1e-12 to 1e-2 for the rest


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> dict[str, Prices]:
    """Every recorded series by the name of its file."""
    return {path.stem: read_prices(read_sheet(str(path))) for path in sorted((recordings / FOLDER).glob("*.csv"))}


def differences(prices: Prices, right: Prices) -> list[tuple[str, int]]:
    """Which fields of the repaired series differ from the right one, and in how many rows."""
    after = apply(prices.series, find_repairs(prices.series))
    return [
        (field, count)
        for field in FIELDS
        if field in after.fields
        and (
            count := int(
                (~np.isclose(after.values(field), right.series.values(field), rtol=TOLERANCE, equal_nan=True)).sum()
            )
        )
    ]


def test_every_bad_series_becomes_what_reviewers_accept(recorded: dict[str, Prices]) -> None:
    """Blind: nothing but the series is given."""
    bad = [name for name in recorded if f"{name}-fixed" in recorded]

    assert 18 == len(bad)
    assert {name: [] for name in bad} == {name: differences(recorded[name], recorded[f"{name}-fixed"]) for name in bad}


def test_right_series_are_left_alone(recorded: dict[str, Prices]) -> None:
    """Suspicious but right ones, and those that are repaired already."""
    right = [name for name in recorded if name.endswith(("-fixed", "no-bad-divs"))]

    assert 22 == len(right)
    assert dict.fromkeys(right, ()) == {name: find_repairs(recorded[name].series) for name in right}


def test_repaired_series_need_no_repair_and_can_be_taken_back(recorded: dict[str, Prices]) -> None:
    """Repair is idempotent, and undo its inverse to the last bit."""
    for prices in recorded.values():
        repairs = find_repairs(prices.series)
        repaired = apply(prices.series, repairs)

        assert () == find_repairs(repaired)
        assert prices.series.frame.equals(undo(repaired, repairs).frame)
