"""Classifications that were told, against what is there: what is new or other, and which classes a revision lost."""

from __future__ import annotations

from typing import Final

import polars as pl

from truetape.domain.class_messages import ClassesTold
from truetape.domain.schema import INSTANT, TABLES
from truetape.domain.versions import decide, withdraw
from truetape.domain.wire import unpack
from truetape.ports.store import Selection, Store

STRUCTURE: Final = "class_nodes"


class ClassTables:
    """Keep structures, mappings and assignments. The only writer of their tables."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    async def on_classes_told(self, message: ClassesTold) -> None:
        """Write what is new or other in one commit.

        Raises:
            StoreUnavailable: The store cannot be read or written now.
        """
        about = Selection(equal={"taxonomy": (message.taxonomy,)})
        current = await self._store.read(message.table, about)
        gone_before = await self._store.read(message.table, Selection(equal=about.equal, withdrawn=True))
        write, gone = class_changes(message, current, gone_before)
        if len(gone):
            writes = {message.table: write} if len(write) else {}
            await self._store.commit(writes, withdrawals={message.table: gone})
        elif len(write):
            await self._store.commit({message.table: write})


def class_changes(
    message: ClassesTold, current: pl.DataFrame, withdrawn: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows to write, and withdrawals: classes of a revision that its newer file does not have any more.

    Args:
        message: What was told.
        current: The rows of its table about its taxonomy that stand.
        withdrawn: Those that do not, as the store returns withdrawals.
    """
    table = TABLES[message.table]
    known = pl.lit(message.ts_known).cast(INSTANT).alias("ts_known")
    rows = unpack(message.rows).with_columns(known, pl.lit(message.simulated).alias("simulated"))
    decision = decide(current, rows, table, withdrawn=withdrawn)
    if message.table != STRUCTURE:
        return decision.write, withdraw(current.clear(), table, ts_known=message.ts_known)
    told = current.join(rows, on=["taxonomy", "revision"], how="semi")
    missing = told.join(rows, on=list(table.key), how="anti")
    return decision.write, withdraw(missing, table, ts_known=message.ts_known)
