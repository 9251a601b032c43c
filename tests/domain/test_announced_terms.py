"""Terms as texts: exact numbers, one spelling, and what holders get."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.announced_terms import choices, entitlement, exact, sound_fields, written
from truetape.domain.entitlements import Option
from truetape.domain.errors import BadInput

DAY = "2024-06-10"


@pytest.mark.parametrize(
    ("text", "number", "spelled"),
    [
        ("1/7", Fraction(1, 7), "1/7"),
        ("1:7", Fraction(1, 7), "1/7"),
        ("3/2", Fraction(3, 2), "1.5"),
        ("0.82", Fraction(41, 50), "0.82"),
        ("4", Fraction(4), "4"),
        ("0.0625", Fraction(1, 16), "0.0625"),
        ("100", Fraction(100), "100"),
    ],
)
def test_numbers_are_exact(text: str, number: Fraction, spelled: str) -> None:
    """A decimal stays one; what none ends as is told in whole numbers."""
    assert (number, spelled) == (exact(text, parameter="value"), written(number))


@given(st.fractions(min_value=Fraction(1, 10**6), max_value=10**9, max_denominator=10**6))
def test_what_is_written_reads_back(number: Fraction) -> None:
    """To the last digit."""
    assert number == exact(written(number), parameter="value")


@pytest.mark.parametrize("text", ["", "0", "-1", "1/0", "nan", "1e3", "1/2/3", "1.5/2", "9" * 40])
def test_what_is_no_number_above_nought_is_refused(text: str) -> None:
    """The error names the field."""
    with pytest.raises(BadInput, match="value was"):
        exact(text, parameter="value")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": "red"}, "Fields are type, effective_date"),
        ({"effective_date": "10.6.2024"}, "YYYY-MM-DD"),
        ({"value": "much"}, "above 0"),
        ({"type": "raffle"}, "Types are split"),
        ({"currency": "dollars"}, "ISO 4217"),
        ({"options": "[1]"}, "Write JSON"),
        ({"options": '[{"label": " "}]'}, "label"),
        ({"new_symbol": "X" * 10_001}, "at most 10000"),
    ],
)
def test_fields_that_hold_something_else_are_refused(given: dict[str, str], words: str) -> None:
    """With what they may hold."""
    with pytest.raises(BadInput, match=words):
        sound_fields(given)


def test_fields_come_in_one_order_and_spelling() -> None:
    """What is blank is not said."""
    assert [("type", "split"), ("effective_date", DAY), ("value", "0.5")] == [
        *sound_fields({"value": " 1:2 ", "price": " ", "effective_date": DAY, "type": "split"}).items()
    ]


def test_what_may_be_chosen_shares_the_type_and_currency_of_the_action() -> None:
    """A dividend in cash of either currency, or in shares: 0.5 USD, 0.39 GBP, or one share for forty."""
    options = (
        '[{"label": "dollars", "value": "0.5"}, {"label": "sterling", "value": "0.39", "currency": "GBP"},'
        ' {"label": "shares", "type": "stock_dividend", "value": "1/40"}]'
    )
    fields = sound_fields({"type": "dividend", "effective_date": DAY, "currency": "USD", "options": options})

    action = entitlement("ins_a", {**fields, "pay_date": "2024-07-01"})

    assert (
        Option("dollars", cash=(("USD", Fraction(1, 2)),)),
        Option("sterling", cash=(("GBP", Fraction(39, 100)),)),
        Option("shares", kept=Fraction(41, 40)),
    ) == action.options
    assert ("dividend", date(2024, 6, 10), date(2024, 7, 1)) == (action.type, action.ex_date, action.pay_date)


def test_what_is_handed_out_is_named_by_its_instrument() -> None:
    """Where it is known; a symbol stands for itself."""
    fields = {"type": "spin_off", "effective_date": DAY, "value": "1/3", "new_symbol": "NEW"}

    known = entitlement("ins_a", fields, names={"NEW": "ins_n"})

    assert (("ins_n", Fraction(1, 3)),) == known.options[0].received
    assert (("NEW", Fraction(1, 3)),) == entitlement("ins_a", fields).options[0].received


def test_an_action_without_a_date_hands_nothing_out() -> None:
    """It waits for one."""
    with pytest.raises(BadInput, match="not known yet"):
        entitlement("ins_a", {"type": "split", "value": "2"})
    assert choices("") == ()
