"""By what the room decides: the rules of one batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from truetape.domain.schema import TABLES, empty
from truetape.services.quality.checks import Check, CheckSetting
from truetape.services.quality.vote import Tolerance, Voters

NOTHING_DECLARED: Final = empty(TABLES["actions"].columns)


@dataclass(frozen=True)
class Grading:
    """By what the room decides. `trust` and the rest of how it votes are meant as `vote.Voters` says."""

    round_id: str
    ts_known: int
    tolerance: Tolerance  # its absolute part: the price increment where none is known
    trust: Mapping[str, float]
    stale_sessions: int
    simulated: bool
    sources: Mapping[str, str] = field(default_factory=dict)
    increments: Mapping[str, float] = field(default_factory=dict)  # by instrument or currency, where they are known
    quorum: int = 1
    quorum_weight: float = 0.0
    withholds: bool = False  # a bar below the quorum is no golden row, but a finding
    checks: Mapping[str, CheckSetting] = field(default_factory=dict)  # how checks are tuned, by their names
    user_checks: tuple[Check, ...] = ()
    declared: pl.DataFrame = field(default_factory=NOTHING_DECLARED.clone, compare=False)  # the golden actions

    def voters(self, electorate: tuple[str, ...] = ()) -> Voters:
        """Return whose word weighs what; the silence of the `electorate` counts as dissent."""
        return Voters(
            trust=self.trust,
            sources=self.sources,
            electorate=electorate,
            quorum=self.quorum,
            quorum_weight=self.quorum_weight,
        )
