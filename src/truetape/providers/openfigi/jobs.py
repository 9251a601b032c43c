"""Which identifiers are asked about, and of which type each is, by its form."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LETTERS: Final = "B-DF-HJ-NP-TV-Z"  # consonants
TYPES: Final = (  # the first whose form fits; check digits are not looked at, OpenFIGI says what it thinks
    # No FIGI begins as the ISINs of some countries do, so that no text is both.
    ("figi", "ID_BB_GLOBAL", re.compile(f"(?!BS|BM|GG|GB|GH|KY|VG)[{_LETTERS}]{{2}}G[{_LETTERS}0-9]{{8}}[0-9]")),
    ("isin", "ID_ISIN", re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")),
    ("cusip", "ID_CUSIP", re.compile(r"[0-9]{3}[0-9A-Z@#*]{5}[0-9]")),
    ("sedol", "ID_SEDOL", re.compile(f"[0-9{_LETTERS}]{{6}}[0-9]")),
)
TICKER: Final = ("ticker", "TICKER")


class Job(NamedTuple):
    """One identifier that is asked about."""

    name: str  # of its type, as in schema DECODED["identifiers"]
    id_type: str  # the same, as OpenFIGI calls it
    value: str


def jobs(symbol: str) -> tuple[Job, ...]:
    """Return the jobs that `symbol` names, with commas between them, in their order."""
    return tuple(_job(one) for part in symbol.split(",") if (one := part.strip()))


def _job(value: str) -> Job:
    name, id_type = next(((name, id_type) for name, id_type, form in TYPES if form.fullmatch(value)), TICKER)
    return Job(name, id_type, value)
