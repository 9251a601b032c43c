"""Dividends that only the adjusted close knows of."""

from __future__ import annotations

from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of, unexplained_steps
from truetape.services.quality.repairs.record import Repair, repair
from truetape.services.quality.repairs.worth import LONGER, sureness

FEW: Final = 2  # other dividends: fewer tell nothing of their size
SIMILAR: Final = 1.2  # in logarithms, or twice as far as the others are from each other
MARGIN: Final = -1.0  # nats: how little the price may speak against it
DECISIVE: Final = 2.5  # nats: how much it must speak for it where there are few others


def missing_dividends(series: PriceSeries) -> list[Repair]:
    """Return the repair that declares the dividends that the adjusted close was adjusted for."""
    known = payments_of(series)
    if not known or series.timeframe in LONGER:
        return []
    amounts = np.log([one.amount for one in known])
    dividends, evidence, margins = series.values("dividends"), [], []
    for one in payments_of(series, at=unexplained_steps(series)):
        amount = _amount(one)
        margin = one.likelihood(one.implied) - one.likelihood(0.0)
        if one.amount == 0 and amount > 0 and margin > _needed(np.log(amount), amounts):
            dividends[one.row] = amount
            margins.append(margin)
            evidence.append(f"{amount:.6g} on {series.frame['date'][one.row]}")
    words = f"The adjusted close steps as by dividends that are not there: {', '.join(evidence)}."
    made = repair(
        series,
        kind="dividend_missing",
        after={"dividends": dividends},
        factor=None,
        evidence=words,
        confidence=sureness(3 + min(margins, default=0.0)),
    )
    return [] if made is None else [made]


def _needed(amount: float, others: np.ndarray) -> float:
    """Return how many nats the price must speak for a dividend, by how it looks beside the others; in logarithms."""
    if abs(amount - np.median(others)) > max(SIMILAR, 2 * float(np.std(others))):
        return float("inf")
    return MARGIN if len(others) >= FEW else DECISIVE


def _amount(payment: Payment) -> float:
    """Return the cash per share that the adjusted close was adjusted for."""
    return payment.implied * payment.worth
