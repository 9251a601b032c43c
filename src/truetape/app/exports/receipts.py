"""What an export was made of, as it stands beside or in it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import msgspec


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What an export was made of. The same question with this `as_of` gives the same rows again."""

    source: str  # the program and its version
    kind: str  # bars, trades or quotes
    basis: str  # raw, split, all and others: what prices and volumes are adjusted for
    timeframe: str | None  # of bars
    as_of: str  # the knowledge time, ISO 8601
    store_version: int
    start: str | None = None  # first session date that was asked for, inclusive
    end: str | None = None  # last one, inclusive

    def labels(self) -> dict[str, str]:
        """Return it as the metadata of a file: `truetape.` before each name, what was not asked for left out."""
        given = msgspec.structs.asdict(self)
        return {f"truetape.{name}": str(value) for name, value in given.items() if value is not None}


def program() -> str:
    """Return the name of this program with its version."""
    try:
        return f"truetape {version('truetape')}"
    except PackageNotFoundError:
        return "truetape"
