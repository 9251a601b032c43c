"""Measure how well faults are found, beside peers in the same run: `python -m perf.quality [--seeds 6]`."""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import polars as pl
from rich.console import Console
from rich.table import Table

from perf.measure import RESULTS, Machine, sheet
from perf.quality import ours, outliers, real, yahoo_repair
from perf.quality.corpus import CLEAN, Case, cases
from perf.quality.features import features
from perf.quality.score import Tally, score

BARS: Final = {3: (0.99, 0.95), 1: (0.97, 0.85)}  # least precision and recall, by the number of providers
OURS: Final = "truetape"
HALVES: Final = ("tuned", "held out")
_PEERS: Final = ("yfinance", "pyod", "pandas", "scikit-learn", "bokeh-sampledata")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """How one detector did on one part of the corpus."""

    detector: str
    part: str  # all, tuned, held out; or a kind of fault with its severity
    precision: float
    recall: float
    faults: int
    found: int
    false: int
    false_on_clean: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One setting's measurements."""

    name: str
    providers: int
    seeds: int
    cases: int
    rows: int
    universes: tuple[str, ...]
    least_precision: float
    least_recall: float
    false_repairs_on_clean: int
    holds: bool
    lines: tuple[Line, ...]
    by_severity: tuple[Line, ...]
    seconds: dict[str, float]
    versions: dict[str, str]
    machine: Machine
    commit: str


def main(arguments: Sequence[str]) -> int:
    """Measure both settings, keep and print them; return 0 if every bar holds, else 1."""
    asked = argparse.ArgumentParser(prog="perf.quality", description=__doc__)
    asked.add_argument("--seeds", type=int, default=6, help="how often each severity of each fault is put in")
    asked.add_argument("--first-seed", type=int, default=0, help="another number gives another corpus")
    asked.add_argument("--without-peers", action="store_true", help="measure only our own checks and repairs")
    chosen = asked.parse_args(arguments)
    console, told = Console(width=None if sys.stdout.isatty() else 150), real.series()
    if not any(one.universe != "bokeh" for one in told):
        console.print("The recordings are not here: only the series of bokeh_sampledata are used.")
    pages = []
    for providers in sorted(BARS, reverse=True):
        with console.status(f"measuring with {providers} provider(s) ..."):
            corpus = cases(told, seeds=chosen.seeds, providers=providers, first_seed=chosen.first_seed)
            page = measured(corpus, providers=providers, seeds=chosen.seeds, peers=not chosen.without_peers)
        pages.append(page)
        console.print(together(page), by_severity(page))
        if not chosen.without_peers:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{page.name}.json").write_bytes(
                msgspec.json.format(msgspec.json.encode(page), indent=2) + b"\n"
            )
    return 0 if all(page.holds for page in pages) else 1


def measured(corpus: Sequence[Case], *, providers: int, seeds: int, peers: bool) -> Page:
    """Return what our pipeline finds in `corpus`, and, if `peers`, what they do."""
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    flags = ours.flags(corpus)
    seconds[OURS] = round(time.perf_counter() - began, 1)
    own = score(corpus, flags)
    lines = [*_lines(OURS, corpus, flags)]
    if peers:
        lines += _peers(corpus, seconds)
    least_precision, least_recall = BARS[providers]
    false_repairs = sum(case.fault is None for case, _, _ in ours.repairs(corpus))
    stamp = sheet("", ())
    return Page(
        name=f"quality_{providers}",
        providers=providers,
        seeds=seeds,
        cases=len(corpus),
        rows=sum(len(tape.ts) for case in corpus for tape in case.told.values()),
        universes=tuple(sorted({case.universe for case in corpus})),
        least_precision=least_precision,
        least_recall=least_recall,
        false_repairs_on_clean=false_repairs,
        holds=own.together.precision >= least_precision and own.together.recall >= least_recall and not false_repairs,
        lines=tuple(lines),
        by_severity=tuple(
            _line(OURS, f"{kind} {severity:g}", tally)
            for (kind, severity), tally in sorted(own.by_severity.items())
            if kind != CLEAN
        ),
        seconds=seconds,
        versions=stamp.versions | {name: importlib.metadata.version(name) for name in _PEERS if peers},
        machine=stamp.machine,
        commit=stamp.commit,
    )


def _peers(corpus: Sequence[Case], seconds: dict[str, float]) -> Iterator[Line]:
    began = time.perf_counter()
    flags, failed = yahoo_repair.flags(corpus)
    seconds["yfinance's repair"] = round(time.perf_counter() - began, 1)
    name = "yfinance's repair" + (f" (a step failed in {failed} series)" if failed else "")
    yield from _lines(name, corpus, flags)
    labels, _ = features(corpus)
    began = time.perf_counter()
    scores = outliers.robust_z(corpus) | outliers.pyod_scores(corpus)
    judged = [(name, outliers.at_best_threshold(corpus, labels, values)) for name, values in scores.items()]
    seconds["z-scores and PyOD"] = round(time.perf_counter() - began, 1)
    for name, flagged in judged:
        yield from _lines(name, corpus, flagged)


def _lines(detector: str, corpus: Sequence[Case], flags: pl.DataFrame) -> Iterator[Line]:
    yield _line(detector, "all", score(corpus, flags).together)
    for half in HALVES:
        part = [case for case in corpus if case.half == half]
        own = flags.filter(pl.col("instrument_id").is_in([case.name for case in part]))
        yield _line(detector, half, score(part, own).together)


def _line(detector: str, part: str, tally: Tally) -> Line:
    return Line(
        detector=detector,
        part=part,
        precision=round(tally.precision, 4),
        recall=round(tally.recall, 4),
        faults=tally.faults,
        found=tally.found,
        false=tally.false,
        false_on_clean=tally.false_on_clean,
    )


def together(page: Page) -> Table:
    """Return the page's detectors beside each other; what falls short is marked."""
    drawn = Table(
        title=f"{page.providers} provider(s): {page.cases} series, {page.rows:,} rows, half of them with a fault;"
        f" precision >= {page.least_precision}, recall >= {page.least_recall};"
        f" repairs of clean series: {page.false_repairs_on_clean}",
        title_justify="left",
    )
    drawn.add_column("detector")
    for name in ("precision", "recall", "false", "tuned: precision", "recall", "held out: precision", "recall", ""):
        drawn.add_column(name, justify="right")
    by_part = {(line.detector, line.part): line for line in page.lines}
    for detector in dict.fromkeys(line.detector for line in page.lines):
        parts = [by_part[detector, part] for part in ("all", *HALVES)]
        shown = [f"{value:.3f}" for one in parts for value in (one.precision, one.recall)]
        verdict = "" if detector != OURS else "holds" if page.holds else "[bold red]SHORT[/bold red]"
        drawn.add_row(detector, *shown[:2], str(parts[0].false), *shown[2:], verdict)
    return drawn


def by_severity(page: Page) -> Table:
    """Return our recall and false flags for each severity of each kind of fault."""
    drawn = Table(title=f"{OURS}, {page.providers} provider(s), by fault and severity", title_justify="left")
    for name in ("fault", "recall", "found", "of", "false flags in its series"):
        drawn.add_column(name, justify="left" if name == "fault" else "right")
    for line in page.by_severity:
        drawn.add_row(line.part, f"{line.recall:.2f}", str(line.found), str(line.faults), str(line.false))
    return drawn


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
