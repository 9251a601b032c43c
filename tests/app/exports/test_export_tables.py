"""Parquet, Arrow and CSV: what other libraries read is what a session answers, with the types that it has."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import truetape as tt
from exported_market import market
from small_market import serving
from truetape.app import exports

CLOSES = [88.0, 90.0, 44.0, 46.5, 50.0, 49.0]  # of AAPL as traded, by hand
ORIGIN = {
    "truetape.basis": "raw",
    "truetape.timeframe": "1d",
    "truetape.as_of": "2024-01-11T00:00:00Z",
    "truetape.store_version": "3",
}


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_every_reader_finds_the_exact_types(exported: tt.Session, tmp_path: Path, suffix: str) -> None:
    """Polars, pyarrow, pandas and DuckDB read instants in UTC to the nanosecond, and numbers as they are."""
    path = tmp_path / f"bars.{suffix}"

    done = exported.export(["AAPL", "META"], path, as_of="2024-01-11")

    frame = pl.read_parquet(path) if suffix == "parquet" else pl.read_ipc(path)
    asked = exported.bars(["AAPL", "META"], as_of="2024-01-11")
    assert asked.equals(frame.drop("instrument_id"))
    assert asked.schema == frame.drop("instrument_id").schema
    assert (8, 2, 1) == (done.rows, len(done.instruments), done.files)
    assert ["symbol", "instrument_id", "ts_event"] == frame.columns[:3]
    table = pq.read_table(path) if suffix == "parquet" else pa.ipc.open_file(path).read_all()
    assert pa.timestamp("ns", tz="UTC") == table.schema.field("ts_event").type
    labels = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert ORIGIN.items() <= labels.items()
    assert labels["truetape.source"].startswith("truetape ")
    read: Any = pd.read_parquet(path) if suffix == "parquet" else pd.read_feather(path)
    assert "datetime64[ns, UTC]" == str(read["ts_event"].dtype)
    assert CLOSES == read["close"][:6].tolist()
    if suffix == "parquet":
        with duckdb.connect() as database:
            assert CLOSES == [one for (one,) in database.sql(f"select close from '{path}' limit 6").fetchall()]


def test_csv_carries_its_origin_in_a_file_beside(exported: tt.Session, tmp_path: Path) -> None:
    """Text has instants in ISO 8601, a missing volume is blank, and bars.csv.json says what it was made of."""
    exported.export("AAPL", tmp_path / "bars.csv", start="2005-03-02", as_of="2024-01-11", adjustment="split")

    lines = (tmp_path / "bars.csv").read_text().splitlines()
    assert lines[0].startswith("symbol,instrument_id,ts_event,open,high,low,close,volume,currency,basis")
    assert [
        "AAPL,ins_apple,2005-03-02T00:00:00Z,49.0,51.0,48.0,50.0,220.0,USD,split",
        "AAPL,ins_apple,2005-03-03T00:00:00Z,48.0,50.0,47.0,49.0,,USD,split",
    ] == [",".join(line.split(",")[:10]) for line in lines[1:]]
    beside = json.loads((tmp_path / "bars.csv.json").read_text())
    assert {"basis": "split", "as_of": "2024-01-11T00:00:00Z", "start": "2005-03-02"}.items() <= beside.items()


def test_every_instrument_is_as_known_at_one_moment(exported: tt.Session, tmp_path: Path) -> None:
    """Before its correction the bar of 2005-03-01 closed at 46, whoever reads it."""
    exported.export((), tmp_path / "all.parquet", as_of="2024-01-10")

    frame = pl.read_parquet(tmp_path / "all.parquet")
    assert {"AAPL", "META", "BTC/USD"} == set(frame["symbol"])
    one = frame.filter(pl.col("symbol") == "AAPL", pl.col("ts_event").dt.date() == date(2005, 3, 1))
    assert [46.0] == one["close"].to_list()


def test_bars_below_a_day(exported: tt.Session, tmp_path: Path) -> None:
    """Minutes keep the instant at which they begin."""
    done = exported.export("AAPL", tmp_path / "minutes.arrow", timeframe="1m")

    (one,) = done.instruments
    assert ("2005-02-25T14:29Z", "2005-02-25T20:59Z", 4) == (one.first, one.last, one.rows)


def test_an_instrument_that_is_named_twice_is_written_once(exported: tt.Session, tmp_path: Path) -> None:
    """FB and META are one instrument; it is called what it was first asked for as."""
    done = exported.export("FB,META,AAPL", tmp_path / "bars.parquet", start="2022-01-01")

    assert [("FB", 2), ("AAPL", 0)] == [(one.symbol, one.rows) for one in done.instruments]


def test_what_is_told_while_it_runs(exported: tt.Session, tmp_path: Path) -> None:
    """Progress counts instruments, from none to all."""
    seen: list[exports.Progress] = []
    order = exports.Order(symbols=("AAPL", "META"), form="csv", output=tmp_path / "bars.csv")

    exports.export(exported, order, on_progress=seen.append)

    assert [(2, 0), (2, 1), (2, 2)] == [(one.planned, one.done) for one in seen]


def test_a_running_server_gives_the_same(exported: tt.Session, tmp_path: Path) -> None:
    """Over HTTP the rows and the origin are those that the data folder gives."""
    path = asyncio.run(market(tmp_path / "data"))
    with serving(path) as address, tt.open(address) as remote:
        done = remote.export(["AAPL", "META"], tmp_path / "served.parquet", as_of="2024-01-11")
        trades = remote.trades("AAPL", start="2005-02-25", end="2005-02-26")
    exported.export(["AAPL", "META"], tmp_path / "folder.parquet", as_of="2024-01-11")

    assert pl.read_parquet(tmp_path / "folder.parquet").equals(pl.read_parquet(tmp_path / "served.parquet"))
    assert ("2024-01-11T00:00:00Z", 3) == (done.origin.as_of, done.origin.store_version)
    assert exported.trades("AAPL", start="2005-02-25", end="2005-02-26").equals(trades)
