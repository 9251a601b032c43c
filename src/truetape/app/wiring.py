"""Nine rooms, built of their parts and listening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from truetape.app.check_settings import tuned
from truetape.app.parts import Parts
from truetape.app.settings import Settings
from truetape.app.user_checks import user_checks
from truetape.services.api.service import ApiService
from truetape.services.benchmarks.config import BenchmarksConfig
from truetape.services.benchmarks.service import BenchmarksService
from truetape.services.corporate_actions.config import CorporateActionsConfig
from truetape.services.corporate_actions.service import CorporateActionsService
from truetape.services.distribution.config import DistributionConfig
from truetape.services.distribution.service import DistributionService
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.connection import Ways
from truetape.services.ingestion.service import IngestionService
from truetape.services.ingestion.streams import StreamsConfig
from truetape.services.processing.config import ProcessingConfig
from truetape.services.processing.service import ProcessingService
from truetape.services.quality.config import QualityConfig
from truetape.services.quality.service import QualityService
from truetape.services.reference.config import ReferenceConfig
from truetape.services.reference.service import ReferenceService
from truetape.services.storage.config import StorageConfig
from truetape.services.storage.service import StorageService


@dataclass(frozen=True)
class Rooms:
    """The nine services."""

    ingestion: IngestionService
    processing: ProcessingService
    quality: QualityService
    storage: StorageService
    distribution: DistributionService
    reference: ReferenceService
    corporate_actions: CorporateActionsService
    benchmarks: BenchmarksService
    api: ApiService

    def subscribe(self) -> None:
        """Let every room hear the others."""
        for room in vars(self).values():
            room.subscribe()


def wire(parts: Parts, settings: Settings) -> Rooms:
    """Return the rooms, not yet listening."""
    bus, store = parts.bus, parts.store
    simulated = settings.simulated
    own = user_checks(settings.checking.folder)
    checks = tuned(settings.checking, settings.instruments, own)
    quality = QualityConfig(
        **voting(parts, settings), checks=checks, freshness=settings.watching.freshness, simulated=simulated
    )
    return Rooms(
        ingestion=IngestionService(
            bus=bus,
            store=store,
            archive=parts.archive,
            clock=parts.clock,
            providers=parts.providers,
            config=ingestion_config(settings),
            ledger=parts.ledger,
            budgets=parts.budgets,
            ways=Ways(parts.sockets, parts.http),
        ),
        processing=ProcessingService(
            bus=bus,
            store=store,
            archive=parts.archive,
            providers=parts.providers,
            config=ProcessingConfig(simulated=simulated),
        ),
        quality=QualityService(bus=bus, store=store, config=quality, user_checks=own),
        storage=StorageService(bus=bus, store=store, config=StorageConfig(simulated=simulated)),
        distribution=_distribution(parts, settings),
        reference=ReferenceService(bus=bus, store=store, config=_reference(settings)),
        corporate_actions=CorporateActionsService(bus=bus, store=store, config=CorporateActionsConfig()),
        benchmarks=BenchmarksService(bus=bus, store=store, config=BenchmarksConfig()),
        api=ApiService(),
    )


def _reference(settings: Settings) -> ReferenceConfig:
    return ReferenceConfig(most_gone=settings.reference.most_gone)


def _distribution(parts: Parts, settings: Settings) -> DistributionService:
    return DistributionService(
        bus=parts.bus,
        store=parts.store,
        cache=parts.cache,
        clock=parts.clock,
        config=DistributionConfig(rules=settings.watching.rules, simulated=settings.simulated),
        notifiers=parts.channels.notifiers,
    )


def voting(parts: Parts, settings: Settings) -> dict[str, Any]:
    """Return the quality room's part of the settings that says how it votes."""
    declared = {name: provider.declaration for name, provider in parts.providers.items()}
    return {
        "trust": {name: one.trust for name, one in declared.items()},
        "sources": {name: one.relays for name, one in declared.items() if one.relays},
        **msgspec.structs.asdict(settings.consensus),
    }


def ingestion_config(settings: Settings) -> IngestionConfig:
    """Return the ingestion room's part of the settings."""
    return IngestionConfig(
        start=settings.start,
        end=settings.end or settings.start,
        timeframe=settings.timeframe,
        pairs=settings.pairs,
        registers=settings.reference.lists,
        policies=settings.policies,
        attempts=settings.attempts,
        backoff_s=settings.backoff_s,
        retry_round_s=settings.refresh_s,
        spend_evenly=settings.spend_evenly,
        streams=StreamsConfig(channels=settings.streams),
        simulated=settings.simulated,
    )
