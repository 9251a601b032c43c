"""Currencies: facts of ISO 4217, held against the published list, and parts of the money that venues quote in."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from truetape.domain.currencies import DECIMALS, JOINED, REDENOMINATED, Currency, codes, currency, renamed
from truetape.domain.pairs import NATIONAL


def test_what_is_known_of_a_currency() -> None:
    """Pounds have pence in six spellings; pence are a hundredth; marks became the euro; lira lost six noughts."""
    pound = currency("GBP")
    assert pound is not None
    assert (2, "GBP", 1, "", None) == (pound.decimals, pound.whole, pound.parts, pound.successor, pound.ended)
    assert {"GBp", "GBX"} <= set(pound.spellings)
    pence = currency("GBp")
    assert pence is not None
    assert (None, "GBP", 100, ()) == (pence.decimals, pence.whole, pence.parts, pence.spellings)
    assert Currency("DEM", 2, "DEM", 1, (), "EUR", 1.95583, date(1999, 1, 1)) == currency("DEM")
    assert Currency("TRL", 2, "TRL", 1, (), "TRY", 1e6, date(2005, 1, 1)) == currency("TRL")
    assert (0, 3, 4) == tuple(one.decimals for one in map(currency, ("JPY", "KWD", "CLF")) if one)
    assert (None, None) == (currency("XXX"), currency("usd"))
    assert currency("XCG") is not None  # in use since it replaced another


def test_parts_and_noughts_add_up() -> None:
    """A penny is a hundredth, a ruble of before 2000 lost seven noughts in two steps."""
    assert [("GBP", 100), ("BYN", 10_000_000), ("USD", 1)] == [renamed(code) for code in ("GBp", "BYB", "USD")]


def test_codes_are_sorted_and_whole() -> None:
    """Every code is known by itself."""
    assert sorted(codes()) == list(codes())
    assert all(currency(code) for code in codes())


def test_the_published_list_says_the_same(recordings: Path) -> None:
    """Decimals of what is in use, and that what was replaced is withdrawn, as ISO 4217 says."""
    table = pl.read_csv(recordings / "reference" / "iso4217_codes-all.csv", infer_schema=False)
    alive = table.filter(pl.col("WithdrawalDate").is_null(), pl.col("AlphabeticCode").is_in(list(NATIONAL)))
    told = {code: int(digits) for code, digits in alive.select("AlphabeticCode", "MinorUnit").iter_rows()}
    assert told == {code: DECIMALS.get(code, 2) for code in told}
    assert len(told) > 140
    gone = set(table.filter(pl.col("WithdrawalDate").is_not_null())["AlphabeticCode"])
    assert {*JOINED, *REDENOMINATED} - gone == set()
    in_use = set(table.filter(pl.col("WithdrawalDate").is_null())["AlphabeticCode"])
    assert {*JOINED, *REDENOMINATED} & in_use == set()


@pytest.mark.parametrize("code", sorted(JOINED))
def test_fixed_rates_have_six_figures(code: str) -> None:
    """The law gives six significant figures for each, but for the ecu, which was the euro."""
    rate, since = JOINED[code]
    assert rate == float(f"{rate:.6g}")
    assert (since.month, since.day) == (1, 1)
