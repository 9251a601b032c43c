"""Dividends of a wrong amount that the adjusted close repeats: prices and other dividends tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of
from truetape.services.quality.repairs.record import Repair
from truetape.services.quality.repairs.splits import splits_of
from truetape.services.quality.repairs.worth import (
    HUNDRED,
    confirmed,
    corrected,
    day_of,
    neighbourly,
    told,
)

MARGIN: Final = 2.5  # nats beyond what such a fault costs

_UNIT: Final = 5.0  # nats: one dividend in a hundred and fifty
_SPLIT: Final = 5.0
_PHANTOM: Final = 8.0
_FEW: Final = 3  # others that must be there before they tell what the price does not
_CLOSE_TO_OTHERS: Final = 0.3  # in logarithms, or as far as others are from each other
_DOUBT: Final = -0.5  # nats: how little the price may speak against what others tell
_STEADY_DOUBT: Final = -2.0  # nats: the same, where more others tell
_TIGHT: Final = 0.35  # spread that a few others can prove at best, in logarithms
_STEADY: Final = 0.15  # spread that more can
_STRANGE: Final = 4.0  # spreads: an amount so far from many others is not what was meant
_CLEAR: Final = 3.0  # nats: a price that tells by itself


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an amount could be instead: `factor` times the declared one."""

    factor: float
    kind: str
    words: str
    prior: float


def wrong_amounts(series: PriceSeries) -> list[Repair]:
    """Return the repair of the payment whose amount is wrong beyond doubt, the surest first."""
    payments = payments_of(series)
    best: tuple[float, Payment, Reading] | None = None
    for one in payments:
        if one.gain > 0 or (told(one) and not confirmed(one)):
            continue
        others = [other.amount for other in payments if other is not one]
        for reading in _readings(series, one):
            margin = _margin(one, reading, others)
            if margin >= MARGIN and (best is None or margin > best[0]):
                best = (margin, one, reading)
    if best is None:
        return []
    made = _made(series, *best)
    return [] if made is None else [made]


def _readings(series: PriceSeries, payment: Payment) -> list[Reading]:
    found = [
        Reading(factor=1 / HUNDRED, kind="dividend_unit", words="a hundred times too large", prior=_UNIT),
        Reading(factor=HUNDRED, kind="dividend_unit", words="a hundred times too small", prior=_UNIT),
        Reading(factor=0.0, kind="dividend_phantom", words="one that was not paid", prior=_PHANTOM),
    ]
    for split in splits_of(series):
        if split.row >= payment.row:
            words = f"not adjusted for the split of {split.ratio:g} for 1 on {day_of(series, split.row)}"
            found.append(Reading(factor=1 / split.ratio, kind="dividend_split", words=words, prior=_SPLIT))
    return found


def _margin(payment: Payment, reading: Reading, others: list[float]) -> float:
    """Return by how many nats `reading` is likelier than the declared amount, less what such a fault costs.

    Others count only if they are several, and what they tell is close to them and not refuted by the price. A reading
    that is nothing like them is none.
    """
    price = payment.likelihood(payment.part * reading.factor) - payment.likelihood(payment.part)
    if reading.factor == 0:
        return price - reading.prior - max(_beside(payment, 1 / HUNDRED, others), 0.0)
    beside = _beside(payment, reading.factor, others)
    apart = abs(float(np.log(payment.amount * reading.factor / np.median(others)))) if others else 0.0
    if len(others) > _FEW and apart > _STRANGE * max(float(np.std(np.log(others))), _STEADY):
        return -reading.prior
    if price < _CLEAR and beside > 0:
        alike = max(float(np.std(np.log(others))), _CLOSE_TO_OTHERS)
        doubt = _DOUBT if len(others) <= _FEW else _STEADY_DOUBT
        beside = 0.0 if len(others) < _FEW or apart > alike or price < doubt else beside
    return price + beside - reading.prior


def _beside(payment: Payment, factor: float, others: list[float]) -> float:
    tight = _TIGHT if len(others) <= _FEW else _STEADY
    return neighbourly(payment.amount * factor, others, tight=tight) - neighbourly(payment.amount, others, tight=tight)


def _made(series: PriceSeries, margin: float, payment: Payment, reading: Reading) -> Repair | None:
    factor = reading.factor
    amount = payment.amount * factor if factor >= 1 or factor == 0 else payment.amount / round(1 / factor, 9)
    known = confirmed(payment)
    return corrected(
        series,
        payment,
        kind=reading.kind,
        amount=amount,
        part=payment.part * factor if known else float("nan"),
        evidence=(
            f"The dividend of {payment.amount:.6g}, {payment.part:.4%} of the price before, is {reading.words}: "
            f"the price moved as if {payment.part * factor:.4%} had been paid."
        ),
        margin=margin,
    )
