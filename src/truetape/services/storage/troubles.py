"""What is wrong with what was just stored, as those are told who may want to be alarmed."""

from __future__ import annotations

import polars as pl

from truetape.services.storage.daily import QUARANTINE

TROUBLE: tuple[str, ...] = (
    "instrument_id",
    "timeframe",
    "ts_event",
    "provider",
    "check",
    "severity",
    "explanation",
)


def troubles(findings: pl.DataFrame, quarantined: pl.DataFrame) -> pl.DataFrame:
    """Return findings and quarantined claims as rows of one kind, TROUBLE, in the order of their instants.

    A quarantined claim stands under its reason, with the severity "quarantine".

    Args:
        findings: schema findings.
        quarantined: schema quarantine.
    """
    claims = quarantined.with_columns(pl.col("reason").alias("check"), pl.lit(QUARANTINE).alias("severity"))
    return pl.concat([findings.select(TROUBLE), claims.select(TROUBLE)]).sort("ts_event", maintain_order=True)
