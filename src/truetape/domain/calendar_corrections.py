"""What is said of single days of a venue's calendar: a closure, other hours, no break; and since when it was known.

Of one day the correction that was known last counts. A day on which the venue closed at short notice has two: that it
was to be a day like others, known since ever, and that it is closed, known since it was announced. Before that instant
the day is believed to be a session, whatever the rules, which were written later, know of it.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, Schema

KINDS: Final = ("closed", "open", "no_break")  # no session; a session; a session without its break
HOURS: Final[Schema] = {
    "session": pl.Date(),
    "open": INSTANT,
    "close": INSTANT,
    "break_start": INSTANT,  # null without a break, as is the end
    "break_end": INSTANT,
}
CORRECTION: Final[Schema] = {
    "mic": pl.String(),
    "session": pl.Date(),
    "known": INSTANT,  # null: since ever
    "what": pl.String(),  # of KINDS
    **dict.fromkeys(("open", "close", "break_start", "break_end"), INSTANT),  # null: as on every day
    "why": pl.String(),
    "source": pl.String(),
}
TOLD: Final = ("known", "why", "source")
_MOMENTS: Final = ("open", "close", "break_start", "break_end")


def in_force(corrections: pl.DataFrame, *, as_of: int | None = None) -> pl.DataFrame:
    """Return the correction of each day that counts at `as_of` (UTC nanoseconds; None: now), ascending.

    Args:
        corrections: CORRECTION, of one venue. Of those known at the same instant, the last row counts.
        as_of: Inclusive.
    """
    until = pl.lit(as_of, dtype=pl.Int64).cast(INSTANT)
    known = corrections if as_of is None else corrections.filter((pl.col("known") <= until).fill_null(value=True))
    ordered = known.sort("session", "known", nulls_last=False, maintain_order=True)
    return ordered.unique("session", keep="last", maintain_order=True)


def believed(
    schedule: pl.DataFrame, corrections: pl.DataFrame, *, usual: pl.DataFrame, as_of: int | None = None
) -> pl.DataFrame:
    """Return the sessions that were expected at `as_of` (UTC nanoseconds; None: now), ascending.

    Args:
        schedule: HOURS of each session by the rules.
        corrections: CORRECTION, of one venue.
        usual: HOURS of the days that are corrected, as they would be if no day were special.
        as_of: Inclusive.

    Returns:
        HOURS, and of the sessions that a correction told, its `known`, `why` and `source`.
    """
    told = in_force(corrections, as_of=as_of)
    ruled = schedule.select(list(HOURS)).join(told.select("session"), on="session", how="anti")
    opened = told.filter(pl.col("what") != "closed").join(usual, on="session", how="left", suffix="_usual")
    hours = opened.with_columns(pl.coalesce(name, f"{name}_usual").alias(name) for name in _MOMENTS)
    pauses = pl.col("what").ne("no_break") & (pl.col("break_start") > pl.col("open"))
    kept = pauses & (pl.col("break_end") < pl.col("close")) & (pl.col("break_end") > pl.col("break_start"))
    rested = hours.with_columns(pl.when(kept).then(name).alias(name) for name in ("break_start", "break_end"))
    sound = rested.filter(pl.col("open") < pl.col("close")).select(*HOURS, *TOLD)
    return pl.concat([ruled, sound], how="diagonal").sort("session")
