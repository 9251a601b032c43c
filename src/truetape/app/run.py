"""Run the platform in one process: start, acquire, serve, stop; and replay an archive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog

from truetape.adapters.data_folder import ARCHIVE
from truetape.adapters.file_archive import FileArchive
from truetape.app.backups.keeping import BackupWatch, backup_watch
from truetape.app.classifying import classify_here, retell
from truetape.app.correcting import correct_here, tell_file
from truetape.app.deciding import decision, subject_of
from truetape.app.disk_watch import DiskWatch, disk_watch
from truetape.app.measures import families, lanes
from truetape.app.merging import merge_here
from truetape.app.naming import again, name_here, rename
from truetape.app.object_places import secrets_of
from truetape.app.parts import Parts, embedded
from truetape.app.repair_policies import Repairing, check_policy, settle_by_policy
from truetape.app.replay_settings import replay_settings
from truetape.app.settings import ProviderSettings, Settings
from truetape.app.standing_work import standing_work
from truetape.app.stating import restate, state_here
from truetape.app.telemetry import close_log, log_to_file
from truetape.app.troubles import TroubleTeller
from truetape.app.wiring import Rooms, wire
from truetape.domain.class_messages import ClassesTold
from truetape.domain.errors import Transient
from truetape.domain.hiding import veil
from truetape.domain.identity import job_id
from truetape.domain.messages import (
    BackfillRequested,
    CalendarsCorrected,
    DecisionMade,
    InstrumentsDeclared,
    InstrumentsMerged,
    RawCaptured,
    SnapshotNamed,
    StreamCaptured,
)
from truetape.domain.time import DAY_NS, to_datetime
from truetape.ports.archive import Archive, Attempted
from truetape.providers import NAMES
from truetape.services.api.backfills import Wanted
from truetape.services.api.config import ApiConfig
from truetape.services.api.merging import Merged, Wish
from truetape.services.api.rest import build
from truetape.services.api.ruling import Ruling
from truetape.services.api.serve import Served

log = structlog.get_logger()
LOG: Final = "truetape.log"
TROUBLE_POLL_S: Final = 0.5
SAID: Final = (InstrumentsDeclared, InstrumentsMerged, CalendarsCorrected, ClassesTold, SnapshotNamed)
PAUSE_S: Final = 5.0  # before work that failed is tried again

W = TypeVar("W", bound=msgspec.Struct)


@dataclass
class Platform:
    """The nine rooms in one process, as an async context manager."""

    settings: Settings
    command: str
    parts: Parts = field(init=False)
    rooms: Rooms = field(init=False)
    disk: DiskWatch = field(init=False)
    backups: BackupWatch = field(init=False)
    address: str = ""
    ready: bool = False
    _decided_ns: int = 0  # when the last decision was made
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def __aenter__(self) -> Self:
        """Open the data folder and let every room listen.

        Raises:
            FolderInUse: Another process owns the data folder.
            WrongFolder: The folder holds the other kind of data.
        """
        self._stack.callback(close_log)
        self.parts = embedded(self.settings, command=self.command)
        self._stack.push_async_callback(self.parts.close)
        log_to_file(self.settings.data / LOG, secrets=_secrets(self.settings))
        self.rooms = wire(self.parts, self.settings)
        self.disk = disk_watch(self.parts, self.settings, self.rooms.ingestion.tally)
        self.backups = backup_watch(self.parts, self.settings)
        self.rooms.subscribe()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def serve(self) -> str:
        """Answer requests from now on, and return the address.

        Raises:
            PortInUse: Another program listens on the port.
        """
        parts = self.parts
        app = build(
            store=parts.store,
            archive=parts.archive,
            cache=parts.cache,
            clock=parts.clock,
            config=ApiConfig(),
            readiness=self.readiness,
            families=lambda: chain(
                families(self.rooms), lanes(parts.bus.stats()), self.disk.families(), self.backups.families()
            ),
            accept=self._accept,
            decide=self._decide,
            name=lambda wanted: name_here(self, wanted),
            merge=self.merge,
            state=lambda wanted: state_here(self, wanted),
            correct=lambda mic, wanted: correct_here(self, mic, wanted),
            load=lambda taxonomy, wanted: classify_here(self, taxonomy, wanted),
        )
        served = await self._stack.enter_async_context(Served(app, self.settings.host, self.settings.port))
        self.address = served.address
        parts.folder.announce(self.address)
        log.info("api.listening", address=self.address)
        return self.address

    async def recover(self) -> None:
        """Finish what a crash of the last process cut short, and go on with its alerts."""
        await self.rooms.distribution.recall()
        await self.rooms.quality.recall()
        await self.rooms.processing.resume()
        await rename(self)
        await retell(self)
        await restate(self)
        await self.rooms.ingestion.resume()
        await self.rooms.storage.catch_up()

    async def declare(self) -> None:
        """Tell what the settings ask for, and return when it is planned."""
        await tell_file(self)
        message = _declared(self.settings, now_ns=self.parts.clock.now_ns())
        last = await asyncio.to_thread(self._last_declared)
        if last is not None and msgspec.structs.replace(message, ts_known=last.ts_known) == last:
            message = last
        else:
            await asyncio.to_thread(self.parts.archive.record, message)
        await self.parts.bus.publish(message)
        await self.parts.bus.drain()
        self.ready = True

    def _last_declared(self) -> InstrumentsDeclared | None:
        declared = [entry for entry in self.parts.archive.journal() if isinstance(entry, InstrumentsDeclared)]
        return declared[-1] if declared else None

    async def _accept(self, wanted: Wanted) -> tuple[str, int]:
        request = await self.backfill(wanted)
        return request.job_id, request.ts_known

    async def backfill(self, wanted: Wanted) -> BackfillRequested:
        """Ask the ingestion room for history, and return what was asked: it is in the journal, and outlives a crash.

        Raises:
            StoreUnavailable: The journal cannot be written now; nothing was asked.
        """
        asked = {name: getattr(wanted, name) for name in ("symbols", "kind", "timeframe", "start", "end")}
        now = self.parts.clock.now_ns()
        request = BackfillRequested(
            job_id=job_id(**asked, ts_known=now), ts_known=now, simulated=self.settings.simulated, **asked
        )
        await asyncio.to_thread(self.parts.archive.record, request)
        await self.parts.bus.publish(request)
        return request

    async def _decide(self, target: str, ruling: Ruling) -> tuple[str, int]:
        made = await self.decide(target, ruling)
        return made.decision_id, made.ts_known

    async def decide(self, target: str, ruling: Ruling) -> DecisionMade:
        """Tell that somebody decided about `target`, and return what was told: it is in the journal before it acts.

        Raises:
            UnknownTarget: Nothing has this id.
            BadInput: The ruling cannot be made about it.
            StoreUnavailable: The journal cannot be written now; nothing was decided.
        """
        hidden = veil(*_secrets(self.settings))
        ruling = msgspec.structs.replace(ruling, why=hidden.over(ruling.why), actor=hidden.over(ruling.actor))
        subject = await subject_of(self.parts.store, self.parts.clock, target, ruling)
        await check_policy(self.parts.store, self.settings.repairing, ruling, subject.instrument_id)
        async with self.rooms.ingestion.turn:
            self._decided_ns = max(self.parts.clock.now_ns(), self._decided_ns + 1)
            made = decision(subject, ruling, ts_known=self._decided_ns, simulated=self.settings.simulated)
            await asyncio.to_thread(self.parts.archive.record, made)
            await self.parts.bus.publish(made)
        return made

    def veiled(self, wish: W, *names: str) -> W:
        """Return `wish` with the secrets of the settings hidden in the texts called `names`."""
        hidden = veil(*_secrets(self.settings))
        return msgspec.structs.replace(wish, **{name: hidden.over(getattr(wish, name)) for name in names})

    async def merge(self, wish: Wish) -> Merged:
        """Merge two records or take that back, and return what was told: it is in the journal before it acts.

        Raises:
            UnknownTarget: There is no such record.
            BadInput: The records cannot be merged, or the record is merged into none.
            StoreUnavailable: The journal cannot be written now; nothing was told.
        """
        return await merge_here(self, self.veiled(wish, "why", "actor", "evidence"))

    async def acquire(self) -> None:
        """Run every planned round once, and return when its rows are stored and derived."""
        await self.rooms.ingestion.work(until_idle=True)
        await self.settle()
        await settle_by_policy(self)

    async def settle(self) -> None:
        """Return when everything told has been handled, and what is derived from all of it is computed."""
        await self.parts.bus.drain()
        await self.rooms.reference.settle()
        await self.rooms.benchmarks.settle()
        await self.rooms.storage.settle()
        await self.parts.bus.drain()

    def readiness(self) -> dict[str, str]:
        """Return what is not as it should be, by part; empty when all is well."""
        troubles = {} if self.ready else {"start": "the rooms are still planning"}
        for name, words in self.rooms.ingestion.tally.last_failure.items():
            if not self.rooms.ingestion.tally.delivered[name]:
                troubles[f"provider {name}"] = words
        for name, tally in self.rooms.ingestion.live.tally.items():
            troubles |= {f"stream {place}": words for place, words in tally.troubles.items()}
            troubles |= {f"stream {name}": f"{why}: {', '.join(left)}" for why, left in tally.left_out.items()}
        for series, words in self.rooms.ingestion.tally.left_out.items():
            troubles[f"series {series}"] = f"nobody can be asked about it: {words}"
        troubles |= self.waits() | self.disk.troubles()
        if self.parts.bus.dead_letters:
            troubles["dead letters"] = f"{len(self.parts.bus.dead_letters)} messages could not be handled"
        return troubles

    def waits(self) -> dict[str, str]:
        """Return why work stands still, by room: a full disk, mostly. It goes on by itself when that has passed."""
        archive = self.rooms.ingestion.tally.archive_trouble
        return self.parts.bus.waits | ({"ingestion": archive} if archive else {})


def _secrets(settings: Settings) -> tuple[str, ...]:
    keys = [one for each in settings.providers.values() for one in (each.key, each.secret)]
    told = [secret for one in settings.watching.channels.values() for secret in one.secrets]
    told += [*settings.database.secrets, *secrets_of(os.environ)]
    return (*keys, *told, settings.ledger, urlsplit(settings.ledger).password or "")


def _declared(settings: Settings, *, now_ns: int) -> InstrumentsDeclared:
    return InstrumentsDeclared(
        listings=settings.instruments,
        repair=msgspec.to_builtins(settings.repairing) if settings.repairing != Repairing() else {},
        start=settings.start,
        end=settings.end or last_full_day(now_ns),
        ts_known=now_ns,
        simulated=settings.simulated,
        trust={name: one.trust for name, one in settings.providers.items() if one.trust is not None},
        venues=settings.calendars.venues,
        until=settings.calendars.until(settings.end, now_ns=now_ns),
    )


def last_full_day(now_ns: int) -> date:
    """Return the last date that has ended everywhere that matters: the day before yesterday's midnight in UTC."""
    return (to_datetime(now_ns) - timedelta(days=1)).date()


