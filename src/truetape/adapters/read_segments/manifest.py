"""Which segments there are: one JSON file, replaced as a whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from truetape.adapters.read_segments.files import DRAFT, Part, is_whole, remove, sync
from truetape.adapters.read_segments.layout import layout_stamp, period_named
from truetape.adapters.read_segments.marks import ALL, Span

NAME: Final = "manifest.json"
FORMAT: Final = 1


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one period, which hold everything that the store held of it at `version`."""

    version: int
    parts: tuple[Part, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of the segments.

    `surveyed` names the timeframes whose periods are known, with the version of the store at which they were looked
    for; periods of them without segments and without marks are empty. `marks` are what was written after the segments
    were made, up to the version `known`.
    """

    format: int = FORMAT
    layout: str = ""
    store: str = ""  # whose rows they are
    known: int = 0
    surveyed: dict[str, int] = {}
    filled: dict[str, dict[str, Filled]] = {}  # by timeframe and label of the period
    marks: tuple[Span, ...] = ()
    unfit: tuple[str, ...] = ()  # timeframes with a row that segments cannot hold

    def parts(self) -> list[tuple[str, str, Filled, Part]]:
        """Return every segment with its timeframe, its period's label and what it belongs to."""
        return [
            (timeframe, label, filled, part)
            for timeframe, labels in self.filled.items()
            for label, filled in labels.items()
            for part in filled.parts
        ]


def load(root: Path, *, store: str) -> Manifest:
    """Return what the manifest in `root` says that is true of the store `store`.

    Periods whose files are not those that were written are marked, as if all of them had been written to.
    """
    found = noted(root, store=store)
    return without(found, lost(root, found))


def noted(root: Path, *, store: str) -> Manifest:
    """Return the manifest in `root` as it is; one that is missing, torn, or of another store or form says nothing."""
    fresh = Manifest(layout=layout_stamp(), store=store)
    try:
        found = msgspec.json.decode((root / NAME).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return fresh
    return found if (found.format, found.layout, found.store) == (FORMAT, fresh.layout, store) else fresh


def lost(root: Path, manifest: Manifest) -> list[tuple[str, str]]:
    """Return the periods, as timeframe and label, whose files are not those that were written."""
    return [
        (timeframe, label)
        for timeframe, labels in manifest.filled.items()
        for label, filled in labels.items()
        if not all(is_whole(root, part) for part in filled.parts)
    ]


def without(manifest: Manifest, gone: list[tuple[str, str]]) -> Manifest:
    """Return `manifest` without the segments of the periods `gone`, which are marked as written to instead."""
    if not gone:
        return manifest
    filled = {
        timeframe: {label: one for label, one in labels.items() if (timeframe, label) not in gone}
        for timeframe, labels in manifest.filled.items()
    }
    named = [period_named(*one) for one in gone]
    whole = [Span(one.timeframe, ALL, one.first, one.end - 1) for one in named if one is not None]
    return msgspec.structs.replace(manifest, filled=filled, marks=(*manifest.marks, *whole))


def save(root: Path, manifest: Manifest) -> None:
    """Write `manifest`; a reader finds the old one or the new one, whatever dies on the way.

    Raises:
        OSError: The disk is full or failing; the old one stands.
    """
    root.mkdir(parents=True, exist_ok=True)
    draft = root / f"{DRAFT}{NAME}"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(manifest))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(root / NAME)
    sync(root)


def tidy(root: Path, manifest: Manifest) -> int:
    """Remove drafts and segments that the manifest does not name, and return how many; other files are left alone."""
    named = {root / part.folder for *_, part in manifest.parts()}
    strange = [one for one in root.glob("*/*/*-????????????") if one.is_dir() and one not in named]
    strange += [one for one in root.glob(f"{DRAFT}*") if one.is_dir()]
    for one in strange:
        with contextlib.suppress(OSError):
            remove(root, str(one.relative_to(root)))
    return len(strange)
