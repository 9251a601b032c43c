"""Small evidence for checks: bars in a few words, and what one check finds in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from truetape.domain.kinds import INSTANT
from truetape.services.quality.checks import CHECKS, Surroundings, examine, find, needed, prepare
from truetape.services.quality.checks.surroundings import ACTIONS, LISTED, SESSIONS

MONDAY = date(2024, 6, 3)


def day(number: int, *, start: date = MONDAY) -> date:
    """Return the `number`-th weekday from `start`, a Monday."""
    return start + timedelta(days=number + 2 * (number // 5))


def moment(text: str) -> datetime:
    """Return the UTC instant that `text` names."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def bars(closes: Sequence[float | None], **given: Any) -> pl.DataFrame:
    """Return daily bars at `closes` on weekdays, with volumes of 1000, 1001 ...; lists and single values go before."""
    count = len(closes)
    values: dict[str, Any] = {
        "instrument_id": "a",
        "provider": "p",
        "timeframe": "1d",
        "ts_event": [day(number) for number in range(count)],
        **{name: list(closes) for name in ("open", "high", "low", "close")},
        "volume": [1000.0 + number for number in range(count)],
        **given,
    }
    columns = {name: value if isinstance(value, list) else [value] * count for name, value in values.items()}
    frame = pl.DataFrame(columns, strict=False)
    numbers = [name for name in ("open", "high", "low", "close", "volume", "vwap") if name in frame.columns]
    return frame.with_columns(instants(frame["ts_event"]), pl.col(numbers).cast(pl.Float64))


def instants(moments: pl.Series) -> pl.Series:
    """Return dates or datetimes as instants."""
    dates = moments.dtype in (pl.Date, pl.Null)
    naive = moments.cast(pl.Datetime("ns")) if dates else moments.dt.replace_time_zone(None)
    return naive.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias("ts_event")


def calendar(
    days: Sequence[date], *, opens: int = 14, closes: int = 21, early: Mapping[date, int] = {}
) -> pl.DataFrame:
    """Return sessions of the venue XTST on `days`, from and to these hours UTC; `early` has other closes."""
    rows = [
        {
            "venue": "XTST",
            "session": one,
            "open": datetime(one.year, one.month, one.day, opens, tzinfo=UTC),
            "close": datetime(one.year, one.month, one.day, early.get(one, closes), tzinfo=UTC),
        }
        for one in days
    ]
    return pl.DataFrame(rows, schema_overrides={"open": INSTANT, "close": INSTANT}).select(list(SESSIONS))


def around(
    *,
    sessions: pl.DataFrame | None = None,
    actions: Sequence[tuple[date, str, float]] = (),
    increment: float | None = None,
    lot: float | None = None,
    now: datetime | None = None,
    instruments: Sequence[str] = ("a",),
) -> Surroundings:
    """Return surroundings of the instruments, all on the venue XTST."""
    listed = [(one, "XTST", increment, lot) for one in instruments]
    declared = [(one, *action) for one in instruments for action in actions]
    return Surroundings(
        listed=pl.DataFrame(listed, schema=LISTED, orient="row"),
        sessions=sessions if sessions is not None else pl.DataFrame(schema=SESSIONS),
        actions=pl.DataFrame(declared, schema=ACTIONS, orient="row"),
        now=None if now is None else int(now.timestamp()) * 10**9,
    )


def found(
    name: str, records: pl.DataFrame, known: Surroundings | None = None, *, kind: str = "bars", **limits: float
) -> pl.DataFrame:
    """Return what the check `name` of the registry finds, with some limits set otherwise."""
    check = CHECKS[name]
    evidence = prepare(records, kind=kind, surroundings=known, needs=check.needs)
    return find(check, evidence, check.tuned(**limits))


def broken(name: str, records: pl.DataFrame, known: Surroundings | None = None, **limits: Any) -> list[int]:
    """Return the rows in which the check `name` finds something."""
    return found(name, records, known, **limits)["row"].to_list()


def everything(records: pl.DataFrame, known: Surroundings | None = None, *, kind: str = "bars") -> pl.DataFrame:
    """Return what all checks of the registry find."""
    evidence = prepare(records, kind=kind, surroundings=known, needs=needed(CHECKS.values()))
    return examine(evidence, checks=CHECKS.values(), kind=kind)
