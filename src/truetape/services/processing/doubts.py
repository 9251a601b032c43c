"""What is doubtful in a payload that could be read: rows about one thing that say different things."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.messages import RawCaptured
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.services.processing.claim import RANGED, best_last, in_range

CONFLICT: Final = "conflicting_rows"
_FINDINGS: Final = TABLES["findings"].columns


def conflicts(decoded: pl.DataFrame, capture: RawCaptured, *, kind: str) -> pl.DataFrame:
    """Return a finding (schema findings) for each time about which rows of one payload say different things.

    Rows that repeat each other are no conflict, and neither are a finished bar and the same bar still running.

    Args:
        decoded: What the payload says, schema DECODED[kind], and `instrument_id` where it is about many.
        capture: Where it came from.
        kind: The record kind.
    """
    if kind not in RANGED or decoded["ts_event"].n_unique() == len(decoded):
        return empty(_FINDINGS)
    names = [name for name, dtype in decoded.schema.items() if dtype == pl.Float64]
    key = [
        name
        for name in ("instrument_id", "symbol", "timeframe", "base", "quote", "ts_event")
        if name in decoded.columns
    ]
    rows = best_last(in_range(decoded, capture))
    steady = rows.filter(~pl.col("running").fill_null(value=False)) if "running" in rows.columns else rows
    said = steady.unique([*key, *names], keep="last", maintain_order=True)
    several = said.filter(pl.len().over(key) > 1)
    told = several.group_by(key, maintain_order=True).agg(pl.col(name) for name in names)
    found = [_finding(row, names, capture) for row in told.iter_rows(named=True)]
    return pl.DataFrame(found, schema=_FINDINGS) if found else empty(_FINDINGS)


def _finding(row: dict[str, object], names: list[str], capture: RawCaptured) -> dict[str, object]:
    """Return the finding about the rows of one time, of which the last is kept; `row` has a list for each name."""
    values = {name: row[name] for name in names}
    differing = {name: said for name, said in values.items() if isinstance(said, list) and len(set(said)) > 1}
    field, said = next(iter(differing.items()))
    parts = [f"{name} {' and '.join(_written(one) for one in several)}" for name, several in differing.items()]
    stamp = pl.Series([row["ts_event"]]).dt.strftime("%Y-%m-%d %H:%M")[0]
    return {
        "instrument_id": row.get("instrument_id", capture.instrument_id),
        "timeframe": str(row.get("timeframe") or capture.timeframe),
        "ts_event": row["ts_event"],
        "provider": capture.provider,
        "check": CONFLICT,
        "severity": "warning",
        "explanation": (
            f"One answer has {len(said)} rows about {stamp} UTC, and they differ: {'; '.join(parts)}. "
            f"The last of each was kept. Payload {capture.key[:16]}."
        ),
        "field": field,
        "value": said[0],
        "expected_low": said[-1],
        "expected_high": said[-1],
        "round_id": capture.round_id,
        "ts_known": pl.Series([capture.ts_known]).cast(INSTANT)[0],
        "simulated": capture.simulated,
    }


def _written(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.10g}"
