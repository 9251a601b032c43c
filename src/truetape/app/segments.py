"""Read segments beside a store: where they lie, and the store that reads them."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from truetape.adapters.data_folder import STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.read_segments import Quiet, SegmentedStore, SegmentedTiers
from truetape.adapters.read_segments.store import ClosableStore
from truetape.adapters.tiered_store import TieredStore
from truetape.app.settings import Settings
from truetape.app.tiers import Tiered
from truetape.domain.errors import StoreUnavailable
from truetape.ports.tiering import Tiers

SEGMENTS: Final = "segments"  # of the data folder; a link where the settings name another place
COLD: Final = "+cold"  # of the name of a store that reads cold files too
_HEADER: Final = 4096  # bytes of a DuckDB file that are written once, with a number drawn for it


def name_of(store: Path, *, reads_cold: bool = False) -> str:
    """Return what tells the store's file from every other, and from itself without its cold files."""
    with store.open("rb") as file:
        digest = hashlib.sha256(file.read(_HEADER)).hexdigest()[:16]
    return f"{digest}{COLD if reads_cold else ''}"


@dataclass(frozen=True)
class Reading:
    """The store that the rooms read and write, and what moves its rows."""

    store: DuckdbStore | TieredStore | SegmentedStore
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


def segmented(
    store: ClosableStore, path: Path, *, place: str, quiet: Quiet | None = None, reads_cold: bool = False
) -> SegmentedStore:
    """Return `store`, whose file is at `path`, with the segments in `place`, meant beside that file.

    Raises:
        OSError: The folder cannot be made.
    """
    folder = path.parent / place
    usual = path.parent / SEGMENTS
    if quiet is not None and folder != usual:
        _link(usual, folder)
    return SegmentedStore(store, usual, identity=name_of(path, reads_cold=reads_cold), quiet=quiet)


def _link(usual: Path, folder: Path) -> None:
    """Make `usual` lead to `folder`; a folder that is there already stays what it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if usual.is_symlink() and usual.resolve() == folder.resolve():
        return
    with contextlib.suppress(FileNotFoundError):
        if usual.is_symlink():
            usual.unlink()
    if not usual.exists():
        usual.symlink_to(folder.resolve(), target_is_directory=True)
