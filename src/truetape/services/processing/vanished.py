"""Columns that a provider used to fill and no longer does: its payload has changed, though it could be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import polars as pl

from truetape.domain.drift import changed, words
from truetape.domain.kinds import OHLCV_COLUMNS
from truetape.domain.messages import RoundClosed
from truetape.domain.schema import INSTANT, TABLES

DRIFT: Final = "schema_drift"
FEWEST: Final = 5  # earlier rows that all had a value, from which on it is expected


class Vanished(NamedTuple):
    """A column of bars that a provider's newest payload leaves empty."""

    provider: str
    column: str
    before: int  # rows that had it, all of them
    now: int  # rows, none of which has it
    payload_before: str
    payload_now: str


def vanished(older: pl.DataFrame, fresh: pl.DataFrame) -> list[Vanished]:
    """Return the columns that are empty throughout `fresh` and were never empty in `older`.

    Args:
        older: The bars that providers claimed before, schema bar_claims, of one instrument and timeframe.
        fresh: What they claim now.
    """
    if not any(fresh[column].null_count() for column in OHLCV_COLUMNS):
        return []
    newest = fresh.sort("ts_known", "payload", maintain_order=True).group_by("provider", maintain_order=True)
    found: list[Vanished] = []
    for (provider,), rows in newest:
        own = older.filter(pl.col("provider") == provider, ~pl.col("payload").is_in(rows["payload"].implode()))
        if len(own) < FEWEST:
            continue
        last = own.sort("ts_known", "payload")["payload"][-1]
        found += [
            Vanished(str(provider), column, len(own), len(rows), last, rows["payload"][-1])
            for column in OHLCV_COLUMNS
            if rows[column].null_count() == len(rows) and own[column].null_count() == 0
        ]
    return found


def drift_findings(found: list[Vanished], message: RoundClosed, *, body: Callable[[str], bytes]) -> pl.DataFrame:
    """Return a finding (schema findings) for each column that vanished, which names the fields that have changed.

    Args:
        found: As `vanished` returns them.
        message: The round that they were found in.
        body: Gives the bytes of a payload by its key.
    """
    return pl.DataFrame(list(_findings(found, message, body)), schema=TABLES["findings"].columns)


def _findings(found: list[Vanished], message: RoundClosed, body: Callable[[str], bytes]) -> Iterator[dict[str, object]]:
    known = pl.Series([message.ts_known]).cast(INSTANT)[0]
    for one in found:
        fields = words(changed(body(one.payload_before), body(one.payload_now)))
        yield {
            "instrument_id": message.instrument_id,
            "timeframe": message.timeframe,
            "ts_event": known,
            "provider": one.provider,
            "check": DRIFT,
            "severity": "error",
            "explanation": (
                f"{one.provider} no longer tells the {one.column}: none of {one.now} rows has one, and all of "
                f"{one.before} earlier ones had. Compare payload {one.payload_now[:16]} with {one.payload_before[:16]}"
                f"{fields}."
            ),
            "field": one.column,
            "round_id": message.round_id,
            "ts_known": known,
            "simulated": message.simulated,
        }
