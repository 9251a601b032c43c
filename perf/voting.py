"""Voting: a day of a million instruments of three providers in a fresh process, and years of history beside DuckDB.

Ours takes the claims as they are kept, brings them to raw basis, checks them, votes, and explains who lost; one claim
in a thousand is wrong. The peer inserts the golden rows that came of it, ready made, into an empty DuckDB file.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import numpy as np
import polars as pl

from perf.dataset import bars, sessions
from perf.measure import Result, result
from truetape.domain.adjust import PRICES
from truetape.domain.schema import INSTANT, TABLES
from truetape.services.processing.normalize import known_splits, latest_claims, raw_bars
from truetape.services.quality.grade import Grades, grade_bars
from truetape.services.quality.grading import Grading
from truetape.services.quality.vote import Tolerance

PROVIDERS = ("alpha_vantage", "finnhub", "yahoo")
INSTRUMENTS = 1_000_000
DAY = date(2019, 12, 31)
SERIES = 40
RUNS = 3
ROUNDS = 5
WRONG = 0.001
BAR = 0.25
TIME_BUDGET_S = 20.0
MEMORY_BUDGET_MIB = 6 * 1024.0
KIB_PER_MIB = 1024
KEY = ("instrument_id", "timeframe", "ts_event")
GRADING = Grading(
    round_id="rnd_1",
    ts_known=2,
    tolerance=Tolerance(absolute=0.01, relative=2e-4),
    trust={},
    stale_sessions=3,
    simulated=True,
)


class Taken(NamedTuple):
    """What one process took."""

    seconds: float  # wall clock
    memory_mib: float  # the most that it held, with the claims and the grades


def measure() -> Iterator[Result]:
    """Yield the rows a second beside DuckDB's, and the time and memory of the day against their budgets."""
    yield _beside_duckdb()
    runs = [_in_a_process() for _ in range(RUNS)]
    yield result(
        "voting_day_time",
        unit="s",
        ours=statistics.median(one.seconds for one in runs),
        peer=TIME_BUDGET_S,
        peer_name=f"budget of {TIME_BUDGET_S:g} s",
        bar=1.0,
        better="lower",
    )
    yield result(
        "voting_day_memory",
        unit="MiB",
        ours=max(one.memory_mib for one in runs),
        peer=MEMORY_BUDGET_MIB,
        peer_name="budget of 6 GiB",
        bar=1.0,
        better="lower",
    )


def graded(claims: pl.DataFrame, calendar: pl.DataFrame) -> Grades:
    """Return the grades of `claims` (schema bar_claims) as they are kept."""
    splits = known_splits(pl.DataFrame(schema=TABLES["action_claims"].columns))
    newest = latest_claims(claims, key=KEY)
    return grade_bars(raw_bars(newest, splits), calendar, GRADING)


def day_of_claims() -> pl.DataFrame:
    """Return what three providers say of one day of a million instruments, one claim in a thousand of it wrong."""
    random = np.random.default_rng(7)
    close = np.round(random.lognormal(3.5, 1, INSTRUMENTS) + 1, 2)
    opens = np.round(close * (1 + random.normal(0, 0.003, INSTRUMENTS)), 2)
    truth = pl.DataFrame(
        {
            "instrument_id": [f"ins_{number:012x}" for number in random.permutation(INSTRUMENTS)],
            "ts_event": pl.Series([DAY], dtype=pl.Date).cast(INSTANT).new_from_index(0, INSTRUMENTS),
            "open": opens,
            "high": np.round(np.maximum(opens, close) * 1.005, 2),
            "low": np.round(np.minimum(opens, close) * 0.995, 2),
            "close": close,
            "volume": np.round(random.lognormal(10, 1, INSTRUMENTS)),
        }
    )
    return pl.concat(claimed(truth, name, seed=seed) for seed, name in enumerate(PROVIDERS))


def years_of_claims() -> pl.DataFrame:
    """Return what three providers say of ten years of some series, one claim in a thousand of it wrong."""
    series = [bars(f"S{number}", seed=number) for number in range(SERIES)]
    truth = pl.concat(series).with_columns(pl.format("ins_{}", "symbol").alias("instrument_id"))
    return pl.concat(claimed(truth, name, seed=seed) for seed, name in enumerate(PROVIDERS))


def claimed(truth: pl.DataFrame, name: str, *, seed: int) -> pl.DataFrame:
    """Return the claims of a provider that has prices 100 times too high now and then."""
    wrong = pl.Series(np.random.default_rng(seed).random(len(truth)) < WRONG)
    spoilt = [pl.when(wrong).then(pl.col(price) * 100).otherwise(price).alias(price) for price in PRICES]
    given = {
        "timeframe": pl.lit("1d"),
        "provider": pl.lit(name),
        "adj_close": pl.col("close"),
        "currency": pl.lit("USD"),
        "basis": pl.lit("raw"),
        "running": pl.lit(value=False),
        "feed": pl.lit("consolidated"),
        "payload": pl.lit(f"{seed:064x}"),
        "ts_known": pl.lit(2).cast(INSTANT),
        "simulated": pl.lit(value=True),
    }
    return truth.with_columns(spoilt).with_columns(**given).select(list(TABLES["bar_claims"].columns))


def _beside_duckdb() -> Result:
    claims, calendar = years_of_claims(), pl.DataFrame({"session": sessions()})
    ours, peers = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        golden = graded(claims, calendar).golden
        ours.append(len(golden) / (time.perf_counter() - started))
        peers.append(len(golden) / _insert(golden))
    return result(
        "voting",
        unit="golden rows/s",
        ours=statistics.median(ours),
        peer=statistics.median(peers),
        peer_name="DuckDB insert of the same golden rows",
        bar=BAR,
        better="higher",
    )


def _insert(golden: pl.DataFrame) -> float:  # noqa: ARG001  DuckDB finds the frame by its name
    """Return the seconds of DuckDB's own insert of `golden` into an empty file."""
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "peer.duckdb"))
        connection.execute("create table peer as select * from golden limit 0")
        started = time.perf_counter()
        connection.execute("insert into peer select * from golden")
        connection.execute("checkpoint")
        seconds = time.perf_counter() - started
        connection.close()
        return seconds


def _in_a_process() -> Taken:
    told = subprocess.run([sys.executable, "-m", "perf.voting"], check=True, capture_output=True).stdout
    return msgspec.json.decode(told, type=Taken)


def _main() -> None:
    claims = day_of_claims()
    started = time.perf_counter()
    grades = graded(claims, pl.DataFrame({"session": [DAY]}))
    seconds = time.perf_counter() - started
    assert len(grades.golden) == INSTRUMENTS
    assert set(grades.quarantined["reason"]) == {"hundredfold"}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = KIB_PER_MIB * KIB_PER_MIB if sys.platform == "darwin" else KIB_PER_MIB
    sys.stdout.buffer.write(msgspec.json.encode(Taken(seconds, most / unit)))


if __name__ == "__main__":
    _main()
