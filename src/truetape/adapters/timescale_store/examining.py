"""What a server can do for a store, and what it lacks: told at the start and by `truetape doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg

from truetape.adapters.timescale_store.connecting import Address, Patience
from truetape.adapters.timescale_store.migrating import extension, held, migrations
from truetape.domain.errors import WrongFolder

LACKING: Final = (
    "compression",
    "continuous aggregates",
    "policies for retention",
    "chunks that are made by the server",
)
_UNSAFE: Final = ("synchronous_commit", "fsync", "full_page_writes")  # settings that must not be off


@dataclass(frozen=True)
class Examined:
    """A server that was looked at."""

    where: str  # its address, without a password
    server: str  # its version
    extension: str  # of TimescaleDB; "" without
    state: str  # of the store in words
    missing: tuple[str, ...]  # what the server cannot do
    troubles: tuple[str, ...]  # what may lose rows, or does not run


def examine(connection: psycopg.Connection[Any], schema: str, *, label: str) -> Examined:
    """Return what the server of `connection` can do for the store in `schema`."""
    installed = extension(connection)
    try:
        found = held(connection, schema, label=label)
        state = f"version {found.version}, schema {len(migrations())}, edition {found.edition}"
        is_plain = found.edition == "plain"
    except WrongFolder as error:
        state, is_plain = error.reason, not installed
    return Examined(
        where=label,
        server=str(connection.info.parameter_status("server_version")),
        extension=installed,
        state=state,
        missing=LACKING if is_plain else (),
        troubles=(*_unsafe(connection), *(_failed(connection, schema) if installed else ())),
    )


def look(dsn: str, *, schema: str, patience: Patience) -> Examined:
    """Return what the server at `dsn` can do, without changing anything there.

    Raises:
        BadInput: `dsn` is no address of a PostgreSQL server.
        StoreUnavailable: The server cannot be reached, or refused.
    """
    address = Address.of(dsn, patience)
    try:
        with psycopg.connect(address.dsn, autocommit=True) as connection:
            connection.execute(address.session(statement_s=patience.statement_s).encode())
            return examine(connection, schema, label=address.label)
    except psycopg.Error as error:
        raise address.unavailable(error) from None


def _unsafe(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'", [[*_UNSAFE]])
    return [f"{name} is off: a crash can lose rows" for (name,) in rows.fetchall()]


def _failed(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Say which policies failed the last time that they ran: one that exists has not therefore run."""
    rows = connection.execute(
        "SELECT jobs.proc_name, coalesce(view_name, jobs.hypertable_name) FROM timescaledb_information.jobs jobs "
        "JOIN timescaledb_information.job_stats stats USING (job_id) "
        "LEFT JOIN timescaledb_information.continuous_aggregates views "
        "ON views.materialization_hypertable_name = jobs.hypertable_name "
        "WHERE stats.last_run_status = 'Failed' AND coalesce(view_schema, jobs.hypertable_schema) = %s",
        [schema],
    ).fetchall()
    return [f"{policy} of {name} failed: see timescaledb_information.job_errors" for policy, name in rows]
