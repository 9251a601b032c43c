"""Bars from memory-mapped read segments, made of what any store holds."""

from truetape.adapters.read_segments.building import Builder, Load, Progress, Quiet
from truetape.adapters.read_segments.library import Holding, Library
from truetape.adapters.read_segments.store import SegmentedStore

__all__ = ["Builder", "Holding", "Library", "Load", "Progress", "Quiet", "SegmentedStore"]
