"""How providers name the venue in a symbol: the endings of theirs, and the MICs (ISO 10383) that each may mean.

Written from the providers' own lists; see each provider's pages. An ending that names a country means each of its
venues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Venues = Mapping[str, tuple[str, ...]]

US: Final = ("XNAS", "XNYS", "XASE", "ARCX", "BATS", "IEXG", "OTCM", "OTCQ", "OTCB", "PINX", "XOTC")
CANADA: Final = ("XTSE", "XTSX", "XCNQ", "NEOE")
GERMANY: Final = ("XETR", "XFRA", "XSTU", "XMUN", "XDUS", "XHAM", "XBER", "XHAN")
CHINA: Final = ("XSHG", "XSHE")
INDIA: Final = ("XNSE", "XBOM")

_YAHOO: Final = {
    "AS": "XAMS", "AT": "XATH", "AX": "XASX", "BA": "XBUE", "BK": "XBKK", "BO": "XBOM", "BR": "XBRU", "BU": "XBUD",
    "CA": "XCAI", "CN": "XCNQ", "CO": "XCSE", "DE": "XETR", "DU": "XDUS", "F": "XFRA", "HA": "XHAN", "HE": "XHEL",
    "HK": "XHKG", "HM": "XHAM", "IC": "XICE", "IR": "XDUB", "IS": "XIST", "JK": "XIDX", "JO": "XJSE", "KL": "XKLS",
    "KQ": "XKOS", "KS": "XKRX", "L": "XLON", "IL": "XLON", "LS": "XLIS", "MC": "XMAD", "ME": "MISX", "MI": "XMIL",
    "MU": "XMUN", "MX": "XMEX", "NE": "NEOE", "NS": "XNSE", "NZ": "XNZE", "OL": "XOSL", "PA": "XPAR", "PR": "XPRA",
    "PS": "XPHS", "QA": "DSMD", "RG": "XRIS", "SA": "BVMF", "SAU": "XSAU", "SG": "XSTU", "SI": "XSES", "SN": "XSGO",
    "SR": "XSAU", "SS": "XSHG", "ST": "XSTO", "SW": "XSWX", "SZ": "XSHE", "T": "XTKS", "TA": "XTAE", "TL": "XTAL",
    "TO": "XTSE", "TW": "XTAI", "TWO": "ROCO", "V": "XTSX", "VI": "XWBO", "VS": "XLIT", "WA": "XWAR", "BE": "XBER",
}  # fmt: skip
YAHOO: Final[Venues] = {ending: (mic,) for ending, mic in _YAHOO.items()}
STOOQ: Final[Venues] = {
    "US": US, "UK": ("XLON",), "DE": GERMANY, "JP": ("XTKS",), "HK": ("XHKG",), "HU": ("XBUD",), "PL": ("XWAR",),
}  # fmt: skip
_AS_YAHOO: Final = (
    "PA AS BR LS MC MI TO V HK SW VI ST CO HE OL IR F HM HA BE DU MU WA AT IS TW TWO SR TA SA MX JK KL BK SN BA"
)
EODHD: Final[Venues] = {
    "US": US, "LSE": ("XLON",), "XETRA": ("XETR",), "TSE": ("XTKS",), "SHG": ("XSHG",), "SHE": ("XSHE",),
    "NSE": ("XNSE",), "BSE": ("XBOM",), "KO": ("XKRX",), "KQ": ("XKOS",), "AU": ("XASX",), "MCX": ("MISX",),
    **{ending: YAHOO[ending] for ending in _AS_YAHOO.split()},
    "NEO": ("NEOE",), "STU": ("XSTU",), "BUD": ("XBUD",), "JSE": ("XJSE",), "PR": ("XPRA",),
}  # fmt: skip
ALPHA_VANTAGE: Final[Venues] = {
    "LON": ("XLON",), "TRT": ("XTSE",), "TRV": ("XTSX",), "DEX": ("XETR",), "FRK": ("XFRA",), "BSE": ("XBOM",),
    "SHH": ("XSHG",), "SHZ": ("XSHE",), "PAR": ("XPAR",), "AMS": ("XAMS",), "SAO": ("BVMF",),
}  # fmt: skip
BLOOMBERG: Final[Venues] = {
    "US": US, "UN": ("XNYS",), "UW": ("XNAS",), "UQ": ("XNAS",), "UR": ("XNAS",), "UA": ("XASE",), "UP": ("ARCX",),
    "UF": ("BATS",), "LN": ("XLON",), "FP": ("XPAR",), "GR": GERMANY, "GY": ("XETR",), "GF": ("XFRA",),
    "SW": ("XSWX",), "SE": ("XSWX",), "NA": ("XAMS",), "BB": ("XBRU",), "PL": ("XLIS",), "SM": ("XMAD",),
    "SQ": ("XMAD",), "IM": ("XMIL",), "ID": ("XDUB",), "AV": ("XWBO",), "SS": ("XSTO",), "DC": ("XCSE",),
    "FH": ("XHEL",), "NO": ("XOSL",), "PW": ("XWAR",), "HB": ("XBUD",), "CP": ("XPRA",), "GA": ("XATH",),
    "TI": ("XIST",), "IT": ("XTAE",), "SJ": ("XJSE",), "CN": CANADA, "CT": ("XTSE",), "CV": ("XTSX",),
    "JP": ("XTKS",), "JT": ("XTKS",), "HK": ("XHKG",), "CH": CHINA, "CG": ("XSHG",), "CS": ("XSHE",),
    "TT": ("XTAI",), "KS": ("XKRX",), "KP": ("XKRX",), "KQ": ("XKOS",), "SP": ("XSES",), "MK": ("XKLS",),
    "IJ": ("XIDX",), "TB": ("XBKK",), "IN": INDIA, "IS": ("XNSE",), "IB": ("XBOM",), "AU": ("XASX",), "AT": ("XASX",),
    "NZ": ("XNZE",), "BZ": ("BVMF",), "BS": ("BVMF",), "MM": ("XMEX",), "CI": ("XSGO",), "AR": ("XBUE",),
}  # fmt: skip
REFINITIV: Final[Venues] = {
    "N": ("XNYS",), "O": ("XNAS",), "OQ": ("XNAS",), "A": ("XASE",), "P": ("ARCX",), "Z": ("BATS",), "K": US,
    "PK": ("OTCM", "PINX"), "L": ("XLON",), "PA": ("XPAR",), "DE": ("XETR",), "F": ("XFRA",), "S": ("XSWX",),
    "VX": ("XSWX",), "AS": ("XAMS",), "BR": ("XBRU",), "LS": ("XLIS",), "MC": ("XMAD",), "MI": ("XMIL",),
    "I": ("XDUB",), "VI": ("XWBO",), "ST": ("XSTO",), "CO": ("XCSE",), "HE": ("XHEL",), "OL": ("XOSL",),
    "WA": ("XWAR",), "BU": ("XBUD",), "PR": ("XPRA",), "AT": ("XATH",), "IS": ("XIST",), "TA": ("XTAE",),
    "J": ("XJSE",), "TO": ("XTSE",), "V": ("XTSX",), "T": ("XTKS",), "HK": ("XHKG",), "SS": ("XSHG",),
    "SZ": ("XSHE",), "TW": ("XTAI",), "TWO": ("ROCO",), "KS": ("XKRX",), "KQ": ("XKOS",), "SI": ("XSES",),
    "KL": ("XKLS",), "JK": ("XIDX",), "BK": ("XBKK",), "NS": ("XNSE",), "BO": ("XBOM",), "AX": ("XASX",),
    "NZ": ("XNZE",), "SA": ("BVMF",), "MX": ("XMEX",), "SN": ("XSGO",), "BA": ("XBUE",),
}  # fmt: skip


@dataclass(frozen=True)
class Spelling:
    """How somebody writes the venue into a symbol.

    A symbol without an ending of `venues` means one of `home`; no `home`: a venue of any country.
    """

    venues: Venues = field(default_factory=dict)  # by ending, in capitals
    mark: str = "."  # what stands before an ending
    home: tuple[str, ...] = ()


OURS: Final = Spelling(venues=YAHOO)
AMERICAN: Final = Spelling(home=US)
SPELLINGS: Final[Mapping[str, Spelling]] = {
    "yahoo": Spelling(venues=YAHOO, home=US),
    "fmp": Spelling(venues=YAHOO, home=US),
    "finnhub": Spelling(venues=YAHOO, home=US),
    "stooq": Spelling(venues=STOOQ, home=("XWAR",)),
    "eodhd": Spelling(venues=EODHD),
    "alpha_vantage": Spelling(venues=ALPHA_VANTAGE, home=US),
    "bloomberg": Spelling(venues=BLOOMBERG, mark=" "),
    "refinitiv": Spelling(venues=REFINITIV),
    **dict.fromkeys(("alpaca", "massive", "tiingo", "iex_cloud"), AMERICAN),
}


def spelling_of(provider: str) -> Spelling:
    """Return how `provider` writes symbols; for one that is not known, as we do."""
    return SPELLINGS.get(provider, OURS)
