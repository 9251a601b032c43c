"""Check digits of many identifiers at once, beside python-stdnum, one by one."""

from __future__ import annotations

import random
from importlib import import_module

import polars as pl
import pytest

from truetape.domain.check_digits import FORMS, surely_right
from truetape.domain.identifiers import SCHEMES, valid

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIGNS = {"isin": LETTERS + "0123456789", "cusip": LETTERS + "0123456789*@#", "figi": "BCDFGHJKLMNPQRSTVWXYZ0123456789"}
STARTS = {
    "isin": ("US", "DE", "XS", "ZZ", "GB"),
    "cusip": ("03", "G1", "Z*"),
    "figi": ("BBG", "GBG", "KKG", "BSG", "BBX"),
}
BODIES = {"isin": 9, "cusip": 6, "figi": 8}


def some(scheme: str, count: int) -> list[str]:
    """Identifiers of which about half have the right check digit, with usual and unusual beginnings."""
    chance = random.Random(scheme)
    numbers = import_module(f"stdnum.{scheme}")
    found = []
    for _ in range(count):
        body = chance.choice(STARTS[scheme]) + "".join(chance.choices(SIGNS[scheme], k=BODIES[scheme]))
        digit = numbers.calc_check_digit(body) if chance.random() < 0.5 else chance.choice("0123456789")
        found.append(body + str(digit))
    return found


@pytest.mark.parametrize("scheme", sorted(FORMS))
def test_what_is_surely_right_is_so_one_by_one(scheme: str) -> None:
    """Form and check digit; of ISINs the country is looked at by the library alone."""
    texts = some(scheme, 600)
    stdnum = import_module(f"stdnum.{scheme}")
    one_by_one = [stdnum.is_valid(text) for text in texts]

    sure = surely_right(scheme, pl.Series(texts)).to_list()

    assert 100 < sum(one_by_one) < 500
    assert [] == [text for text, ours, theirs in zip(texts, sure, one_by_one, strict=True) if theirs and not ours]
    assert [] == [
        text
        for text, ours, theirs in zip(texts, sure, one_by_one, strict=True)
        if ours and not theirs and (scheme != "isin" or text[:2] != "ZZ")
    ]
    assert one_by_one == valid(scheme, pl.Series(texts)).to_list()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_has_another_form_is_wrong_and_null_stays_null(scheme: str) -> None:
    """Too short, too long, small letters among dashes, other scripts."""
    texts = ["", "1" * 40, "ÄÖ0378331005", "a-b", None]

    assert [False] * 4 + [None] == valid(scheme, pl.Series(texts, dtype=pl.String)).to_list()


def test_blanks_and_small_letters_are_overlooked() -> None:
    """As a person writes it."""
    assert [True, True] == valid("isin", pl.Series(["us 0378 331 005", "US-0378331005"])).to_list()
    assert [True, True, False] == valid("cik", pl.Series(["320193", "0000320193", "0"])).to_list()
