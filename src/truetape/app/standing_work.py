"""What a platform keeps doing beside its acquisition: each under a name, for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from truetape.app.registers import keep_reviewing
from truetape.app.repair_policies import keep_repairing
from truetape.app.tier_watch import keep_tiers

if TYPE_CHECKING:
    from truetape.app.run import Platform


def standing_work(platform: Platform) -> dict[str, Callable[[], Awaitable[None]]]:
    """Return what to start for each name; it is started again where it ended for a reason that may pass."""
    rooms, clock = platform.rooms, platform.parts.clock
    return {
        "benchmarks": lambda: rooms.benchmarks.work(clock),
        "alerts": rooms.distribution.alarm,
        "freshness": lambda: rooms.quality.watch(clock),
        "days": lambda: rooms.storage.work(clock),
        "repairs": lambda: keep_repairing(platform, clock),
        "lists": rooms.ingestion.registers.work,
        "listings": lambda: keep_reviewing(platform),
        "disk": lambda: platform.disk.work(rooms.storage, clock),
        "tiers": lambda: keep_tiers(platform),
        "backups": lambda: platform.backups.work(rooms.storage),
    }
