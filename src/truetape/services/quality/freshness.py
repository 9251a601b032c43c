"""Which series are late: what their objectives say, what the calendar says is due, and what is there.

An objective is "so long after the close" (or the open) of each session, for bars of a day; or "so long" for what comes
during a session: bars of minutes, trades and quotes, of which the newest may be no older while the session lasts. On
dates without a session nothing is due, and neither is what the providers were asked for in time and nobody has: no
trading was possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.durations import spoken
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.time import NANOSECONDS, iso
from truetape.domain.trading_hours import open_pieces
from truetape.services.quality.objectives import Objectives

LATE: Final = "late"
ARRIVED: Final = "arrived"
SOURCE: Final = "freshness"  # stands as the round of the findings

LATE_COLUMNS: Final = {
    "instrument_id": pl.String(),
    "kind": pl.String(),
    "ts_event": INSTANT,  # of a day: the first session that is missing; else: when something was due
    "due": INSTANT,
    "sessions": pl.UInt32(),  # that are missing; 0 during a session
}
SERIES_COLUMNS: Final = {
    "instrument_id": pl.String(),
    "mic": pl.String(),
    "kind": pl.String(),
    "within": pl.Int64(),  # nanoseconds
    "after": pl.String(),  # open, close, or "" during a session
    "last": INSTANT,  # the newest that is there; null: nothing is, lately
    "settled": pl.Date(),  # up to which nobody has anything; null: nothing is known of that
    "settled_at": INSTANT,  # when that became known
}


def wanted_series(listings: pl.DataFrame, objectives: Objectives, *, today: date) -> pl.DataFrame:
    """Return the series that have an objective, SERIES_COLUMNS without what is known of them.

    Args:
        listings: The current listings, with instrument_id, symbol, mic, valid_from and valid_to.
        objectives: The settings.
        today: Listings that are not valid then want nothing.
    """
    valid = listings.filter(
        pl.col("valid_from").fill_null(date.min) <= today, pl.col("valid_to").fill_null(date.max) > today
    )
    shared = {mic: objectives.of(symbol="", mic=mic) for mic in valid["mic"].unique()}
    special = objectives.instruments
    rows = [
        (instrument, mic, kind, round(one.within_s * NANOSECONDS), one.after)
        for instrument, symbol, mic in valid.select("instrument_id", "symbol", "mic").iter_rows()
        for kind, one in (objectives.of(symbol=symbol, mic=mic) if symbol in special else shared[mic]).items()
    ]
    named = dict(list(SERIES_COLUMNS.items())[:5])
    return pl.DataFrame(rows, schema=named, orient="row")


def late_series(series: pl.DataFrame, sessions: pl.DataFrame, *, now_ns: int) -> pl.DataFrame:
    """Return the series that are late, LATE_COLUMNS.

    Args:
        series: SERIES_COLUMNS.
        sessions: The calendar around the present, with mic, session, open and close; break_start and break_end, where
            they are known, during which nothing is due.
        now_ns: The present.
    """
    now = pl.lit(now_ns, dtype=pl.Int64).cast(INSTANT)
    found = pl.concat([_late_days(series, sessions, now), _late_in_session(series, sessions, now)])
    return found.sort("instrument_id", "kind")


def _late_days(series: pl.DataFrame, sessions: pl.DataFrame, now: pl.Expr) -> pl.DataFrame:
    """Judge once for each venue, objective and last day: few, however many series there are."""
    days = series.filter(pl.col("after") != "").with_columns(pl.col("last").dt.date().alias("day"))
    group = ["mic", "after", "within", "day"]
    calendar = sessions.select("mic", "session", "open", "close")
    missing = (
        days.select(group)
        .unique()
        .join(calendar, on="mic")
        .with_columns(
            (
                pl.when(pl.col("after") == "open").then("open").otherwise("close") + pl.duration(nanoseconds="within")
            ).alias("due")
        )
    )
    overdue = missing.filter(pl.col("due") <= now, pl.col("day").is_null() | (pl.col("session") > pl.col("day")))
    told = (
        overdue.sort("session")
        .group_by(group)
        .agg(
            pl.col("session", "due").first(),
            pl.col("session").last().alias("newest"),
            pl.col("due").last().alias("newest_due"),
            pl.len().cast(pl.UInt32).alias("sessions"),
        )
    )
    judged = days.join(told, on=group, nulls_equal=True)
    idle = (pl.col("settled") >= pl.col("newest")) & (pl.col("settled_at") >= pl.col("newest_due"))
    at = pl.col("session").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias("ts_event")
    return judged.filter(~idle.fill_null(value=False)).select("instrument_id", "kind", at, "due", "sessions")


def _late_in_session(series: pl.DataFrame, sessions: pl.DataFrame, now: pl.Expr) -> pl.DataFrame:
    present = open_pieces(sessions).filter(pl.col("open") <= now, now < pl.col("close")).select("mic", "open")
    running = series.filter(pl.col("after") == "").join(present, on="mic")
    since = pl.max_horizontal(pl.col("last").fill_null(pl.col("open")), "open")
    due = running.with_columns((since + pl.duration(nanoseconds="within")).alias("due")).filter(pl.col("due") < now)
    nought = pl.lit(0, dtype=pl.UInt32).alias("sessions")
    return due.select("instrument_id", "kind", pl.col("due").alias("ts_event"), "due", nought)


def still_open(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the series that were late when the last process ended, LATE_COLUMNS, from all findings about that.

    What is known of them is what their findings say: the rest is null.
    """
    own = findings.filter(pl.col("round_id") == SOURCE).sort("ts_known", "check", descending=[False, True])
    newest = own.unique(["instrument_id", "timeframe"], keep="last", maintain_order=True)
    late = newest.filter(pl.col("check") == LATE).with_columns(
        pl.lit(None, dtype=INSTANT).alias("due"), pl.lit(None, dtype=pl.UInt32).alias("sessions")
    )
    return late.rename({"timeframe": "kind"}).select(list(LATE_COLUMNS))


