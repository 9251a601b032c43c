"""Series that move and split more than any market: what is found in them can be made, and taken back."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest

from lean_histories import History, histories
from lengths import usually
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs import apply, find_repairs, undo


def adjusted(one: History) -> PriceSeries:
    """Return the bars of a history as providers publish them: adjusted for the later splits, with the splits beside."""
    days = [*one.bars]
    later = [one.factors_on(day)[1] for day in days]
    told = [1.0, *(after / before for before, after in pairwise(later))]
    prices = zip(
        *([cell / 10_000 * split for cell in one.bars[day][:4]] for day, split in zip(days, later, strict=True)),
        strict=True,
    )
    frame = pl.DataFrame(
        {
            "ts": pl.Series(days).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"),
            "date": days,
            **dict(zip(("open", "high", "low", "close"), map(list, prices), strict=True)),
            "volume": [one.bars[day][4] / split for day, split in zip(days, later, strict=True)],
            "splits": [0.0 if ratio == 1 else ratio for ratio in told],
        }
    )
    return PriceSeries(frame, "1d", "USD")


@pytest.mark.parametrize("seed", usually((8,), long=tuple(range(1, 40))))
def test_repairs_of_one_finder_leave_each_others_cells_alone(seed: int) -> None:
    """Where two of them would change one cell, the second is judged again after the first."""
    for one in histories(seed, count=12):
        series = adjusted(one)

        found = find_repairs(series)

        assert undo(apply(series, found), found).frame.equals(series.frame)
