"""The peers: each keeps the same bars in the order that suits it, and gives Polars frames of the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Protocol

import duckdb
import polars as pl

from perf.storing.filling import MEMORY, Say
from perf.storing.market import Market
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS, day_start_ns

COLUMNS = tuple(TABLES["bars"].columns)
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_ONE = f"SELECT {_NAMES} FROM bars WHERE instrument_id = ? AND timeframe = ? ORDER BY ts_event"
_WITHIN = (
    "ts_event >= make_timestamp_ns(?)::TIMESTAMPTZ_NS AND ts_event < make_timestamp_ns(?)::TIMESTAMPTZ_NS "
    "AND timeframe = ?"
)
_DAY = f"SELECT {_NAMES} FROM bars WHERE {_WITHIN} ORDER BY instrument_id, ts_event"
_IN_ARRIVAL = f"INSERT INTO bars SELECT {_NAMES} FROM held.bars WHERE {_WITHIN} ORDER BY ts_event, instrument_id"
_NEWEST = f"""
SELECT {_NAMES} FROM bars SEMI JOIN (
    SELECT instrument_id, max(ts_event) AS ts_event FROM bars
    WHERE timeframe = ? AND instrument_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY instrument_id
) newest USING (instrument_id, ts_event) WHERE timeframe = ? ORDER BY instrument_id
"""


class Peer(Protocol):
    """Another way to keep bars."""

    name: str

    def one(self, instrument: str) -> pl.DataFrame:
        """Return all bars of one instrument, ascending."""
        ...

    def day(self, day: date) -> pl.DataFrame:
        """Return the bars of all instruments on one day, by instrument."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class Duckdb:
    """Bars in a DuckDB file."""

    def __init__(self, name: str, path: Path, timeframe: str) -> None:
        self.name = name
        self._connection = duckdb.connect(str(path), read_only=True)
        self._timeframe = timeframe

    def one(self, instrument: str) -> pl.DataFrame:
        rows: pl.DataFrame = self._connection.sql(_ONE, params=[instrument, self._timeframe]).pl()
        return rows

    def day(self, day: date) -> pl.DataFrame:
        first = day_start_ns(day)
        rows: pl.DataFrame = self._connection.sql(_DAY, params=[first, first + DAY_NS, self._timeframe]).pl()
        return rows

    def close(self) -> None:
        self._connection.close()

    def newest(self, names: list[str]) -> pl.DataFrame:
        """Return the newest bar of each of `names`, by instrument."""
        rows: pl.DataFrame = self._connection.sql(_NEWEST, params=[self._timeframe, names, self._timeframe]).pl()
        return rows


class ParquetFiles:
    """Bars in Parquet files, each in its order, with the statistics that let a reader skip what it does not need."""

    def __init__(self, name: str, path: Path, timeframe: str) -> None:
        self.name = name
        self._path = path
        self._of_it = pl.col("timeframe") == timeframe

    def one(self, instrument: str) -> pl.DataFrame:
        found = pl.scan_parquet(self._path).filter(pl.col("instrument_id") == instrument, self._of_it)
        return found.collect()

    def day(self, day: date) -> pl.DataFrame:
        first = pl.lit(day_start_ns(day)).cast(TABLES["bars"].columns["ts_event"])
        last = pl.lit(day_start_ns(day) + DAY_NS - 1).cast(TABLES["bars"].columns["ts_event"])
        return pl.scan_parquet(self._path).filter(pl.col("ts_event").is_between(first, last), self._of_it).collect()

    def close(self) -> None:
        return


class Arctic:
    """Bars of some instruments in ArcticDB, a symbol for each."""

    name = "ArcticDB"

    def __init__(self, folder: Path, market: Market, *, symbols: int) -> None:
        import arcticdb

        opened = arcticdb.Arctic(f"lmdb://{folder}?map_size=20GB", output_format=arcticdb.OutputFormat.POLARS)
        self._library = opened.create_library("bars")
        self.held = market.names[:: max(1, len(market.names) // symbols)][:symbols]
        for frame in _of_each(market, self.held):
            plain = frame.with_columns(pl.col("flags", "version").cast(pl.Int64)).to_pandas()
            who = str(frame["instrument_id"][0])
            self._library.write(who, plain.set_index(plain.pop("ts_event").dt.tz_localize(None)))

    def one(self, instrument: str) -> pl.DataFrame:
        rows: pl.DataFrame = self._library.read(instrument).data
        return rows

    def day(self, day: date) -> pl.DataFrame:
        raise NotImplementedError  # it would have to read every symbol

    def close(self) -> None:
        del self._library


def arrival(store: Path, path: Path, market: Market, *, say: Say) -> None:
    """Make a DuckDB file at `path` with the bars of the store's file in the order of days."""
    with duckdb.connect(str(path), config={"memory_limit": MEMORY}) as raw:
        raw.execute(f"ATTACH '{store}' AS held (READ_ONLY)")
        raw.execute(f"CREATE TABLE bars AS SELECT {_NAMES} FROM held.bars LIMIT 0")
        for first, last in _years(market):
            say(f"DuckDB in arrival order, {first.year}")
            bounds = [day_start_ns(first), day_start_ns(last) + DAY_NS, market.timeframe]
            raw.execute(_IN_ARRIVAL, bounds)


def parquet(source: Path, path: Path, timeframe: str) -> None:
    """Write the bars of a DuckDB file in their order into a Parquet file, with zstd."""
    with duckdb.connect(str(source), read_only=True, config={"memory_limit": MEMORY}) as raw:
        raw.execute("SET preserve_insertion_order = true")
        raw.execute(
            f"COPY (SELECT {_NAMES} FROM bars WHERE timeframe = '{timeframe}') TO '{path}' "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 61440)"
        )


def _years(market: Market) -> Iterator[tuple[date, date]]:
    for year in sorted({day.year for day in market.sessions}):
        days = [day for day in market.sessions if day.year == year]
        yield days[0], days[-1]


def _of_each(market: Market, names: list[str]) -> Iterator[pl.DataFrame]:
    from perf.storing.market import bars

    for number, name in enumerate(names):
        yield bars([name], market.events, timeframe=market.timeframe, seed=number)
