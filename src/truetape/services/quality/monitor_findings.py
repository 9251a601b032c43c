"""What the watch over a stream finds, as rows and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from truetape.domain.durations import spoken
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.time import NANOSECONDS, iso

ROUND: Final = "monitor"  # stands as the round of the findings
SEVERITY: Final = {
    "off_market": "error",
    "not_positive": "error",
    "in_future": "error",
    "crossed": "warning",
    "out_of_order": "warning",
    "outside_session": "warning",
    "burst": "warning",
    "stale_feed": "warning",
    "locked": "note",
    "duplicate_id": "note",
    "resumed": "note",
}


class Found(NamedTuple):
    """One thing that was found; instants are UTC nanoseconds."""

    check: str
    instrument: str
    at: int  # when it happened; of silences, when the last thing was heard
    known: int  # when we knew it
    price: float = math.nan
    reference: float = math.nan  # natural logarithm of the price that was expected
    limit: float = math.nan  # how far from it the log price may be


def tick_findings(found: Sequence[Found], *, provider: str, kind: str, simulated: bool) -> pl.DataFrame:
    """Return `found` as rows of findings."""
    columns = TABLES["findings"].columns
    if not found:
        return empty(columns)
    given = [_row(one) for one in found]
    same = {"provider": provider, "timeframe": kind, "round_id": ROUND, "simulated": simulated}
    rows = pl.DataFrame(
        {
            name: pl.Series(
                [row.get(name, same.get(name)) for row in given], dtype=pl.Int64 if dtype == INSTANT else dtype
            ).cast(dtype)
            for name, dtype in columns.items()
        }
    )
    return rows.unique(TABLES["findings"].key, keep="first", maintain_order=True)


def _row(one: Found) -> dict[str, object]:
    row: dict[str, object] = {
        "instrument_id": one.instrument,
        "ts_event": one.at,
        "ts_known": one.known,
        "check": one.check,
        "severity": SEVERITY[one.check],
        "explanation": words(one),
    }
    if one.check == "off_market":
        row |= {
            "field": "price",
            "value": one.price,
            "expected_low": math.exp(one.reference - one.limit),
            "expected_high": math.exp(one.reference + one.limit),
        }
    elif one.check == "not_positive":
        row |= {"field": "price", "value": one.price if math.isfinite(one.price) else None}
    return row


def words(one: Found) -> str:
    """Return in a sentence what was found."""
    if one.check == "off_market":
        expected, reach = math.exp(one.reference), math.expm1(one.limit)
        away = one.price / expected - 1
        return f"{one.price:.10g} is {away:+.2%} off {expected:.10g}; up to {reach:.2%} was to be expected"
    apart = spoken(abs(one.known - one.at) / NANOSECONDS)
    return {
        "not_positive": f"a price of {one.price:.10g} is none",
        "in_future": f"it is said to happen {apart} after it was heard",
        "crossed": "the bid is above the ask",
        "locked": "the bid equals the ask",
        "out_of_order": "it is older than what was heard before it",
        "outside_session": f"there is no session at {iso(one.at // NANOSECONDS * NANOSECONDS)}",
        "burst": "far more came in one second than usual",
        "duplicate_id": "its id was heard shortly before",
        "stale_feed": f"nothing came for {apart}, far longer than usual",
        "resumed": "the silence is over, or the session is",
    }[one.check]
