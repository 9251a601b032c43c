"""The market as files in a folder, for providers that read files instead of asking somebody."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from truetape.app.conformance.market import AUTUMN, FIRST, LAST, market, truth

_DAILY: Final = ("open", "high", "low", "close", "volume")


@lru_cache(maxsize=1)
def folder() -> Path:
    """Return a folder with the market's daily bars, minutes of its stocks and actions; it goes with the process."""
    made = Path(tempfile.mkdtemp(prefix="truetape-market-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for symbol in market().symbols:
        view, name = truth(symbol), symbol.replace("/", "-")
        day = pl.col("ts_event").dt.date().alias("date")
        view.raw.select(day, *_DAILY).write_csv(made / f"{name}.csv")
        if "/" not in symbol:
            minutes = view.between(AUTUMN[0], LAST).minutes()
            stamp = pl.col("ts_event").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("timestamp")
            minutes.select(stamp, *_DAILY).write_csv(made / f"{name}_1m.csv")
        if len(actions := view.actions.filter(pl.col("ex_date") >= FIRST)):
            actions.select("ex_date", "type", "value").write_csv(made / f"{name}_actions.csv")
    return made
