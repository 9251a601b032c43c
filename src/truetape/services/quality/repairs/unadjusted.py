"""Dividends that the adjusted close does not know of."""

from __future__ import annotations

from typing import Final

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of
from truetape.services.quality.repairs.record import Repair
from truetape.services.quality.repairs.worth import HUNDRED, corrected, neighbourly, unadjusted

MARGIN: Final = 2.0  # nats over the next best explanation

_ALSO_UNIT: Final = 4.6  # nats: one in a hundred of them is in another unit as well
_NOT_PAID: Final = 7.0  # nats: dividends out of nowhere are rarer


def unadjusted_dividends(series: PriceSeries) -> list[Repair]:
    """Return the repair of the latest dividend that is missing in the adjusted close, if its amount is believable.

    The alternatives are that it is in another unit too, and that it was never paid.
    """
    payments = payments_of(series)
    for one in reversed(payments):
        if unadjusted(one) and one.before is not None and one.gain <= one.amount:
            made = _explained(series, one, [other.amount for other in payments if other is not one])
            if made is not None:
                return [made]
    return []


def _explained(series: PriceSeries, one: Payment, others: list[float]) -> Repair | None:
    weights = {
        1.0: one.likelihood(one.part) + neighbourly(one.amount, others),
        1 / HUNDRED: one.likelihood(one.part / HUNDRED) + neighbourly(one.amount / HUNDRED, others) - _ALSO_UNIT,
        0.0: one.likelihood(0.0) + neighbourly(one.amount, others) - _NOT_PAID,
    }
    best, next_best = sorted(weights, key=lambda factor: -weights[factor])[:2]
    margin = weights[best] - weights[next_best]
    if margin < MARGIN:
        return None
    kind, words = {
        1.0: ("adjustment_missing", "the adjusted close does not know of it"),
        1 / HUNDRED: ("dividend_unit", "it is a hundred times too large, and the adjusted close does not know of it"),
        0.0: ("dividend_phantom", "neither the price nor the adjusted close knows of it"),
    }[best]
    return corrected(
        series,
        one,
        kind=kind,
        amount=one.amount / HUNDRED if best == 1 / HUNDRED else one.amount * best,
        part=one.part * best,
        evidence=f"A dividend of {one.amount:.6g} was {one.part:.2%} of the price before: {words}.",
        margin=margin,
    )
