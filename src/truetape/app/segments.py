"""Read segments beside a store: where they lie, and the store that reads them."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Final

from truetape.adapters.read_segments import Quiet, SegmentedStore
from truetape.adapters.read_segments.store import ClosableStore

SEGMENTS: Final = "segments"  # of the data folder; a link where the settings name another place
COLD: Final = "+cold"  # of the name of a store that reads cold files too
_HEADER: Final = 4096  # bytes of a DuckDB file that are written once, with a number drawn for it


def name_of(store: Path, *, reads_cold: bool = False) -> str:
    """Return what tells the store's file from every other, and from itself without its cold files."""
    with store.open("rb") as file:
        digest = hashlib.sha256(file.read(_HEADER)).hexdigest()[:16]
    return f"{digest}{COLD if reads_cold else ''}"


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
