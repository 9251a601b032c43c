"""Fresh places for stores in a database of the session: a schema that is emptied, since making one takes a second."""

from __future__ import annotations

import itertools
from typing import Final

import psycopg

from truetape.adapters.timescale_store import TimescaleStore
from truetape.ports.store import Store

SCHEMA: Final = "place"
_EMPTY: Final = """
DO $$ DECLARE held record; found boolean; BEGIN
FOR held IN SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = 'place' AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT LIKE 'truetape%' LOOP
  EXECUTE format('SELECT EXISTS (SELECT FROM place.%I)', held.relname) INTO found;
  IF found THEN EXECUTE format('TRUNCATE place.%I', held.relname); END IF;
END LOOP;
IF to_regclass('place.truetape_meta') IS NOT NULL THEN UPDATE place.truetape_meta SET version = 0; END IF;
END $$
"""
_NUMBERS: Final = itertools.count()


class DatabasePlace:
    """Opens the store of a place where none has been: one that begins with reading finds nothing there."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._schema = ""

    def __call__(self, *, read_only: bool = False) -> TimescaleStore:
        """Return the store."""
        if not self._schema:
            self._schema = f"nowhere_{next(_NUMBERS)}" if read_only else SCHEMA
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                connection.execute(_EMPTY)
        return TimescaleStore(self._dsn, read_only=read_only, schema=self._schema)


async def keep_by_column(store: Store) -> None:
    """Let TimescaleDB keep every chunk of bars by column, those that have been changed since too."""
    assert isinstance(store, TimescaleStore)
    async with await psycopg.AsyncConnection.connect(store._address.dsn, autocommit=True) as connection:
        chunks = f"show_chunks('\"{store._schema}\".bars')"
        await connection.execute(f"SELECT compress_chunk(chunk, true) FROM {chunks} chunk".encode())
