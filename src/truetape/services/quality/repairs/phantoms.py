"""A dividend that is there twice: once on its ex-date, and once more a few days off."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of
from truetape.services.quality.repairs.record import Repair
from truetape.services.quality.repairs.worth import confirmed, corrected, day_of, told, unadjusted

MOST_DAYS: Final = 24
SAME: Final = 0.1  # in logarithms: a copy has the amount of its original
OFTEN: Final = 3.0  # payers with less than so many times the distance pay as often as that

_UNKNOWN_DAYS: Final = 5  # a series with two payments alone tells nothing of how often it pays
_CONFIRMED: Final = 4.0  # nats: the adjusted close knows of one of the two only
_MARGIN: Final = 1.5
_CLEAR: Final = 3.0


def phantom_dividends(series: PriceSeries) -> list[Repair]:
    """Return the repair that takes out the first copy of a dividend, if the witnesses tell which is the copy."""
    payments = payments_of(series)
    for first, second in pairwise(payments):
        if _copies(series, first, second, payments):
            weight = _weight(first, second)
            phantom, real = (first, second) if weight > 0 else (second, first)
            if (
                abs(weight) >= _margin(series, first, second)
                and (made := _removed(series, phantom, real, abs(weight))) is not None
            ):
                return [made]
    return []


def _copies(series: PriceSeries, first: Payment, second: Payment, payments: list[Payment]) -> bool:
    """Return whether one of two payments must be a copy: as large as the other, and closer than the payer ever pays."""
    if abs(np.log(first.amount / second.amount)) > SAME:
        return False
    days = [_days(series, one, other) for one, other in pairwise(payments)]
    apart = _days(series, first, second)
    others = sorted(days)
    others.remove(apart)
    if not others:
        return apart <= _UNKNOWN_DAYS
    return apart <= MOST_DAYS and float(np.median(others)) > OFTEN * max(apart, 1)


def _weight(first: Payment, second: Payment) -> float:
    """Return by how many nats it is likelier that `first` is the copy than that `second` is."""
    price = (first.likelihood(0) + second.likelihood(second.part)) - (
        first.likelihood(first.part) + second.likelihood(0)
    )
    if unadjusted(first) and told(second) and not unadjusted(second):
        return price + _CONFIRMED
    if unadjusted(second) and told(first) and not unadjusted(first):
        return price - _CONFIRMED
    return price


def _margin(series: PriceSeries, first: Payment, second: Payment) -> float:
    """Return what must be between two copies: more if they are days apart and the adjusted close knows of both."""
    both = confirmed(first) and confirmed(second)
    return _CLEAR if both and _days(series, first, second) > _UNKNOWN_DAYS else _MARGIN


def _removed(series: PriceSeries, phantom: Payment, real: Payment, weight: float) -> Repair | None:
    knows = "knows of it" if confirmed(phantom) else "does not know of it"
    return corrected(
        series,
        phantom,
        kind="dividend_phantom",
        amount=0.0,
        part=0.0 if confirmed(phantom) else float("nan"),
        evidence=(
            f"The dividend of {phantom.amount:.6g} is there again on {day_of(series, real.row)}, "
            f"{_days(series, phantom, real)} days off, where the price shows it better; the adjusted close {knows}."
        ),
        margin=weight,
    )


def _days(series: PriceSeries, one: Payment, other: Payment) -> int:
    dates = series.frame["date"]
    return abs(int((dates[other.row] - dates[one.row]).days))
