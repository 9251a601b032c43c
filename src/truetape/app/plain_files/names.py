"""Which column of a file of prices is what: the headers of Yahoo, Stooq, Alpaca and others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "open": ("open", "o", "1 open", "open price", "otwarcie"),
    "high": ("high", "h", "2 high", "high price", "highest", "najwyzszy"),
    "low": ("low", "l", "3 low", "low price", "lowest", "najnizszy"),
    "close": ("close", "c", "4 close", "close price", "close last", "last", "price", "zamkniecie"),
    "adj_close": ("adj close", "adjclose", "adjusted close", "5 adjusted close"),
    "volume": ("volume", "v", "vol", "5 volume", "6 volume", "wolumen"),
    "dividends": ("dividends", "dividend", "div", "divcash", "div cash", "dividend amount", "7 dividend amount"),
    "splits": (
        "stock splits",
        "splits",
        "split",
        "split factor",
        "splitfactor",
        "split coefficient",
        "8 split coefficient",
    ),
    "capital_gains": ("capital gains", "capitalgains"),
    "symbol": ("symbol", "ticker"),
    "period": ("per", "timeframe", "interval"),
}
MOMENTS: Final = ("datetime", "timestamp", "ts event", "ts", "t", "date", "data", "index", "unnamed: 0", "")
CLOCKS: Final = ("time",)

_BETWEEN: Final = re.compile(r"[\s_./]+")


def recognized(headers: Sequence[str]) -> dict[str, str]:
    """Return the header of each field, and of `moment`, `clock`, `symbol` and `period`, as far as they are there.

    Case, brackets, underscores, dots and slashes do not count. Where two headers could be one field, the spelling that
    stands first in SPELLINGS is taken: `Close` before `Price`. A column `time` is the moment where there is no other.
    """
    plain = {_plain(own): own for own in reversed(headers)}
    found = {
        field: plain[name]
        for field, names in SPELLINGS.items()
        if (name := next((one for one in names if one in plain), None)) is not None
    }
    moment = next((plain[name] for name in MOMENTS if name in plain), None)
    clock = next((plain[name] for name in CLOCKS if name in plain), None)
    if moment is None:
        moment, clock = clock, None
    times = {"moment": moment, "clock": clock}
    return found | {name: own for name, own in times.items() if own is not None}


def _plain(header: str) -> str:
    return _BETWEEN.sub(" ", header.strip().strip("<>").lower()).strip()
