"""Settings of the reference room."""

from __future__ import annotations

from typing import Final

import msgspec

UNITED_STATES: Final = (  # venues that trade on the days of the New York Stock Exchange
    "BATY",
    "CBSX",
    "EDGA",
    "EDGX",
    "FINR",
    "IEXG",
    "OTCM",
    "XBOS",
    "XCHI",
    "XCIS",
    "XISX",
    "XPHL",
)
NO_VENUE: Final = "XXXX"  # ISO 10383: none is told; so far only of securities of the United States


SAME_DAYS: Final = {  # segments and sisters, and the venue whose calendar they follow
    "XNGS": "XNAS",
    "XNMS": "XNAS",
    "XNCM": "XNAS",
    "ARCX": "XNYS",
    "XCME": "CMES",
    "XCBT": "CMES",
    "XNYM": "CMES",
    "XCEC": "CMES",
    "IFUS": "IEPA",
    "XNSE": "XBOM",
    "XSHE": "XSHG",
}


def borrowed() -> dict[str, str]:
    """Return the MICs without a calendar of their own with the MIC whose calendar they keep."""
    return {**dict.fromkeys((*UNITED_STATES, NO_VENUE), "XNYS"), **SAME_DAYS}


SEGMENTS: Final = {"XNGS": "XNAS", "XNMS": "XNAS", "XNCM": "XNAS"}  # parts whose listings are the exchange's


class ReferenceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How venues find their calendars, and which parts of an exchange are one venue with it."""

    borrowed: dict[str, str] = msgspec.field(default_factory=borrowed)
    segments: dict[str, str] = msgspec.field(default_factory=lambda: dict(SEGMENTS))
    most_gone: float = 0.05  # share of a list of listings that may be missing from the next, which is believed then
