"""Plain partitions of event time, for a PostgreSQL without TimescaleDB: made when a row needs them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import polars as pl

from truetape.adapters.timescale_store.connecting import Connection
from truetape.adapters.timescale_store.names import EVENT_TABLES, relation

_LEAST, _GREATEST = -(2**63), 2**63 - 1
EVENT: Final = "ts_event"


@dataclass
class Partitions:
    """The partitions that are known to be there, by table; `widths` is in nanoseconds, empty where chunks are made."""

    schema: str
    widths: dict[str, int]
    _known: dict[str, set[int]] = field(default_factory=dict)

    async def ensure(self, connection: Connection, name: str, rows: pl.DataFrame) -> None:
        """Make the partitions of table `name` that `rows` need, in the transaction of `connection`."""
        if name not in EVENT_TABLES or name not in self.widths:
            return
        width = self.widths[name]
        numbers = set((rows[EVENT].to_physical() // width).unique().to_list())
        for number in sorted(numbers - self._known.get(name, set())):
            await self._make(connection, name, number, width)
        # what is made is known when it is seen again: this transaction may still be rolled back

    async def _make(self, connection: Connection, name: str, number: int, width: int) -> None:
        part = f"{name}_{'before' if number < 0 else 'from'}_{abs(number)}"
        cursor = await connection.execute("SELECT to_regclass(%s)", [relation(self.schema, part)])
        if (await cursor.fetchone()) != (None,):
            self._known.setdefault(name, set()).add(number)
            return
        parent, child = relation(self.schema, name), relation(self.schema, part)
        low, high = number * width, (number + 1) * width
        bounds = f"FROM ({'MINVALUE' if low <= _LEAST else low}) TO ({'MAXVALUE' if high > _GREATEST else high})"
        await connection.execute(f"CREATE TABLE {child} (LIKE {parent} INCLUDING ALL)".encode())
        await connection.execute(f"ALTER TABLE {parent} ATTACH PARTITION {child} FOR VALUES {bounds}".encode())

    def forget(self) -> None:
        """Look again which partitions are there: somebody has dropped one."""
        self._known.clear()
