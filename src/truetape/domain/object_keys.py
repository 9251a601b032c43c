"""Keys of stored objects: names of segments that every folder and every service keeps as they are."""

from __future__ import annotations

import re
from typing import Final

from truetape.domain.errors import BadInput

LONGEST_KEY: Final = 900  # bytes, prefix of the place left out; services take 1024 with it
LONGEST_SEGMENT: Final = 200  # bytes; file systems take 255, some with a suffix
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*")
_FORM: Final = "Join segments by '/': letters, digits and ._=+@,- each, not beginning with a full stop."


def checked_key(key: str) -> str:
    """Return `key` if it is one.

    Raises:
        BadInput: It is no key.
    """
    if len(key) > LONGEST_KEY or not all(_is_segment(one) for one in key.split("/")):
        raise BadInput(parameter="key", value=key[:LONGEST_KEY], fix=_FORM)
    return key


def _is_segment(text: str) -> bool:
    return len(text) <= LONGEST_SEGMENT and _SEGMENT.fullmatch(text) is not None
