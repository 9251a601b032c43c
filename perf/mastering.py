"""The instrument master at full size: a million instruments loaded, and a million tickers resolved.

The load is that of a list with a million listings: its claims are committed to a DuckDB file of a fresh folder, settled
by the reference room, and committed as instruments, listings, details and identifiers. The tickers are resolved by the
map that the processing room holds, half of them on a day on which another instrument had them. Both run in a process of
their own.
"""

from __future__ import annotations

import asyncio
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
import polars as pl

from perf.measure import Result, result
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.watched_store import WatchedStore
from truetape.domain.messages import Message
from truetape.domain.schema import TABLES
from truetape.domain.symbology import Symbology
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.service import ReferenceService

INSTRUMENTS = 1_000_000
PAIRS = 1_000_000
LOAD_BUDGET_S = 60.0
RESOLVE_BUDGET_S = 2.0
MEMORY_BUDGET_MIB = 6144.0
RUNS = 3
KNOWN = 1_718_020_800_000_000_000  # 2024-06-10 12:00 UTC
REUSED = date(2010, 1, 4)
MICS = ("XNAS", "XNYS", "XLON", "XETR", "XTKS")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

M = TypeVar("M", bound=Message)


class Taken(NamedTuple):
    """What one process took."""

    seconds: float  # wall
    memory_mib: float


class CountingBus:
    """Carry nothing to nobody, and count."""

    def __init__(self) -> None:
        self.told = 0

    async def publish(self, _: Message, /) -> None:
        self.told += 1

    def subscribe(self, kind: type[M], *, group: str, handler: Callable[[M], Awaitable[None]]) -> None:
        pass


def measure() -> Iterator[Result]:
    """Yield the load and the resolution against their budgets."""
    load = _in_a_process("load")
    yield result(
        "mastering_load",
        unit="s",
        ours=load.seconds,
        peer=LOAD_BUDGET_S,
        peer_name=f"budget of {LOAD_BUDGET_S:g} s",
        bar=1.0,
        better="lower",
    )
    yield result(
        "mastering_load_memory",
        unit="MiB",
        ours=load.memory_mib,
        peer=MEMORY_BUDGET_MIB,
        peer_name=f"budget of {MEMORY_BUDGET_MIB:g} MiB",
        bar=1.0,
        better="lower",
    )
    yield result(
        "mastering_resolve",
        unit="s",
        ours=statistics.median(_in_a_process("resolve").seconds for _ in range(RUNS)),
        peer=RESOLVE_BUDGET_S,
        peer_name=f"budget of {RESOLVE_BUDGET_S:g} s",
        bar=1.0,
        better="lower",
    )


def ticker(number: int) -> str:
    """Return the ticker of an instrument: five letters, those of one hundred thousand bytes apart."""
    letters = []
    for _ in range(5):
        number, place = divmod(number, 26)
        letters.append(LETTERS[place])
    return "".join(letters)


def claims(count: int) -> pl.DataFrame:
    """Return the rows of listing_claims of one list: every instrument with an ISIN, a CUSIP and a CIK."""
    numbers = pl.int_range(count, eager=True)
    cusips = [_cusip(number) for number in range(count)]
    begun = (pl.lit(date(1990, 1, 1)) + pl.duration(days=pl.int_range(count) % 12_000)).alias("first_date")
    frame = pl.DataFrame(
        {
            "number": numbers.cast(pl.UInt32),
            "symbol": [ticker(number) for number in range(count)],
            "name": [f"Issuer {number} Incorporated" for number in range(count)],
            "mic": [MICS[number % len(MICS)] for number in range(count)],
            "isin": [_isin(cusip) for cusip in cusips],
            "cusip": cusips,
            "cik": [f"{number + 1:010d}" for number in range(count)],
        }
    ).with_columns(
        begun,
        pl.lit("files").alias("provider"),
        pl.lit("EX").alias("exchange"),
        pl.lit("equity").alias("asset_class"),
        pl.lit("USD").alias("currency"),
        pl.lit("active").alias("status"),
        pl.lit(None, dtype=pl.Date).alias("last_date"),
        pl.lit(None, dtype=pl.String).alias("figi"),
        pl.lit("0" * 64).alias("payload"),
        pl.lit(KNOWN).cast(TABLES["listing_claims"].columns["ts_known"]).alias("ts_known"),
        pl.lit(value=False).alias("simulated"),
    )
    columns = TABLES["listing_claims"].columns
    return frame.select(pl.col(name).cast(dtype) for name, dtype in columns.items())


