"""How flags are scored: which faults were found, and how many flags accuse rows that are right.

A *flag* names a provider, an instrument and an instant: the label of a bar, or of a session without one.

- A fault is *found* if one of its edge rows is flagged at its provider. Of a fault of single rows these are the rows
  themselves; of a block its first and last row and those beside them; of a level that changes the row where it
  changes and those beside it; of missing bars the missing sessions and the bars beside them. However many rows it has,
  a fault is one event: it is found or not.
- Flags at the faulty provider on other rows of the fault, or on the row before or after it, count neither way: the
  move back to the right level stands on a right row, and a detector is not to be punished for naming it.
- Every other flag is false, each row of it.

*Recall* is found faults / faults. *Precision* is found faults / (found faults + false flags), over all cases, clean
ones too: the many flags that one fault can draw count once, while each false one counts, so it is never higher than the
share of flagged rows that were wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from perf.quality.corpus import Case

FLAGS: Final = {"instrument_id": pl.String(), "provider": pl.String(), "ts_event": pl.Datetime("ns", "UTC")}


@dataclass(frozen=True)
class Tally:
    """Faults, how many of them were found, and flags on right rows."""

    faults: int
    found: int
    false: int
    false_on_clean: int

    @property
    def recall(self) -> float:
        """Return the share of faults that were found; 1 without any."""
        return self.found / self.faults if self.faults else 1.0

    @property
    def precision(self) -> float:
        """Return found / (found + false); 1 without any flag."""
        return self.found / (self.found + self.false) if self.found + self.false else 1.0


@dataclass(frozen=True)
class Scored:
    """A detector's score over a corpus: together, and of each (kind, severity)."""

    together: Tally
    by_kind: dict[str, Tally]
    by_severity: dict[tuple[str, float], Tally]
    missed: tuple[str, ...] = field(default=())
    wrong: tuple[tuple[str, str, int], ...] = field(default=())


def score(cases: Sequence[Case], flags: pl.DataFrame) -> Scored:
    """Return how well `flags` (FLAGS; rows may repeat) meet the faults of `cases`."""
    stamped = flags.unique().select("instrument_id", "provider", pl.col("ts_event").cast(pl.Int64))
    flagged: dict[str, list[tuple[str, int]]] = {}
    for name, provider, ts in stamped.sort("instrument_id", "provider", "ts_event").iter_rows():
        flagged.setdefault(name, []).append((provider, ts))
    found: dict[str, bool] = {}
    wrong: dict[str, list[tuple[str, str, int]]] = {}
    for case in cases:
        own = flagged.get(case.name, [])
        edge = case.fault.edge if case.fault else frozenset()
        spared = edge | case.fault.within if case.fault else edge
        found[case.name] = any(provider == case.culprit and ts in edge for provider, ts in own)
        wrong[case.name] = [(case.name, *one) for one in own if one[0] != case.culprit or one[1] not in spared]
    kinds = dict.fromkeys(case.kind for case in cases)
    severities = dict.fromkeys((case.kind, case.severity) for case in cases)
    return Scored(
        together=_tally(cases, found, wrong),
        by_kind={kind: _tally([c for c in cases if c.kind == kind], found, wrong) for kind in kinds},
        by_severity={
            key: _tally([c for c in cases if (c.kind, c.severity) == key], found, wrong) for key in severities
        },
        missed=tuple(case.name for case in cases if case.fault and not found[case.name]),
        wrong=tuple(one for case in cases for one in wrong[case.name]),
    )


def _tally(cases: Iterable[Case], found: dict[str, bool], wrong: dict[str, list[tuple[str, str, int]]]) -> Tally:
    faults = clean = hits = false = 0
    for case in cases:
        faults += case.fault is not None
        hits += found[case.name]
        false += len(wrong[case.name])
        clean += len(wrong[case.name]) if case.fault is None else 0
    return Tally(faults=faults, found=hits, false=false, false_on_clean=clean)
