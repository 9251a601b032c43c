"""The settings of the vote: how far claims may differ, how many must agree, and what becomes of what fewer agree on."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

Increment = Annotated[float, Meta(gt=0, le=1e6)]
_WORDS: Final = {
    "increment": "a price increment above 0, such as 0.01",
    "relative": "a share of the price from 0 to 0.1",
    "increments": "increments above 0 by currency, such as { JPY = 1.0 }",
    "quorum": "a whole number from 1 to 20",
    "quorum_weight": "a number from 0 to 100",
    "below_quorum": '"flag" or "withhold"',
}


class Consensus(msgspec.Struct, frozen=True, kw_only=True):
    """How far claims may differ, and how many must agree; the quality room's own defaults."""

    increment: Increment = 0.01
    relative: Annotated[float, Meta(ge=0, le=0.1)] = 2e-4
    increments: dict[str, Increment] = {}  # by currency
    quorum: Annotated[int, Meta(ge=1, le=20)] = 1
    quorum_weight: Annotated[float, Meta(ge=0, le=100)] = 0.0
    below_quorum: Literal["flag", "withhold"] = "flag"


def consensus(table: object, problems: list[str]) -> Consensus:
    """Return the settings [quality.consensus]; what is wrong is added to `problems`."""
    if not isinstance(table, dict):
        problems.append("quality.consensus must be a table: write [quality.consensus] before its settings.")
        return Consensus()
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in _WORDS:
            problems.append(f"quality.consensus.{name} is no setting; known are {', '.join(_WORDS)}.")
            continue
        try:
            values |= {name: getattr(msgspec.convert({name: value}, Consensus), name)}
        except msgspec.ValidationError:
            problems.append(f"quality.consensus.{name} was {value!r:.100}; write {_WORDS[name]}.")
    return Consensus(**values)
