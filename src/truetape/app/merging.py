"""Merge two records of one instrument, or take that back: by the platform that runs on the data folder, or here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from truetape.app.owner import at, by_owner
from truetape.domain.errors import BadInput, UnknownTarget
from truetape.domain.identity import decision_id
from truetape.domain.merging import redirects, refuse_cycle
from truetape.domain.messages import InstrumentsMerged
from truetape.domain.time import iso
from truetape.ports.store import Selection, Store
from truetape.services.api.merging import Merged, Wish, sound_wish

if TYPE_CHECKING:
    from truetape.app.run import Platform


async def merge(data: Path, wish: Wish, *, file: Path | None = None) -> Merged:
    """Do what `wish` says in the data folder `data`, and return what was told.

    `file` is the settings file, if there may be one.

    Raises:
        BadInput: The records cannot be merged, or a word is missing.
        UnknownTarget: There is no such record.
        FolderInUse: A process without an API owns the data folder.
        WrongFolder: It is no data folder.
        StoreUnavailable: The running platform did not answer, or the disk is full.
    """
    wish = sound_wish(wish)
    return await by_owner(
        data,
        file=file,
        command="truetape instruments merge",
        there=lambda server: server.merge(wish),
        here=lambda platform: platform.merge(wish),
    )


def merge_at(url: str, wish: Wish) -> Merged:
    """Ask the server at `url` to do what `wish` says, and return what it told.

    Raises:
        BadInput, UnknownTarget, StoreUnavailable: As the server says.
    """
    return at(url, lambda server: server.merge(wish))


async def merge_here(platform: Platform, wish: Wish) -> Merged:
    """Do what `wish` says on `platform`; return when whoever asks reads it so.

    Raises:
        BadInput: The records cannot be merged, or the record is merged into none.
        UnknownTarget: There is no such record.
        StoreUnavailable: The journal cannot be written now; nothing was told.
    """
    parts = platform.parts
    async with platform.rooms.ingestion.turn:
        told = await merge_of(parts.store, wish, ts_known=parts.clock.now_ns(), simulated=platform.settings.simulated)
        await asyncio.to_thread(parts.archive.record, told)
        await parts.bus.publish(told)
        await parts.bus.drain()
    return answer_of(told)


async def merge_of(store: Store, wish: Wish, *, ts_known: int, simulated: bool) -> InstrumentsMerged:
    """Return the fact that `wish` asks for, told at `ts_known`, UTC nanoseconds.

    Raises:
        BadInput: The records cannot be merged, or the record is merged into none.
        UnknownTarget: There is no such record.
        StoreUnavailable: The store cannot be read now.
    """
    into, evidence = await _checked(store, wish)
    action = "merge" if wish.into else "unmerge"
    return InstrumentsMerged(
        decision_id=decision_id(target=wish.instrument_id, action=action, actor=wish.actor, ts_known=ts_known),
        instrument_id=wish.instrument_id,
        into=into,
        stands=bool(wish.into),
        actor=wish.actor,
        why=wish.why,
        evidence=evidence,
        ts_known=ts_known,
        simulated=simulated,
    )


def answer_of(told: InstrumentsMerged) -> Merged:
    """Return `told` as it is answered."""
    return Merged(
        decision_id=told.decision_id,
        instrument_id=told.instrument_id,
        into=told.into,
        stands=told.stands,
        actor=told.actor,
        why=told.why,
        evidence=told.evidence,
        decided=iso(told.ts_known),
    )


async def _checked(store: Store, wish: Wish) -> tuple[str, str]:
    """Return which record is meant to stand for the other, or stood for it, and what speaks for that."""
    merges = await store.read("merges")
    if not wish.into:
        standing = merges.filter(pl.col("stands"), pl.col("instrument_id") == wish.instrument_id)
        if standing.is_empty():
            fix = "It is merged into none; truetape instruments show tells what was merged."
            raise BadInput(parameter="instrument", value=wish.instrument_id, fix=fix)
        return standing["into"][0], wish.evidence
    refuse_cycle(wish.instrument_id, wish.into, known=redirects(merges))
    pair = (wish.instrument_id, wish.into)
    found = await store.read("instruments", Selection(equal={"instrument_id": pair}))
    for one in pair:
        if one not in found["instrument_id"]:
            raise UnknownTarget(target=one[:80], fix="Find it with truetape instruments search.")
    common = await _in_common(store, pair, found)
    return wish.into, "; ".join(words for words in (common, wish.evidence) if words)


async def _in_common(store: Store, pair: tuple[str, str], found: pl.DataFrame) -> str:
    """Return in words what both records say."""
    identifiers = await store.read("identifiers", Selection(equal={"instrument_id": pair}))
    shared = identifiers.group_by("scheme", "value").agg(pl.col("instrument_id").n_unique().alias("records"))
    words = [
        f"both have the {scheme.upper()} {value}"
        for scheme, value in shared.filter(pl.col("records") > 1).select("scheme", "value").sort("scheme").iter_rows()
    ]
    if found["name"].n_unique() == 1:
        words.append(f"both are called {found['name'][0]}")
    return "; ".join(words)
