"""The user's own checks: from .py files of a folder and from installed packages, none of which can stop grading."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Final

import polars as pl

from truetape.domain.errors import BadInput
from truetape.services.quality.checks import CHECKS, FINDINGS, RECORD_KINDS, Broken, Check, Tuning, find

ENTRY_POINTS: Final = "truetape.checks"
SLOW_S: Final = 2.0  # a check that takes longer for one batch says so in a finding

_TOLD: Final = tuple(
    name for name in FINDINGS if name not in ("row", "instrument_id", "timeframe", "provider", "check")
)
_NOTHING: Final = pl.DataFrame(schema=FINDINGS)


def user_checks(folder: Path | None = None) -> tuple[Check, ...]:
    """Return the checks that stand in the .py files of `folder`, and those that installed packages offer.

    A package offers a module by an entry point of the group truetape.checks. Every check that stands in a module by a
    name is taken. What cannot be loaded, and a check whose name is taken already, becomes a check that says so.

    Raises:
        BadInput: There is no such folder.
    """
    if folder is not None and not folder.is_dir():
        fix = "There is no such folder; make it, or remove the setting."
        raise BadInput(parameter="The folder of user checks", value=str(folder), fix=fix)
    checks: dict[str, Check] = {}
    for where, load in _sources(folder):
        for check in _loaded(where, load):
            taken = check.name in CHECKS or check.name in checks
            name = f"{check.name} of {where}" if taken else check.name
            reason = f"the name {check.name} is taken"
            checks[name] = broken_check(name, reason=reason) if taken else guarded(check)
    return tuple(checks.values())


def broken_check(name: str, *, reason: str) -> Check:
    """Return a check that says of the first row of any evidence why the user's check `name` does not work."""

    def judge(frame: pl.DataFrame, _: Tuning) -> Broken:
        return _written(frame, _failure(frame, f"this check does not work: {reason}"))

    sentence = f"The user's check {name} does not work."
    return Check(name=name, kinds=RECORD_KINDS, family="user", severity="warning", sentence=sentence, judge=judge)


def guarded(check: Check) -> Check:
    """Return `check` of the user's family, so that an error of it and a long run of it become findings."""

    def judge(frame: pl.DataFrame, tuning: Tuning) -> Broken:
        started = time.perf_counter()
        try:
            found = find(check, frame, tuning)
        except Exception as error:  # noqa: BLE001  whatever the user's code raises is told, not swallowed
            reason = f"{type(error).__name__}: {_first_words(error)}"
            return _written(frame, _failure(frame, f"this check does not work: {reason}"))
        took = time.perf_counter() - started
        slow = f"this check took {took:.1f} s for {len(frame)} rows; {SLOW_S:g} s is the most"
        return _written(frame, found if took <= SLOW_S else _failure(frame, slow, beside=found))

    return replace(check, family="user", judge=judge)


def _first_words(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(";")[0][:200]


def _failure(frame: pl.DataFrame, words: str, *, beside: pl.DataFrame = _NOTHING) -> pl.DataFrame:
    """Return a finding about the first row that says `words`, and those of `beside` about other rows."""
    told = {"severity": "warning", "explanation": words}
    first = frame.head(1).select("row", "ts_event", **{name: pl.lit(text) for name, text in told.items()})
    others = beside.filter(~pl.col("row").is_in(first["row"].implode()))
    return pl.concat([first, others.select("row", *_TOLD)], how="diagonal")


def _written(frame: pl.DataFrame, found: pl.DataFrame) -> Broken:
    """Return `found` (`row` and what is told of it) as what a check says of `frame`: one finding for each row."""
    known = found.select(pl.selectors.by_name("row", *_TOLD, require_all=False))
    every = pl.concat([_NOTHING.select("row", *_TOLD), known], how="diagonal").unique("row", keep="first")
    told = frame.select("row").join(every, on="row", how="left", maintain_order="left")
    return Broken(
        where=frame["row"].is_in(found["row"].implode()),
        measured={f"told_{name}": told[name] for name in _TOLD},
        words=pl.col("told_explanation"),
        field=pl.col("told_field"),
        value=pl.col("told_value"),
        low=pl.col("told_expected_low"),
        high=pl.col("told_expected_high"),
        ts_event=pl.col("told_ts_event"),
        severity=pl.col("told_severity"),
        repair=pl.col("told_repair"),
        repair_value=pl.col("told_repair_value"),
    )


def _sources(folder: Path | None) -> Iterator[tuple[str, Callable[[], ModuleType]]]:
    for path in sorted(folder.glob("*.py")) if folder is not None else ():
        yield path.name, lambda path=path: _module(path)  # type: ignore[misc]
    for point in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda one: one.name):
        yield point.name, point.load


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"truetape_user_checks.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _loaded(where: str, load: Callable[[], ModuleType]) -> Iterable[Check]:
    """Return the checks of one module; one that says why where it cannot be loaded."""
    try:
        module = load()
    except Exception as error:  # noqa: BLE001  whatever the user's code raises is told, not swallowed
        reason = f"{type(error).__name__}: {_first_words(error)}"
        return [broken_check(where, reason=reason)]
    found = [value for value in vars(module).values() if isinstance(value, Check)]
    return found or [broken_check(where, reason="no Check stands in it")]
