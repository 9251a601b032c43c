"""Repairs of series that a provider really served, against what reviewers accept as right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from truetape.app.plain_files import read_prices, read_sheet
from truetape.domain.price_series import FIELDS, PriceSeries
from truetape.services.quality.repairs import Repair, apply, find_repairs, undo

FOLDER = "bad_prices_yfinance"
TOLERANCE = 1e-5  # the recordings' README states 5e-6 to 1e-2 for prices and 1e-12 to 1e-2 for the rest


@dataclass(frozen=True, eq=False)
class Tried:
    """A recorded series, its repairs, and what it is then."""

    series: PriceSeries
    repairs: tuple[Repair, ...]
    after: PriceSeries


@pytest.fixture(scope="module")
def recorded(recordings: Path) -> dict[str, Tried]:
    """Every recorded series by the name of its file."""
    return {path.stem: tried(path) for path in sorted((recordings / FOLDER).glob("*.csv"))}


def tried(path: Path) -> Tried:
    """The series of a file, and its repairs."""
    series = read_prices(read_sheet(str(path))).series
    repairs = find_repairs(series)
    return Tried(series=series, repairs=repairs, after=apply(series, repairs))


def differences(found: PriceSeries, right: PriceSeries) -> list[str]:
    """Which fields of the repaired series differ from the right one, and in how many rows."""
    wrong = {
        field: ~np.isclose(found.values(field), right.values(field), rtol=TOLERANCE, equal_nan=True)
        for field in FIELDS
        if field in found.fields
    }
    return [f"{field}: {rows.sum()}" for field, rows in wrong.items() if rows.any()]


def test_every_bad_series_becomes_what_reviewers_accept(recorded: dict[str, Tried]) -> None:
    """Blind: nothing but the series is given."""
    bad = [name for name in recorded if f"{name}-fixed" in recorded]

    assert 18 == len(bad)
    assert {name: [] for name in bad} == {
        name: differences(recorded[name].after, recorded[f"{name}-fixed"].series) for name in bad
    }


def test_right_series_are_left_alone(recorded: dict[str, Tried]) -> None:
    """Suspicious but right ones, and those that are repaired already."""
    right = [name for name in recorded if name.endswith(("-fixed", "no-bad-divs"))]

    assert 22 == len(right)
    assert dict.fromkeys(right, ()) == {name: recorded[name].repairs for name in right}


def test_repaired_series_need_no_repair_and_can_be_taken_back(recorded: dict[str, Tried]) -> None:
    """Repair is idempotent, and undo its inverse to the last bit."""
    for one in recorded.values():
        if one.repairs:
            assert () == find_repairs(one.after)
            assert one.series.frame.equals(undo(one.after, one.repairs).frame)
