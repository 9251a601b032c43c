"""Normalising a day of a million instruments of three providers, and resampling ten million minutes beside DuckDB.

The day takes what three providers say in their own symbols, units and bases: it finds the instruments, keeps each
provider's newest row, and brings all to whole units and raw basis. The peer of resampling is DuckDB's group by
time_bucket over the same minutes, held in memory, on as many threads; of both the least CPU time counts.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import duckdb
import msgspec
import numpy as np
import polars as pl

from perf.measure import Result, least_cpu, result
from truetape.domain.adjust import PRICES
from truetape.domain.resampling import resample
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.spans import trading_spans
from truetape.domain.symbology import Symbology
from truetape.domain.time import NANOSECONDS, day_start_ns
from truetape.domain.venue_suffixes import spelling_of
from truetape.services.processing.normalize import known_splits, latest_claims, raw_bars

PROVIDERS = {"yahoo": "split", "massive": "raw", "eodhd": "raw"}
INSTRUMENTS = 1_000_000
CLASSES = 20  # one in so many has a share class
LONDON = 50  # one in so many is quoted in pence
SPLIT = 1000  # one in so many was split the day after
DAY = date(2019, 12, 30)
KNOWN_NS = day_start_ns(DAY + timedelta(days=8))
RUNS = 3
SECONDS = 8.0  # in which each is tried again and again
TIME_BUDGET_S = 10.0
MEMORY_BUDGET_MIB = 6 * 1024.0
KIB_PER_MIB = 1024
KEY = ("instrument_id", "timeframe", "ts_event")
SERIES, SESSIONS, MINUTES = 2_564, 10, 390  # ten million rows
BAR = 0.75  # DuckDB cuts by the clock alone: it knows no sessions, no lunch and no missing values


class Taken(NamedTuple):
    """What one process took."""

    seconds: float  # wall clock
    memory_mib: float  # the most that it held, with what was said and the claims


def measure() -> Iterator[Result]:
    """Yield the time and memory of the day against their budgets, and resampling beside DuckDB's."""
    runs = [_in_a_process() for _ in range(RUNS)]
    yield result(
        "normalising_day_time",
        unit="s",
        ours=statistics.median(one.seconds for one in runs),
        peer=TIME_BUDGET_S,
        peer_name=f"budget of {TIME_BUDGET_S:g} s",
        bar=1.0,
        better="lower",
    )
    yield result(
        "normalising_day_memory",
        unit="MiB",
        ours=max(one.memory_mib for one in runs),
        peer=MEMORY_BUDGET_MIB,
        peer_name="budget of 6 GiB",
        bar=1.0,
        better="lower",
    )
    yield from _resampling()


def listings() -> pl.DataFrame:
    """Return the listings of a million instruments; of some a share class, some in London."""
    number = pl.int_range(INSTRUMENTS, eager=True).alias("number")
    return pl.DataFrame([number]).with_columns(
        symbol=pl.format(
            "{}{}", _letters(number), pl.when(pl.col("number") % CLASSES == 0).then(pl.lit(".B")).otherwise(pl.lit(""))
        ),
        mic=pl.when(_in_london()).then(pl.lit("XLON")).otherwise(pl.lit("XNYS")),
        instrument_id=pl.format("ins_{}", pl.col("number").cast(pl.String).str.zfill(12)),
        valid_from=pl.lit(date(2000, 1, 1)),
        valid_to=pl.lit(None, pl.Date),
    )


