"""Where the rows of a read come from: what the stores that it passes through tell whoever wants to know.

A store tells nothing unless somebody listens, which costs it one look at a variable of the context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Literal

import msgspec

Place = Literal["memory", "segments", "store", "warm", "archive"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `table` that were read at one place, and why they were not found at a nearer one."""

    place: Place
    table: str
    rows: int
    files: int = 0
    size: int = 0  # bytes of those files
    why: str = ""


_LISTENING: Final[ContextVar[list[Step] | None]] = ContextVar("_LISTENING", default=None)
_WHY: Final[ContextVar[str]] = ContextVar("_WHY", default="")


@contextmanager
def traced() -> Iterator[list[Step]]:
    """Collect the steps of every read in the block, also those of tasks and threads that it begins."""
    steps: list[Step] = []
    token = _LISTENING.set(steps)
    try:
        yield steps
    finally:
        _LISTENING.reset(token)


@contextmanager
def because(why: str) -> Iterator[None]:
    """Give the steps of the reads in the block this reason."""
    token = _WHY.set(why)
    try:
        yield
    finally:
        _WHY.reset(token)


def tell(place: Place, table: str, rows: int, *, files: int = 0, size: int = 0) -> None:
    """Tell of a step, if anybody listens."""
    steps = _LISTENING.get()
    if steps is not None:
        steps.append(Step(place=place, table=table, rows=rows, files=files, size=size, why=_WHY.get()))
