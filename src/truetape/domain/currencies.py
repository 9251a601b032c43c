"""Currencies: codes of ISO 4217 in use and withdrawn, their decimals, and what an amount of an old one is today.

Two kinds of facts make an old amount a new one without any rate of a day. A redenomination cuts noughts: an amount in
old lira is a millionth of it in new ones, whatever day it is of. A currency that joined the euro is a fixed fraction of
it from that day on (Council Regulations (EC) 2866/98 and after); before it, it had rates of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from truetape.domain.pairs import NATIONAL
from truetape.domain.units import PARTS

EURO: Final = "EUR"
DECIMALS: Final = {  # of the smallest unit, where they are not two
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    "CLF": 4,
}
FIRST_MEMBERS: Final = date(1999, 1, 1)
JOINED: Final[dict[str, tuple[float, date]]] = {  # units for one euro, irrevocably, from this date on
    "ATS": (13.7603, FIRST_MEMBERS),
    "BEF": (40.3399, FIRST_MEMBERS),
    "DEM": (1.95583, FIRST_MEMBERS),
    "ESP": (166.386, FIRST_MEMBERS),
    "FIM": (5.94573, FIRST_MEMBERS),
    "FRF": (6.55957, FIRST_MEMBERS),
    "IEP": (0.787564, FIRST_MEMBERS),
    "ITL": (1936.27, FIRST_MEMBERS),
    "LUF": (40.3399, FIRST_MEMBERS),
    "NLG": (2.20371, FIRST_MEMBERS),
    "PTE": (200.482, FIRST_MEMBERS),
    "XEU": (1.0, FIRST_MEMBERS),  # the ecu
    "GRD": (340.750, date(2001, 1, 1)),
    "SIT": (239.640, date(2007, 1, 1)),
    "CYP": (0.585274, date(2008, 1, 1)),
    "MTL": (0.429300, date(2008, 1, 1)),
    "SKK": (30.1260, date(2009, 1, 1)),
    "EEK": (15.6466, date(2011, 1, 1)),
    "LVL": (0.702804, date(2014, 1, 1)),
    "LTL": (3.45280, date(2015, 1, 1)),
    "HRK": (7.53450, date(2023, 1, 1)),
    "BGN": (1.95583, date(2026, 1, 1)),
}
REDENOMINATED: Final[dict[str, tuple[str, int, date]]] = {  # the new code, old units for one new, and since when
    "AFA": ("AFN", 1000, date(2002, 10, 7)),
    "ANG": ("XCG", 1, date(2025, 3, 31)),
    "AZM": ("AZN", 5000, date(2006, 1, 1)),
    "BGL": ("BGN", 1000, date(1999, 7, 5)),
    "BRR": ("BRL", 2750, date(1994, 7, 1)),
    "BYB": ("BYR", 1000, date(2000, 1, 1)),
    "BYR": ("BYN", 10_000, date(2016, 7, 1)),
    "GHC": ("GHS", 10_000, date(2007, 7, 1)),
    "HRD": ("HRK", 1000, date(1994, 5, 30)),
    "ILR": ("ILS", 1000, date(1985, 9, 4)),
    "ISJ": ("ISK", 100, date(1981, 1, 1)),
    "MGF": ("MGA", 5, date(2005, 1, 1)),
    "MRO": ("MRU", 10, date(2018, 1, 1)),
    "MXP": ("MXN", 1000, date(1993, 1, 1)),
    "MZM": ("MZN", 1000, date(2006, 7, 1)),
    "PLZ": ("PLN", 10_000, date(1995, 1, 1)),
    "ROL": ("RON", 10_000, date(2005, 7, 1)),
    "RUR": ("RUB", 1000, date(1998, 1, 1)),
    "SDD": ("SDG", 100, date(2007, 1, 10)),
    "SLL": ("SLE", 1000, date(2022, 7, 1)),
    "SRG": ("SRD", 1000, date(2004, 1, 1)),
    "STD": ("STN", 1000, date(2018, 1, 1)),
    "TMM": ("TMT", 5000, date(2009, 1, 1)),
    "TRL": ("TRY", 1_000_000, date(2005, 1, 1)),
    "VEB": ("VEF", 1000, date(2008, 1, 1)),
    "VEF": ("VES", 100_000, date(2018, 8, 20)),
    "ZMK": ("ZMW", 1000, date(2013, 1, 1)),
}
_SPELLED: Final = {code: [part for part, (whole, _) in PARTS.items() if whole == code] for code, _ in PARTS.values()}


@dataclass(frozen=True)
class Currency:
    """A currency or a part of one: how it is counted, and what became of it."""

    code: str
    decimals: int | None  # of its smallest unit; of a part of a currency None
    whole: str  # the ISO 4217 code of an amount without its parts; itself for a currency
    parts: int  # how many of it make the whole
    spellings: tuple[str, ...]  # of its parts, as venues write them
    successor: str  # what replaced it; "" while it is in use
    ratio: float | None  # of it, for one of the successor
    ended: date | None  # the first day on which the successor stands


def currency(code: str) -> Currency | None:
    """Return what is known of `code`: ISO 4217, or a part such as GBp; None where it is no currency.

    Codes in use have no successor. Small letters count: GBp are pence, GBP are pounds.
    """
    whole, parts = PARTS.get(code, (code, 1))
    known = code in PARTS or code in NATIONAL or code in JOINED or code in REDENOMINATED
    if not known and code not in {new for new, _, _ in REDENOMINATED.values()}:
        return None
    successor, ratio, ended = _successor(code)
    return Currency(
        code=code,
        decimals=None if code in PARTS else DECIMALS.get(code, 2),
        whole=whole,
        parts=parts,
        spellings=tuple(_SPELLED.get(code, ())),
        successor=successor,
        ratio=ratio,
        ended=ended,
    )


def codes() -> tuple[str, ...]:
    """Return every code of ISO 4217 that is known, in use or withdrawn, in alphabetical order."""
    newer = {new for new, _, _ in REDENOMINATED.values()}
    return tuple(sorted({*NATIONAL, *JOINED, *REDENOMINATED, *newer}))


def renamed(code: str) -> tuple[str, int]:
    """Return the code that `code` has after every redenomination, and how many of its units make one of that.

    Parts are no currency of their own: GBp are a hundredth of GBP. Amounts of any day are meant.
    """
    code, units = PARTS.get(code, (code, 1))
    while code in REDENOMINATED:
        code, more, _ = REDENOMINATED[code]
        units *= more
    return code, units


def _successor(code: str) -> tuple[str, float | None, date | None]:
    if code in JOINED:
        rate, since = JOINED[code]
        return EURO, rate, since
    if code in REDENOMINATED:
        new, units, since = REDENOMINATED[code]
        return new, float(units), since
    return "", None, None
