"""Look after the tiers of a running platform: do what is due, read everything now and then, tell what is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl
import structlog

from truetape.adapters.file_archive import FileArchive
from truetape.app.costing import costed
from truetape.app.scrubbing import scrubbed
from truetape.app.tiers import BY_RULE, DAY_S, Lifecycle, lifecycle
from truetape.domain.errors import Terminal
from truetape.domain.schema import TABLES
from truetape.domain.time import DAY_NS
from truetape.ports.tiering import Moved
from truetape.services.storage.lifecycle import Step
from truetape.services.storage.service import StorageService
from truetape.services.storage.troubles import TROUBLE

if TYPE_CHECKING:
    from truetape.app.run import Platform

STATE: Final = "tiers.json"  # of the data folder
DAMAGED: Final = "damaged_file"  # the check that alerts know it by

log = structlog.get_logger()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in a tier."""

    rows: int
    bytes: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How the tiers fared last; instants are UTC nanoseconds, 0 for never."""

    looked: int = 0
    moved_rows: int = 0  # in that look
    waiting: str = ""  # what could not be done, and why
    scrubbed: int = 0
    files: int = 0  # that were read then
    damaged: int = 0  # of those
    tiers: dict[str, Kept] = {}
    costs: dict[str, Any] = {}  # see app.costing


def read_state(folder: Path) -> State | None:
    """Return how the tiers of the data folder `folder` fared last, or None if nobody looked after them yet."""
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


class TierWatch:
    """Look after the tiers of the data folder `folder` as `kept` says."""

    def __init__(self, kept: Lifecycle, archive: FileArchive, folder: Path) -> None:
        self._kept = kept
        self._archive = archive
        self._folder = folder
        self._moved = 0

    async def work(self, storage: StorageService) -> None:
        """Do for ever what is due, and tell `storage` what is damaged.

        Raises:
            StoreUnavailable: A tier cannot be read or written now; the next try goes on.
        """
        while True:
            await self.look(storage)
            await self._kept.clock.sleep(self._kept.settings.every_days * DAY_S)

    async def look(self, storage: StorageService) -> None:
        """Do what is due now.

        Raises:
            StoreUnavailable: A tier cannot be read or written now; what is done stays done.
        """
        before = read_state(self._folder) or State()
        now = self._kept.clock.now_ns()
        self._moved, waiting, damages = 0, "", []
        try:
            await self._kept.run(await self._kept.due(), actor=BY_RULE, on_step=self._count)
        except Terminal as error:
            waiting, damages = str(error), [str(error)]
        state = msgspec.structs.replace(before, looked=now, moved_rows=self._moved, waiting=waiting)
        if now - before.scrubbed >= self._kept.settings.scrub_days * DAY_NS:
            found = await scrubbed(self._kept.tiers, self._archive)
            read = found["cold_files"] + found["payloads"]
            damages += [f"{one['what']} {one['name']}: {one['words']}" for one in found["damaged"]]
            state = msgspec.structs.replace(state, scrubbed=now, files=read, damaged=len(found["damaged"]))
        await self._write(state)
        if damages:
            log.error("tiers.damaged", files=damages[:10], count=len(damages))
            await storage.tell_health(_told(damages, now_ns=now), ts_known=now)

    def _count(self, step: Step, moved: Moved) -> None:
        self._moved += moved.rows
        log.info("tiers.moved", table=step.table, goal=step.goal, rows=moved.rows, bytes=moved.bytes, why=step.why)

    async def _write(self, state: State) -> None:
        held = await self._kept.tiers.holdings()
        summed = held.group_by("tier").agg(pl.col("rows", "bytes").sum()).sort("tier")
        tiers = {name: Kept(rows=rows, bytes=count) for name, rows, count in summed.iter_rows()}
        state = msgspec.structs.replace(state, costs=await costed(self._kept, self._archive, ()))
        draft = self._folder / f".{STATE}"
        draft.write_bytes(msgspec.json.encode(msgspec.structs.replace(state, tiers=tiers)))
        draft.replace(self._folder / STATE)


async def keep_tiers(platform: Platform) -> None:
    """Look after the tiers of `platform` for ever; where the settings name none there is nothing to do for a day.

    Raises:
        StoreUnavailable: A tier cannot be read or written now; the next try goes on.
    """
    kept = lifecycle(platform.parts, platform.settings)
    if kept is None:
        await platform.parts.clock.sleep(DAY_S)
        return
    watch = TierWatch(kept, platform.parts.archive, platform.settings.data)
    await watch.work(platform.rooms.storage)


def _told(damages: list[str], *, now_ns: int) -> pl.DataFrame:
    """Return what is damaged as rows of troubles of no instrument."""
    columns = TABLES["findings"].columns
    blank: dict[str, Any] = {"instrument_id": "", "timeframe": "", "provider": "", "check": DAMAGED}
    rows = [{**blank, "severity": "error", "ts_event": now_ns, "explanation": words} for words in damages]
    plain = {name: pl.Int64() if name == "ts_event" else columns[name] for name in TROUBLE}
    return pl.DataFrame(rows, schema=plain).with_columns(pl.col("ts_event").cast(columns["ts_event"]))
