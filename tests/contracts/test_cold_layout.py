"""How many bytes a bar takes in a cold file, with everything that is known of where it came from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from truetape.adapters.tiered_store.layout import GROUP_ROWS, as_written, writer
from truetape.domain.kinds import INSTANT
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS

DAYS = 252
INSTRUMENTS = 130  # a row group of the warm tier


def market() -> pl.DataFrame:
    """A year of bars as a backfill brings them: prices in cents that wander, whole volumes, three providers.

    One of 33 rounds had only two of them agree, one bar of two hundred was corrected, three in a hundred came from the
    second provider. A payload brings a year of an instrument.
    """
    random = np.random.default_rng(7)
    shape = (INSTRUMENTS, DAYS)
    close = np.exp(random.normal(3.5, 1, (INSTRUMENTS, 1)) + random.normal(0, 0.02, shape).cumsum(axis=1))
    opened = close * np.exp(random.normal(0, 0.008, shape))
    high = np.maximum(opened, close) * np.exp(np.abs(random.normal(0, 0.006, shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(random.normal(0, 0.006, shape)))
    volume = np.exp(random.normal(13.5, 0.5, shape) + random.normal(0, 1.5, (INSTRUMENTS, 1)))
    all_agree, first = random.random(shape) < 0.97, random.random(shape) < 0.97
    ids = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(INSTRUMENTS)]
    row = np.arange(INSTRUMENTS).repeat(DAYS)
    texts = {"timeframe": "1d", "currency": "USD", "basis": "raw", "feed": "consolidated", "method": "consensus"}
    found = pl.DataFrame(
        {
            "instrument_id": [f"ins_{ids[number][:12]}" for number in row],
            "ts_event": np.tile((np.arange(DAYS) * 365 // 252 + 19_000) * DAY_NS, INSTRUMENTS),
            **{name: values.round(2).ravel() for name, values in zip(PRICES, (opened, high, low, close), strict=True)},
            "volume": volume.round().ravel(),
            "provider": np.where(first, "tiingo", "yahoo").ravel(),
            "payload": [ids[number] for number in row],
            "flags": np.where(all_agree, 0, 2).ravel(),
            "score": np.where(all_agree, 1.0, 0.666667).ravel(),
            "agreed": np.where(all_agree, "stooq,tiingo,yahoo", "tiingo,yahoo").ravel(),
            "dissented": np.where(all_agree, "", "stooq").ravel(),
            "ts_known": 1_700_000_000_000_000_000 + row * 1_234_567_891,
            "version": np.where(random.random(shape) < 0.995, 1, 2).ravel(),
            "stored_version": 100 + row,
        }
    ).with_columns(**{name: pl.lit(text) for name, text in texts.items()}, simulated=False, withdrawn=False)
    columns = TABLES["bars"].columns
    typed = [pl.col(name).cast(pl.Int64).cast(INSTANT) for name, dtype in columns.items() if dtype == INSTANT]
    return found.with_columns(*typed).sort("instrument_id", "timeframe", "ts_event")


PRICES = ("open", "high", "low", "close")


def test_a_warm_bar_takes_at_most_sixteen_bytes(tmp_path: Path) -> None:
    """And an archived one less: all columns, the hidden ones too, of 32,760 bars."""
    rows = as_written(market(), TABLES["bars"])
    assert INSTRUMENTS * DAYS == len(rows) <= GROUP_ROWS["warm"]
    taken = {}
    for tier in ("warm", "archive"):
        with writer(tmp_path / tier, TABLES["bars"], tier) as file:
            file.write_table(rows)
        taken[tier] = (tmp_path / tier).stat().st_size / len(rows)
    assert taken["archive"] < taken["warm"] <= 16
