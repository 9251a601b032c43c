"""The settings of the disk: how long a commit may take, and how much room is too little."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from truetape.domain.durations import EXAMPLES, seconds_of

_UNITS: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(MB|GB|TB)")
_KNOWN: Final = ("slow_commit", "low")


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """From when on the disk is in trouble."""

    slow_s: float = 10.0  # longer than so many seconds no commit may take
    low_bytes: int = 10**9  # less room than that is told before nothing fits any more; 0: never


def disk_of(table: object, problems: list[str]) -> Disk:
    """Return the settings [disk]; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("disk must be a table: write [disk] before its settings.")
        return Disk()
    problems += [f"disk.{name} is no setting; known are {', '.join(_KNOWN)}." for name in table if name not in _KNOWN]
    given: dict[str, Any] = {}
    if "slow_commit" in table:
        given["slow_s"] = seconds_of(table["slow_commit"]) if isinstance(table["slow_commit"], str) else None
        if given["slow_s"] is None:
            problems.append(f"disk.slow_commit was {table['slow_commit']!r:.100}; write {EXAMPLES}.")
    if "low" in table:
        given["low_bytes"] = bytes_of(table["low"]) if isinstance(table["low"], str) else None
        if given["low_bytes"] is None:
            problems.append(f'disk.low was {table["low"]!r:.100}; write a size such as "500 MB" or "2 GB".')
    return Disk(**{name: value for name, value in given.items() if value is not None})


def bytes_of(text: str) -> int | None:
    """Return how many bytes `text` means, with units of 1000; None if it is no size."""
    found = _SIZE.fullmatch(text.strip())
    return round(float(found[1]) * _UNITS[found[2]]) if found else None
