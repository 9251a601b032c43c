"""Lengths of time as people write them: 90s, 15m, 2h, 7d."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_FORM: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([smhd])")
LONGEST_S: Final = 36_600 * 86_400
EXAMPLES: Final = 'a length of time such as "90s", "15m", "2h" or "7d"'


def seconds_of(text: str) -> float | None:
    """Return how many seconds `text` means; None if it is no length of time, nought, or longer than a century."""
    found = _FORM.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    return seconds if 0 < seconds <= LONGEST_S else None


def spoken(seconds: float) -> str:
    """Return `seconds` in its two greatest units, cut: "3 h 5 min", "2 d", "40 s"; "0 s" for less than a second."""
    rest, parts = int(seconds), []
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
        if len(parts) == 2 or (parts and not count):  # noqa: PLR2004  two units say enough
            break
    return " ".join(parts) or "0 s"
