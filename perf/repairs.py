"""Faults of every kind, put into real series at many places: how many are repaired, and what is repaired that was fine.

`python -m perf.repairs [SEEDS [OUTCOME ...]]` prints a table, and each case of the outcomes that are named. A fault
counts as repaired if every value of the series is within the tolerance of what it was before.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from perf.clean_series import clean_series, longer, part
from perf.price_faults import PAYMENT_FAULTS, PRICE_FAULTS, Fault, Unfit, spoilt
from perf.wild_moves import CONTROLS, special, tiny
from truetape.domain.price_series import PriceSeries
from truetape.services.quality.repairs import apply, find_repairs, undo

RECORDINGS: Final = Path(__file__).resolve().parents[2] / "shared" / "recordings"
TOLERANCE: Final = 1e-2
FEW: Final = {"volume": 25.0}  # shares that rounding to whole ones may cost
ROWS: Final = 600
SEEDS: Final = 3


def wrong_values(found: PriceSeries, truth: PriceSeries) -> int:
    """Return how many values of `found` are not within the tolerance of `truth`."""
    return sum(
        int(
            (
                ~np.isclose(
                    found.values(name), truth.values(name), rtol=TOLERANCE, atol=FEW.get(name, 1e-9), equal_nan=True
                )
            ).sum()
        )
        for name in truth.fields
        if name != "splits"
    )


def corpus() -> Iterator[tuple[str, PriceSeries]]:
    """Yield parts of every clean daily series, and its weekly bars."""
    for name, series in clean_series(RECORDINGS):
        if len(series) < 60 or name.startswith("NVT"):
            continue
        yield name, part(series, len(series) - min(ROWS, len(series)), ROWS)
        if len(series) > 3 * ROWS and "adj_close" in series.fields:
            yield f"{name} old", part(series, len(series) // 2, ROWS)
            yield f"{name} weekly", longer(part(series, len(series) - 3 * ROWS, 3 * ROWS), "1w")


def sweep(seeds: int) -> dict[str, Counter[str]]:
    """Return, for each kind of fault, how many were put in, repaired, missed, and repaired wrongly."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for number, (name, series) in enumerate(corpus()):
        clean = find_repairs(series)
        counts["none"].update(total=1, wrong=bool(clean))
        for control in CONTROLS:
            for seed in range(seeds):
                if "dividends" not in series.fields and control in (special, tiny):
                    continue
                real = control(series, np.random.default_rng(1000 * number + seed))
                found = find_repairs(real)
                counts[f"none, {control.__name__}"].update(total=1, wrong=bool(found))
                if found and SHOWN:
                    print(control.__name__, name, 1000 * number + seed, found[0].kind, found[0].evidence)
        paid = "adj_close" in series.fields and np.nan_to_num(series.values("dividends")).sum() > 0
        for fault in (*PRICE_FAULTS, *(PAYMENT_FAULTS if paid else ())):
            for seed in range(seeds):
                try:
                    outcome = judged(spoilt(series, fault, 1000 * number + seed))
                except Unfit:
                    continue
                counts[fault.__name__].update({"total": 1, outcome: 1})
                if outcome in SHOWN:
                    print(fault.__name__, name, 1000 * number + seed, outcome)
    return counts


SHOWN: set[str] = set()


def judged(fault: Fault) -> str:
    """Return "repaired", "missed" where nothing was done, "partly", or "wrong" where it is worse than before."""
    before = wrong_values(fault.series, fault.truth)
    found = find_repairs(fault.series)
    after = apply(fault.series, found)
    if not undo(after, found).frame.equals(fault.series.frame):
        return "irreversible"
    left = wrong_values(after, fault.truth)
    if left == 0:
        return "repaired"
    if not found:
        return "missed"
    return "wrong" if left >= before else "partly"


def main(arguments: list[str]) -> int:
    """Print the table."""
    SHOWN.update(arguments[1:])
    counts = sweep(int(arguments[0]) if arguments else SEEDS)
    names = ("total", "repaired", "missed", "partly", "wrong", "irreversible")
    table = Table("fault", *names, "share")
    for fault, count in counts.items():
        share = f"{count['repaired'] / count['total']:.1%}" if not fault.startswith("none") else ""
        table.add_row(fault, *[str(count[name]) for name in names], share)
    Console(width=140).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
