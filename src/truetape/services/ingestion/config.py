"""Settings of the ingestion room."""

from __future__ import annotations

from datetime import date

import msgspec


class IngestionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to acquire and how patiently."""

    start: date
    end: date
    timeframe: str = "1d"
    attempts: int = 5  # requests to one provider in one round before it is given up
    backoff_s: float = 0.5  # first wait; doubles with each attempt
    backoff_max_s: float = 60.0
    concurrent_rounds: int = 4
    retry_round_s: float = 300.0  # wait before a round that nobody answered is opened again
    overlap_days: int = 10  # calendar days before the last covered session that a refresh asks again
    simulated: bool = False
