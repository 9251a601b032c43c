"""Identifiers of securities and issuers: what they look like, and whether their check digits are right.

- ISIN (ISO 6166): country, nine characters, a check digit by Luhn over the digits of all characters.
- CUSIP: nine characters of the United States and Canada, the last a check digit.
- SEDOL: seven characters of London, the last a check digit.
- FIGI (ANSI X9.145): twelve characters, BBG among the usual first ones, the last a check digit.
- LEI (ISO 17442): twenty characters, the last two a check number modulo 97.
- CIK: the number of a filer with the SEC, written with ten digits; it has no check digit.

The check digits are those of python-stdnum.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import polars as pl

from truetape.domain.check_digits import FORMS, surely_right
from truetape.domain.errors import BadInput

SCHEMES: Final = ("isin", "cusip", "sedol", "figi", "lei", "cik")
NORTH_AMERICA: Final = ("US", "CA")  # whose ISINs hold a CUSIP
_CIK: Final = re.compile(r"0*([1-9]\d{0,9})")
_CIK_DIGITS: Final = 10
_BLANKS: Final = re.compile(r"[\s\-]")


def normalized(scheme: str, text: str) -> str:
    """Return an identifier as it is written: capitals, without blanks and dashes, a CIK with ten digits.

    Raises:
        BadInput: It is no identifier of `scheme`, or its check digit is wrong; or there is no such scheme.
    """
    if scheme not in SCHEMES:
        raise BadInput(parameter="scheme", value=scheme, fix=f"Schemes are {', '.join(SCHEMES)}.")
    compact = _BLANKS.sub("", text).upper()
    wrong = _defect(scheme, compact)
    if wrong:
        raise BadInput(parameter=scheme.upper(), value=text, fix=wrong)
    return compact.lstrip("0").zfill(_CIK_DIGITS) if scheme == "cik" else compact


def valid(scheme: str, texts: pl.Series) -> pl.Series:
    """Return of each of `texts` whether it is an identifier of `scheme`; null stays null.

    Each distinct text is looked at once.
    """
    distinct = texts.unique().drop_nulls()
    compact = distinct.str.replace_all(_BLANKS.pattern, "").str.to_uppercase()
    sound = _surely(scheme, compact)
    doubtful = {text: _defect(scheme, text) == "" for text in compact.filter(~sound).unique()}
    right = sound | compact.replace_strict(doubtful, default=False, return_dtype=pl.Boolean)
    asked = pl.DataFrame({"text": texts})
    known = pl.DataFrame({"text": distinct, "right": right})
    return asked.join(known, on="text", how="left", maintain_order="left")["right"].alias(texts.name)


def isin_of_cusip(cusip: str, *, country: str = "US") -> str:
    """Return the ISIN that holds `cusip`.

    Raises:
        BadInput: `cusip` is none, or `country` has no CUSIPs.
    """
    if country not in NORTH_AMERICA:
        raise BadInput(parameter="country", value=country, fix=f"Countries with CUSIPs are {', '.join(NORTH_AMERICA)}.")
    return _isin(country + normalized("cusip", cusip))


def cusip_of_isin(isin: str) -> str | None:
    """Return the CUSIP that `isin` holds, or None where its country has none.

    Raises:
        BadInput: `isin` is none.
    """
    known = normalized("isin", isin)
    return known[2:11] if known[:2] in NORTH_AMERICA else None


def _surely(scheme: str, compact: pl.Series) -> pl.Series:
    """Return which of `compact` are surely identifiers of `scheme`; those that are not may be all the same."""
    if scheme == "cik":
        return compact.str.contains(rf"^{_CIK.pattern}$")
    if scheme not in FORMS:
        return pl.repeat(value=False, n=len(compact), dtype=pl.Boolean, eager=True)
    right = surely_right(scheme, compact)
    if scheme != "isin":
        return right
    countries = compact.filter(right).str.head(2).unique()
    used = [one for one in countries if _defect(scheme, _isin(f"{one}000000000")) == ""]
    return right & compact.str.head(2).is_in(used)


def _isin(body: str) -> str:
    return body + str(_numbers("isin").calc_check_digit(body))


def _defect(scheme: str, text: str) -> str:
    """Return what is wrong with `text`, in words; "" if nothing is."""
    from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength

    if scheme == "cik":
        return "" if _CIK.fullmatch(text) else "Write a number of one to ten digits."
    try:
        _numbers(scheme).validate(text)
    except InvalidLength:
        return f"Write {_LENGTHS[scheme]} characters; these are {len(text)}."
    except InvalidChecksum:
        return f"Its check digits are wrong{_expected(scheme, text)}: look for a mistyped character."
    except InvalidComponent:
        return "Its first characters are none that are in use."
    except InvalidFormat:
        return "Write capital letters and digits only, as the standard has them."
    return ""


_LENGTHS: Final = {"isin": 12, "cusip": 9, "sedol": 7, "figi": 12, "lei": 20}


def _expected(scheme: str, text: str) -> str:
    """Return what the last digit had to be, where the scheme has one digit."""
    calculate: Callable[[str], object] | None = getattr(_numbers(scheme), "calc_check_digit", None)
    return f" (the last had to be {calculate(text[:-1])})" if calculate is not None else ""


@cache
def _numbers(scheme: str) -> Any:
    """Return python-stdnum's module of a scheme; it ships its types, but its modules have no common one."""
    from importlib import import_module

    return import_module("stdnum.gb.sedol" if scheme == "sedol" else f"stdnum.{scheme}")
