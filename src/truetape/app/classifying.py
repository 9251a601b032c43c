"""Load structures, mappings and assignments of taxonomies: by the platform that runs on the data folder, or here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from truetape.app.owner import by_owner
from truetape.domain.class_messages import ClassesTold
from truetape.domain.class_rows import (
    Master,
    assignment_rows,
    mapping_rows,
    structure_rows,
    taxonomy_named,
)
from truetape.domain.classes import UNMAPPED, classified, structure_on
from truetape.domain.errors import BadInput
from truetape.domain.taxonomies import differences
from truetape.domain.time import parse_day, to_datetime
from truetape.domain.wire import pack
from truetape.ports.archive import Archive
from truetape.ports.store import Selection, Store
from truetape.services.api.class_endpoints import Classified, Left, NewClasses

if TYPE_CHECKING:
    from truetape.app.run import Platform

TABLES: Final = {
    "structure": "class_nodes",
    "mappings": "class_mappings",
    "assignments": "class_assignments",
    "claims": "class_assignments",
}
SIC: Final = "sic"
MOST_LEFT: Final = 1000  # rows that are named among those left out


@dataclass(frozen=True)
class Reading:
    """What is read of a file: rows of a table but for versions, and what was left out."""

    rows: pl.DataFrame
    left: pl.DataFrame | None = None


async def classify(data: Path, taxonomy: str, wanted: NewClasses, *, file: Path | None = None) -> Classified:
    """Load what `wanted` says about `taxonomy` into the data folder `data`, and return what became of it.

    `file` is the settings file, if there may be one.

    Raises:
        BadInput: A value is not usable.
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    return await by_owner(
        data,
        file=file,
        command="truetape classify",
        there=lambda server: server.classify(taxonomy, wanted),
        here=lambda platform: classify_here(platform, taxonomy, wanted),
    )


async def classify_here(platform: Platform, taxonomy: str, wanted: NewClasses) -> Classified:
    """Load what `wanted` says on `platform`; return when whoever asks reads it so.

    The rows are archived as they came, then what they mean is journalled, told and stored.

    Raises:
        BadInput: A value is not usable.
        StoreUnavailable: The archive or the journal cannot be written now; nothing was told.
    """
    parts, name = platform.parts, taxonomy_named(taxonomy)
    body = msgspec.json.encode(wanted.rows)
    payload = await asyncio.to_thread(parts.archive.put, body)
    async with platform.rooms.ingestion.turn:
        now = parts.clock.now_ns()
        read = await _read(parts.store, name, wanted, payload=payload, today=to_datetime(now).date())
        if len(read.rows):
            told = ClassesTold(
                table=TABLES[wanted.what],
                taxonomy=name,
                rows=pack(read.rows),
                actor=wanted.actor,
                ts_known=now,
                simulated=platform.settings.simulated,
            )
            await asyncio.to_thread(parts.archive.record, told)
            await parts.bus.publish(told)
            await parts.bus.drain()
        return await _outcome(parts.store, name, wanted, read, today=to_datetime(now).date())


async def retell(platform: Platform) -> None:
    """Tell again what stands in the journal alone, since a crash came before it was stored."""
    newest = [
        (await platform.parts.store.read(table, Selection(columns=("ts_known",))))["ts_known"].cast(pl.Int64).max()
        for table in sorted({*TABLES.values()})
    ]
    stored = max((one for one in newest if isinstance(one, int)), default=0)
    for entry in await asyncio.to_thread(_journalled, platform.parts.archive, stored):
        await platform.parts.bus.publish(entry)


def _journalled(archive: Archive, since_ns: int) -> list[ClassesTold]:
    return [one for one in archive.journal() if isinstance(one, ClassesTold) and one.ts_known > since_ns]


