"""Back up and prove backups on a schedule, fulfil wishes, and tell loudly when that fails or is overdue."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.backup_settings import Backing, Keep
from truetape.app.backups.asking import LOOKS_EVERY_S, Told, Wanted, progress_of, taken, tell
from truetape.app.backups.catalogue import manifest_named
from truetape.app.backups.creating import Wish, create
from truetape.app.backups.making import cold_places
from truetape.app.backups.memory import BACKUPS
from truetape.app.backups.pruning import prune
from truetape.app.backups.sealing import Opener, identities_in
from truetape.app.backups.standing import Standing, keep_standing, standing_of
from truetape.app.backups.verifying import verify
from truetape.app.disk_watch import Kind, told
from truetape.app.object_places import objects_at
from truetape.domain.durations import spoken
from truetape.domain.errors import TruetapeError
from truetape.services.api.metrics import Family

if TYPE_CHECKING:
    from truetape.app.parts import Parts
    from truetape.app.settings import Settings
    from truetape.ports.clock import Clock
    from truetape.ports.objects import Objects
    from truetape.services.storage.service import StorageService

SECOND: Final = 10**9
RETRY_S: Final = 300.0  # after a failure, or sooner if backups are made more often
LATE: Final = 1.5  # of the time between two, after which the next one is overdue
LOOK_S: Final = 1.0
KINDS: Final = {
    "backup": Kind("backup_trouble", "backup_made", "error"),
    "drill": Kind("backup_damaged", "backup_verified", "error"),
}

log = structlog.get_logger()


class BackupWatch:
    """Backups of the data folder `folder` as `settings` want them, made of `store` (None: rows lie in a database)."""

    def __init__(
        self,
        settings: Backing,
        folder: Path,
        store: DuckdbStore | None,
        clock: Clock,
        *,
        cold: Mapping[str, Objects] = MappingProxyType({}),
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._store = store
        self._clock = clock
        self._cold = cold
        self._told: dict[str, str] = {}
        self.standing = standing_of(folder)
        if self.standing.place != settings.to:
            self.standing = Standing(place=settings.to, since=clock.now_ns())

    def troubles(self) -> dict[str, str]:
        """Return what is wrong now, by the key of KINDS; empty when nothing is."""
        one, wanted, now = self.standing, self._settings, self._clock.now_ns()
        found: dict[str, str] = {}
        if not wanted.to:
            return found
        if one.failed:
            found["backup"] = f"No backup was made at {wanted.to}: {one.failed}"
        elif late := _late(now, one.made or one.since, wanted.every_s):
            found["backup"] = (
                f"The last backup at {wanted.to} is {late} old; one is due every {spoken(wanted.every_s)}."
            )
        if one.damaged:
            found["drill"] = f"The backup {one.backup_id} at {wanted.to} was not proved: {one.damaged}"
        elif late := _late(now, one.proved or one.since, wanted.verify_every_s):
            due = spoken(wanted.verify_every_s)
            found["drill"] = f"No backup at {wanted.to} has been proved for {late}; that is due every {due}."
        return found

    def families(self) -> Iterator[Family]:
        """Yield how old the newest backup and the last proof are, as Prometheus is told."""
        one, now = self.standing, self._clock.now_ns()
        for name, words, at in (
            ("backup_age_seconds", "Age of the newest backup.", one.made),
            ("backup_proof_age_seconds", "Time since a backup was last proved.", one.proved),
        ):
            if at:
                yield Family(name, words, (), {(): (now - at) / SECOND}, grows=False)
        troubles = self.troubles()
        yield Family(
            "backup_troubles",
            "Whether backups fail, or are not proved.",
            ("kind",),
            {(kind,): int(kind in troubles) for kind in KINDS},
            grows=False,
        )

    async def work(self, storage: StorageService) -> None:
        """Make and prove backups when they are due or wished for, and tell what goes wrong and ends, for ever."""
        for left in await asyncio.to_thread(lambda: list(self._scratch.glob("verify-*"))):
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)  # a drill that was killed
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep())
            tasks.create_task(self._watch(storage))

    async def look(self, storage: StorageService) -> None:
        """Tell what has begun or ended since the last look; other words for the same trouble are no news."""
        found = self.troubles()
        begun = {kind: words for kind, words in found.items() if kind not in self._told}
        ended = [kind for kind in self._told if kind not in found]
        self._told = found
        if begun or ended:
            now = self._clock.now_ns()
            await storage.tell_health(told(begun, ended, now_ns=now, kinds=KINDS), ts_known=now)

    async def due(self) -> None:
        """Make a backup if one is due, and prove the newest if that is."""
        one, wanted, now = self.standing, self._settings, self._clock.now_ns()
        if not wanted.to:
            return
        if _is_due(now, one.made, one.tried if one.failed else 0, wanted.every_s):
            await self._back_up()
            one = self.standing
        if one.backup_id and _is_due(now, one.proved, one.drilled if one.damaged else 0, wanted.verify_every_s):
            await self._prove()

    async def fulfil(self, wanted: Wanted) -> None:
        """Make the backup that somebody at this machine wished for, and tell them."""
        show = progress_of(self._folder, wanted.wish_id)
        wish = self._wish(wanted.label, wanted.recipient, wanted.settings)
        answer = Told(wish_id=wanted.wish_id)
        try:
            made = await create(wish, self._store, objects_at(wanted.place, os.environ), on_progress=show)
            answer = msgspec.structs.replace(answer, done=made.size, total=made.size, manifest=made)
        except TruetapeError as problem:
            answer = msgspec.structs.replace(answer, error=str(problem))
        await asyncio.to_thread(tell, self._folder, answer)

    async def _keep(self) -> None:
        while True:
            wanted = await asyncio.to_thread(taken, self._folder)
            if wanted is not None:
                await self.fulfil(wanted)
            await self.due()
            await self._clock.sleep(LOOKS_EVERY_S)

    async def _watch(self, storage: StorageService) -> None:
        while True:
            await self.look(storage)
            await self._clock.sleep(LOOK_S)

    async def _back_up(self) -> None:
        now, failed = self._clock.now_ns(), ""
        wish = self._wish("scheduled", self._settings.recipient, self._settings.config)
        try:
            place = objects_at(self._settings.to, os.environ)
            made = await create(wish, self._store, place, now=self._clock.now_ns)
            self._note(made=made.created, backup_id=made.backup_id)
            log.info("backup.made", backup=made.backup_id, bytes=made.size, added=made.added, version=made.version)
            if made.damaged:
                failed = f"{made.damaged} payloads of the archive are damaged and not in it."
            if self._settings.keep != Keep():
                await prune(place, self._settings.keep, now=self._clock.now_ns, dry=False)
        except TruetapeError as problem:
            failed = str(problem)
        if failed:
            log.error("backup.failed", place=self._settings.to, reason=failed)
        self._note(tried=now, failed=failed)

    async def _prove(self) -> None:
        one, now, damaged, opened = self.standing, self._clock.now_ns(), "", False
        try:
            objects = objects_at(self._settings.to, os.environ)
            identities = identities_in(Path(self._settings.identity)) if self._settings.identity else ()
            manifest = await manifest_named(objects, one.backup_id)
            opener = Opener(objects, identities)
            await asyncio.to_thread(self._scratch.mkdir, mode=0o700, parents=True, exist_ok=True)
            found = await verify(manifest, opener=opener, scratch=self._scratch, against=self._store)
            opened = found.opened
            unlike = [f"{two.name}: {two.found} instead of {two.expected}" for two in found.compared if not two.same]
            damaged = "; ".join(unlike)[:1_000]
        except (TruetapeError, OSError) as problem:
            damaged = str(problem)
        if damaged:
            log.error("backup.damaged", backup=one.backup_id, reason=damaged)
            self._note(drilled=now, damaged=damaged)
        else:
            log.info("backup.proved", backup=one.backup_id, opened=opened)
            self._note(drilled=now, damaged="", proved=now, proved_id=one.backup_id, opened=opened)

    def _wish(self, label: str, recipient: str, config: str) -> Wish:
        settings = Path(config) if config else None
        return Wish(self._folder, label=label, recipient=recipient, settings=settings, cold=self._cold)

    @property
    def _scratch(self) -> Path:
        return Path(self._settings.scratch) if self._settings.scratch else self._folder / BACKUPS

    def _note(self, **changed: object) -> None:
        self.standing = msgspec.structs.replace(self.standing, **changed)
        keep_standing(self._folder, self.standing)


def backup_watch(parts: Parts, settings: Settings) -> BackupWatch:
    """Return the backups of a platform. Where its rows lie in a database, that is backed up by means of its own."""
    cold = cold_places(settings.tiers)
    return BackupWatch(settings.backup, settings.data, parts.hot, parts.clock, cold=cold)


def _late(now: int, last: int, every_s: float) -> str:
    """Return how long ago `last` was if that is too long, "" if not."""
    age_s = (now - last) / SECOND
    return spoken(age_s) if age_s > LATE * every_s else ""


def _is_due(now: int, last: int, failed: int, every_s: float) -> bool:
    """Return whether it is time again, after the last success or failure."""
    if failed:
        return now - failed >= min(RETRY_S, every_s) * SECOND
    return now - last >= every_s * SECOND
