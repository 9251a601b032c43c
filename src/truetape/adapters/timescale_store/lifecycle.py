"""What TimescaleDB does with chunks as they grow old: policies, brought in line with the settings at every start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from truetape.adapters.timescale_store.migrating import CHUNK_DAYS
from truetape.adapters.timescale_store.names import EVENT_TABLES
from truetape.domain.time import DAY_NS, NANOSECONDS

AGGREGATES: Final = {"5m": 300, "15m": 900, "30m": 1800, "1h": 3600}  # seconds of a bar, by view: bars_5m and so on
REFRESHED: Final = "1 hour"  # between two looks for minute bars that an aggregate has not counted yet
_COMPRESS, _DROP, _REFRESH = "policy_compression", "policy_retention", "policy_refresh_continuous_aggregate"
_AGE: Final = {_COMPRESS: "compress_after", _DROP: "drop_after"}
_ADD: Final = {
    _COMPRESS: "SELECT add_compression_policy(%s, compress_after => %s::bigint)",
    _DROP: "SELECT add_retention_policy(%s, drop_after => %s::bigint)",
}
_REMOVE: Final = {
    _COMPRESS: "SELECT remove_compression_policy(%s, if_exists => true)",
    _DROP: "SELECT remove_retention_policy(%s, if_exists => true)",
}


@dataclass(frozen=True)
class Lifecycle:
    """How chunks are cut, and what becomes of them, by table.

    `chunk_days` is how many days one chunk holds; it counts for chunks that are made from then on, and on plain
    partitions when the store is made. Chunks whose last event is `compress_after_days` old are kept by column, and
    those of tables in `keep_days` dropped when their last event is so old; other tables are kept for ever.
    """

    chunk_days: Mapping[str, int] = field(default_factory=lambda: dict(CHUNK_DAYS))
    compress_after_days: int = 30
    keep_days: Mapping[str, int] = field(default_factory=dict)


def enforce(connection: psycopg.Connection[Any], schema: str, lifecycle: Lifecycle) -> None:
    """Bring chunks and policies of the TimescaleDB store in `schema` in line with `lifecycle`."""
    held = _policies(connection, schema)
    with connection.transaction():
        connection.execute(f'SET LOCAL search_path TO "{schema}", public'.encode())
        for table in EVENT_TABLES:
            width = lifecycle.chunk_days.get(table, CHUNK_DAYS[table]) * DAY_NS
            connection.execute("SELECT set_chunk_time_interval(%s, %s::bigint)", [table, width])
            _set(connection, table, _COMPRESS, lifecycle.compress_after_days, held)
            _set(connection, table, _DROP, lifecycle.keep_days.get(table), held)
        for name, seconds in AGGREGATES.items():
            if (f"bars_{name}", _REFRESH) not in held:
                chunk_s = lifecycle.chunk_days.get("bars", CHUNK_DAYS["bars"]) * DAY_NS // NANOSECONDS
                _refresh(connection, f"bars_{name}", seconds, buckets=chunk_s // seconds)


def _policies(connection: psycopg.Connection[Any], schema: str) -> dict[tuple[str, str], int]:
    """Return the age in nanoseconds at which each policy of a table acts, by table and policy."""
    rows = connection.execute(
        "SELECT coalesce(view_name, jobs.hypertable_name), proc_name, config FROM timescaledb_information.jobs jobs "
        "LEFT JOIN timescaledb_information.continuous_aggregates views "
        "ON views.materialization_hypertable_name = jobs.hypertable_name "
        "WHERE coalesce(view_schema, jobs.hypertable_schema) = %s",
        [schema],
    ).fetchall()
    return {(name, policy): int((config or {}).get(_AGE.get(policy, ""), 0)) for name, policy, config in rows}


def _set(
    connection: psycopg.Connection[Any],
    table: str,
    policy: str,
    days: int | None,
    held: Mapping[tuple[str, str], int],
) -> None:
    wanted = None if days is None else days * DAY_NS
    if held.get((table, policy)) == wanted:
        return
    connection.execute(_REMOVE[policy].encode(), [table])
    if wanted is not None:
        connection.execute(_ADD[policy].encode(), [table, wanted])


def _refresh(connection: psycopg.Connection[Any], view: str, seconds: int, *, buckets: int) -> None:
    """Let the bars of `view` be brought up to date, so many at once as one chunk has; a few at once take for ever."""
    known = "SELECT 'buckets_per_batch' = ANY(proargnames) FROM pg_proc WHERE proname = %s"
    has_batches = connection.execute(known, ["add_continuous_aggregate_policy"]).fetchone() == (True,)
    connection.execute(
        "SELECT add_continuous_aggregate_policy(%s, start_offset => NULL, end_offset => %s::bigint, "
        f"schedule_interval => %s::interval{', buckets_per_batch => %s' if has_batches else ''})",
        [view, seconds * NANOSECONDS, REFRESHED, *([buckets] if has_batches else [])],
    )
