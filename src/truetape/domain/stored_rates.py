"""Exchange rates that were decided: one for each pair, convention of fixing, and day."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.kinds import INSTANT, RATE_COLUMNS
from truetape.domain.stored import VERDICT_COLUMNS, VERSIONED_COLUMNS, Table

RATES_KEPT: Final[dict[str, Table]] = {
    "fx_rates": Table(
        columns={
            "base": pl.String(),  # ISO 4217: one unit of it
            "quote": pl.String(),  # costs `rate` of this
            "fixing": pl.String(),  # a key of domain.fixings.FIXINGS: rates of different hours are different facts
            "ts_event": INSTANT,  # the date of the fixing, at 00:00 UTC
            **RATE_COLUMNS,
            "provider": pl.String(),  # whose number was taken
            "payload": pl.String(),  # the bytes it came from
            **VERDICT_COLUMNS,
            **VERSIONED_COLUMNS,
        },
        key=("base", "quote", "fixing", "ts_event"),
        writer="storage",
        versioned=True,
    ),
}
