"""Positions through corporate actions: shares, cash and what is owed, so that no value appears or is lost.

The value of a portfolio at the prices before an action equals its value at the prices after it, which obey the equation
of `truetape.domain.entitlements`: what the shares lose stands as other shares, as cash, or as cash owed until its pay
date. Only two things move it: amounts are rounded to the currency's smallest unit, and a fraction of a share may be
dropped or made whole, as the rule for fractions says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Final, Literal, TypeVar

from truetape.domain.entitlements import Action, Option, together
from truetape.domain.errors import BadInput

Fractions = Literal["keep", "cash", "down", "up"]
FRACTIONS: Final[tuple[Fractions, ...]] = ("keep", "cash", "down", "up")
DECIMALS: Final = {"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3, "JOD": 3}
_USUAL_DECIMALS: Final = 2

K = TypeVar("K")


@dataclass(frozen=True)
class Owed:
    """Cash that is to be paid on `due`."""

    due: date
    currency: str
    amount: Fraction


@dataclass(frozen=True)
class Portfolio:
    """What somebody holds. Shares and cash may be negative: sold short, or borrowed."""

    shares: Mapping[str, Fraction] = field(default_factory=dict)  # by instrument
    cash: Mapping[str, Fraction] = field(default_factory=dict)  # by currency
    owed: tuple[Owed, ...] = ()

    def value(self, prices: Mapping[str, Fraction], rates: Mapping[str, Fraction]) -> Fraction:
        """Return what it is worth.

        Args:
            prices: Of each instrument held, in the currency of the result.
            rates: Of each currency held or owed: what one unit costs in the currency of the result.

        Raises:
            KeyError: A price or a rate is missing.
        """
        held = sum((number * prices[name] for name, number in self.shares.items()), Fraction(0))
        cash = sum((amount * rates[name] for name, amount in self.cash.items()), Fraction(0))
        return held + cash + sum((one.amount * rates[one.currency] for one in self.owed), Fraction(0))

    def paid(self, day: date) -> Portfolio:
        """Return it after everything that is due on `day` or before was paid."""
        due = [one for one in self.owed if one.due <= day]
        cash = dict(self.cash)
        for one in due:
            _add(cash, one.currency, one.amount)
        return replace(self, cash=cash, owed=tuple(one for one in self.owed if one.due > day))


@dataclass(frozen=True)
class Entry:
    """One change of a position: shares of an instrument, or an amount of a currency."""

    day: date
    type: str  # of the action
    instrument_id: str  # whose action it was
    what: str  # the instrument or the currency that changed
    change: Fraction
    why: str  # the option, or what became of a fraction of a share


@dataclass(frozen=True)
class Applied:
    """A portfolio after actions, and every change that led to it."""

    portfolio: Portfolio
    entries: tuple[Entry, ...]


def apply_all(
    portfolio: Portfolio,
    actions: Sequence[Action],
    *,
    fractions: Fractions = "keep",
    prices: Mapping[tuple[str, date], Fraction] = {},
    choices: Mapping[tuple[str, date], str] = {},
) -> Applied:
    """Return `portfolio` after `actions`, in the order in which they take effect.

    Args:
        portfolio: Before the first of them.
        actions: In any order; the parts of one unit split or merger may stand apart.
        fractions: What becomes of a fraction of a share that an action leaves: kept; paid in cash at the price of the
            ex-date; dropped; or made a whole share.
        prices: The price after the action, by instrument and ex-date, in the action's currency: what a fraction is
            paid at. Without one it is kept.
        choices: The options chosen, by instrument and ex-date.

    Raises:
        BadInput: There is no option of the name that was chosen.
    """
    entries: list[Entry] = []
    for action in together(actions):
        portfolio = portfolio.paid(action.ex_date)
        label = choices.get((action.instrument_id, action.ex_date), "")
        chosen = action.option(label) if len(action.options) > 1 else action.options[0]
        applied = apply(portfolio, action, chosen, fractions=fractions, prices=prices)
        portfolio, entries = applied.portfolio, [*entries, *applied.entries]
    return Applied(portfolio, tuple(entries))


def apply(
    portfolio: Portfolio,
    action: Action,
    option: Option,
    *,
    fractions: Fractions = "keep",
    prices: Mapping[tuple[str, date], Fraction] = {},
) -> Applied:
    """Return `portfolio` after one action of which `option` was chosen; see `apply_all`."""
    held = portfolio.shares.get(action.instrument_id, Fraction(0))
    if not held:
        return Applied(portfolio, ())
    book = _Book(action, option, fractions, prices, dict(portfolio.shares))
    if option.kept != 1:
        book.change(action.instrument_id, -held)
        book.give(action.instrument_id, held * option.kept)
    for instrument, each in option.received:
        book.give(instrument, held * each)
    for currency, each in option.cash:
        book.pay(currency, held * each, why=option.label)
    due = action.pay_date or action.ex_date
    owed = tuple(Owed(due, currency, amount) for currency, amount in book.cash.items() if amount)
    shares = {name: number for name, number in book.shares.items() if number}
    after = Portfolio(shares=shares, cash=portfolio.cash, owed=portfolio.owed + owed)
    return Applied(after.paid(action.ex_date), tuple(book.written()))


def rounded(amount: Fraction, currency: str) -> Fraction:
    """Return `amount` in whole smallest units of `currency`; halves go to the even one."""
    unit = 10 ** DECIMALS.get(currency, _USUAL_DECIMALS)
    return Fraction(round(amount * unit), unit)


@dataclass
class _Book:
    """The positions while one action is applied, and what was written down about it."""

    action: Action
    option: Option
    fractions: Fractions
    prices: Mapping[tuple[str, date], Fraction]
    shares: dict[str, Fraction]
    cash: dict[str, Fraction] = field(default_factory=dict)
    changes: dict[tuple[str, str], Fraction] = field(default_factory=dict)  # by what changed, and why

    def change(self, instrument: str, number: Fraction, why: str = "") -> None:
        _add(self.shares, instrument, number)
        _add(self.changes, (instrument, why or self.option.label), number)

    def pay(self, currency: str, amount: Fraction, *, why: str) -> None:
        paid = rounded(amount, currency)
        _add(self.cash, currency, paid)
        _add(self.changes, (currency, why), paid)

    def give(self, instrument: str, number: Fraction) -> None:
        """Hand out `number` shares, and deal with the fraction among them; short positions mirror long ones."""
        self.change(instrument, number)
        part = number - int(number)  # int() goes towards nought
        price = self.prices.get((instrument, self.action.ex_date))
        if self.fractions == "down":
            self.change(instrument, -part, "fraction dropped")
        elif self.fractions == "up" and part:
            self.change(instrument, (1 if part > 0 else -1) - part, "fraction made whole")
        elif self.fractions == "cash" and price is not None:
            self.change(instrument, -part, "fraction sold")
            self.pay(self.action.currency, part * price, why="fraction sold")

    def written(self) -> Iterator[Entry]:
        action = self.action
        for (what, why), change in self.changes.items():
            if change:
                yield Entry(action.ex_date, action.type, action.instrument_id, what, change, why)


def _add(amounts: dict[K, Fraction], key: K, amount: Fraction) -> None:
    amounts[key] = amounts.get(key, Fraction(0)) + amount


def fractions_named(name: str) -> Fractions:
    """Return the rule for fractions called `name`.

    Raises:
        BadInput: There is none.
    """
    for rule in FRACTIONS:
        if rule == name:
            return rule
    raise BadInput(parameter="fractions", value=name, fix=f"Rules are {', '.join(FRACTIONS)}.")
