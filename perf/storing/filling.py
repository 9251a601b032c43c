"""Fill a data folder, and the peers' files beside it, with a market."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from perf.storing.market import Market
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.duckdb_store.names import WRITTEN
from truetape.adapters.read_segments import Builder, Load, SegmentedStore
from truetape.app.segments import SEGMENTS, segmented
from truetape.domain.schema import TABLES

MEMORY = "3GB"  # of each DuckDB
FACTORS = 12  # of one instrument: splits and dividends

Say = Callable[[str], None]


def fill(folder: Path, markets: list[Market], *, say: Say) -> None:
    """Make a data folder with the bars of `markets`, what names them, and their segments.

    The bars are put into the store's file in bulk, as if one commit had written them: how fast commits are is measured
    apart.
    """
    data = DataFolder.open(folder, simulated=True, command="bench")
    asyncio.run(DuckdbStore(data.store).close())
    with duckdb.connect(str(data.store), config={"memory_limit": MEMORY}) as raw:
        for market in markets:
            _insert(raw, market, say)
        named = max(markets, key=lambda one: one.instruments)
        for table, rows in _reference(named).items():
            raw.register("incoming", rows.to_arrow())
            raw.execute(f'INSERT INTO {table} BY NAME SELECT *, 1 AS "{WRITTEN}" FROM incoming')
        raw.execute("UPDATE truetape_meta SET version = 1")
        raw.execute("CHECKPOINT")
    asyncio.run(_segments(data.store, say))
    data.close()


def opened(folder: Path, *, read_only: bool = False) -> SegmentedStore:
    """Return the store of a filled folder, with its segments."""
    path = folder / "truetape.duckdb"
    return segmented(DuckdbStore(path, read_only=read_only), path, place=SEGMENTS)


def _insert(raw: duckdb.DuckDBPyConnection, market: Market, say: Say) -> None:
    done = 0
    for rows in market.by_instrument():
        raw.register("incoming", rows.to_arrow())
        raw.execute(f'INSERT INTO bars BY NAME SELECT *, 1 AS "{WRITTEN}" FROM incoming')
        done += len(rows)
        say(f"{done:,} of {market.rows:,} bars of {market.timeframe} in the store")


async def _segments(path: Path, say: Say) -> None:
    store = DuckdbStore(path)
    library = segmented(store, path, place=SEGMENTS).library
    await Builder(store, library, load=Load()).build(
        seen=lambda one: say(f"segments of {one.period.timeframe} {one.period.label}, {one.left} periods to come")
    )
    library.note()
    await store.close()


def _reference(market: Market) -> dict[str, pl.DataFrame]:
    """Return instruments, listings and factors of the market."""
    who = pl.DataFrame({"instrument_id": market.names, "symbol": list(market.symbols.values())})
    told: dict[str, Any] = {"mic": "XNYS", "asset_class": "equity", "currency": "USD", "valid_from": None}
    told |= {"valid_to": None, "ts_known": 1, "version": 1, "simulated": True}
    base = who.with_columns(
        pl.col("symbol").alias("name"), *(pl.lit(value).alias(name) for name, value in told.items())
    )
    days = market.sessions[:: max(1, len(market.sessions) // FACTORS)][:FACTORS]
    factors = who.select("instrument_id").join(pl.DataFrame({"ex_date": days}), how="cross")
    factors = factors.with_columns(
        pl.lit(1.0).alias("split"),
        pl.lit(0.99).alias("dividend"),
        *(pl.lit(told[name]).alias(name) for name in ("ts_known", "version", "simulated")),
    )
    return {
        "instruments": _as("instruments", base),
        "listings": _as("listings", base),
        "factors": _as("factors", factors),
    }


def _as(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    columns = TABLES[table].columns
    return rows.select(pl.col(name).cast(dtype) for name, dtype in columns.items())
