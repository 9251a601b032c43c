"""Which security of an issuer a ticker names: common stock, a class, a preferred series, a warrant, a unit.

Exchanges write a class behind a separator (BRK-B, BRK.B, ABR$D, AAC-WS); Nasdaq and the OTC markets write it as the
fifth letter (CHKEW is a warrant, HDELY a depositary receipt). The letters are those of the Nasdaq fifth-character list.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

SAME: Final = 1.0
MOVED: Final = 0.8  # common stock that went to or came from the OTC markets, under the same stem
MAYBE: Final = 0.6  # one of the two does not tell its class
DIFFERENT: Final = 0.0

_PREFERRED: Final = re.compile(r"[$^]|-P-(?=[A-Z])")
_SEPARATOR: Final = re.compile(r"[-./ +=]+")
_FIVE: Final = re.compile(r"[A-Z]{5}")
_WORDS: Final = {"WS": "WT", "W": "WT", "UN": "U", "RI": "R", "RT": "R", "PR": "P"}
_PASSING: Final = frozenset("QDEV")  # bankrupt, new, late with reports, when issued: still the common stock
_OVER_THE_COUNTER: Final = frozenset({"F", "Y"})
_MARKS: Final = {"=": "-U", "+": "-WT"}


class Ticker(NamedTuple):
    """A ticker in its two parts."""

    stem: str
    share_class: str  # "" for common stock, or where nothing is told
    marked: bool  # a separator told the class, and not a fifth letter


def parted(ticker: str) -> Ticker:
    """Return the stem and the class of `ticker`, whatever its separators: AAIC-P-B, AAIC$B and AAIC-PB are alike."""
    text = _PREFERRED.sub("-P", ticker.strip().upper())
    for mark, written in _MARKS.items():
        text = text.replace(mark, written)
    stem, *rest = _SEPARATOR.split(text)
    if rest:
        return Ticker(stem, "".join(_WORDS.get(part, part) for part in rest), marked=True)
    if _FIVE.fullmatch(text):
        letter = text[-1]
        return Ticker(text[:-1], "" if letter in _PASSING else _WORDS.get(letter, letter), marked=False)
    return Ticker(text, "", marked=False)


def canonical(ticker: str) -> str:
    """Return `ticker` with its class in one spelling, to compare sources that write it in their own ways."""
    stem, share_class, marked = parted(ticker)
    return f"{stem}-{share_class}" if marked else ticker.strip().upper()


def alike(one: str, other: str) -> float:
    """Return how well two tickers can name the same security: SAME, MOVED, MAYBE or DIFFERENT."""
    first, second = parted(one), parted(other)
    if first.share_class == second.share_class:
        return SAME
    classes = {first.share_class, second.share_class}
    if classes & _OVER_THE_COUNTER:  # these letters tell the market, and nothing of the class
        return MOVED if "" in classes and _stems_meet(first, second) else MAYBE
    return MAYBE if "" in classes and not (first.marked or second.marked) else DIFFERENT


def _stems_meet(first: Ticker, second: Ticker) -> bool:
    return first.stem.startswith(second.stem) or second.stem.startswith(first.stem)