def changes(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of `after` that have become late, and those of `before` that no longer are."""
    key = ["instrument_id", "kind"]
    return after.join(before, on=key, how="anti"), before.join(after, on=key, how="anti")


def freshness_findings(
    fresh: pl.DataFrame, over: pl.DataFrame, *, names: Mapping[str, str], now_ns: int, simulated: bool
) -> pl.DataFrame:
    """Return the findings that tell of series that have become late, and of those that are late no more.

    Args:
        fresh: LATE_COLUMNS.
        over: LATE_COLUMNS.
        names: Symbols by instrument.
        now_ns: The present.
        simulated: Whether the data are.
    """
    told = [(row, LATE, "warning", words(row, name=_name(row, names), now_ns=now_ns)) for row in _rows(fresh)]
    told += [(row, ARRIVED, "note", f"{_name(row, names)} {row['kind']} is late no more") for row in _rows(over)]
    columns = TABLES["findings"].columns
    same = {"provider": "", "round_id": SOURCE, "ts_known": now_ns, "simulated": simulated}
    made = [
        {**same, "instrument_id": row["instrument_id"], "timeframe": row["kind"], "ts_event": row["at"], "check": check,
         "severity": severity, "explanation": explanation}
        for row, check, severity, explanation in told
    ]  # fmt: skip
    if not made:
        return empty(columns)
    return pl.DataFrame(
        {
            name: pl.Series([row.get(name) for row in made], dtype=pl.Int64 if dtype == INSTANT else dtype).cast(dtype)
            for name, dtype in columns.items()
        }
    )


def words(row: Mapping[str, object], *, name: str, now_ns: int) -> str:
    """Return in a sentence what is late and by how much: `row` has kind, at and due_ns (UTC ns) and sessions."""
    due_ns, at_ns = row["due_ns"], row["at"]
    assert isinstance(due_ns, int)
    assert isinstance(at_ns, int)
    behind, due = spoken((now_ns - due_ns) / NANOSECONDS), iso(due_ns // NANOSECONDS * NANOSECONDS)
    if not row["sessions"]:
        return f"{name} {row['kind']}: nothing came since before {due}; late by {behind}"
    more = f" and {int(str(row['sessions'])) - 1} after it" if row["sessions"] != 1 else ""
    return f"{name} {row['kind']} of {iso(at_ns)[:10]}{more} was due at {due}; late by {behind}"


def _name(row: Mapping[str, object], names: Mapping[str, str]) -> str:
    instrument = str(row["instrument_id"])
    return names.get(instrument, instrument)


def _rows(late: pl.DataFrame) -> list[dict[str, object]]:
    plain = late.with_columns(
        pl.col("ts_event").cast(pl.Int64).alias("at"), pl.col("due").cast(pl.Int64).alias("due_ns")
    )
    return plain.drop("ts_event", "due").to_dicts()
