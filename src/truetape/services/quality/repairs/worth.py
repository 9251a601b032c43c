"""What a payment is worth beside the others of its series, and which of its three witnesses agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.noise import surprise
from truetape.services.quality.repairs.payments import Payment
from truetape.services.quality.repairs.record import Repair, apply, repair

HUNDRED: Final = 100.0
LONGER: Final = (
    "1w",
    "1mo",
)  # the closes of such bars are not those before the ex-dates, the adjusted close knows more
ALIKE: Final = 0.15  # in logarithms: the adjusted close confirms an amount this close to what it implies
CLOSER: Final = 0.1  # in logarithms: how close it must be to a factor of the amount to tell that factor

_USUAL_PART: Final = 0.01  # of the price: most payments lie within a factor of ten around it
_USUAL_SPREAD: Final = 1.3  # in logarithms
_LOOSE: Final = {1: 1.0, 2: 0.5}  # spread that so few others prove at best
_TIGHT: Final = 0.35
_ROUNDINGS: Final = 4.0


def usual(part: float) -> float:
    """Return the log-likelihood that a payment is `part` of the price, from what payments usually are."""
    return float(-0.5 * (np.log(part / _USUAL_PART) / _USUAL_SPREAD) ** 2)


def neighbourly(amount: float, others: Sequence[float], *, tight: float = _TIGHT) -> float:
    """Return the log-likelihood of `amount` beside `others`; 0 where there are none.

    Args:
        amount: Above 0.
        others: The other amounts of the series, above 0.
        tight: The smallest spread, in logarithms, that others can prove.
    """
    if not others:
        return 0.0
    logs = np.log(np.array(others))
    spread = max(float(np.std(logs)), _LOOSE.get(len(others), tight))
    return float(-surprise(np.log(amount) - np.median(logs), spread))


def confirmed(payment: Payment, factor: float = 1.0, *, within: float | None = None) -> bool:
    """Return whether the adjusted close implies `factor` times the declared amount.

    Args:
        payment: A payment of which the adjusted close tells something.
        factor: Above 0.
        within: How close, in logarithms; as loose as the length of the bars demands if None.
    """
    if not payment.implied > 0:
        return False
    part = payment.part * factor
    slack = _slack(payment) if within is None else within
    exact = abs(payment.implied - part) <= _ROUNDINGS * payment.rounding
    return exact or abs(float(np.log(payment.implied / part))) <= slack


def told(payment: Payment) -> bool:
    """Return whether the adjusted close could show this payment, and says something about it."""
    return bool(np.isfinite(payment.implied)) and payment.part > _ROUNDINGS * payment.rounding


def unadjusted(payment: Payment) -> bool:
    """Return whether the adjusted close knows nothing of this payment, though it could."""
    limit = min(_ROUNDINGS * payment.rounding, payment.part / 2)
    return told(payment) and abs(payment.implied) <= limit


def _slack(payment: Payment) -> float:
    """Return how far an implied part may lie from the declared one.

    The close before the ex-date that the adjustment was made with lies within a longer bar, not at its end.
    """
    return ALIKE if payment.move is None else max(ALIKE, 3 * payment.move.open_scale)


def corrected(
    series: PriceSeries,
    payment: Payment,
    *,
    kind: str,
    amount: float,
    part: float,
    evidence: str,
    margin: float,
) -> Repair | None:
    """Return the repair that makes a payment `amount`, and the adjusted closes before it know of `part` of the price.

    Args:
        series: What is there.
        payment: What is wrong.
        kind: The kind of the repair.
        amount: Cash per share; 0 for none.
        part: What share of the close before the adjusted close must know of; NaN to leave it.
        evidence: Why.
        margin: By how many nats the correction is likelier than its best alternative.
    """
    after = {}
    if amount != payment.amount:
        dividends = series.values("dividends")
        dividends[payment.row] = amount
        after["dividends"] = dividends
    factor = (1 - part) / (1 - payment.implied) if payment.implied != 1 else float("nan")
    if np.isfinite(factor) and abs(part - payment.implied) > payment.rounding:
        adjusted = series.values("adj_close")
        adjusted[: payment.after] *= factor
        after["adj_close"] = adjusted
    told_factor = amount / payment.amount if amount != payment.amount else factor
    return repair(
        series,
        kind=kind,
        after=after,
        factor=told_factor if payment.amount else None,
        evidence=evidence,
        confidence=sureness(margin),
    )


def corrections(series: PriceSeries, makers: Sequence[Callable[[PriceSeries], Repair | None]]) -> list[Repair]:
    """Return the repairs that `makers` make, each of the series as the ones before left it."""
    made: list[Repair] = []
    for maker in makers:
        own = [one for one in (maker(series),) if one is not None]
        made += own
        series = apply(series, own)
    return made


def sureness(margin: float) -> float:
    """Return the probability of a hypothesis that is `margin` nats likelier than its only alternative."""
    return float(1 / (1 + np.exp(-margin)))


def day_of(series: PriceSeries, row: int) -> str:
    """Return the date of a row."""
    return str(series.frame["date"][row])
