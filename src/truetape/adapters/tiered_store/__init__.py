"""A store whose old rows lie in cold files: one answer over all tiers."""

from truetape.adapters.tiered_store.cold import ColdFiles
from truetape.adapters.tiered_store.store import TieredStore
from truetape.adapters.tiered_store.tiers import ColdTiers

__all__ = ["ColdFiles", "ColdTiers", "TieredStore"]
