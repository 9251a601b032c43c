"""Payments whose amount and whose effect on the adjusted close differ by a telling factor: one of the two is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of
from truetape.services.quality.repairs.record import Repair
from truetape.services.quality.repairs.splits import splits_of
from truetape.services.quality.repairs.worth import (
    CLOSER,
    HUNDRED,
    LONGER,
    confirmed,
    corrected,
    corrections,
    day_of,
    neighbourly,
    told,
    usual,
)

MARGIN: Final = 1.0  # nats between the amount and the adjusted close being wrong, over all payments of one factor
DECISIVE: Final = 3.0  # nats, where no factor tells what went wrong
MATERIAL: Final = 0.5  # of the usual move: a smaller difference is left alone where no factor tells

_EQUAL: Final = 0.1  # spread that the amounts of a steady payer prove
_STEADY: Final = 4  # so many others make a steady payer


@dataclass(frozen=True, kw_only=True)
class Telling:
    """A factor between declared amount and adjusted close that tells what happened."""

    factor: float
    kind: str  # of the repair if the amount is wrong
    words: str  # what the amount is if it is wrong
    credit: float = 0.0  # nats for each payment: what else could make all before a split differ by its ratio


def disagreements(series: PriceSeries) -> list[Repair]:
    """Return the repairs of all payments that differ from the adjusted close by one telling factor."""
    payments = [one for one in payments_of(series) if told(one)]
    for telling in _tellings(series):
        own = [one for one in payments if _differs(one, telling, series)]
        others = [one.amount for one in payments if one not in own]
        if own:
            weight = _weight(own, others, telling.factor) + telling.credit * (2 + len(own))
            if weight >= MARGIN or (weight <= -MARGIN and telling.kind == "dividend_unit"):
                return corrections(series, [partial(_made, one=one, telling=telling, weight=weight) for one in own])
    return []


def _tellings(series: PriceSeries) -> list[Telling]:
    found = [
        Telling(factor=1 / HUNDRED, kind="dividend_unit", words="a hundred times too large"),
        Telling(factor=HUNDRED, kind="dividend_unit", words="a hundred times too small"),
    ]
    for split in splits_of(series):
        words = f"adjusted for the split of {split.ratio:g} for 1 on {day_of(series, split.row)}"
        found += [
            Telling(factor=1 / split.ratio, kind="dividend_split", words=f"not {words}", credit=1.0),
            Telling(factor=split.ratio, kind="dividend_split", words=f"twice {words}"),
        ]
    return found


def _differs(payment: Payment, telling: Telling, series: PriceSeries) -> bool:
    """Return whether the adjusted close implies the factor; a split's only up to the split."""
    within = None if telling.kind == "dividend_unit" else CLOSER
    if confirmed(payment) or not confirmed(payment, telling.factor, within=within):
        return False
    if telling.kind != "dividend_split":
        return True
    return any(one.row >= payment.row and telling.factor in (1 / one.ratio, one.ratio) for one in splits_of(series))


def _weight(own: list[Payment], others: list[float], factor: float) -> float:
    """Return by how many nats it is likelier that the amounts of `own` are wrong than the adjusted closes."""
    price = sum(one.likelihood(one.part * factor) - one.likelihood(one.part) for one in own)
    middle = float(np.median([one.part for one in own]))
    beside = sum(neighbourly(one.amount * factor, others) - neighbourly(one.amount, others) for one in own)
    return price + usual(middle * factor) - usual(middle) + beside


def _made(series: PriceSeries, *, one: Payment, telling: Telling, weight: float) -> Repair | None:
    parts = f"it is {one.part:.4%} of the price, the adjusted close knows of {one.implied:.4%}"
    if weight > 0:
        amount = _scaled(one.amount, telling.factor)
        words = f"The dividend of {one.amount:.6g} is {telling.words}: {parts}, as prices and other dividends do."
        part = one.implied
    else:
        amount = one.amount
        part = one.implied / telling.factor if series.timeframe in LONGER else one.part
        words = f"The adjusted close knows of the dividend of {one.amount:.6g} in another unit: {parts}; prices agree."
    kind = telling.kind if weight > 0 else "adjustment_size"
    return corrected(series, one, kind=kind, amount=amount, part=part, evidence=words, margin=abs(weight))


def _scaled(amount: float, factor: float) -> float:
    """Return `amount` times `factor`, divided where that is exact."""
    return amount * factor if factor >= 1 else amount / round(1 / factor, 9)


def odd_adjustments(series: PriceSeries) -> list[Repair]:
    """Return the repair of the latest payment that differs from the adjusted close by no telling factor.

    Price and other dividends must decide which is wrong, and most other payments must agree with their adjustment. A
    wrong amount can be corrected only if it is there twice.
    """
    payments = [one for one in payments_of(series) if told(one)]
    fine = [one for one in payments if confirmed(one)]
    odd = [one for one in payments if one.implied > 0 and not confirmed(one) and one.gain == 0]
    if len(fine) < max(2, len(odd)):
        return []
    made = [_decided(series, one, fine) for one in reversed(odd)]
    return [one for one in made if one is not None][:1]


def _decided(series: PriceSeries, one: Payment, fine: list[Payment]) -> Repair | None:
    weight = _oddness(one, fine)
    if weight >= DECISIVE and _material(one):
        return _reset(series, one, weight)
    if weight <= -DECISIVE and confirmed(one, 0.5, within=CLOSER):
        return _halved(series, one, -weight)
    return None


def _material(payment: Payment) -> bool:
    """Return whether the difference is more than a part of the usual move."""
    usual_move = 0.0 if payment.move is None else payment.move.open_scale
    return abs(payment.implied - payment.part) >= MATERIAL * usual_move


def _oddness(payment: Payment, fine: list[Payment]) -> float:
    """Return by how many nats it is likelier that the declared amount was paid than what the adjusted close implies."""
    amounts = [one.amount for one in fine]
    tight = _EQUAL if len(amounts) >= _STEADY else 3.5 * _EQUAL
    implied = payment.amount * payment.implied / payment.part
    beside = neighbourly(payment.amount, amounts, tight=tight) - neighbourly(implied, amounts, tight=tight)
    return payment.likelihood(payment.part) - payment.likelihood(payment.implied) + beside


def _reset(series: PriceSeries, one: Payment, weight: float) -> Repair | None:
    words = (
        f"The dividend of {one.amount:.6g} is {one.part:.4%} of the price; the adjusted close knows of "
        f"{one.implied:.4%}, which neither the price nor the other dividends bear out."
    )
    return corrected(
        series, one, kind="adjustment_size", amount=one.amount, part=one.part, evidence=words, margin=weight
    )


def _halved(series: PriceSeries, one: Payment, weight: float) -> Repair | None:
    words = (
        f"The dividend of {one.amount:.6g} is there twice over: it is {one.part:.4%} of the price, the adjusted close "
        f"knows of {one.implied:.4%}, as the price and the other dividends do."
    )
    amount = one.amount / 2
    return corrected(
        series, one, kind="dividend_doubled", amount=amount, part=one.implied, evidence=words, margin=weight
    )
