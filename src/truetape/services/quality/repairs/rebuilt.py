"""Bars that contradict their neighbours, taken from a better source: a finer timeframe or the consensus."""

from __future__ import annotations

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.record import Repair


def rebuilt_from(series: PriceSeries, finer: PriceSeries) -> tuple[Repair, ...]:
    """Return the repairs of `series` that the bars of `finer` prove."""
    del series, finer
    return ()
