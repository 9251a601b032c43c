"""Identifiers and their check digits, on real ones."""

from __future__ import annotations

import polars as pl
import pytest

from truetape.domain.errors import BadInput
from truetape.domain.identifiers import cusip_of_isin, isin_of_cusip, normalized, valid

REAL = {
    "isin": ["US0378331005", "GB0002634946", "DE0007164600", "US4592001014", "JP3633400001"],
    "cusip": ["037833100", "17275R102", "38259P508", "594918104"],
    "sedol": ["0263494", "B15KXQ8", "2046251"],
    "figi": ["BBG000B9XRY4", "BBG000BLNNH6", "BBG000BPH459"],
    "lei": ["HWUPKR0MPOU8FGXBT394", "7LTWFZYICNSX8D621K86"],
}


@pytest.mark.parametrize(("scheme", "text"), [(scheme, one) for scheme, every in REAL.items() for one in every])
def test_real_identifiers_are_right_and_any_mistyped_digit_is_found(scheme: str, text: str) -> None:
    """A digit that is another one breaks the check, wherever it stands."""
    assert text == normalized(scheme, text)
    for place, character in enumerate(text):
        if character.isdigit():
            with pytest.raises(BadInput, match=scheme.upper()):
                normalized(scheme, text[:place] + str((int(character) + 1) % 10) + text[place + 1 :])


@pytest.mark.parametrize(
    ("scheme", "text", "expected"),
    [
        ("isin", " us-0378331005 ", "US0378331005"),
        ("cusip", "037833 10 0", "037833100"),
        ("cik", "320193", "0000320193"),
        ("cik", "0000320193", "0000320193"),
    ],
)
def test_spellings_become_one(scheme: str, text: str, expected: str) -> None:
    """Blanks, dashes and small letters go; a CIK has ten digits."""
    assert expected == normalized(scheme, text)


@pytest.mark.parametrize(
    ("scheme", "text", "words"),
    [
        ("isin", "US0378331006", r"ISIN was 'US0378331006'.*the last had to be 5"),
        ("isin", "US037833100", r"12 characters; these are 11"),
        ("isin", "XX0378331005", r"first characters are none"),
        ("isin", "US03783310é5", r"capital letters and digits"),
        ("lei", "HWUPKR0MPOU8FGXBT395", r"check digits are wrong: look"),
        ("cik", "CIK320193", r"one to ten digits"),
        ("cik", "0", r"one to ten digits"),
        ("wkn", "865985", r"scheme was 'wkn'.*isin, cusip, sedol, figi, lei, cik"),
    ],
)
def test_what_is_wrong_is_said(scheme: str, text: str, words: str) -> None:
    """The scheme, the value, and what had to stand there."""
    with pytest.raises(BadInput, match=words):
        normalized(scheme, text)


def test_many_are_judged_at_once() -> None:
    """Null stays null; spellings do not matter."""
    texts = pl.Series(["US0378331005", "us0378331005", "US0378331006", None, ""])
    assert [True, True, False, None, False] == valid("isin", texts).to_list()
    assert [True, False] == valid("cik", pl.Series(["320193", "Apple"])).to_list()


def test_an_isin_of_north_america_holds_a_cusip() -> None:
    """Both ways; other countries' ISINs hold none."""
    assert isin_of_cusip("037833100") == "US0378331005"
    assert isin_of_cusip("82509L107", country="CA") == "CA82509L1076"
    assert [cusip_of_isin(one) for one in ("US0378331005", "GB0002634946")] == ["037833100", None]
    with pytest.raises(BadInput, match=r"country was 'GB'"):
        isin_of_cusip("037833100", country="GB")
