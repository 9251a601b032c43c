"""The schema of the database: numbered SQL files, applied in order, all that are missing in one transaction.

A file `0001_tables.sql` holds for every server; of `0001_tables.timescale.sql` and `0001_tables.plain.sql` the one for
the edition of the store, which is chosen when it is made: with the TimescaleDB extension or without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import psycopg

from truetape.adapters.timescale_store.names import kept_of, relation
from truetape.domain.errors import WrongFolder
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS

EDITIONS: Final = ("plain", "timescale")
META: Final = "truetape_meta"
CHUNK_DAYS: Final = {"bars": 91, "bar_claims": 91, "quotes": 7, "trades": 7}
_LOCK: Final = 0x7472_7565_7461_7065  # an advisory lock: "truetape" in ASCII
_OLDEST: Final = 150_000  # PostgreSQL 15


@dataclass(frozen=True)
class Migration:
    """One step of the schema, with its SQL by edition."""

    number: int
    name: str
    texts: dict[str, str]

    def text(self, edition: str) -> str:
        """Return the SQL of `edition`."""
        return self.texts.get(edition) or self.texts[""]


@dataclass(frozen=True)
class Held:
    """What a database holds: the edition of its store, and the version that its last commit left."""

    edition: str
    version: int
    widths: dict[str, int]  # of a partition, nanoseconds, by table


def migrations() -> list[Migration]:
    """Return every migration that this program knows, in their order."""
    found: dict[str, dict[str, str]] = {}
    for file in files("truetape.adapters.timescale_store").joinpath("migrations").iterdir():
        stem, _, edition = file.name.removesuffix(".sql").partition(".")
        if file.name.endswith(".sql"):
            found.setdefault(stem, {})[edition] = file.read_text()
    return [Migration(int(stem[:4]), stem, found[stem]) for stem in sorted(found)]


def migrate(connection: psycopg.Connection[Any], schema: str, *, label: str, chunk_days: Mapping[str, int]) -> None:
    """Bring the schema up to date, in one transaction that other processes wait for.

    `chunk_days` is how many days a partition holds, by table, of a store that is made.

    Raises:
        WrongFolder: It is newer than this program, or the server is too old.
    """
    if connection.info.server_version < _OLDEST:
        found = connection.info.server_version // 10_000
        raise WrongFolder(path=label, reason=f"it is PostgreSQL {found}; truetape needs 15 or newer.")
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        applied = _applied(connection, schema)
        pending = _pending(applied, label)
        if not pending:
            return
        if not applied:
            _begin(connection, schema, {**CHUNK_DAYS, **chunk_days})
        connection.execute(f'SET LOCAL search_path TO "{schema}", public'.encode())
        edition = held(connection, schema, label=label).edition
        for one in pending:
            connection.execute(one.text(edition).encode())
            row = f"INSERT INTO {relation(schema, 'truetape_migrations')} VALUES (%s, %s, now())"  # noqa: S608
            connection.execute(row.encode(), [one.number, one.name])


def held(connection: psycopg.Connection[Any], schema: str, *, label: str) -> Held:
    """Return what the database holds.

    Raises:
        WrongFolder: It holds no store yet, one that is newer than this program, or one with other columns.
    """
    applied = _applied(connection, schema)
    if not applied and not _exists(connection, schema, META):
        raise WrongFolder(
            path=label, reason="it holds no store yet. Choose another one, or fill it with `truetape up`."
        )
    _pending(applied, label)
    meta = connection.execute(f"SELECT edition, version FROM {relation(schema, META)}".encode()).fetchone()  # noqa: S608
    chunks = connection.execute(f"SELECT name, width FROM {relation(schema, 'truetape_chunks')}".encode()).fetchall()  # noqa: S608
    assert meta is not None
    return Held(edition=meta[0], version=meta[1], widths=dict(chunks))


def check_layout(connection: psycopg.Connection[Any], schema: str, *, label: str) -> None:
    """Accept a database whose tables have the columns that this program writes.

    Raises:
        WrongFolder: One has not.
    """
    rows = connection.execute(
        "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns "
        "WHERE table_schema = %s GROUP BY table_name",
        [schema],
    ).fetchall()
    found = {name: set(columns) for name, columns in rows}
    for name in TABLES:
        for one, columns in kept_of(name).items():
            if found.get(one) != set(columns):
                reason = f"its table {one} has other columns than expected. Start `truetape up` to bring it up to date."
                raise WrongFolder(path=label, reason=reason)


def _pending(applied: set[int], label: str) -> list[Migration]:
    known = migrations()
    newest = max(applied, default=0)
    if newest > len(known):
        reason = (
            f"its schema has number {newest}, and this version of truetape knows {len(known)}. Use a newer truetape."
        )
        raise WrongFolder(path=label, reason=reason)
    return [one for one in known if one.number not in applied]


def _begin(connection: psycopg.Connection[Any], schema: str, chunk_days: Mapping[str, int]) -> None:
    """Make the tables that tell of the others, and choose the edition."""
    edition = "timescale" if extension(connection) else "plain"
    meta, chunks = relation(schema, META), relation(schema, "truetape_chunks")
    applied = relation(schema, "truetape_migrations")
    for statement in (
        f'CREATE SCHEMA IF NOT EXISTS "{schema}"',
        f"CREATE TABLE {meta} (edition text NOT NULL, version bigint NOT NULL)",
        f"CREATE TABLE {chunks} (name text PRIMARY KEY, width bigint NOT NULL)",
        f"CREATE TABLE {applied} (number integer PRIMARY KEY, name text NOT NULL, applied timestamptz NOT NULL)",
    ):
        connection.execute(statement.encode())
    connection.execute(f"INSERT INTO {meta} VALUES (%s, 0)".encode(), [edition])  # noqa: S608
    for name, days in chunk_days.items():
        connection.execute(f"INSERT INTO {chunks} VALUES (%s, %s)".encode(), [name, days * DAY_NS])  # noqa: S608


def extension(connection: psycopg.Connection[Any]) -> str:
    """Return the version of the TimescaleDB extension in this database, "" if it is not there."""
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    return str(row[0]) if row else ""


def _applied(connection: psycopg.Connection[Any], schema: str) -> set[int]:
    if not _exists(connection, schema, "truetape_migrations"):
        return set()
    rows = connection.execute(f"SELECT number FROM {relation(schema, 'truetape_migrations')}".encode())  # noqa: S608
    return {number for (number,) in rows.fetchall()}


def _exists(connection: psycopg.Connection[Any], schema: str, name: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", [relation(schema, name)]).fetchone()
    return row is not None and row[0] is not None
