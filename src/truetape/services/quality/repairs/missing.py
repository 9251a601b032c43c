"""Dividends that only the adjusted close knows of."""

from __future__ import annotations

from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of, unexplained_steps
from truetape.services.quality.repairs.record import Repair, repair
from truetape.services.quality.repairs.worth import sureness

FEWEST: Final = 2  # other dividends: a series that pays none has other reasons for a step
LONGER: Final = ("1w", "1mo")  # their closes are not those that dividends were paid against
SIMILAR: Final = 1.2  # in logarithms: how far it may be from the others
MARGIN: Final = -1.0  # nats: how little the price may speak against it


def missing_dividends(series: PriceSeries) -> list[Repair]:
    """Return the repair that declares the dividends that the adjusted close was adjusted for."""
    known = payments_of(series)
    if len(known) < FEWEST or series.timeframe in LONGER:
        return []
    usual = float(np.median([one.amount for one in known]))
    dividends, evidence, margins = series.values("dividends"), [], []
    for one in payments_of(series, at=unexplained_steps(series)):
        amount = _amount(one)
        margin = one.likelihood(one.implied) - one.likelihood(0.0)
        if one.amount == 0 and amount > 0 and abs(np.log(amount / usual)) < SIMILAR and margin > MARGIN:
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


def _amount(payment: Payment) -> float:
    """Return the cash per share that the adjusted close was adjusted for."""
    return payment.implied * payment.worth
