"""One instrument's ten years as Arrow: through the library, by raw DuckDB, and from ArcticDB."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import truetape as tt
from perf.dataset import bars
from perf.measure import Result, in_turns, result
from truetape.adapters.data_folder import DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.identity import instrument_id
from truetape.domain.schema import INSTANT, TABLES

SYMBOLS = 200
READS = 40
BAR = 2.0


def measure() -> Iterator[Result]:
    """Yield the library's read against both peers, over half a million golden bars."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        asyncio.run(fill(data))
        session = tt.open(data)
        peer = duckdb.connect(str(data / "truetape.duckdb"), read_only=True)
        identity = instrument_id(mic="XNYS", symbol="S007", valid_from=None)
        query = "select * from bars where instrument_id = ? and timeframe = '1d' order by ts_event"

        def ours() -> object:
            return session.bars("S007").to_arrow()

        def raw() -> object:
            return peer.sql(query, params=[identity]).to_arrow_table()

        assert len(session.bars("S007")) == raw().num_rows  # type: ignore[attr-defined]
        library, plain = in_turns(ours, raw, rounds=READS)
        yield _result("read_one_symbol", library, plain, "raw DuckDB, same rows", BAR)
        arctic = _arctic(Path(folder) / "arctic")
        if arctic is not None:
            library, theirs = in_turns(ours, lambda: arctic.read("S007").data, rounds=READS)
            yield _result("read_one_symbol_arcticdb", library, theirs, "ArcticDB, same columns", BAR)
        session.close()
        peer.close()


def _result(name: str, ours: float, peer: float, peer_name: str, bar: float) -> Result:
    return result(name, unit="ms", ours=ours * 1e3, peer=peer * 1e3, peer_name=peer_name, bar=bar, better="lower")


async def fill(data: Path) -> None:
    """Write golden bars of every symbol into a new data folder."""
    folder = DataFolder.open(data, simulated=True, command="bench")
    store = DuckdbStore(folder.store)
    for number in range(SYMBOLS):
        symbol = f"S{number:03d}"
        identity = instrument_id(mic="XNYS", symbol=symbol, valid_from=None)
        listing = {"instrument_id": identity, "symbol": symbol, "mic": "XNYS", "valid_from": None, "valid_to": None}
        instrument = {"instrument_id": identity, "name": symbol, "asset_class": "equity", "currency": "USD"}
        await store.commit(
            {
                "bars": _golden(symbol, identity, seed=number),
                "listings": _row("listings", listing),
                "instruments": _row("instruments", instrument),
            }
        )
    await store.close()
    folder.close()


def _row(table: str, values: dict[str, Any]) -> pl.DataFrame:
    values = {**values, "ts_known": 1, "version": 1, "simulated": True}
    columns = TABLES[table].columns
    return pl.DataFrame({name: pl.Series([values[name]]).cast(dtype) for name, dtype in columns.items()})


def _golden(symbol: str, identity: str, *, seed: int) -> pl.DataFrame:
    told = {
        "instrument_id": identity,
        "feed": "composite",
        "provider": "alpha_vantage",
        "payload": f"{seed:064x}",
        "flags": 0,
        "score": 1.0,
        "method": "consensus",
        "agreed": "alpha_vantage,finnhub,iex_cloud,yahoo",
        "dissented": "",
        "version": 1,
        "simulated": True,
    }
    columns = TABLES["bars"].columns
    literals = [pl.lit(value).cast(columns[name]).alias(name) for name, value in told.items()]
    known = pl.lit(1).cast(INSTANT).alias("ts_known")
    return bars(symbol, seed=seed).with_columns(*literals, known).select(list(columns))


def _arctic(folder: Path) -> Any:
    """Return a filled ArcticDB library that answers in Arrow, or None where ArcticDB is not installed."""
    try:
        import arcticdb
    except ImportError:
        return None
    library = arcticdb.Arctic(f"lmdb://{folder}", output_format=arcticdb.OutputFormat.PYARROW).create_library("bars")
    for number in range(SYMBOLS):
        symbol = f"S{number:03d}"
        identity = instrument_id(mic="XNYS", symbol=symbol, valid_from=None)
        frame = (
            _golden(symbol, identity, seed=number).with_columns(pl.col("flags", "version").cast(pl.Int64)).to_pandas()
        )
        library.write(symbol, frame.set_index(frame.pop("ts_event").dt.tz_localize(None)))
    return library
