"""What to write of the table of factors, so that it tells at every knowledge time what follows from actions and closes.

The table is a kept copy: what it should say is known whole (`factors.factor_changes`), and what it says now is known
from its versions. From the first knowledge time at which the two differ, the versions that should have been are written
after those that are there. Mostly that is one row, known now. A fact that came late, with an earlier knowledge time,
takes more: its own, and those after it again, because the greatest version that was known at a time is its answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.known_spans import FOREVER, known_spans
from truetape.domain.schema import TABLES
from truetape.services.corporate_actions.factors import CHANGES, only_changes

TABLE: Final = TABLES["factors"]

State = tuple[float, float, bool]  # split, dividend, simulated


@dataclass(frozen=True)
class Rewriting:
    """New versions of factors, and their withdrawals; `changed` ex-dates have one or more of them."""

    rows: pl.DataFrame  # the table's columns
    withdrawals: pl.DataFrame  # the columns of its withdrawals
    changed: int


@dataclass(frozen=True)
class _Version:
    ex_date: date
    known: int
    number: int
    state: State | None


def rewriting(
    wanted: pl.DataFrame, versions: pl.DataFrame, withdrawals: pl.DataFrame, *, instrument_id: str
) -> Rewriting:
    """Return what to write so that the table tells of an instrument what is `wanted`.

    Args:
        wanted: CHANGES, ascending by ex-date and knowledge time.
        versions: Every stored version of its factors.
        withdrawals: Every stored withdrawal of them.
        instrument_id: The instrument.
    """
    stored = _changes(known_spans(versions, withdrawals, key=("ex_date",)))
    if stored.equals(wanted):
        return _written([], simulated=False, instrument_id=instrument_id)
    last = dict(
        pl.concat([one.select("ex_date", "version") for one in (versions, withdrawals)])
        .group_by("ex_date")
        .agg(pl.col("version").max())
        .iter_rows()
    )
    should, does = _by_day(wanted), _by_day(stored)
    made: list[_Version] = []
    for day in sorted(should.keys() | does.keys()):
        made += _versions(day, should.get(day, []), does.get(day, []), last=last.get(day, 0))
    marks = [*wanted["simulated"].drop_nulls(), *versions["simulated"]]
    return _written(made, simulated=any(marks), instrument_id=instrument_id)


def _changes(spans: pl.DataFrame) -> pl.DataFrame:
    """Return spans of stored factors as CHANGES."""
    stand = spans.select(list(CHANGES))
    ends = spans.filter(pl.col("until") != FOREVER).select("ex_date", pl.col("until").alias("since"))
    ends = ends.join(stand, on=["ex_date", "since"], how="anti")
    return only_changes(pl.concat([stand, ends], how="diagonal"))


def _by_day(changes: pl.DataFrame) -> dict[date, list[tuple[int, State | None]]]:
    found: dict[date, list[tuple[int, State | None]]] = {}
    for day, since, split, dividend, simulated in changes.iter_rows():
        state = None if split is None else (split, dividend, simulated)
        found.setdefault(day, []).append((since, state))
    return found


def _versions(
    day: date, should: list[tuple[int, State | None]], does: list[tuple[int, State | None]], *, last: int
) -> Iterator[_Version]:
    """Yield the versions of one ex-date from the first knowledge time on at which the table tells something else."""
    times = sorted({since for since, _ in should + does})
    begins = next((one for one in times if _at(should, one) != _at(does, one)), None)
    if begins is None:
        return
    later = [(since, state) for since, state in should if since > begins]
    for place, (known, state) in enumerate([(begins, _at(should, begins)), *later], start=1):
        yield _Version(day, known, last + place, state)


def _at(changes: list[tuple[int, State | None]], known: int) -> State | None:
    place = bisect_right(changes, known, key=lambda one: one[0])
    return changes[place - 1][1] if place else None


def _written(made: list[_Version], *, simulated: bool, instrument_id: str) -> Rewriting:
    rows = [
        (instrument_id, one.ex_date, *one.state[:2], one.known, one.number, one.state[2]) for one in made if one.state
    ]
    gone = [(instrument_id, one.ex_date, one.known, one.number, simulated) for one in made if one.state is None]
    return Rewriting(
        rows=_frame(rows, TABLE.columns),
        withdrawals=_frame(gone, TABLE.withdrawal),
        changed=len({one.ex_date for one in made}),
    )


def _frame(rows: Sequence[tuple[object, ...]], columns: dict[str, pl.DataType]) -> pl.DataFrame:
    counted = {name: pl.Int64() if name == "ts_known" else dtype for name, dtype in columns.items()}
    return pl.DataFrame(rows, schema=counted, orient="row").with_columns(pl.col("ts_known").cast(columns["ts_known"]))
