"""What TimescaleDB does with rows as they grow old: on a real one, its policies run by hand."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import polars as pl
import psycopg
import pytest
from minute_bars import minutes
from polars.testing import assert_frame_equal
from store_rows import bar, frame

from database_servers import Database
from truetape.adapters.timescale_store import Lifecycle, TimescaleStore
from truetape.adapters.timescale_store.reading import query
from truetape.domain.resampling import resample
from truetape.domain.spans import endless_spans
from truetape.domain.time import DAY_NS, day_start_ns
from truetape.ports.store import Selection

START = date(2024, 1, 1)
DAYS = 9
WEEKLY = Lifecycle(chunk_days={"bars": 7, "trades": 7}, keep_days={"trades": 365})
NUMBERS = itertools.count()


class Watched:
    """A store of the test's own, and the server's view of it."""

    def __init__(self, dsn: str, lifecycle: Lifecycle) -> None:
        self.schema = f"aged_{next(NUMBERS)}"
        self.lifecycle = lifecycle
        self.dsn = dsn
        self.store = self.opened()
        self.connection = psycopg.connect(dsn, autocommit=True)

    def opened(self) -> TimescaleStore:
        return TimescaleStore(self.dsn, schema=self.schema, lifecycle=self.lifecycle)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql.encode(), values).fetchall()

    def jobs(self) -> dict[tuple[str, str], int]:
        """The ids of the policies, by table and what they do."""
        found = self.rows(
            "SELECT job_id, coalesce(view_name, jobs.hypertable_name), proc_name "
            "FROM timescaledb_information.jobs jobs "
            "LEFT JOIN timescaledb_information.continuous_aggregates views "
            "ON views.materialization_hypertable_name = jobs.hypertable_name "
            "WHERE coalesce(view_schema, jobs.hypertable_schema) = %s",
            self.schema,
        )
        return {(table, policy.removeprefix("policy_")): job for job, table, policy in found}

    def run(self, table: str, policy: str) -> None:
        self.connection.execute(f"CALL run_job({self.jobs()[table, policy]})".encode())

    def plan(self, selection: Selection) -> str:
        wanted = query(self.schema, "bars", selection)
        return "\n".join(line for (line,) in self.rows("EXPLAIN (COSTS OFF) " + wanted.sql, *wanted.values))

    def chunks(self, table: str) -> list[str]:
        """The names of the chunks, the oldest first."""
        found = self.rows(
            "SELECT chunk_name FROM timescaledb_information.chunks "
            "WHERE hypertable_schema = %s AND hypertable_name = %s ORDER BY range_start_integer",
            self.schema,
            table,
        )
        return [name for (name,) in found]


@pytest.fixture
async def watched(timescale: Database) -> Any:
    one = Watched(timescale.dsn, WEEKLY)
    yield one
    await one.store.close()
    one.connection.close()


async def filled(watched: Watched) -> pl.DataFrame:
    """Two instruments, every minute of nine days."""
    start = day_start_ns(START)
    series = [minutes(DAYS * 1440, who=f"ins_{seed}", start=start, seed=seed) for seed in range(2)]
    rows = pl.concat(series)
    await watched.store.commit({"bars": rows})
    return rows


async def test_old_chunks_are_kept_by_column(watched: Watched) -> None:
    """Minute bars take less than a fifth afterwards, come back the same, and can still be corrected."""
    rows = await filled(watched)
    watched.run("bars", "compression")
    ((before, after),) = watched.rows(
        "SELECT before_compression_total_bytes, after_compression_total_bytes FROM hypertable_compression_stats(%s)",
        f"{watched.schema}.bars",
    )
    assert before / after > 5
    assert_frame_equal(await watched.store.read("bars"), rows)
    late = rows.filter(instrument_id="ins_1").head(2).with_columns(close=pl.lit(1.0), version=pl.lit(2, pl.UInt32))
    assert await watched.store.commit({"bars": late}) == 2
    assert len(await watched.store.read("bars")) == len(rows)
    assert (await watched.store.read("bars", Selection(since_version=1)))["close"].to_list() == [1.0, 1.0]
    assert_frame_equal(await watched.store.read("bars", Selection(at_version=1)), rows)


async def test_a_query_reads_the_chunks_and_segments_that_it_needs(watched: Watched) -> None:
    """A day of one instrument: one chunk of two, by its index; by column once the chunk is old."""
    await filled(watched)
    one = Selection(equal={"instrument_id": ("ins_1",), "timeframe": ("1m",)}, start=START, end=START)
    chunks = watched.chunks("bars")
    assert len(chunks) == 2  # weeks begin on Thursdays, as did 1970
    named = [name for name in chunks if name in watched.plan(one)]
    assert named == chunks[:1]
    assert "Index Scan" in watched.plan(one)
    watched.run("bars", "compression")
    assert "ColumnarScan" in watched.plan(one)
    assert "Index Cond: ((instrument_id = 'ins_1'::text) AND (timeframe = '1m'::text)" in watched.plan(one)
    assert [name for name in chunks if name in watched.plan(one)] == chunks[:1]


@pytest.mark.parametrize("timeframe", ["5m", "15m", "30m", "1h"])
async def test_longer_bars_are_added_up_in_advance(watched: Watched, timeframe: str) -> None:
    """As our own resampling does; corrections of long ago show when the policy has run again."""
    rows = pl.concat([minutes(600, who=who, start=day_start_ns(START), seed=3) for who in ("ins_a", "ins_b")])
    gaps = rows.with_columns(close=pl.when(pl.int_range(pl.len()) % 7 == 0).then(None).otherwise("close"))
    await watched.store.commit({"bars": gaps})
    watched.run(f"bars_{timeframe}", "refresh_continuous_aggregate")
    assert_frame_equal(longer(watched, timeframe), resampled(gaps, timeframe))
    late = gaps.gather([5, 300, 700]).with_columns(
        high=pl.col("high") + 50, volume=pl.lit(None, pl.Float64), version=pl.lit(2, pl.UInt32)
    )
    await watched.store.commit({"bars": late})
    gone = gaps.slice(4, 5).select("instrument_id", "timeframe", "ts_event", "ts_known", "version", "simulated")
    await watched.store.commit({}, withdrawals={"bars": gone.with_columns(version=pl.lit(9, pl.UInt32))})
    watched.run(f"bars_{timeframe}", "refresh_continuous_aggregate")
    assert_frame_equal(longer(watched, timeframe), resampled(await watched.store.read("bars"), timeframe))


def longer(watched: Watched, timeframe: str) -> pl.DataFrame:
    """The bars that the server keeps; nothing is added up when they are read."""
    names = ["instrument_id", "ts_event", "open", "high", "low", "close", "volume"]
    view = f'"{watched.schema}"."bars_{timeframe}"'
    alter = f"ALTER MATERIALIZED VIEW {view} SET (timescaledb.materialized_only = true)"
    watched.connection.execute(alter.encode())
    found = watched.rows(f"SELECT {', '.join(names)} FROM {view} ORDER BY 1, 2")
    return pl.DataFrame(found, schema=names, orient="row", schema_overrides={"volume": pl.Float64})


def resampled(rows: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    bars = rows.select("instrument_id", "ts_event", "open", "high", "low", "close", "volume")
    spans = endless_spans(START, end=date(2024, 1, 4))
    made = resample(bars, source="1m", target=timeframe, spans=spans)
    return made.drop("running").with_columns(pl.col("ts_event").to_physical())


async def test_rows_that_need_not_be_kept_are_dropped_by_the_chunk(watched: Watched) -> None:
    """Trades older than the setting go with their chunk; those of today stay."""
    today = watched.rows("SELECT (extract(epoch FROM now()))::bigint * 1000000000")[0][0]
    old = [{"instrument_id": "ins_a", "ts_event": at, "trade_id": str(at), "ts_known": at} for at in (1, DAY_NS)]
    new = {"instrument_id": "ins_a", "ts_event": today, "trade_id": "new", "ts_known": today}
    await watched.store.commit({"trades": frame("trades", *old, new)})
    assert len(watched.chunks("trades")) == 2
    watched.run("trades", "retention")
    assert len(watched.chunks("trades")) == 1
    assert (await watched.store.read("trades"))["trade_id"].to_list() == ["new"]


async def test_policies_follow_the_settings(watched: Watched) -> None:
    """At the next start: others are changed, what is no longer wanted goes, and what is as wanted is left alone."""
    before = watched.jobs()
    assert ("trades", "retention") in before
    await watched.opened().close()
    assert watched.jobs() == before
    watched.lifecycle = Lifecycle(compress_after_days=5)
    await watched.opened().close()
    after = watched.jobs()
    assert ("trades", "retention") not in after
    assert after["bars", "compression"] != before["bars", "compression"]
    assert after["bars_5m", "refresh_continuous_aggregate"] == before["bars_5m", "refresh_continuous_aggregate"]


async def test_plain_bars_of_the_day_stay_as_rows(watched: Watched) -> None:
    """A chunk that is not old is not compressed."""
    today = watched.rows("SELECT (extract(epoch FROM now()))::bigint / 86400")[0][0]
    await watched.store.commit({"bars": frame("bars", bar(today))})
    watched.run("bars", "compression")
    assert watched.rows(
        "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_schema = %s", watched.schema
    ) == [(False,)]
