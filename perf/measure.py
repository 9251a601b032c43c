"""How a measurement is made and kept.

Machines differ and are noisy, so every figure stands beside a peer's that was taken in the same run, in turns: ours,
peer, ours, peer. The medians are kept, or of short calls the least CPU time, and their ratio is what counts.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

RESULTS: Final = Path(__file__).parent / "results"
PACKAGES: Final = ("truetape", "duckdb", "polars", "pyarrow", "litestar", "granian", "arcticdb")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where a figure was taken."""

    cores: int
    cpu: str


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measurement beside its peer's."""

    name: str
    unit: str
    ours: float
    peer: float
    peer_name: str
    ratio: float  # ours / peer
    bar: float  # what the ratio must reach
    better: Literal["higher", "lower"]
    holds: bool
    beside: dict[str, float] = {}  # ours / other peers, by their names: for information


class Result(Figure, frozen=True, kw_only=True):
    """A measurement with a page of its own, and where it was taken."""

    versions: dict[str, str]
    machine: Machine
    commit: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements of one kind on one page, and where they were taken."""

    name: str
    figures: tuple[Figure, ...]
    versions: dict[str, str]
    machine: Machine
    commit: str


def figure(
    name: str,
    *,
    unit: str,
    ours: float,
    peer: float,
    peer_name: str,
    bar: float,
    better: Literal["higher", "lower"],
    beside: dict[str, float] | None = None,
) -> Figure:
    """Return the measurement with its ratio judged against `bar`; `beside` holds ratios to other peers."""
    ratio = ours / peer
    return Figure(
        name=name,
        unit=unit,
        ours=round(ours, 6),
        peer=round(peer, 6),
        peer_name=peer_name,
        ratio=round(ratio, 4),
        bar=bar,
        better=better,
        holds=ratio >= bar if better == "higher" else ratio <= bar,
        beside={other: round(value, 4) for other, value in (beside or {}).items()},
    )


def sheet(name: str, figures: Iterable[Figure]) -> Sheet:
    """Return `figures` as one page."""
    return Sheet(name=name, figures=tuple(figures), versions=_versions(), machine=_machine(), commit=_commit())


def result(
    name: str,
    *,
    unit: str,
    ours: float,
    peer: float,
    peer_name: str,
    bar: float,
    better: Literal["higher", "lower"],
) -> Result:
    """Return the measurement with its ratio judged against `bar`."""
    taken = figure(name, unit=unit, ours=ours, peer=peer, peer_name=peer_name, bar=bar, better=better)
    return Result(**msgspec.structs.asdict(taken), versions=_versions(), machine=_machine(), commit=_commit())


def keep(one: Result | Sheet) -> None:
    """Write `one` to the results folder, replacing an earlier one of the same name."""
    RESULTS.mkdir(exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(one), indent=2)
    (RESULTS / f"{one.name}.json").write_bytes(text + b"\n")


def in_turns(
    ours: Callable[[], object], peer: Callable[[], object], *, rounds: int, warmups: int = 1
) -> tuple[float, float]:
    """Return the median seconds of `ours` and of `peer`, called in turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + warmups):
        for which, call in enumerate((ours, peer)):
            start = time.perf_counter()
            call()
            if number >= warmups:
                taken[which].append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def least_cpu(*calls: Callable[[], object], seconds: float) -> tuple[float, ...]:
    """Return the least CPU seconds, of all threads, that each of `calls` took, called in turns for so many `seconds`.

    Other work on the machine hardly shows in it, so it suits calls of few milliseconds.
    """
    taken: list[list[float]] = [[] for _ in calls]
    begun = time.perf_counter()
    while not taken[0] or time.perf_counter() - begun < seconds:
        for which, call in enumerate(calls):
            start = time.process_time()
            call()
            taken[which].append(time.process_time() - start)
    return tuple(min(one) for one in taken)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _machine() -> Machine:
    return Machine(cores=os.cpu_count() or 1, cpu=_cpu())


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return asked.stdout.strip() or "unknown"
