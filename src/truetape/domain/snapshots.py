"""Names of states of the store: what may be one, and which known one somebody may have meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from truetape.domain.errors import BadInput

LONGEST_NAME: Final = 64
LONGEST_NOTE: Final = 1000
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_MOST_NAMED: Final = 5


class NameTaken(BadInput):
    """A snapshot has this name already, and keeps what it stands for."""


def sound_name(name: str, *, parameter: str = "name") -> str:
    """Return `name` if it can name a snapshot: small letters, digits, `.`, `_` and `-`, the first a letter or digit.

    Raises:
        BadInput: It cannot, or it has more than 64 characters.
    """
    if _NAME.fullmatch(name):
        return name
    fix = f"Write 1 to {LONGEST_NAME} small letters, digits, dots, dashes or underscores, such as eod-2026-11-20."
    raise BadInput(parameter=parameter, value=name[: LONGEST_NAME + 1], fix=fix)


def unknown_name(name: str, *, known: Sequence[str]) -> BadInput:
    """Return the error that says that nothing has this name, and which names are nearest. `known`: the oldest first."""
    close = get_close_matches(name, known, n=_MOST_NAMED, cutoff=0.5)
    nearest = list(dict.fromkeys([*close, *reversed(known)]))[:_MOST_NAMED]
    told = f"Known names, the nearest first: {', '.join(nearest)}." if nearest else "There is none yet."
    return BadInput(parameter="snapshot", value=name[: LONGEST_NAME + 1], fix=f"No snapshot has this name. {told}")
