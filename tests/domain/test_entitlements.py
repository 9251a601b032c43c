"""What one share becomes, type by type."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from truetape.domain.entitlements import Action, Option, Told, election, ratio, terms, together
from truetape.domain.errors import BadInput

DAY = date(2024, 6, 10)
HALF = Fraction(1, 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.14285714285714285, Fraction(1, 7)),
        (1 / 30, Fraction(1, 30)),
        (1.5, Fraction(3, 2)),
        (0.24, Fraction(6, 25)),
        (0.123456789012, Fraction("0.123456789012")),
        (Fraction(1, 7), Fraction(1, 7)),
    ],
)
def test_ratios_are_the_fractions_that_were_meant(value: float | Fraction, expected: Fraction) -> None:
    """A float that stands for a ratio of whole numbers is that ratio; any other is the decimal that it shows."""
    assert ratio(value) == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (Told("split", 0.1), (Option("split", kept=Fraction(1, 10)),)),
        (Told("stock_dividend", 0.05), (Option("stock_dividend", kept=Fraction(21, 20)),)),
        (
            Told("special_dividend", 2.5, currency="USD"),
            (Option("special_dividend", cash=(("USD", Fraction(5, 2)),)),),
        ),
        (Told("spin_off", 0.5, other="ins_b"), (Option("spin_off", received=(("ins_b", HALF),)),)),
        (
            Told("rights", 0.25, price=8.0, currency="GBP"),
            (Option("lapse"), Option("exercise", kept=Fraction(5, 4), cash=(("GBP", Fraction(-2)),))),
        ),
        (
            Told("rights", 0.25, price=8.0, currency="GBP", other="ins_r"),
            (
                Option("hold", received=(("ins_r", Fraction(1)),)),
                Option("lapse"),
                Option("exercise", kept=Fraction(5, 4), cash=(("GBP", Fraction(-2)),)),
            ),
        ),
        (
            Told("merger", 0.5, price=12.0, currency="USD", other="ins_b"),
            (Option("merger", kept=Fraction(0), received=(("ins_b", HALF),), cash=(("USD", Fraction(12)),)),),
        ),
        (
            Told("merger", price=30.0, currency="USD"),
            (Option("merger", kept=Fraction(0), cash=(("USD", Fraction(30)),)),),
        ),
        (
            Told("redemption", price=10.1, currency="USD"),
            (Option("redemption", kept=Fraction(0), cash=(("USD", Fraction(101, 10)),)),),
        ),
        (
            Told("unit_split", 0.5, other="ins_w"),
            (Option("unit_split", kept=Fraction(0), received=(("ins_w", HALF),)),),
        ),
        (Told("worthless"), (Option("worthless", kept=Fraction(0)),)),
        (Told("symbol_change"), (Option("symbol_change"),)),
        (Told("delisting"), (Option("delisting"),)),
    ],
    ids=lambda value: value.type if isinstance(value, Told) else "",
)
def test_the_terms_of_each_type(told: Told, expected: tuple[Option, ...]) -> None:
    """Every type is told as shares kept, shares received and cash."""
    assert expected == terms(told)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (Told("split"), r"value of a split was ''"),
        (Told("split", -2.0), r"value of a split was -2.0.*above 0"),
        (Told("dividend", float("inf")), r"value of a dividend was inf"),
        (Told("spin_off", 1.0), r"new_symbol of a spin_off was ''"),
        (Told("merger"), r"value of a merger was ''.*new shares, the cash, or both"),
        (Told("raffle", 1.0), r"type was 'raffle'.*split"),
    ],
)
def test_what_cannot_be_an_action_is_refused(told: Told, words: str) -> None:
    """A number that a type needs must be there; the error names it."""
    with pytest.raises(BadInput, match=words):
        terms(told)


def _action(kind: str, *options: Option, day: date = DAY, pay: date | None = None, currency: str = "") -> Action:
    return Action("ins_a", kind, day, options or (Option(kind),), currency=currency, pay_date=pay)


def test_splits_come_first_and_removals_last() -> None:
    """Cash and spun-off shares of a day are per share of the count after a split of that day."""
    later = date(2024, 6, 11)
    mixed = [_action("split", day=later), _action("merger"), _action("dividend"), _action("split")]
    assert ["split", "dividend", "merger", "split"] == [one.type for one in together(mixed)]


def test_the_parts_of_a_unit_split_or_merger_are_one_action() -> None:
    """A unit becomes shares and warrants at once; two dividends of one day stay two."""
    pay = date(2024, 7, 1)
    shares = _action("unit_split", Option("unit_split", kept=Fraction(0), received=(("ins_s", Fraction(1)),)))
    warrants = _action(
        "unit_split", Option("unit_split", kept=Fraction(0), received=(("ins_w", HALF),)), pay=pay, currency="USD"
    )
    (joined,) = together([shares, warrants])
    assert joined.options[0].received == (("ins_s", Fraction(1)), ("ins_w", HALF))
    assert (joined.pay_date, joined.currency) == (pay, "USD")
    assert len(together([_action("dividend"), _action("dividend")])) == 2


def test_an_election_has_one_option_for_each_label() -> None:
    """What is offered twice under one label is handed out together; an elective merger joins no other."""
    stock = _action("merger", Option("merger", kept=Fraction(0), received=(("ins_b", Fraction(1)),)))
    extra = _action("merger", Option("merger", kept=Fraction(0), cash=(("USD", Fraction(1)),)))
    cash = _action("merger", Option("merger", kept=Fraction(0), cash=(("USD", Fraction(20)),)))
    chosen = election([("stock", stock), ("cash", cash), ("stock", extra)])
    assert ["stock", "cash"] == [one.label for one in chosen.options]
    assert chosen.option("stock").cash == (("USD", Fraction(1)),)
    assert chosen.option().label == "stock"
    assert len(together([chosen, extra])) == 2
    with pytest.raises(BadInput, match=r"choice for the merger of 2024-06-10 was 'gold'.*stock, cash"):
        chosen.option("gold")