async def _read(store: Store, taxonomy: str, wanted: NewClasses, *, payload: str, today: date) -> Reading:
    table = pl.DataFrame(wanted.rows, infer_schema_length=None) if wanted.rows else pl.DataFrame()
    since = parse_day(wanted.since, parameter="since") if wanted.since else None
    if wanted.what == "structure":
        if since is None:
            fix = "Write the date from which this structure is in force: --revision 2023-03-18."
            raise BadInput(parameter="revision", value="", fix=fix)
        revision = since
        about = {"taxonomy": taxonomy, "payload": payload}
        return Reading(await asyncio.to_thread(lambda: structure_rows(table, revision=revision, **about)))
    if wanted.what == "mappings":
        to = taxonomy_named(wanted.to) if wanted.to else taxonomy
        ways = {"taxonomy": taxonomy, "to": to, "payload": payload}
        return Reading(await asyncio.to_thread(lambda: mapping_rows(table, since=since, **ways)))
    master = Master(*[await store.read(name) for name in ("listings", "identifiers", "class_nodes")])
    if wanted.what == "claims":
        return await asyncio.to_thread(_claimed, await store.read("issuer_claims"), master, taxonomy, payload)
    said = {"taxonomy": taxonomy, "source": wanted.source, "payload": payload}
    found = await asyncio.to_thread(lambda: assignment_rows(table, master, since=since or today, **said))
    return Reading(found.rows, found.left)


def _claimed(claims: pl.DataFrame, master: Master, taxonomy: str, payload: str) -> Reading:
    """Return what registers say of SIC codes as assignments of each of them, since the day on which it was heard first.

    Raises:
        BadInput: Another taxonomy is asked for; registers tell none of it.
    """
    if taxonomy != SIC:
        raise BadInput(parameter="taxonomy", value=taxonomy, fix="Registers tell codes of sic alone; load a file.")
    told = claims.filter(pl.col("sic").is_not_null(), pl.col("cik").is_not_null()).sort("ts_known")
    heard = told.select("provider", "cik", code="sic", valid_from=pl.col("ts_known").dt.date().cast(pl.String))
    first = heard.unique(["provider", "cik", "code"], keep="first", maintain_order=True)
    said = {str(name): own for (name,), own in first.partition_by("provider", as_dict=True).items()}
    found = [
        assignment_rows(own, master, taxonomy=taxonomy, since=None, source=name, payload=payload)
        for name, own in ({"": first.clear()} | said).items()
    ]
    return Reading(pl.concat([one.rows for one in found]), pl.concat([one.left for one in found]))


async def _outcome(store: Store, taxonomy: str, wanted: NewClasses, read: Reading, *, today: date) -> Classified:
    left = read.left if read.left is not None else pl.DataFrame(schema={"row": pl.UInt32})
    nodes = await store.read("class_nodes")
    assignments = await store.read("class_assignments", Selection(equal={"taxonomy": (taxonomy,)}))
    mappings = await store.read("class_mappings")
    rows = await asyncio.to_thread(lambda: classified(assignments, nodes, mappings, taxonomy=taxonomy, on=today))
    return Classified(
        what=wanted.what,
        taxonomy=taxonomy,
        rows=len(read.rows),
        left=tuple(Left(**row) for row in left.head(MOST_LEFT).iter_rows(named=True)),
        left_out=len(left),
        changes=_changes(nodes, taxonomy, read.rows) if wanted.what == "structure" else {},
        unmapped=len(rows.filter(pl.col("status") == UNMAPPED)),
    )


def _changes(nodes: pl.DataFrame, taxonomy: str, rows: pl.DataFrame) -> dict[str, int]:
    """Return how many classes came, went, were renamed or moved since the revision before that of `rows`."""
    revision = rows["revision"][0]
    before = nodes.filter(pl.col("taxonomy") == taxonomy, pl.col("revision") < revision)["revision"].max()
    if not isinstance(before, date):
        return {}
    pair = [structure_on(nodes, taxonomy=taxonomy, on=one) for one in (before, revision)]
    return dict(differences(*pair)["change"].value_counts().sort("change").iter_rows())
