"""Rows a second from providers' bytes to stored, voted rows, beside a bare DuckDB insert of the same frame.

Ours decodes four providers' answers of ten years each (archiving and journalling them is acquisition), writes every
claim with its origin, brings them to raw basis, checks them, votes, and writes golden rows with versions. The peer
inserts the frame of those claims, ready made, into an empty DuckDB file.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from perf.dataset import bars
from perf.measure import Result, result
from truetape.app.run import Platform
from truetape.app.settings import ProviderSettings, Settings
from truetape.domain.identity import instrument_id, round_id
from truetape.domain.messages import DeclaredListing, InstrumentsDeclared, RawCaptured, RoundClosed
from truetape.domain.schema import DECODED, empty
from truetape.services.api.dialects import alpha_vantage, finnhub, iex_cloud, yahoo

SYMBOLS = 12
ROUNDS = 7
BAR = 0.15
START, END = date(2010, 1, 1), date(2019, 12, 31)


def measure() -> Iterator[Result]:
    """Yield the pipeline's rows a second against DuckDB's."""
    payloads = {f"S{number:03d}": answers(f"S{number:03d}", seed=number) for number in range(SYMBOLS)}
    ours, peers = [], []
    for _ in range(ROUNDS):
        seconds, claims = asyncio.run(_run(payloads))
        ours.append(len(claims) / seconds)
        peers.append(len(claims) / _insert(claims))
    yield result(
        "pipeline",
        unit="rows/s",
        ours=statistics.median(ours),
        peer=statistics.median(peers),
        peer_name="DuckDB insert of the same frame",
        bar=BAR,
        better="higher",
    )


def answers(symbol: str, *, seed: int) -> dict[str, bytes]:
    """Return what each provider would send for ten years of `symbol`."""
    raw, split = bars(symbol, seed=seed), bars(symbol, seed=seed, basis="split")
    nothing = empty(DECODED["actions"])
    return {
        "alpha_vantage": alpha_vantage.daily_adjusted(raw, nothing),
        "finnhub": finnhub.candle(split),
        "iex_cloud": iex_cloud.chart(raw, split=split, full=split),
        "yahoo": yahoo.chart(split, nothing),
    }


async def _run(payloads: dict[str, dict[str, bytes]]) -> tuple[float, pl.DataFrame]:
    """Return the seconds that the rooms took for `payloads`, and the claims that they stored."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data=Path(folder) / "data",
            simulated=True,
            start=START,
            end=END,
            instruments=tuple(DeclaredListing(symbol=symbol, mic="XNYS") for symbol in payloads),
            providers={
                name: ProviderSettings(enabled=True, base_url="http://localhost:9") for name in _names(payloads)
            },
        )
        async with Platform(settings, command="bench") as platform:
            bus, archive = platform.parts.bus, platform.parts.archive
            declared = InstrumentsDeclared(
                listings=settings.instruments, start=START, end=END, ts_known=1, simulated=True
            )
            await bus.publish(declared)
            await bus.drain()
            mail = [message for symbol, bodies in payloads.items() for message in _round(symbol, bodies, archive.put)]
            started = time.perf_counter()
            for message in mail:
                await bus.publish(message)
            await bus.drain()
            seconds = time.perf_counter() - started
            if bus.dead_letters:
                raise RuntimeError(f"the rooms refused a message: {bus.dead_letters[0]}")
            return seconds, await platform.parts.store.read("bar_claims")


def _names(payloads: dict[str, dict[str, bytes]]) -> list[str]:
    return list(next(iter(payloads.values())))


def _round(symbol: str, bodies: dict[str, bytes], put: Callable[[bytes], str]) -> Iterator[RawCaptured | RoundClosed]:
    """Yield the messages of one round: four captures and the closing."""
    instrument = instrument_id(mic="XNYS", symbol=symbol, valid_from=None)
    identity = round_id(instrument=instrument, kind="bars", timeframe="1d", start=START, end=END)
    keys = {name: put(body) for name, body in bodies.items()}
    about = {"kind": "bars", "round_id": identity, "instrument_id": instrument, "timeframe": "1d", "start": START}
    captures = [
        RawCaptured(provider=name, key=key, ts_known=2, symbol=symbol, end=END, simulated=True, **about)  # type: ignore[arg-type]
        for name, key in keys.items()
    ]
    yield from captures
    yield RoundClosed(
        captures=tuple(captures),
        ts_known=2,
        captured=tuple(keys.values()),
        providers=tuple(keys),
        end=END,
        simulated=True,
        **about,  # type: ignore[arg-type]
    )


def _insert(claims: pl.DataFrame) -> float:  # noqa: ARG001  DuckDB finds the frame by its name
    """Return the seconds of DuckDB's own insert of `claims` into an empty file."""
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "peer.duckdb"))
        connection.execute("create table peer as select * from claims limit 0")
        started = time.perf_counter()
        connection.execute("insert into peer select * from claims")
        connection.execute("checkpoint")
        seconds = time.perf_counter() - started
        connection.close()
        return seconds
