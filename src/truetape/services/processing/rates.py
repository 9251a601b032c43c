"""Exchange rates of a closed round: the newest word of each provider about a pair and a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from truetape.domain.messages import RoundClosed
from truetape.domain.pairs import halves
from truetape.services.processing.normalize import latest_claims

RATES: Final = "fx_rates"
_DAY: Final = ("ts_event",)


def pair_of(name: str) -> dict[str, tuple[str, ...]]:
    """Return what the columns of the rows about a pair equal; nothing equals them where `name` is no pair."""
    base, quote = halves(name) or ("", "")
    return {"base": (base,), "quote": (quote,)}


def told_rates(
    message: RoundClosed, older: Mapping[str, pl.DataFrame], parts: Sequence[Mapping[str, pl.DataFrame]]
) -> pl.DataFrame:
    """Return what providers say now of the rates of the round's pair and days, one claim for each of them and day.

    A rate of an instant, such as the present one, stands for the day of its instant in UTC; the last of a day counts.

    Args:
        message: The round; its instrument is the pair, such as EUR/USD.
        older: What was claimed before, by table.
        parts: What each payload of the round says, by table.
    """
    pair = pair_of(message.instrument_id)
    fresh = [part["rate_claims"] for part in parts if "rate_claims" in part]
    claims = pl.concat([older["rate_claims"], *fresh]).filter(
        pl.col("base") == pair["base"][0],
        pl.col("quote") == pair["quote"][0],
        pl.col("ts_event").dt.date().is_between(message.start, message.end),
    )
    by_time = claims.sort("ts_event", maintain_order=True)
    daily = by_time.with_columns(pl.col("ts_event").dt.truncate("1d"))
    return latest_claims(daily, key=_DAY, captured=message.captured)
