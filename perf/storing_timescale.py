"""Minute bars a second into the store in PostgreSQL 15 and in TimescaleDB, beside plain binary COPY of the same rows.

Ours looks for repeats and corrections, keeps versions, and commits. The peer sends bytes that were made beforehand into
a table with the same columns, index and chunks, and commits too; beside it the same without an index, and rows of
Python objects by psycopg's `write_row`, as most programs send them. In turns, on tables that grow; medians.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from perf.measure import Figure, Sheet, figure, keep, sheet
from truetape.domain.kinds import INSTANT
from truetape.domain.schema import TABLES
from truetape.domain.time import NANOSECONDS

if TYPE_CHECKING:
    import psycopg

Connection: TypeAlias = "psycopg.Connection[Any]"
ROWS = 100_000  # of a turn: ten instruments
INSTRUMENTS = 10
TURNS = 5
BAR = 0.5
MINUTE_NS = 60 * NANOSECONDS
START_NS = 1_700_000_000 * NANOSECONDS
POSTGRES = Path("/usr/lib/postgresql/15/bin")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "truetape"
PACKAGE = CACHE / "timescale" / "node_modules" / "@unni-craftsman" / "pglite"
FRONT = Path(__file__).resolve().parents[1] / "tests" / "fronts" / "timescale.mjs"
OWNER, GROUP, GROUPS = (None, None, None) if os.getuid() else ("nobody", "nogroup", ())  # it refuses to be root
INDEX = "(instrument_id, timeframe, ts_event)"


def measure() -> Iterator[Sheet]:
    """Yield the speed on each server that is there."""
    figures = []
    for name, server in (("PostgreSQL 15", _postgres), ("TimescaleDB", _timescale)):
        with contextlib.ExitStack() as stack:
            try:
                dsn = stack.enter_context(server())
            except (OSError, ImportError) as error:
                sys.stderr.write(f"{name} was not measured: {error}\n")
                continue
            figures.append(_figure(name, asyncio.run(_in_turns(dsn))))
    if figures:
        yield sheet("storing_timescale", figures)


def _figure(name: str, taken: dict[str, list[float]]) -> Figure:
    rate = {who: ROWS / statistics.median(seconds) for who, seconds in taken.items()}
    return figure(
        f"ingest_{name.partition(' ')[0].lower()}",
        unit="rows/s",
        ours=rate["ours"],
        peer=rate["copy"],
        peer_name=f"binary COPY of bytes made beforehand, same index and chunks, {name}",
        bar=BAR,
        better="higher",
        beside={"without an index": rate["ours"] / rate["bare"], "psycopg write_row": rate["ours"] / rate["rows"]},
    )


async def _in_turns(dsn: str) -> dict[str, list[float]]:
    """Return the seconds of each side, turn by turn; the first is a warm-up."""
    import psycopg

    from truetape.adapters.timescale_store import TimescaleStore

    store = TimescaleStore(dsn)
    taken: dict[str, list[float]] = {"ours": [], "copy": [], "bare": [], "rows": []}
    with psycopg.connect(dsn, autocommit=True) as connection:
        _tables(connection)
        for turn in range(TURNS + 1):
            rows = _bars(turn)
            pieces = _bytes(rows)
            begun = time.perf_counter()
            await store.commit({"bars": rows})
            seconds = {"ours": time.perf_counter() - begun}
            seconds["copy"] = _timed(partial(_copy, connection, "peer", pieces))
            seconds["bare"] = _timed(partial(_copy, connection, "bare", pieces))
            seconds["rows"] = _timed(partial(_copy_rows, connection, rows))
            for who, one in seconds.items():
                taken[who] += [one] if turn else []
        held = connection.execute("SELECT (SELECT count(*) FROM truetape.bars), (SELECT count(*) FROM peer)").fetchone()
    await store.close()
    assert held == (ROWS * (TURNS + 1),) * 2
    return taken


def _timed(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _tables(connection: Connection) -> None:
    """Make the peers' tables: as the store's, in chunks of TimescaleDB where the store has them."""
    extension = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    for name in ("peer", "bare", "objects"):
        connection.execute(f"CREATE TABLE {name} (LIKE truetape.bars)")
        if extension:
            chunks = "by_range('ts_event', 7862400000000000), create_default_indexes => false"
            connection.execute(f"SELECT create_hypertable('{name}', {chunks})")
        if name != "bare":
            connection.execute(f"CREATE INDEX ON {name} {INDEX}")


def _bars(turn: int) -> pl.DataFrame:
    steps = np.random.default_rng(turn)
    each = ROWS // INSTRUMENTS
    stamps = np.tile(START_NS + MINUTE_NS * np.arange(each), INSTRUMENTS)
    closes = (100 + np.cumsum(steps.integers(-5, 6, ROWS)) / 100).round(2)
    names = np.repeat([f"ins_{turn:03}_{number:03}" for number in range(INSTRUMENTS)], each)
    texts = {"timeframe": "1m", "currency": "USD", "basis": "raw", "feed": "SIP", "provider": "tiingo"}
    votes = {"payload": "5e" * 32, "method": "consensus", "agreed": "massive,tiingo", "dissented": ""}
    values: dict[str, pl.Series | pl.Expr] = {
        "instrument_id": pl.Series(names),
        "ts_event": pl.Series(stamps).cast(INSTANT),
        "ts_known": pl.Series(stamps + MINUTE_NS).cast(INSTANT),
        **dict.fromkeys(("open", "high", "low", "close"), pl.Series(closes)),
        "volume": pl.Series(steps.integers(1, 10_000, ROWS).astype(float)),
        "flags": pl.lit(0),
        "score": pl.lit(1.0),
        "version": pl.lit(1),
        "simulated": pl.lit(value=False),
        **{name: pl.lit(text) for name, text in {**texts, **votes}.items()},
    }
    frame = pl.DataFrame({"row": np.arange(ROWS)}).with_columns(**values)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in TABLES["bars"].columns.items())


def _bytes(rows: pl.DataFrame) -> list[bytes]:
    from truetape.adapters.timescale_store.encoding import encoded

    return [bytes(piece) for piece in encoded(rows.with_columns(version_written=pl.lit(1, pl.Int64)))]


def _copy(connection: Connection, table: str, pieces: list[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        for piece in pieces:
            copy.write(piece)


def _copy_rows(connection: Connection, rows: pl.DataFrame) -> None:
    plain = rows.with_columns(pl.col("ts_event", "ts_known").to_physical(), version_written=pl.lit(1))
    kinds = {pl.String(): "text", pl.Float64(): "float8", pl.Boolean(): "bool"}
    types = [kinds.get(kind, "int8") for kind in plain.schema.values()]
    with connection.cursor() as cursor, cursor.copy("COPY objects FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(types)
        for row in plain.iter_rows():
            copy.write_row(row)


@contextlib.contextmanager
def _postgres() -> Iterator[str]:
    """Give the address of a PostgreSQL 15 that lasts for the block, and that flushes to the disk."""
    if not (POSTGRES / "initdb").exists():
        raise OSError(f"there is no {POSTGRES}; scripts/servers installs it")
    with tempfile.TemporaryDirectory(prefix="truetape-perf-") as folder:
        if OWNER and GROUP:
            shutil.chown(folder, OWNER, GROUP)
        started_by = partial(subprocess.Popen, cwd=folder, user=OWNER, group=GROUP, extra_groups=GROUPS)
        make = [
            POSTGRES / "initdb",
            "-D",
            f"{folder}/data",
            "-A",
            "trust",
            "-U",
            "truetape",
            "--locale=C",
            "-E",
            "UTF8",
        ]
        with started_by(make, stdout=subprocess.DEVNULL) as making:
            making.wait()
        port = _free_port()
        settings = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", "max_wal_size=4GB"]
        serve = [POSTGRES / "postgres", "-D", f"{folder}/data", "-k", folder, *settings]
        with started_by(serve, stderr=subprocess.DEVNULL) as process:
            try:
                yield _answering(f"postgresql://truetape@127.0.0.1:{port}/postgres")
            finally:
                process.terminate()


@contextlib.contextmanager
def _timescale() -> Iterator[str]:
    """Give the address of a TimescaleDB that Node runs in memory."""
    if not shutil.which("node") or not PACKAGE.is_dir():
        raise OSError(f"there is no {PACKAGE}; scripts/servers fetches it")
    port = _free_port()
    with subprocess.Popen(["node", FRONT, PACKAGE, str(port)], stdout=subprocess.DEVNULL) as process:
        try:
            yield _answering(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        finally:
            process.kill()


def _answering(dsn: str) -> str:
    import psycopg

    for _ in range(300):
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return dsn
    raise OSError("it did not answer within 30 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Measure, keep, and print."""
    for one in measure():
        keep(one)
        for each in one.figures:
            sys.stdout.write(
                f"{each.name}: {each.ours:,.0f} {each.unit}, {each.ratio} x {each.peer_name} {each.beside}\n"
            )


if __name__ == "__main__":
    main()
