"""What is due by age: rows that go from the hot tier to the warm one, to the archive, or away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

import msgspec
import polars as pl

from truetape.domain.time import DAY_NS

Goal = Literal["warm", "archive", "delete"]
FEW: Final = 0.01  # late corrections of a cold year, as a share of its rows, that may stay hot


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """How many days old rows of a table are when they change their tier; None: never."""

    hot: int | None = None  # until then they stay hot, then they are warm
    warm: int | None = None  # until then they are warm, then in the archive
    keep: int | None = None  # until then they are kept, then they are deleted


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """How many days after it was heard a provider lets a claim be kept; None: for ever."""

    claims: int | None = None


@dataclass(frozen=True)
class Step:
    """What is due with the rows of `table` of the session dates from `start` to `end`, both inclusive.

    `provider` and `known_before` (UTC nanoseconds) narrow it to what a licence is about. `pinned_by` names a snapshot
    that would lose rows.
    """

    table: str
    start: date
    end: date
    goal: Goal
    rows: int
    bytes: int
    why: str
    provider: str = ""
    known_before: int | None = None
    pinned_by: str = ""


def due(holdings: pl.DataFrame, ages: Mapping[str, Ages], *, today: date, has_archive: bool) -> list[Step]:
    """Return what is due on `today`, a year of a table at a time; what is deleted moves no more.

    Args:
        holdings: Columns `tier`, `table`, `start`, `end`, `rows` and `bytes`: what lies where, by month or by file.
        ages: By table.
        today: In UTC.
        has_archive: There is a third tier; without one warm rows stay warm.
    """
    steps: list[Step] = []
    for table, rule in ages.items():
        parts = holdings.filter(pl.col("table") == table)
        for year in sorted(parts["start"].dt.year().unique()):
            of_year = parts.filter(pl.col("start").dt.year() == year)
            steps += _of_year(table, year, of_year, rule, today=today, has_archive=has_archive)
    return steps


def _of_year(table: str, year: int, parts: pl.DataFrame, rule: Ages, *, today: date, has_archive: bool) -> list[Step]:
    gone = _older(parts, rule.keep, today)
    if not gone.is_empty():
        return [_step(table, year, gone, "delete", age=rule.keep)]
    hot = _older(parts.filter(pl.col("tier") == "hot"), rule.hot, today)
    hot = hot.clear() if _may_stay(hot, parts) else hot
    last = date(year, 12, 31)
    if has_archive and rule.warm is not None and last < today - timedelta(days=rule.warm):
        moved = pl.concat([hot, parts.filter(pl.col("tier") == "warm")])
        return [] if moved.is_empty() else [replace(_step(table, year, moved, "archive", age=rule.warm), end=last)]
    return [] if hot.is_empty() else [_step(table, year, hot, "warm", age=rule.hot)]


def _older(parts: pl.DataFrame, days: int | None, today: date) -> pl.DataFrame:
    """Return the parts that lie wholly before the day `days` days before `today`."""
    return parts.clear() if days is None else parts.filter(pl.col("end") < today - timedelta(days=days))


def _may_stay(hot: pl.DataFrame, parts: pl.DataFrame) -> bool:
    """Return whether hot rows are a few late ones among many cold ones."""
    cold = parts.filter(pl.col("tier") != "hot")
    if hot.is_empty() or cold.is_empty():
        return False
    ends = cold["end"].dt.month_end()
    is_late = bool((hot["end"] <= ends.max()).all())
    return is_late and int(hot["rows"].sum()) <= FEW * int(cold["rows"].sum())


def _step(table: str, year: int, parts: pl.DataFrame, goal: Goal, *, age: int | None) -> Step:
    end = parts["end"].max()
    assert isinstance(end, date)
    rows, held = int(parts["rows"].sum()), int(parts["bytes"].sum())
    return Step(table, date(year, 1, 1), end, goal, rows, held, why=f"{age} days old")


def licensed(heard: Sequence[tuple[str, str, int]], licences: Mapping[str, Licence], *, now_ns: int) -> list[Step]:
    """Return what licences forbid to keep: claims of a provider that were heard too long ago.

    Args:
        heard: Table, provider and how many of its rows were heard before the licence's day.
        licences: By provider.
        now_ns: UTC nanoseconds.
    """
    return [
        Step(
            table,
            date.min,
            date.max,
            "delete",
            rows,
            0,
            why=f"{provider} lets claims be kept {licences[provider].claims} days",
            provider=provider,
            known_before=heard_before(licences[provider], now_ns),
        )
        for table, provider, rows in heard
        if rows
    ]


def heard_before(licence: Licence, now_ns: int) -> int:
    """Return the instant before which claims must have been heard to be deleted, in UTC nanoseconds."""
    return now_ns - (licence.claims or 0) * DAY_NS


def pinned(steps: Sequence[Step], snapshots: Sequence[str]) -> list[Step]:
    """Return `steps` with the snapshot that a deletion would take rows from: the one that was named last.

    A snapshot shows everything that was stored when it was named, so that any deletion of older rows is seen in it.
    """
    if not snapshots:
        return list(steps)
    return [replace(step, pinned_by=snapshots[-1]) if step.goal == "delete" else step for step in steps]
