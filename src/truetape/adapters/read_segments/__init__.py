"""Bars from memory-mapped read segments, made of what any store holds."""

from truetape.adapters.read_segments.building import Builder, Load, Progress, Quiet
from truetape.adapters.read_segments.holdings import Holding, damages, held
from truetape.adapters.read_segments.library import Library
from truetape.adapters.read_segments.store import SegmentedStore
from truetape.adapters.read_segments.tiers import SegmentedTiers

__all__ = [
    "Builder",
    "Holding",
    "Library",
    "Load",
    "Progress",
    "Quiet",
    "SegmentedStore",
    "SegmentedTiers",
    "damages",
    "held",
]
