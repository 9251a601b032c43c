"""Check digits of very many identifiers at once: which of them are surely right.

What is found to be right here is so by python-stdnum too; of the rest that library has the last word. The formulas are
those of ISO 6166 (Luhn over the digits of all characters), of CUSIP (ANSI X9.6) and of FIGI (ANSI X9.145): every second
value doubled, and the decimal digits of all of them added up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

FORMS: Final = {
    "isin": r"^[A-Z]{2}[A-Z0-9]{9}[0-9]$",
    "cusip": r"^[A-Z0-9*@#]{8}[0-9]$",
    "figi": r"^[B-DF-HJ-NP-TV-Z]{2}G[0-9B-DF-HJ-NP-TV-Z]{8}[0-9]$",
}
_FOREIGN: Final = ("BS", "BM", "GG", "GB", "VG")  # countries, with which no FIGI begins
_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#"
_VALUE: Final = np.zeros(256, dtype=np.int64)
_VALUE[[ord(sign) for sign in _SIGNS]] = np.arange(len(_SIGNS))
_LETTERS_FROM: Final = 10  # values of two decimal digits


def surely_right(scheme: str, texts: pl.Series) -> pl.Series:
    """Return of each of `texts` whether it has the form and the check digit of `scheme`; null counts as false.

    Args:
        scheme: Of FORMS; ISINs also need a country, which is not looked at.
        texts: Capitals, without blanks.
    """
    formed = texts.str.contains(FORMS[scheme]).fill_null(value=False)
    if scheme == "figi":
        formed &= ~texts.str.head(2).is_in(list(_FOREIGN)).fill_null(value=False)
    right = formed.to_numpy().copy()
    if right.any():
        right[right] = _SUMS[scheme](_values(texts.filter(formed))) % 10 == 0
    return pl.Series(texts.name, right)


def _values(texts: pl.Series) -> Numbers:
    """Return the values of the characters of `texts`, all of one length, as rows."""
    width = len(texts[0])
    signs: Bytes = np.array(texts.to_list(), dtype=f"S{width}").view(np.uint8).reshape(-1, width)
    return _VALUE[signs]


def _luhn(values: Numbers) -> Numbers:
    """Return the sums of Luhn's formula over the decimal digits of `values`, every second doubled from the right."""
    total = np.zeros(len(values), dtype=np.int64)
    doubled = np.zeros(len(values), dtype=bool)
    for column in values.T[::-1]:
        total += _digit(column % 10, doubled)
        long = column >= _LETTERS_FROM
        total += np.where(long, _digit(column // 10, ~doubled), 0)
        doubled = np.where(long, doubled, ~doubled)
    return total


def _digit(digit: Numbers, doubled: npt.NDArray[np.bool_]) -> Numbers:
    twice = digit * 2
    return np.where(doubled, np.where(twice > 9, twice - 9, twice), digit)  # noqa: PLR2004  the greatest digit


def _alternating(values: Numbers) -> Numbers:
    """Return the sums of the digits of `values`, every second doubled from the left, and of the check digits."""
    weighted = values[:, :-1] * (1 + np.arange(values.shape[1] - 1) % 2)
    sums: Numbers = (weighted // 10 + weighted % 10).sum(axis=1) + values[:, -1]
    return sums


_SUMS: Final[dict[str, Callable[[Numbers], Numbers]]] = {"isin": _luhn, "cusip": _alternating, "figi": _alternating}
