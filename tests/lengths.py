"""How much the long tests do: a part in every run, all of it in `make soak` and `make fuzz`."""

from __future__ import annotations

import os
from typing import Final, TypeVar

IS_LONG: Final = bool(os.environ.get("TRUETAPE_LONG_TESTS"))

T = TypeVar("T")


def usually(usual: T, *, long: T) -> T:
    """Return `long` in a long run, else `usual`."""
    return long if IS_LONG else usual