async def up(
    settings: Settings,
    *,
    on_start: Callable[[Platform], None] = lambda _: None,
    on_trouble: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve what the folder holds, acquire what is missing, and keep both going until cancelled.

    Raises:
        FolderInUse, WrongFolder, PortInUse: As their names say; nothing was started.
    """
    async with Platform(settings, command="truetape up") as platform:
        await platform.serve()
        await platform.recover()
        await platform.declare()
        on_start(platform)
        rooms = platform.rooms
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rooms.ingestion.work())
            tasks.create_task(rooms.ingestion.listen())
            tasks.create_task(_lasting(platform, "refresh", lambda: _refresh(platform)))
            for name, work in standing_work(platform).items():
                tasks.create_task(_lasting(platform, name, work))
            tasks.create_task(_tell_troubles(platform, on_trouble))


async def _lasting(platform: Platform, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Keep `work` going: what may pass, such as a full disk, is told to the log and waited for."""
    while True:
        try:
            await work()
        except Transient as error:
            log.warning("platform.waiting", work=name, reason=str(error))
        await platform.parts.clock.sleep(PAUSE_S)


async def _refresh(platform: Platform) -> None:
    """Ask for new sessions when a day has passed."""
    while True:
        await platform.parts.clock.sleep(platform.settings.refresh_s)
        await platform.declare()


async def _tell_troubles(platform: Platform, on_trouble: Callable[[str], None]) -> None:
    teller = TroubleTeller(on_trouble)
    while True:
        teller.look(platform)
        await platform.parts.clock.sleep(TROUBLE_POLL_S)


@dataclass(frozen=True)
class Report:
    """What a replay did."""

    captures: int
    rounds: int
    rejected: int
    buried: int
    seconds: float


async def replay(source: Path, target: Path, *, on_progress: Callable[[int], None] = lambda _: None) -> Report:
    """Tell the journal of `source` again to the rooms of an empty data folder `target`.

    The rows come out as they were, value for value, with the same versions and knowledge times; `target` gets a
    copy of the journal and the payloads too, so that it is a complete data folder afterwards.

    Raises:
        BadInput: `source` is no data folder, or `target` is not empty.
        CorruptArchive: A payload or an entry is damaged.
    """
    started = time.perf_counter()
    counts: Counter[str] = Counter()
    settings = replay_settings(source, target)
    origin = FileArchive(source / ARCHIVE, read_only=True)
    settings = msgspec.structs.replace(settings, providers=await asyncio.to_thread(asked_providers, origin))
    async with Platform(settings, command="truetape replay") as platform:
        archive, bus = platform.parts.archive, platform.parts.bus
        day = 0
        for number, entry in enumerate(origin.journal(), start=1):
            if isinstance(entry, RawCaptured | StreamCaptured) or (isinstance(entry, Attempted) and entry.key):
                archive.put(origin.get(entry.key))
            archive.record(entry)
            counts[type(entry).__name__] += 1
            if isinstance(entry, Attempted | BackfillRequested):
                continue
            if entry.ts_known // DAY_NS != day or isinstance(entry, InstrumentsMerged):
                await bus.drain()  # each day is weighed by the votes before it, and a list by the records then
                day = entry.ts_known // DAY_NS
            await bus.publish(await again(platform, entry) if isinstance(entry, SnapshotNamed) else entry)
            if isinstance(entry, SAID):
                await bus.drain()  # what comes later is judged by the calendar, and is no part of what has a name
            on_progress(number)
        await platform.settle()
        rejected = await platform.parts.store.read("rejected_payloads")
        return Report(
            captures=counts["RawCaptured"],
            rounds=counts["RoundClosed"],
            rejected=len(rejected),
            buried=len(bus.dead_letters),
            seconds=time.perf_counter() - started,
        )


def asked_providers(archive: Archive) -> dict[str, ProviderSettings]:
    """Return settings for every provider whose answers `archive` holds: enough to read them, without a key."""
    asked = {one.provider for one in archive.journal() if isinstance(one, RawCaptured | StreamCaptured)}
    return {name: ProviderSettings() for name in asked & {*NAMES}}
