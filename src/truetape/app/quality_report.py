"""How the quality of each provider has gone from day to day, as `truetape quality` tells it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.ports.store import Selection, Store
from truetape.services.quality.outlook import Outlook, outlook

CLAIMS: Final = ""  # the check of the rows that count claims
_BARS: Final = "▁▂▃▄▅▆▇█"
_NO_ROWS: Final = "·"
_LEAST: Final = 1e-9


@dataclass(frozen=True)
class Trend:
    """One check of one provider over the days."""

    provider: str  # "": of all together
    check: str  # "": every claim that was quarantined, whatever for
    severity: str
    days: tuple[date, ...]
    faults: tuple[int, ...]  # of each day
    judged: tuple[int, ...]  # rows of each day
    outlook: Outlook


async def trends(store: Store, *, wanted: Selection, days: int, check: str, objective: float) -> list[Trend]:
    """Return the trends of the last `days` days that have rows, the gravest first.

    Args:
        store: Where the days are counted.
        wanted: Which providers and instruments.
        days: How many days.
        check: The one that is asked for; "" for all.
        objective: The share of faulty rows that is not to be exceeded.
    """
    columns = ("session", "provider", "check", "severity", "count", "judged", "missing")
    rows = await store.read("quality_daily", Selection(equal=wanted.equal, columns=columns))
    found = rows.group_by("session", "provider", "check", "severity").agg(pl.col("count", "judged", "missing").sum())
    dates = found["session"].unique().sort().tail(days)
    found = found.filter(pl.col("session").is_in(dates.implode()))
    judged = found.filter(pl.col("check") == CLAIMS)
    named = found.filter(pl.col("check") == check) if check else found
    every = [
        _trend(key, part, judged, dates.to_list(), objective=objective)
        for key, part in sorted(named.partition_by("provider", "check", "severity", as_dict=True).items())
    ]
    return sorted(every, key=lambda one: (-one.outlook.level, one.provider, one.check))


def _trend(
    key: tuple[object, ...], part: pl.DataFrame, judged: pl.DataFrame, days: list[date], *, objective: float
) -> Trend:
    provider, check, severity = map(str, key)
    rows = judged if not provider else judged.filter(pl.col("provider") == provider)
    total = rows.group_by("session").agg((pl.col("judged") + pl.col("missing")).sum())
    faults = [dict(part.select("session", "count").iter_rows()).get(day, 0) for day in days]
    known = dict(total.iter_rows())
    of = [max(known.get(day, 0), fault) for day, fault in zip(days, faults, strict=True)]
    return Trend(
        provider=provider,
        check=check,
        severity=severity,
        days=tuple(days),
        faults=tuple(faults),
        judged=tuple(of),
        outlook=outlook(faults, of, objective=objective),
    )


def small_bars(faults: Sequence[int], judged: Sequence[int]) -> str:
    """Return one letter for each day, the higher the more of its rows were faulty; a dot for a day without rows."""
    rates = [fault / rows if rows else None for fault, rows in zip(faults, judged, strict=True)]
    most = max((rate for rate in rates if rate), default=1.0)
    steps = len(_BARS) - 1
    return "".join(_NO_ROWS if rate is None else _BARS[math.ceil(rate / most * steps - _LEAST)] for rate in rates)


def as_json(trend: Trend) -> dict[str, object]:
    """Return `trend` as it is written to JSON."""
    seen = trend.outlook
    return {
        "provider": trend.provider,
        "check": trend.check,
        "severity": trend.severity,
        "days": [
            {"session": str(day), "faults": fault, "judged": rows}
            for day, fault, rows in zip(trend.days, trend.faults, trend.judged, strict=True)
        ],
        "today": seen.today,
        "usual": seen.usual,
        "unusual": seen.unusual,
        "level": seen.level,
        "trend": seen.trend,
        "slope": seen.slope,
        "expected": [{"days": one.days, "low": one.low, "rate": one.rate, "high": one.high} for one in seen.expected],
        "crosses_in": seen.crosses_in,
    }
