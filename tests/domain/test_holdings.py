"""Positions through corporate actions: cases worked by hand, and random sequences that must conserve value."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction

import pytest

from truetape.domain.entitlements import Action, Told, terms
from truetape.domain.errors import BadInput
from truetape.domain.holdings import Applied, Fractions, Owed, Portfolio, apply_all, fractions_named, rounded

DAY = date(2024, 6, 10)
PAY = date(2024, 6, 28)
USD = {"USD": Fraction(1)}
SEQUENCES = 10_000
CENT = Fraction(1, 100)
KINDS = (
    *("split", "stock_dividend", "dividend", "special_dividend", "return_of_capital", "capital_gain", "spin_off"),
    *("rights", "merger", "redemption", "unit_split", "worthless", "symbol_change", "delisting"),
)


def _action(
    kind: str,
    value: float | None = None,
    *,
    price: float | None = None,
    other: str = "",
    who: str = "ins_a",
    pay: date | None = None,
    day: date = DAY,
) -> Action:
    told = Told(kind, value, price=price, currency="USD", other=other)
    return Action(who, kind, day, terms(told), currency="USD", pay_date=pay)


def _after(
    held: Mapping[str, float], *actions: Action, fractions: Fractions = "keep", prices: Mapping[str, float] = {}
) -> Applied:
    shares = {name: Fraction(number) for name, number in held.items()}
    at = {(name, DAY): Fraction(price) for name, price in prices.items()}
    return apply_all(Portfolio(shares=shares), actions, fractions=fractions, prices=at)


def _shown(applied: Applied) -> tuple[dict[str, float], dict[str, float]]:
    held = {name: float(number) for name, number in applied.portfolio.shares.items()}
    return held, {name: float(amount) for name, amount in applied.portfolio.cash.items()}


@pytest.mark.parametrize(
    ("why", "held", "actions", "expected"),
    [
        # 7-for-1: 100 x 7 = 700
        ("forward split", {"ins_a": 100}, [_action("split", 7.0)], ({"ins_a": 700.0}, {})),
        # 1-for-8: 1000 / 8 = 125
        ("reverse split", {"ins_a": 1000}, [_action("split", 0.125)], ({"ins_a": 125.0}, {})),
        # 5 % in shares: 200 x 1.05 = 210
        ("stock dividend", {"ins_a": 200}, [_action("stock_dividend", 0.05)], ({"ins_a": 210.0}, {})),
        # 0.24 a share: 350 x 0.24 = 84
        ("dividend", {"ins_a": 350}, [_action("dividend", 0.24)], ({"ins_a": 350.0}, {"USD": 84.0})),
        # split 4-for-1 and 0.05 a new share on one day: 10 x 4 = 40 shares, 40 x 0.05 = 2.00
        (
            "dividend on the day of a split",
            {"ins_a": 10},
            [_action("dividend", 0.05), _action("split", 4.0)],
            ({"ins_a": 40.0}, {"USD": 2.0}),
        ),
        # one share of the new company for four: 100 / 4 = 25
        (
            "spin-off",
            {"ins_a": 100},
            [_action("spin_off", 0.25, other="ins_b")],
            ({"ins_a": 100.0, "ins_b": 25.0}, {}),
        ),
        # cash merger: 40 x 54.20 = 2168
        ("cash merger", {"ins_a": 40}, [_action("merger", price=54.2)], ({}, {"USD": 2168.0})),
        # stock merger, 0.6531 a share: 1000 x 0.6531 = 653.1, on top of 10 that were held
        (
            "stock merger",
            {"ins_a": 1000, "ins_b": 10},
            [_action("merger", 0.6531, other="ins_b")],
            ({"ins_b": 663.1}, {}),
        ),
        # mixed: 200 x 0.5 = 100 shares, 200 x 12.50 = 2500
        (
            "mixed merger",
            {"ins_a": 200},
            [_action("merger", 0.5, price=12.5, other="ins_b")],
            ({"ins_b": 100.0}, {"USD": 2500.0}),
        ),
        # a unit is a share and half a warrant: 60 shares, 30 warrants
        (
            "unit split",
            {"ins_a": 60},
            [_action("unit_split", 1.0, other="ins_s"), _action("unit_split", 0.5, other="ins_w")],
            ({"ins_s": 60.0, "ins_w": 30.0}, {}),
        ),
        # redeemed at 10.15: 300 x 10.15 = 3045
        ("redemption", {"ins_a": 300}, [_action("redemption", price=10.15)], ({}, {"USD": 3045.0})),
        ("worthless", {"ins_a": 300}, [_action("worthless")], ({}, {})),
        ("new symbol", {"ins_a": 5}, [_action("symbol_change")], ({"ins_a": 5.0}, {})),
        # sold short: who owes 100 shares owes 25 of the new company and pays the dividend, 100 x 0.24 = 24
        (
            "short position",
            {"ins_a": -100},
            [_action("spin_off", 0.25, other="ins_b"), _action("dividend", 0.24)],
            ({"ins_a": -100.0, "ins_b": -25.0}, {"USD": -24.0}),
        ),
        ("somebody else's action", {"ins_b": 7}, [_action("split", 2.0)], ({"ins_b": 7.0}, {})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cases_worked_by_hand(
    why: str, held: dict[str, float], actions: list[Action], expected: tuple[dict[str, float], dict[str, float]]
) -> None:
    """Every type does to shares and cash what its arithmetic says."""
    assert expected == _shown(_after(held, *actions)), why


def test_rights_are_held_left_or_used() -> None:
    """One new share for four at 8.00: 100 shares may buy 25 for 200.00; without a choice they lapse."""
    held = Portfolio(shares={"ins_a": Fraction(100)}, cash={"USD": Fraction(500)})
    rights = _action("rights", 0.25, price=8.0)
    assert apply_all(held, [rights]).portfolio == held
    used = apply_all(held, [rights], choices={("ins_a", DAY): "exercise"})
    assert ({"ins_a": 125.0}, {"USD": 300.0}) == _shown(used)
    tradable = _action("rights", 0.25, price=8.0, other="ins_r")
    assert ({"ins_a": 100.0, "ins_r": 100.0}, {"USD": 500.0}) == _shown(apply_all(held, [tradable]))


@pytest.mark.parametrize(
    ("rule", "number", "expected"),
    [
        # 1-for-10 of 15 shares: 1.5
        ("keep", 15, ({"ins_a": 1.5}, {})),
        ("cash", 15, ({"ins_a": 1.0}, {"USD": 10.01})),  # 0.5 x 20.02
        ("down", 15, ({"ins_a": 1.0}, {})),
        ("up", 15, ({"ins_a": 2.0}, {})),
        ("up", -15, ({"ins_a": -2.0}, {})),
        ("cash", -15, ({"ins_a": -1.0}, {"USD": -10.01})),
        ("up", 20, ({"ins_a": 2.0}, {})),
        ("down", 20, ({"ins_a": 2.0}, {})),
    ],
)
def test_fractions_of_a_share(
    rule: Fractions, number: int, expected: tuple[dict[str, float], dict[str, float]]
) -> None:
    """What is left over is kept, paid, dropped or made whole; short positions mirror long ones."""
    assert expected == _shown(_after({"ins_a": number}, _action("split", 0.1), fractions=rule, prices={"ins_a": 20.02}))


def test_a_fraction_without_a_price_is_kept() -> None:
    """Nothing is paid at a price that nobody knows; fractions that were there before are left alone."""
    assert ({"ins_a": 1.5}, {}) == _shown(_after({"ins_a": 15}, _action("split", 0.1), fractions="cash"))
    assert ({"ins_a": 1.5}, {"USD": 3.0}) == _shown(_after({"ins_a": 1.5}, _action("dividend", 2.0), fractions="down"))


def test_cash_is_owed_until_it_is_paid() -> None:
    """Between the ex-date and the pay date a dividend is owed; what was due before an action is paid by then."""
    applied = _after({"ins_a": 100}, _action("dividend", 0.24, pay=PAY))
    assert applied.portfolio.owed == (Owed(PAY, "USD", Fraction(24)),)
    assert applied.portfolio.cash == {}
    assert applied.portfolio.paid(PAY - timedelta(days=1)) == applied.portfolio
    assert applied.portfolio.paid(PAY) == Portfolio(shares=applied.portfolio.shares, cash={"USD": Fraction(24)})
    later = _action("dividend", 0.26, day=PAY + timedelta(days=60))
    both = _after({"ins_a": 100}, _action("dividend", 0.24, pay=PAY), later)
    assert (both.portfolio.cash, both.portfolio.owed) == ({"USD": Fraction(50)}, ())


def test_every_change_is_written_down() -> None:
    """The entries of a reverse split with cash for its fraction add up to what changed."""
    applied = _after({"ins_a": 15}, _action("split", 0.1), fractions="cash", prices={"ins_a": 20.0})
    told = [(one.what, float(one.change), one.why) for one in applied.entries]
    assert [("ins_a", -13.5, "split"), ("ins_a", -0.5, "fraction sold"), ("USD", 10.0, "fraction sold")] == told
    assert {(one.day, one.type, one.instrument_id) for one in applied.entries} == {(DAY, "split", "ins_a")}


def test_amounts_are_rounded_to_the_smallest_unit() -> None:
    """Cents for most currencies, whole yen, thousandths of a dinar; halves go to the even unit."""
    cases = [("USD", "0.125", "0.12"), ("USD", "0.135", "0.14"), ("JPY", "10.5", "10"), ("KWD", "1.2345", "1.234")]
    for currency, amount, expected in cases:
        assert Fraction(expected) == rounded(Fraction(amount), currency)


def test_rules_for_fractions_have_names() -> None:
    """An unknown one is refused with those that there are."""
    assert fractions_named("cash") == "cash"
    with pytest.raises(BadInput, match=r"fractions was 'sell'.*keep, cash, down, up"):
        fractions_named("sell")


def _random_action(random_: random.Random, prices: dict[str, Fraction], day: date) -> Action:
    """Return an action of any type for the instrument ins_a, and set the prices after it by its equation.

    The price before is that of ins_a. Prices of what is received are known; the price after is what the equation of
    domain.entitlements leaves for it.
    """
    before = prices["ins_a"]
    kind = random_.choice(KINDS)
    value = Fraction(random_.randint(1, 40), random_.randint(1, 40))
    share = before / 4  # of the price: what may be handed out in cash or as other shares
    cash = Fraction(int(share * 10_000), 10_000)
    told: dict[str, Told] = {
        "spin_off": Told(kind, float(value), other="ins_b"),
        "rights": Told(kind, float(value), price=float(share), currency="USD", other="ins_r"),
        "merger": Told(kind, float(value), price=float(cash), currency="USD", other="ins_c"),
        "redemption": Told(kind, price=float(cash), currency="USD"),
        "unit_split": Told(kind, float(value), other="ins_d"),
    }
    amount = value if kind in ("split", "stock_dividend") else cash
    return Action("ins_a", kind, day, terms(told.get(kind, Told(kind, float(amount), currency="USD"))), currency="USD")


def _settle_prices(action: Action, prices: dict[str, Fraction]) -> None:
    """Set prices so that one share before is worth what it becomes."""
    option, before = action.options[0], prices["ins_a"]
    cash = sum((amount for _, amount in option.cash), Fraction(0))
    if option.kept:
        others = [name for name, _ in option.received]
        for name, each in option.received:
            prices[name] = (before - cash) / 4 / each / len(others)
        handed = sum((prices[name] * each for name, each in option.received), Fraction(0))
        prices["ins_a"] = (before - cash - handed) / option.kept
    elif option.received:
        for name, each in option.received:
            prices[name] = (before - cash) / each / len(option.received)
    else:
        prices["ins_a"] = cash


def test_value_is_conserved_through_random_sequences_of_all_types() -> None:
    """On each effective day a portfolio is worth what it was worth before, but for cents of rounded cash."""
    random_ = random.Random(20240610)
    seen: set[str] = set()
    for _ in range(SEQUENCES):
        portfolio = Portfolio(shares={"ins_a": Fraction(random_.randint(-500, 5000))}, cash={"USD": Fraction(100)})
        prices = {"ins_a": Fraction(random_.randint(100, 50_000), 100)}
        for step in range(random_.randint(1, 4)):
            action = _random_action(random_, prices, DAY + timedelta(days=step))
            if action.type in ("redemption", "worthless"):  # they come when the price is what is paid
                _settle_prices(action, prices)
            worth = portfolio.value(prices, USD)
            if action.type not in ("redemption", "worthless"):
                _settle_prices(action, prices)
            after = apply_all(portfolio, [action]).portfolio
            assert abs(after.value(prices, USD) - worth) <= CENT, action
            seen.add(action.type)
            held = {name: number for name, number in after.shares.items() if name == "ins_a"}
            portfolio = Portfolio(shares=held, cash=after.cash, owed=after.owed)
            if prices["ins_a"] < Fraction(1, 10):
                break  # nothing in cash could be handed out
    assert len(seen) == 14


def test_a_fraction_paid_in_cash_conserves_value_too() -> None:
    """1-for-7 of 1,000 shares at 3.00: 142 at 21.00 and 6/7 of one in cash, 2982 + 18 = 3000."""
    applied = _after({"ins_a": 1000}, _action("split", 1 / 7), fractions="cash", prices={"ins_a": 21.0})
    assert applied.portfolio.value({"ins_a": Fraction(21)}, USD) == Fraction(3000)
    assert ({"ins_a": 142.0}, {"USD": 18.0}) == _shown(applied)
