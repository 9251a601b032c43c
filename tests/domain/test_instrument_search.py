"""What people type, and the instruments that they mean by it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.instrument_search import WAYS, InstrumentIndex, one_letter_apart, plain

LISTED = [
    ("ins_apple", "Apple Inc.", "equity", "AAPL", None),
    ("ins_hospitality", "Apple Hospitality REIT, Inc.", "equity", "APLE", None),
    ("ins_rush", "Apple Rush Company, Inc.", "equity", "APRU", date(2021, 5, 3)),
    ("ins_meta", "Meta Platforms, Inc.", "equity", "META", None),
    ("ins_meta", "Facebook, Inc.", "equity", "FB", date(2022, 6, 9)),
    ("ins_fbold", "FirstBank Old Corp", "equity", "FB", date(2003, 3, 29)),
    ("ins_fbnc", "First Bancorp", "equity", "FBNC", None),
    ("ins_brkb", "Berkshire Hathaway Inc. Class B", "equity", "BRK.B", None),
    ("ins_brka", "Berkshire Hathaway Inc. Class A", "equity", "BRK.A", None),
    ("ins_spy", "SPDR S&P 500 ETF Trust", "etf", "SPY", None),
    ("ins_acme", "Acme Acquisition Corp", "equity", "ACME", None),
    ("ins_acmew", "Acme Acquisition Corp Warrant", "equity", "ACME.WS", None),
    ("ins_acmeu", "Acme Acquisition Corp Unit", "equity", "ACME.U", None),
    ("ins_acmep", "Acme Acquisition Corp 7% Preferred Series A", "equity", "ACME.PR.A", None),
    ("ins_nestle", "Nestlé S.A.", "equity", "NESN", None),
    ("ins_msft", "Microsoft Corporation", "equity", "MSFT", None),
    ("ins_mstr", "MicroStrategy Incorporated", "equity", "MSTR", None),
]


@pytest.fixture(scope="module")
def index() -> InstrumentIndex:
    rows = pl.DataFrame(
        LISTED,
        schema={"instrument_id": pl.String, "name": pl.String, "asset_class": pl.String, "symbol": pl.String,
                "valid_to": pl.Date},
        orient="row",
    )  # fmt: skip
    identifiers = pl.DataFrame({"instrument_id": ["ins_apple", "ins_meta"], "value": ["US0378331005", "0001326801"]})
    return InstrumentIndex(rows.select("instrument_id", "name", "asset_class"), rows, identifiers)


@pytest.mark.parametrize(
    ("text", "expected", "way"),
    [
        ("AAPL", ["ins_apple"], "ticker"),
        ("aapl", ["ins_apple"], "ticker"),
        ("apple", ["ins_apple", "ins_hospitality", "ins_rush"], "name begins so"),
        ("us0378331005", ["ins_apple"], "identifier"),
        ("US-0378 331005", ["ins_apple"], "identifier"),
        ("0001326801", ["ins_meta"], "identifier"),
        ("meta", ["ins_meta"], "ticker"),
        ("facebook", ["ins_meta"], "name begins so"),
        ("FB", ["ins_meta", "ins_fbold", "ins_fbnc"], "former ticker"),
        ("brk-b", ["ins_brkb", "ins_brka"], "ticker"),
        ("BRK/B", ["ins_brkb", "ins_brka"], "ticker"),
        ("brkb", ["ins_brkb"], "ticker"),
        ("brk", ["ins_brka", "ins_brkb"], "ticker begins so"),
        ("berkshire b", ["ins_brkb", "ins_brka"], "words"),
        ("hathaway", ["ins_brka", "ins_brkb"], "words"),
        ("acme", ["ins_acme", "ins_acmep", "ins_acmeu", "ins_acmew"], "ticker"),
        ("acme acq", ["ins_acme", "ins_acmep", "ins_acmeu", "ins_acmew"], "name begins so"),
        ("acme warrant", ["ins_acmew"], "words"),
        ("s&p 500", ["ins_spy"], "words"),
        ("nestle", ["ins_nestle"], "name begins so"),
        ("Nestlé", ["ins_nestle"], "name begins so"),
        ("microsft", ["ins_msft"], "nearly"),
        ("mircosoft corp", ["ins_msft"], "nearly"),
        ("micro", ["ins_msft", "ins_mstr"], "name begins so"),
        ("brkshire hathaway", ["ins_brka", "ins_brkb"], "nearly"),
        ("ins_meta", ["ins_meta"], "identifier"),
        ("ins", [], ""),
        ("zzzz", [], ""),
        ("", [], ""),
        ("?!", [], ""),
    ],
)
def test_what_is_typed_finds_what_is_meant(index: InstrumentIndex, text: str, expected: list[str], way: str) -> None:
    """Ticker before name, present before former, listed before gone, common stock before warrants, short first."""
    found = index.search(text, limit=10)

    assert expected == [hit.instrument_id for hit in found]
    assert way == (WAYS[found[0].way] if found else "")


def test_no_more_is_told_than_asked_for(index: InstrumentIndex) -> None:
    """The likeliest are."""
    assert ["ins_apple", "ins_hospitality"] == [hit.instrument_id for hit in index.search("apple", limit=2)]


def test_an_index_of_nothing_finds_nothing() -> None:
    """A new folder."""
    text = dict.fromkeys(("instrument_id", "name", "asset_class", "symbol", "value"), pl.String)
    none = pl.DataFrame(schema={**text, "valid_to": pl.Date})

    assert [] == InstrumentIndex(none, none, none).search("apple", limit=5)


WORD = st.text(alphabet="abcd", max_size=5)


def distance(one: str, other: str) -> int:
    """The number of single letters changed, put in, left out or swapped (restricted Damerau and Levenshtein)."""
    table = {(i, -1): i + 1 for i in range(-1, len(one))} | {(-1, j): j + 1 for j in range(-1, len(other))}
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
            if i and j and a == other[j - 1] and one[i - 1] == b:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(one) - 1, len(other) - 1]


@given(WORD, WORD)
def test_one_letter_is_one_step_of_the_usual_distance(one: str, other: str) -> None:
    """Beside the textbook's table; equal words are no step apart, and count as near."""
    assert (distance(one, other) <= 1) == one_letter_apart(one, other)


@given(st.text(max_size=20))
def test_whatever_is_typed_is_answered(index: InstrumentIndex, text: str) -> None:
    """No text breaks the search, and what is found is known."""
    assert {hit.instrument_id for hit in index.search(text, limit=5)} <= {row[0] for row in LISTED}
    assert plain(text) == plain(plain(text))
