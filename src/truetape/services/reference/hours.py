"""Sessions of a venue as rows to be stored: what is new, what is corrected, and what no longer stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.calendar_corrections import CORRECTION
from truetape.domain.schema import TABLES
from truetape.domain.versions import decide, withdraw
from truetape.services.reference import exchange_rules
from truetape.services.reference.calendars import believed_hours, keeper_of
from truetape.services.reference.corrections import rules

HELD: Final = ("sessions", "session_breaks")
_DAY: Final = timedelta(days=1)
_FIRST: Final = pl.lit(1, dtype=pl.UInt32).alias("version")


@dataclass(frozen=True)
class Origin:
    """Since when rows are known (UTC nanoseconds), and whether they are simulated."""

    ts_known: int
    simulated: bool


@dataclass
class Changes:
    """What to commit, by table."""

    writes: dict[str, pl.DataFrame] = field(default_factory=dict)
    withdrawals: dict[str, pl.DataFrame] = field(default_factory=dict)

    def add(self, table: str, rows: pl.DataFrame, *, gone: pl.DataFrame | None = None) -> None:
        """Write `rows` of `table` too, and withdraw `gone`, which has the columns of withdrawals."""
        for held, more in ((self.writes, rows), (self.withdrawals, gone)):
            if more is not None and not more.is_empty():
                held[table] = pl.concat([held[table], more]) if table in held else more


def hours_rows(
    mic: str, *, keeper: str, start: date, end: date, corrections: pl.DataFrame, origin: Origin
) -> dict[str, pl.DataFrame]:
    """Return the rows of HELD of `mic` from `start` to `end`, both inclusive, as its calendar and corrections say.

    Args:
        mic: The venue.
        keeper: Whose calendar it follows.
        start: Days that the calendar does not know have no rows.
        end: As `start`.
        corrections: CORRECTION, of any venues; those of `mic` and of its keeper count.
        origin: Of the rows.
    """
    names = names_of(mic, keeper=keeper)
    own = corrections.filter(pl.col("mic").is_in(names)).with_columns(mic=pl.lit(keeper))
    hours = believed_hours(keeper, start=start, end=end, corrections=own).with_columns(mic=pl.lit(mic))
    rested = hours.filter(pl.col("break_start").is_not_null(), pl.col("break_end").is_not_null())
    return {"sessions": _rows("sessions", hours, origin), "session_breaks": _rows("session_breaks", rested, origin)}


def names_of(mic: str, *, keeper: str) -> tuple[str, ...]:
    """Return the venues whose corrections concern `mic`, which follows the calendar of `keeper`.

    Raises:
        BadInput: `keeper` has none.
    """
    return tuple(dict.fromkeys((mic, keeper, exchange_rules.first_name(keeper_of(keeper, borrowing={})))))


def to_compute(
    keepers: Mapping[str, str], stored: pl.DataFrame, *, start: date, end: date
) -> dict[str, tuple[date, date]]:
    """Return the days, both inclusive, whose sessions are to be computed, by MIC; nothing where they all are.

    If the rules or the keeper are others now, all days are computed again; else those that are not there yet.

    Args:
        keepers: Whose calendar each MIC follows.
        stored: Rows of the table calendars.
        start: First day wanted, inclusive.
        end: Last day wanted, inclusive.
    """
    held = {row["mic"]: row for row in stored.iter_rows(named=True)}
    wanted = {}
    for mic, keeper in keepers.items():
        row = held.get(mic)
        if row is None:
            wanted[mic] = (start, end)
        elif (row["keeper"], row["rules"]) != (keeper, rules()) or start < row["first"]:
            wanted[mic] = (min(start, row["first"]), max(end, row["last"]))
        elif end > row["last"]:
            wanted[mic] = (row["last"] + _DAY, end)
    return wanted


def calendar_row(
    mic: str, *, keeper: str, stored: pl.DataFrame, days: tuple[date, date], origin: Origin
) -> pl.DataFrame:
    """Return the row of the table calendars about `mic` once `days`, both inclusive, are computed too."""
    spans = [days, *stored.filter(pl.col("mic") == mic).select("first", "last").iter_rows()]
    told = {"mic": mic, "keeper": keeper, "zone": exchange_rules.zone(keeper), "rules": rules()}
    whole = {"first": min(first for first, _ in spans), "last": max(last for _, last in spans)}
    return _rows("calendars", pl.DataFrame([{**told, **whole}]), origin)


def correction_rows(corrections: pl.DataFrame, *, origin: Origin) -> pl.DataFrame:
    """Return CORRECTION as rows of the table calendar_corrections."""
    return _rows("calendar_corrections", corrections.select(list(CORRECTION)), origin)


def compared(
    table: str, rows: pl.DataFrame, *, current: pl.DataFrame, withdrawn: pl.DataFrame, ts_known: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return which of `rows` are to be written, and the withdrawals of `current` rows that are no longer among them.

    Args:
        table: Of HELD.
        rows: All rows of some venues and days.
        current: The stored rows of the same venues and days.
        withdrawn: Their withdrawals that stand.
        ts_known: When it became known, UTC nanoseconds.
    """
    kept = TABLES[table]
    gone = current.join(rows, on=kept.key, how="anti")
    return decide(current, rows, kept, withdrawn=withdrawn).write, withdraw(gone, kept, ts_known=ts_known)


def _rows(table: str, frame: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    columns = TABLES[table].columns
    known = pl.lit(origin.ts_known).cast(columns["ts_known"]).alias("ts_known")
    whole = frame.with_columns(known, pl.lit(origin.simulated).alias("simulated"), _FIRST)
    return whole.select([pl.col(name).cast(dtype) for name, dtype in columns.items()])
