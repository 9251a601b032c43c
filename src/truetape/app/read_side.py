"""What a platform reads its store by: cold files and read segments, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from truetape.adapters.data_folder import STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Quiet, SegmentedStore, SegmentedTiers
from truetape.adapters.tiered_store import TieredStore
from truetape.app.segments import segmented
from truetape.app.settings import Settings
from truetape.app.tiers import Tiered
from truetape.domain.errors import StoreUnavailable
from truetape.ports.tiering import Tiers

if TYPE_CHECKING:
    from truetape.adapters.timescale_store import TimescaleStore


AnyStore: TypeAlias = "DuckdbStore | TieredStore | SegmentedStore | TimescaleStore"


@dataclass(frozen=True)
class Reading:
    """The store that the rooms read and write, and what moves its rows."""

    store: AnyStore
    tiers: Tiers | None


def read_by_segments(store: DuckdbStore, cold: Tiered | None, settings: Settings) -> Reading:
    """Return `store`, with its cold files if it has any, with the segments that `settings` place.

    Raises:
        StoreUnavailable: The folder of the segments cannot be made.
    """
    outer = cold.store if cold else store
    if not settings.segments:
        return Reading(outer, cold.tiers if cold else None)
    path = settings.data / STORE
    try:
        found = segmented(outer, path, place=settings.segments, quiet=Quiet(), reads_cold=cold is not None)
    except OSError as error:
        raise StoreUnavailable(path=settings.segments, reason=error.strerror or str(error)) from None
    return Reading(found, SegmentedTiers(cold.tiers, found.library) if cold else None)
