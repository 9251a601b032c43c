"""Which technology stands behind each port: here, one process on one machine."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from truetape.adapters.aiohttp_http import AiohttpHttp
from truetape.adapters.aiohttp_socket import AiohttpSockets
from truetape.adapters.data_folder import LEDGER, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.adapters.memory_bus import DeadLetter, MemoryBus
from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.system_clock import SystemClock
from truetape.adapters.watched_store import WatchedStore
from truetape.app.budgets import budgets
from truetape.app.channels import Channels, channels
from truetape.app.database_settings import STORE
from truetape.app.read_side import Reading, read_by_segments
from truetape.app.settings import LEDGER as LEDGER_VARIABLE
from truetape.app.settings import ProviderSettings, Settings
from truetape.app.store_choice import in_database
from truetape.app.tiers import tiered
from truetape.domain.commits import Commits
from truetape.domain.errors import BadInput
from truetape.domain.plans import Budget
from truetape.ports.clock import Clock
from truetape.ports.http import Http
from truetape.ports.provider import Provider
from truetape.ports.tiering import Tiers
from truetape.providers import vendor

if TYPE_CHECKING:
    from truetape.adapters.redis_ledger import RedisLedger

LANES: Final = 4  # instruments that one room handles side by side
ATTEMPTS: Final = 100_000  # a full disk may last for days: the bus waits, and so do the publishers behind it

log = structlog.get_logger()


def _log_dead_letter(letter: DeadLetter) -> None:
    log.error("bus.buried", group=letter.group, message=type(letter.message).__name__, reason=str(letter.error))


@dataclass(frozen=True)
class Parts:
    """Everything that the rooms are built of."""

    folder: DataFolder
    store: WatchedStore
    hot: DuckdbStore | None  # the file that rows are written to; None where they are in a database
    archive: FileArchive
    bus: MemoryBus
    cache: MemoryCache
    clock: SystemClock
    http: AiohttpHttp
    sockets: AiohttpSockets
    ledger: SqliteLedger | RedisLedger
    providers: dict[str, Provider]
    budgets: dict[str, Budget]
    channels: Channels
    commits: Commits
    tiers: Tiers | None  # what moves old rows; None where the settings name no tiers

    async def close(self) -> None:
        """Give everything back, the data folder's lock last."""
        await self.bus.close()
        await self.http.close()
        await self.channels.close()
        await self.store.close()
        await self.ledger.close()
        self.archive.close()
        self.folder.close()


def embedded(settings: Settings, *, command: str) -> Parts:
    """Return the parts of a single process, on DuckDB or on the database that the settings name.

    Raises:
        FolderInUse: Another process owns the data folder.
        WrongFolder: The folder holds the other kind of data.
        CorruptArchive: The end of the journal is damaged.
        StoreUnavailable: The disk is full or failing.
        BadInput: A provider has no plan of the name that the settings give.
    """
    allowed = budgets(settings)
    with contextlib.ExitStack() as opened:
        folder = DataFolder.open(settings.data, simulated=settings.simulated, command=command)
        opened.callback(folder.close)
        archive = FileArchive(folder.archive)
        opened.callback(archive.close)
        reading, commits, hot = _stored(settings, folder)
        opened.pop_all()
    clock = SystemClock()
    http = AiohttpHttp(timeout_s=settings.timeout_s)
    return Parts(
        folder=folder,
        store=WatchedStore(reading.store, is_alone=hot is not None),
        hot=hot,
        archive=archive,
        bus=MemoryBus(lanes=LANES, attempts=ATTEMPTS, on_dead_letter=_log_dead_letter),
        cache=MemoryCache(max_bytes=settings.cache_bytes, clock=clock),
        clock=clock,
        http=http,
        sockets=AiohttpSockets(timeout_s=settings.timeout_s),
        ledger=ledger(settings, clock),
        providers=providers(settings, http),
        budgets=allowed,
        channels=channels(settings.watching.channels, clock=clock),
        commits=commits,
        tiers=reading.tiers,
    )


def _stored(settings: Settings, folder: DataFolder) -> tuple[Reading, Commits, DuckdbStore | None]:
    """Return what the rooms read and write, the account of its commits, and the file that rows are written to.

    Rows in a database are written by several processes: then neither segments nor cold files know of all of them.
    """
    if not settings.database.address:
        store = DuckdbStore(folder.store)
        cold = tiered(settings.tiers, store, data=settings.data, environ=os.environ)
        return read_by_segments(store, cold, settings), store.commits, store
    if settings.tiers.warm:
        fix = f"Rows of a database do not move to cold files: remove it, and write [timescale], or unset {STORE}."
        raise BadInput(parameter="tiers.warm", value=settings.tiers.warm, fix=fix)
    served = in_database(settings.database, simulated=settings.simulated)
    return Reading(served, None), served.commits, None


def ledger(settings: Settings, clock: Clock) -> SqliteLedger | RedisLedger:
    """Return where quotas are counted: a file of the data folder, or the Redis server that the settings name.

    Raises:
        BadInput: The address is no Redis server's, or the package for it is not installed.
    """
    if not settings.ledger:
        return SqliteLedger(settings.data / LEDGER, clock=clock)
    try:
        from truetape.adapters.redis_ledger import RedisLedger

        return RedisLedger(settings.ledger)
    except ImportError:
        fix = "Install the package for Redis: pip install 'truetape[redis]'."
    except ValueError:
        fix = "Write the address of a Redis server, such as redis://127.0.0.1:6379/0."
    raise BadInput(parameter=LEDGER_VARIABLE, value="***", fix=fix)


def providers(settings: Settings, http: Http) -> dict[str, Provider]:
    """Return the providers that the settings enable, in the order of the settings, at the pace that they set."""
    return {
        name: _paced(vendor(name).provider(http, **_given(chosen)), chosen.calls_per_second)
        for name, chosen in settings.providers.items()
        if chosen.enabled
    }


def _given(chosen: ProviderSettings) -> dict[str, str]:
    """Return what the settings say of a provider; its own defaults stand for the rest."""
    given = {"base_url": chosen.base_url, "key": chosen.key, "secret": chosen.secret}
    return {name: text for name, text in given.items() if text}


def _paced(provider: Provider, calls_per_second: float | None) -> Provider:
    if calls_per_second is None:
        return provider
    declared = msgspec.structs.replace(provider.declaration, calls_per_second=calls_per_second)
    return replace(provider, declaration=declared)
