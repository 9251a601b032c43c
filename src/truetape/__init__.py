"""Truetape: a self-hosted market data platform.

    import truetape as tt

    tt.bars("AAPL", start="2005-01-01", adjustment="all")  # a Polars frame
    print(tt.explain("AAPL", "2005-02-28"))

Nothing is loaded before it is used, so that importing costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from truetape.app.library import (
        Session,
        bars,
        corporate_actions,
        explain,
        factors,
        index_levels,
        instruments,
        resolve,
    )
    from truetape.app.library import open as open  # noqa: A004  read as tt.open

__all__ = [
    "Session",
    "bars",
    "corporate_actions",
    "explain",
    "factors",
    "index_levels",
    "instruments",
    "open",
    "resolve",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        message = f"module 'truetape' has no attribute {name!r}"
        raise AttributeError(message)
    from truetape.app import library

    found: object = getattr(library, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