async def load(folder: Path, count: int) -> float:
    """Return the seconds until `count` instruments are in the master, from claims that nobody keeps yet."""
    told = claims(count)
    capture = told.head(1).select("payload", "provider", "ts_known", "simulated").with_columns(
        *(pl.lit("").alias(name) for name in ("round_id", "page", "instrument_id", "why", "tried")),
        kind=pl.lit("listings"),
    )  # fmt: skip
    store = WatchedStore(DuckdbStore(folder / "store.duckdb"), is_alone=True)
    room = ReferenceService(bus=CountingBus(), store=store, config=ReferenceConfig())
    started = time.perf_counter()
    await store.commit({"listing_claims": told, "captures": capture.select(list(TABLES["captures"].columns))})
    await room.settle()
    seconds = time.perf_counter() - started
    assert len(await store.read("instruments")) == count
    assert len(await store.read("identifiers")) == 3 * count
    await store.close()
    return seconds


def resolve() -> float:
    """Return the seconds of resolving PAIRS tickers among twice as many listings, on days before and after a change."""
    half = INSTRUMENTS // 2
    names = [ticker(number) for number in range(half)]
    listings = pl.DataFrame(
        {
            "instrument_id": [f"ins_{number:012d}" for number in range(INSTRUMENTS)],
            "symbol": [*names, *names],
            "mic": ["XNYS"] * INSTRUMENTS,
            "valid_from": [None] * half + [REUSED] * half,
            "valid_to": [REUSED] * half + [None] * half,
        },
        schema={
            **dict.fromkeys(("instrument_id", "symbol", "mic"), pl.String),
            "valid_from": pl.Date,
            "valid_to": pl.Date,
        },
    )
    chance = random.Random(7)
    places = [chance.randrange(half) for _ in range(PAIRS)]
    days = [REUSED + timedelta(days=chance.randrange(-3000, 3000)) for _ in range(PAIRS)]
    asked = pl.DataFrame({"symbol": [names[place] for place in places], "date": days})
    symbology = Symbology(listings)
    started = time.perf_counter()
    found = symbology.resolve(asked)
    seconds = time.perf_counter() - started
    expected = [place if day < REUSED else half + place for place, day in zip(places, days, strict=True)]
    assert [f"ins_{number:012d}" for number in expected] == found["instrument_id"].to_list()
    return seconds


def _cusip(number: int) -> str:
    from stdnum.cusip import calc_check_digit

    body = f"{number:08d}"
    return body + str(calc_check_digit(body))


def _isin(cusip: str) -> str:
    from stdnum.isin import calc_check_digit

    return f"US{cusip}{calc_check_digit('US' + cusip)}"


def _in_a_process(which: str) -> Taken:
    told = subprocess.run([sys.executable, "-m", "perf.mastering", which], check=True, capture_output=True).stdout
    return msgspec.json.decode(told.splitlines()[-1], type=Taken)


def _main(which: str, count: int) -> None:
    if which == "load":
        with tempfile.TemporaryDirectory() as folder:
            seconds = asyncio.run(load(Path(folder), count))
    else:
        seconds = resolve()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    sys.stdout.buffer.write(msgspec.json.encode(Taken(seconds, most / unit)))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else INSTRUMENTS)
