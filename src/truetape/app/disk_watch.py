"""Watch whether rows can be written, and tell it loudly when they cannot: readiness, alerts, metrics."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl
import structlog

from truetape.app.disk_settings import Disk
from truetape.app.parts import Parts
from truetape.app.settings import Settings
from truetape.domain.commits import Commits
from truetape.domain.schema import TABLES
from truetape.ports.clock import Clock
from truetape.services.api.metrics import Family
from truetape.services.ingestion.tally import Tally
from truetape.services.storage.service import StorageService
from truetape.services.storage.troubles import TROUBLE

LOOK_S: Final = 1.0
GIGABYTE: Final = 10**9
WELL: Final = "It is over."

log = structlog.get_logger()


class Kind(NamedTuple):
    """A trouble of the disk: the checks that alerts know it by, from its beginning to its end."""

    begins: str
    ends: str
    severity: str


KINDS: Final = {
    "store": Kind("store_trouble", "store_well", "error"),
    "archive": Kind("archive_trouble", "archive_well", "error"),
    "disk": Kind("disk_low", "disk_roomy", "warning"),
}


class DiskWatch:
    """What is wrong with the store and the archive of the data folder `folder` and its disk, by the key of KINDS.

    `archive` returns why the archive takes nothing now, "" while it does.
    """

    def __init__(self, commits: Commits, folder: Path, *, archive: Callable[[], str], disk: Disk) -> None:
        self._commits = commits
        self._archive = archive
        self._folder = folder
        self._disk = disk
        self.begun: dict[str, str] = {}  # what is wrong since some look, in the words of that time

    def troubles(self) -> dict[str, str]:
        """Return what is wrong now; empty when nothing is."""
        store = self._commits.trouble(slow_s=self._disk.slow_s)
        found = {"store": store, "archive": self._archive(), "disk": self._low()}
        return {kind: words for kind, words in found.items() if words}

    def families(self) -> Iterator[Family]:
        """Yield how commits and the disk fare, as Prometheus is told."""
        one = self._commits
        yield Family("commits", "Commits that are durable.", (), {(): one.done})
        yield Family("commits_failed", "Commits that the store could not write.", (), {(): one.failed})
        yield Family("commit_seconds", "Seconds that commits took, together.", (), {(): one.seconds})
        yield Family("commits_waiting", "Commits under way.", (), {(): one.waiting}, grows=False)
        yield Family(
            "oldest_commit_seconds", "How long the oldest of them has waited.", (), {(): one.oldest_s()}, grows=False
        )
        yield Family("disk_free_bytes", "Room on the disk of the data folder.", (), {(): self._free()}, grows=False)

    async def work(self, storage: StorageService, clock: Clock) -> None:
        """Look once a second, and tell what begins and what ends, for ever."""
        while True:
            await self.look(storage, now_ns=clock.now_ns())
            await clock.sleep(LOOK_S)

    async def look(self, storage: StorageService, *, now_ns: int) -> None:
        """Tell what has begun or ended since the last look; other words for the same trouble are no news."""
        found = self.troubles()
        if found.keys() == self.begun.keys():
            return
        begun = {kind: words for kind, words in found.items() if kind not in self.begun}
        ended = [kind for kind in self.begun if kind not in found]
        self.begun = {kind: self.begun.get(kind, words) for kind, words in found.items()}
        for kind, words in begun.items():
            log.error("disk.trouble", kind=kind, reason=words)
        for kind in ended:
            log.info("disk.well", kind=kind)
        await storage.tell_health(told(begun, ended, now_ns=now_ns), ts_known=now_ns)

    def _low(self) -> str:
        free, least = self._free(), self._disk.low_bytes
        if free >= least:
            return ""
        return f"{free / GIGABYTE:.2f} GB are free on the disk of {self._folder}; less than {least / GIGABYTE:g} GB."

    def _free(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize


def disk_watch(parts: Parts, settings: Settings, tally: Tally) -> DiskWatch:
    """Return the watch of a platform built of `parts`; `tally` is what its ingestion room counts."""
    disk = settings.watching.disk
    return DiskWatch(parts.commits, settings.data, archive=lambda: tally.archive_trouble, disk=disk)


def told(begun: Mapping[str, str], ended: list[str], *, now_ns: int, kinds: Mapping[str, Kind] = KINDS) -> pl.DataFrame:
    """Return what has begun, with its words, and what has ended, as rows of troubles of no instrument."""
    rows = [(kinds[kind].begins, kinds[kind].severity, words) for kind, words in begun.items()]
    rows += [(kinds[kind].ends, "note", WELL) for kind in ended]
    found = pl.DataFrame(rows, schema=["check", "severity", "explanation"], orient="row")
    columns = TABLES["findings"].columns
    given = found.with_columns(
        pl.lit("").alias("instrument_id"),
        pl.lit("").alias("timeframe"),
        pl.lit("").alias("provider"),
        pl.lit(now_ns, dtype=pl.Int64).alias("ts_event"),
    )
    return given.select(pl.col(name).cast(columns[name]) for name in TROUBLE)
