"""Where the cold files of a data folder lie, for whoever opens it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from truetape.adapters.data_folder import STORE, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cold_places import PLACES, addresses, keep_addresses, with_cold
from truetape.app.library_local import LocalSource
from truetape.app.reading import opened
from truetape.app.tier_settings import Tiering
from truetape.app.tiers import tiered
from truetape.domain.errors import BadInput, WrongFolder
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS
from truetape.ports.tiering import Move, Span


def actions() -> pl.DataFrame:
    """Two splits, on the second and the third of January 1970."""
    columns = TABLES["actions"].columns
    given = {"instrument_id": "ins_a", "type": "split", "value": 2.0, "version": 1, "simulated": True}
    rows = pl.DataFrame({"ex_date": [date(1970, 1, 2), date(1970, 1, 3)]})
    told = rows.with_columns(**{name: pl.lit(value) for name, value in given.items()}, ts_known=pl.lit(DAY_NS))
    return told.select(
        (pl.col(name) if name in told.columns else pl.lit(None).alias(name)).cast(dtype)
        for name, dtype in columns.items()
    )


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """A data folder whose rows of January 1970 all lie in a cold file of a folder beside it."""
    folder = tmp_path / "data"
    DataFolder.open(folder, simulated=True).close()
    hot = DuckdbStore(folder / STORE)
    found = tiered(Tiering(warm=str(tmp_path / "cold")), hot, data=folder, environ={})
    assert found is not None
    await found.store.commit({"actions": actions()})
    january = Span("actions", date(1970, 1, 1), date(1970, 1, 31))
    assert (await found.tiers.move(Move(january, "warm", "test", "old"), ts_known=1, simulated=True)).rows == 2
    assert (await hot.read("actions")).is_empty()
    await found.store.close()
    return folder


async def count(data: Path) -> int:
    async with opened(data) as store:
        return len(await store.read("actions"))


async def test_who_opens_a_data_folder_reads_its_cold_files(data: Path) -> None:
    """Without any settings: commands, the library, and a platform whose settings name no tiers any more."""
    assert await count(data) == 2
    source = LocalSource(data)
    assert source.receipt().store_version == 2
    source.close()
    hot = DuckdbStore(data / STORE)
    found = tiered(Tiering(), hot, data=data, environ={})
    assert found is not None
    assert len(await found.store.read("actions")) == 2
    await found.store.close()


async def test_a_restored_folder_has_its_cold_files_in_it(data: Path) -> None:
    """Without the list of places, folders of that name in the data folder hold them."""
    (data / PLACES).unlink()
    assert await count(data) == 0
    (data / "cold").mkdir()
    (data.parent / "cold").rename(data / "cold" / "warm")
    assert await count(data) == 2
    assert addresses(data) == {"warm": str(data / "cold" / "warm")}


async def test_another_place_is_refused_while_files_may_lie_at_the_old_one(data: Path) -> None:
    """The old and the new place are named; a tier more is no other place."""
    old = addresses(data)["warm"]
    with pytest.raises(BadInput, match=rf"tiers.warm was 's3://bucket/x'. Cold files lie at {old}: copy them"):
        keep_addresses(data, {"warm": "s3://bucket/x"})
    keep_addresses(data, {"warm": old, "archive": "s3://bucket/x"})
    assert addresses(data) == {"warm": old, "archive": "s3://bucket/x"}


async def test_a_list_of_places_that_cannot_be_read_is_told(data: Path) -> None:
    """A damaged one, rather than rows that seem to be missing."""
    (data / PLACES).write_text("{")
    with pytest.raises(WrongFolder, match=r"its cold.json is not readable"):
        await count(data)


async def test_a_folder_without_cold_files_is_read_as_it_is(tmp_path: Path) -> None:
    """The store itself, without anything around it."""
    store = DuckdbStore(tmp_path / STORE)
    assert with_cold(store, tmp_path, {}) is store
    await store.close()
