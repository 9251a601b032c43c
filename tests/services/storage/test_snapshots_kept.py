"""Names of snapshots: kept as they were told, once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from room_doubles import ListBus
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.domain.errors import WrongFolder
from truetape.domain.messages import SnapshotNamed
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService

NAMED = SnapshotNamed(name="eod", as_of=5, store_version=7, ts_known=9, actor="ann", note="as sold")


async def test_a_name_keeps_what_it_stood_for_first(tmp_path: Path) -> None:
    """A second message of the same name changes nothing, and another name stands beside it."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    room = StorageService(bus=ListBus(), store=store, config=StorageConfig())
    for message in (
        NAMED,
        msgspec.structs.replace(NAMED, as_of=6, store_version=8, actor="bob"),
        msgspec.structs.replace(NAMED, name="fix", note=""),
    ):
        await room.on_snapshot_named(message)
    rows = await store.read("snapshots")
    await store.close()

    told = rows.with_columns(rows["as_of"].cast(int), rows["ts_known"].cast(int)).rows()
    assert [("eod", 5, 7, "ann", "as sold", 9, False), ("fix", 5, 7, "ann", "", 9, False)] == told


async def test_a_name_of_simulated_data_stays_out_of_others(tmp_path: Path) -> None:
    """The folder holds one kind of data."""
    store = DuckdbStore(tmp_path / "store.duckdb")
    room = StorageService(bus=ListBus(), store=store, config=StorageConfig())
    with pytest.raises(WrongFolder):
        await room.on_snapshot_named(msgspec.structs.replace(NAMED, simulated=True))
    assert (await store.read("snapshots")).is_empty()
    await store.close()
