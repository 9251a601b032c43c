"""Capital gains that the adjusted close counts twice: within the dividend, and again beside it."""

from __future__ import annotations

from functools import partial
from typing import Final

from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs.payments import Payment, payments_of
from truetape.services.quality.repairs.record import Repair
from truetape.services.quality.repairs.worth import LONGER, corrected, corrections, neighbourly, told

MARGIN: Final = 1.5  # nats, over all gains of the series together

_OTHERS_AT_MOST: Final = 2.0  # nats: a fund may pay little or much beside a gain
_EXACT: Final = 0.1  # of the difference between counted once and counted twice


def gains_counted_twice(series: PriceSeries) -> list[Repair]:
    """Return a repair for each capital gain that was taken off the adjusted close twice.

    All gains of a series are counted in one way; the price drops on their ex-dates tell together which is right.
    """
    paid = [one for one in payments_of(series) if told(one) and 0 < one.gain <= one.amount * (1 + 1e-9)]
    twice = [one for one in paid if _counted(one, one.amount + one.gain)]
    once = [one for one in paid if _counted(one, one.amount)]
    ordinary = [one.amount for one in payments_of(series) if one.gain == 0]
    margin = sum(_once_likelier(one, ordinary) for one in twice) + MARGIN * len(once)
    if not twice or margin < MARGIN:
        return []
    return corrections(series, [partial(_once, payment=one, margin=margin) for one in twice])


def _once_likelier(payment: Payment, ordinary: list[float]) -> float:
    """Return by how many nats it is likelier that the dividend includes the gain than that it comes on top.

    If it does, what is left of it looks like the dividends of days without gains.
    """
    price = payment.likelihood(payment.part) - payment.likelihood(payment.implied)
    rest = payment.amount - payment.gain
    if rest <= 0:
        return price
    beside = neighbourly(rest, ordinary) - neighbourly(payment.amount, ordinary)
    return price + min(max(beside, -_OTHERS_AT_MOST), _OTHERS_AT_MOST)


def _once(series: PriceSeries, *, payment: Payment, margin: float) -> Repair | None:
    told_part = payment.implied * payment.amount / (payment.amount + payment.gain)
    part = told_part if series.timeframe in LONGER else payment.part
    return corrected(
        series,
        payment,
        kind="gain_counted_twice",
        amount=payment.amount,
        part=part,
        evidence=(
            f"The adjusted close takes off {payment.implied:.2%} of the price, the dividend of {payment.amount:.6g} "
            f"and its capital gain of {payment.gain:.6g} again; prices fell by about the dividend, {payment.part:.2%}."
        ),
        margin=margin,
    )


def _counted(payment: Payment, amount: float) -> bool:
    """Return whether the adjusted close took off `amount`, rather than the dividend with or without its gain."""
    part, gain = payment.part * amount / payment.amount, payment.part * payment.gain / payment.amount
    return abs(payment.implied - part) < max(_EXACT * gain, 2 * payment.rounding)