def said_by(provider: str, known: pl.DataFrame) -> pl.DataFrame:
    """Return what `provider` says of DAY, in its own symbols, units and basis; some rows come twice."""
    dash = pl.col("symbol").str.replace(".B", "-B", literal=True)
    spelled = {
        "yahoo": pl.when(_in_london()).then(dash + ".L").otherwise(dash),
        "massive": pl.col("symbol"),
        "eodhd": dash + pl.when(_in_london()).then(pl.lit(".LSE")).otherwise(pl.lit(".US")),
    }[provider]
    close = pl.Series("close", np.round(np.random.default_rng(7).lognormal(3.5, 1, INSTRUMENTS) + 1, 2))
    halved = pl.when(_is_split() & (PROVIDERS[provider] == "split")).then(close / 2).otherwise(close)
    priced = pl.when(_in_london()).then(halved * 100).otherwise(halved)
    rows = known.select(
        spelled.alias("symbol"),
        *(priced.alias(name) for name in PRICES),
        pl.lit(1000.0).alias("volume"),
        pl.when(_in_london()).then(pl.lit("GBX")).otherwise(pl.lit("USD")).alias("currency"),
        pl.lit(PROVIDERS[provider]).alias("basis"),
        pl.lit(provider).alias("provider"),
    )
    if provider == "massive":  # it has no London
        rows = rows.filter(pl.col("currency") == "USD")
    return pl.concat([rows, rows.head(INSTRUMENTS // 100)])


def normalised(said: dict[str, pl.DataFrame], known: Symbology, splits: pl.DataFrame) -> pl.DataFrame:
    """Return the newest claims of all providers as traded, in whole units, by instrument."""
    claims = [_claims(rows, known, provider) for provider, rows in said.items()]
    return raw_bars(latest_claims(pl.concat(claims), key=KEY), splits)


def minutes() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ten million minutes of sessions in New York, and the spans of those."""
    days = [date(2024, 6, 3) + timedelta(days=one) for one in range(14) if one % 7 < 5][:SESSIONS]
    opens = np.array([day_start_ns(day) + 13 * 3600 * NANOSECONDS + 1800 * NANOSECONDS for day in days])
    stamps = (opens[:, None] + np.arange(MINUTES)[None, :] * 60 * NANOSECONDS).ravel()
    random, count = np.random.default_rng(7), SERIES * len(stamps)
    names = pl.Series([f"ins_{number:012d}" for number in range(SERIES)])
    frame = pl.DataFrame(
        {
            "instrument_id": names.gather(np.repeat(np.arange(SERIES), len(stamps))),
            "ts_event": pl.Series(np.tile(stamps, SERIES)).cast(INSTANT),
            **{name: np.round(random.random(count) * 100, 2) for name in PRICES},
            "volume": random.integers(1, 1000, count).astype(np.float64),
        }
    )
    instants = [pl.Series(opens + hours * 1800 * NANOSECONDS).cast(INSTANT) for hours in (0, 13)]
    return frame, trading_spans(pl.DataFrame({"session": days, "open": instants[0], "close": instants[1]}))


def _resampling() -> Iterator[Result]:
    frame, spans = minutes()
    connection = duckdb.connect()
    connection.execute(f"set threads={pl.thread_pool_size()}")
    plain = frame.with_columns(pl.col("ts_event").dt.replace_time_zone(None).dt.cast_time_unit("us"))
    connection.register("plain", plain.to_arrow())
    connection.execute("create table minutes as select * from plain")
    for target, width in (("1h", "1 hour"), ("1d", "1 day")):
        sql = (
            f"select instrument_id, time_bucket(interval '{width}', ts_event, timestamp '2024-06-03 13:30') as start, "
            "arg_min(open, ts_event), max(high), min(low), arg_max(close, ts_event), sum(volume) "
            "from minutes group by all"
        )
        assert connection.sql(f"select count(*) from ({sql})").fetchall() == [(len(_longer(frame, spans, target)),)]
        ours, peer = least_cpu(
            lambda target=target: _longer(frame, spans, target),  # type: ignore[misc]
            lambda sql=sql: connection.sql(sql).to_arrow_table(),  # type: ignore[misc]
            seconds=SECONDS,
        )
        yield result(
            f"resampling_1m_{target}",
            unit="rows/CPU s",
            ours=len(frame) / ours,
            peer=len(frame) / peer,
            peer_name="DuckDB, group by time_bucket",
            bar=BAR,
            better="higher",
        )


def _longer(frame: pl.DataFrame, spans: pl.DataFrame, target: str) -> pl.DataFrame:
    return resample(frame, source="1m", target=target, spans=spans)


def _claims(rows: pl.DataFrame, known: Symbology, provider: str) -> pl.DataFrame:
    found = known.resolve(rows.with_columns(date=pl.lit(DAY)), spelling=spelling_of(provider))
    given = {
        "timeframe": pl.lit("1d"),
        "ts_event": pl.lit(DAY).cast(INSTANT),
        "adj_close": pl.lit(None, pl.Float64),
        "running": pl.lit(value=False),
        "feed": pl.lit("consolidated"),
        "payload": pl.lit(provider),
        "ts_known": pl.lit(KNOWN_NS).cast(INSTANT),
        "simulated": pl.lit(value=True),
    }
    identified = found.filter(pl.col("instrument_id").is_not_null())
    return identified.with_columns(**given).select(list(TABLES["bar_claims"].columns))


def _splits(known: pl.DataFrame) -> pl.DataFrame:
    columns = TABLES["action_claims"].columns
    rows = known.filter(_is_split()).with_columns(
        ex_date=pl.lit(DAY + timedelta(days=1)), type=pl.lit("split"), value=pl.lit(2.0), provider=pl.lit("massive")
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in rows.columns]
    return known_splits(rows.with_columns(missing).select(list(columns)))


def _letters(number: pl.Series) -> pl.Series:
    """Return five letters for each number."""
    digits = [(number // 26**place % 26 + ord("A")).to_numpy().astype(np.uint8) for place in range(5)]
    return pl.Series(np.stack(digits, axis=1).view("S5").ravel().astype(str))


def _in_london() -> pl.Expr:
    return pl.col("number") % LONDON == 1


def _is_split() -> pl.Expr:
    return pl.col("number") % SPLIT == 2


def _in_a_process() -> Taken:
    told = subprocess.run([sys.executable, "-m", "perf.normalising"], check=True, capture_output=True).stdout
    return msgspec.json.decode(told, type=Taken)


def _main() -> None:
    known = listings()
    said = {provider: said_by(provider, known) for provider in PROVIDERS}
    symbology, splits = Symbology(known), _splits(known)
    started = time.perf_counter()
    claims = normalised(said, symbology, splits)
    seconds = time.perf_counter() - started
    apart = claims.group_by("instrument_id").agg(pl.col("close").max() - pl.col("close").min(), pl.len())
    assert len(apart) == INSTRUMENTS
    assert apart["close"].max() < 0.011  # type: ignore[operator]
    assert set(claims["currency"]) == {"USD", "GBP"}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = KIB_PER_MIB * KIB_PER_MIB if sys.platform == "darwin" else KIB_PER_MIB
    sys.stdout.buffer.write(msgspec.json.encode(Taken(seconds, most / unit)))


if __name__ == "__main__":
    _main()
