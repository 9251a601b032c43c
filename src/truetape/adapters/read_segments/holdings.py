"""What there is of segments, as people ask for it: by period, with what they lack, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from truetape.adapters.read_segments.files import damage
from truetape.adapters.read_segments.manifest import Manifest, load, noted
from truetape.adapters.read_segments.marks import Marks


@dataclass(frozen=True)
class Holding:
    """What the segments of one period are: how many bars and bytes, and of how many instruments something is newer."""

    timeframe: str
    period: str  # a year, a month, or before and after those that are told apart
    version: int  # of the store that they were made of; 0: they are still to be made
    segments: int
    rows: int
    size: int  # bytes
    behind: int


def held(root: Path, *, store: str) -> list[Holding]:
    """Return what the segments in `root` of the store `store` are, as they were noted last."""
    manifest = load(root, store=store)
    marks = Marks()
    marks.add(manifest.marks, version=manifest.known)
    return holdings(manifest, behind=marks.labels())


def damages(root: Path, *, store: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each segment's folder with what is wrong with its files, after reading every byte of them."""
    for *_, part in noted(root, store=store).parts():
        yield part.folder, damage(root, part)


def holdings(manifest: Manifest, *, behind: Mapping[tuple[str, str], int]) -> list[Holding]:
    """Return what `manifest` names, and what is only `behind`, by timeframe and period."""
    filled = {(name, label): one for name, labels in manifest.filled.items() for label, one in labels.items()}
    found = []
    for timeframe, label in sorted({*filled, *behind}):
        one = filled.get((timeframe, label))
        parts = one.parts if one is not None else ()
        found.append(
            Holding(
                timeframe=timeframe,
                period=label,
                version=one.version if one is not None else 0,
                segments=len(parts),
                rows=sum(part.rows for part in parts),
                size=sum(part.size for part in parts),
                behind=behind.get((timeframe, label), 0),
            )
        )
    return found
