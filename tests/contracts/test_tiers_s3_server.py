"""Tiers in buckets of real servers, as Delta Lake tables that other programs read."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from store_rows import bar, closes, frame

from servers import S3Server
from truetape.adapters.delta_catalog import DeltaCatalog
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.tiered_store import ColdFiles, ColdTiers, TieredStore
from truetape.app.delta_places import catalog_at
from truetape.app.object_places import objects_at
from truetape.domain.errors import StoreUnavailable
from truetape.ports.objects import Objects
from truetape.ports.tiering import Catalog, Move, Span

YEAR = (date(1970, 1, 1), date(1970, 12, 31))
HALF = (date(1970, 1, 1), date(1970, 6, 30))


def environ_of(server: S3Server) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": server.key,
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "AWS_REGION": "us-east-1",
    }


@pytest.mark.parametrize("name", ["folder", "minio", "versitygw"])
async def test_tiers_are_delta_tables_wherever_they_lie(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """After each move the log of each tier names exactly the files that stand, also when they are folded."""
    environ: dict[str, str] = {}
    root = str(tmp_path / "cold")
    if name != "folder":
        server = request.getfixturevalue(name)
        environ = environ_of(server)
        root = f"s3://{server.bucket}/{uuid.uuid4().hex}"
    addresses = {tier: f"{root}/{tier}" for tier in ("warm", "archive")}
    places: dict[str, Objects] = {tier: objects_at(address, environ) for tier, address in addresses.items()}
    catalogs: dict[str, Catalog] = {tier: catalog_at(address, environ) for tier, address in addresses.items()}
    hot = DuckdbStore(tmp_path / "truetape.duckdb")
    store = TieredStore(hot, ColdFiles(places))
    tiers = ColdTiers(store, hot=hot, places=places, scratch=tmp_path / "scratch", catalogs=catalogs)
    await store.commit({"bars": frame("bars", *(bar(day, float(day), who=who) for who in "ab" for day in range(400)))})
    seen = []
    for days, tier in ((HALF, "warm"), (YEAR, "warm"), (YEAR, "archive")):
        await tiers.move(Move(Span("bars", *days), tier, "test", "old"), ts_known=1, simulated=False)  # type: ignore[arg-type]
        seen.append({tier: rows_of(f"{address}/bars", environ) for tier, address in addresses.items()})
    assert seen == [
        {"warm": [181.0, 181.0], "archive": None},
        {"warm": [365.0, 365.0], "archive": None},
        {"warm": [], "archive": [365.0, 365.0]},
    ]
    assert await closes(store, start=date(1970, 12, 31), equal={"instrument_id": ("b",)}, end=date(1971, 1, 1)) == [
        (364, 364.0),
        (365, 365.0),
    ]
    assert [damage async for _, damage in tiers.scrub()] == [None]
    assert await tiers.sweep(older_than_ns=2**62) == 2
    assert len(await store.read("bars")) == 800
    await store.close()


def rows_of(address: str, environ: dict[str, str]) -> list[float] | None:
    """The rows of each instrument that the Delta table at `address` has, read by another program; None: no table."""
    options = {**environ, "AWS_ALLOW_HTTP": "true"} if environ else None
    if not DeltaTable.is_deltatable(address, storage_options=options):
        return None
    table = pl.scan_delta(address, storage_options=options)
    return table.group_by("instrument_id").len().sort("instrument_id").collect()["len"].cast(pl.Float64).to_list()


async def test_a_catalog_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """What stands in the way is told in one line."""
    (tmp_path / "bars").write_text("no folder")
    catalog = catalog_at(str(tmp_path), {})
    assert isinstance(catalog, DeltaCatalog)
    from truetape.adapters.tiered_store.cold import ColdFile

    file = ColdFile("bars/a.parquet", "bars", "warm", *YEAR, "a", "a", 1, "{}", 1, 1, "")
    with pytest.raises(StoreUnavailable, match="bars"):
        await catalog.publish("bars", [file])
