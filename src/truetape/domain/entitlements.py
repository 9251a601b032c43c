"""What one share becomes: the terms of every corporate action, in one form.

On its effective day each share held becomes `kept` shares of the same instrument, shares of other instruments and cash:

    price before = kept x price after + sum(received x their prices) + sum(cash)

That equation is what every type has in common (it is the identity behind the CRSP factors to adjust shares and prices),
and what `truetape.domain.holdings` holds portfolios to. Ratios are exact fractions: one new share for seven old ones is
1/7, not 0.142857.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Final

from truetape.domain.distributions import CASH
from truetape.domain.errors import BadInput

ONE: Final = Fraction(1)
NONE: Final = Fraction(0)
REMOVALS: Final = ("merger", "redemption", "unit_split", "worthless")  # after which nothing of the old shares is left
_LARGEST_TERM: Final = 100_000  # of a ratio that is taken as written in whole numbers
_CLOSE: Final = Fraction(1, 10**9)  # relative: how exactly a ratio of whole numbers must give the number back


@dataclass(frozen=True)
class Option:
    """What a holder gets for each share if this is chosen. Negative cash is paid by the holder."""

    label: str
    kept: Fraction = ONE
    received: tuple[tuple[str, Fraction], ...] = ()  # other instruments, with shares for each share held
    cash: tuple[tuple[str, Fraction], ...] = ()  # currencies, with the amount for each share held


@dataclass(frozen=True)
class Action:
    """A corporate action with what holders may choose; the first option is for those who choose nothing."""

    instrument_id: str
    type: str
    ex_date: date
    options: tuple[Option, ...]
    currency: str = ""  # in which fractions of a share are paid
    pay_date: date | None = None  # when the cash is paid; None: on the ex-date

    def option(self, label: str = "") -> Option:
        """Return the option called `label`; "" means the first.

        Raises:
            BadInput: There is no such option.
        """
        if not label:
            return self.options[0]
        for option in self.options:
            if option.label == label:
                return option
        known = ", ".join(option.label for option in self.options)
        raise BadInput(
            parameter=f"The choice for the {self.type} of {self.ex_date}", value=label, fix=f"Options are {known}."
        )


def ratio(value: float | Fraction) -> Fraction:
    """Return `value` as the simplest fraction that gives it back to nine digits, else as exactly the decimal it shows.

    Raises:
        ValueError: It is not a finite number.
    """
    if isinstance(value, Fraction):
        return value
    exact = Fraction(repr(float(value)))
    simple = exact.limit_denominator(_LARGEST_TERM)
    return simple if abs(simple - exact) <= _CLOSE * abs(exact) else exact


@dataclass(frozen=True)
class Told:
    """An action as a row of the table of actions tells it.

    split: `value` shares stand for one. stock_dividend: `value` are added to one. Cash types: `value` in cash per
    share. spin_off: `value` shares of `other`. rights: `value` new shares may be bought at `price` each; the rights are
    held as `other` where that is named, and else lapse for who chooses nothing. merger: `value` shares of `other`,
    `price` in cash per share, or both. redemption: `price` in cash per share. unit_split: `value` shares of `other` for
    each unit; several rows of one day belong together. worthless: nothing. symbol_change and delisting: the shares
    stay.
    """

    type: str
    value: float | Fraction | None = None
    price: float | Fraction | None = None
    currency: str = ""
    other: str = ""

    def number(self, name: str) -> Fraction:
        """Return the value or the price.

        Raises:
            BadInput: It is missing or not positive.
        """
        given = self.value if name == "value" else self.price
        if given is not None and 0 < given < float("inf"):
            return ratio(given)
        shown = "" if given is None else given
        raise BadInput(parameter=f"{name} of a {self.type}", value=shown, fix="Write a number above 0.")

    def handed_out(self) -> tuple[tuple[str, Fraction], ...]:
        """Return the other instrument with its shares for each share held.

        Raises:
            BadInput: It is not named, or its number is missing.
        """
        if self.other:
            return ((self.other, self.number("value")),)
        fix = "Name the instrument that is handed out."
        raise BadInput(parameter=f"new_symbol of a {self.type}", value="", fix=fix)

    def paid(self, name: str) -> tuple[tuple[str, Fraction], ...]:
        """Return the cash per share.

        Raises:
            BadInput: It is missing or not positive.
        """
        return ((self.currency, self.number(name)),)


def terms(told: Told) -> tuple[Option, ...]:
    """Return what holders may choose between; the first is for those who choose nothing.

    Raises:
        BadInput: A number that the type needs is missing or not positive, or the type is unknown.
    """
    if told.type not in _TERMS:
        raise BadInput(parameter="type", value=told.type, fix=f"Types are {', '.join(_TERMS)}.")
    return _TERMS[told.type](told)


def _stays(told: Told) -> tuple[Option, ...]:
    return (Option(told.type),)


def _split(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, kept=told.number("value")),)


def _stock_dividend(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, kept=ONE + told.number("value")),)


def _cash(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, cash=told.paid("value")),)


def _spin_off(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, received=told.handed_out()),)


def _rights(told: Told) -> tuple[Option, ...]:
    new = told.number("value")
    due = ((told.currency, -new * told.number("price")),)
    hold = (Option("hold", received=((told.other, ONE),)),) if told.other else ()
    return (*hold, Option("lapse"), Option("exercise", kept=ONE + new, cash=due))


def _merger(told: Told) -> tuple[Option, ...]:
    received = told.handed_out() if told.value else ()
    cash = told.paid("price") if told.price else ()
    if not received and not cash:
        raise BadInput(parameter="value of a merger", value="", fix="Write the new shares, the cash, or both.")
    return (Option(told.type, kept=NONE, received=received, cash=cash),)


def _redemption(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, kept=NONE, cash=told.paid("price")),)


def _unit_split(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, kept=NONE, received=told.handed_out()),)


def _worthless(told: Told) -> tuple[Option, ...]:
    return (Option(told.type, kept=NONE),)


_TERMS: Final[dict[str, Callable[[Told], tuple[Option, ...]]]] = {
    "split": _split,
    "stock_dividend": _stock_dividend,
    **dict.fromkeys(CASH, _cash),
    "spin_off": _spin_off,
    "rights": _rights,
    "merger": _merger,
    "redemption": _redemption,
    "unit_split": _unit_split,
    "worthless": _worthless,
    "symbol_change": _stays,
    "delisting": _stays,
}


def together(actions: Sequence[Action]) -> list[Action]:
    """Return `actions` in the order in which they take effect, with the parts of one unit split or merger as one.

    Of one day, splits and stock dividends come first, because cash, spun-off shares and rights are told per share of
    the new count; what removes the shares comes last.
    """
    merged: dict[tuple[object, ...], Action] = {}
    for number, action in enumerate(actions):
        joins = action.type in ("unit_split", "merger") and len(action.options) == 1
        place = (action.ex_date, action.instrument_id, action.type, None if joins else number)
        before = merged.get(place)
        merged[place] = action if before is None else _joined(before, action)
    return sorted(merged.values(), key=lambda one: (one.ex_date, _rank(one.type), one.instrument_id))


def election(offers: Sequence[tuple[str, Action]]) -> Action:
    """Return one action between whose options holders choose, of what is offered under each label.

    What is offered twice under one label is handed out together; the first label is for those who choose nothing.

    Args:
        offers: Labels with actions of one instrument and ex-date, none of them with options of its own.
    """
    by_label: dict[str, Action] = {}
    for label, action in offers:
        by_label[label] = _joined(by_label[label], action) if label in by_label else action
    first = offers[0][1]
    options = tuple(replace(action.options[0], label=label) for label, action in by_label.items())
    return replace(first, options=options)


def _rank(kind: str) -> int:
    if kind in ("split", "stock_dividend"):
        return 0
    return 2 if kind in REMOVALS else 1


def _joined(first: Action, second: Action) -> Action:
    """Return two parts of one action as one: what both hand out is handed out."""
    one, two = first.options[0], second.options[0]
    both = replace(one, received=one.received + two.received, cash=one.cash + two.cash)
    due = first.pay_date or second.pay_date
    return replace(first, options=(both,), currency=first.currency or second.currency, pay_date=due)
