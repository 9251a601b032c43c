"""Read Stooq's bulk files: one for each name, below folders that tell the timeframe and the market."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.domain.decoding import MAX_BYTES
from truetape.ports.http import Unreachable

SUFFIX: Final = ".txt"
MOST_FILES: Final = 500_000
FOLDERS: Final = {"daily": "1d", "hourly": "1h", "5 min": "5m", "5min": "5m", "5_min": "5m"}
DAILY: Final = "1d"

_FOUND, _NOT_FOUND, _TOO_LARGE = 200, 404, 413

Names = dict[str, dict[str, Path]]


class BulkClient:
    """Look names up among the files of a folder and its subfolders; a name never becomes a part of a path.

    The folder is read through at the first question, and again for a name that was not there.
    """

    def __init__(self, base_url: str, *, max_bytes: int = MAX_BYTES, max_files: int = MOST_FILES) -> None:
        parts = urlsplit(base_url)
        self._root = Path(unquote(parts.path) if parts.scheme == "file" else base_url)
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._names: Names = {}

    async def fetch(self, ask: Ask) -> Answer:
        """Return the bytes of the file that holds the bars of `ask`, or the list of all names.

        A name without a file is answered with status 404, a file that is too large with 413.

        Raises:
            Unreachable: The folder or the file cannot be read.
        """
        started = time.perf_counter()
        try:
            answer = await asyncio.to_thread(self._answer, ask)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unreachable(f"the folder of bulk files could not be read: {reason}") from None
        return msgspec.structs.replace(answer, elapsed_s=time.perf_counter() - started)

    def _answer(self, ask: Ask) -> Answer:
        if ask.kind == "listings":
            self._names = _names(self._root, self._max_files)
            return self._told(_FOUND, _listed(self._root, self._names), "application/json")
        path = self._path(ask)
        if path is None:
            words = f"there is no file of {ask.symbol[:40]!r} with bars of {ask.timeframe[:10]}"
            return self._told(_NOT_FOUND, words.encode())
        with path.open("rb") as file:
            body = file.read(self._max_bytes + 1)
        if len(body) > self._max_bytes:
            return self._told(_TOO_LARGE, f"{path.name} has more than {self._max_bytes} bytes".encode())
        return Answer(url=path.as_uri(), status=_FOUND, content_type="text/csv", headers={}, body=body)

    def _path(self, ask: Ask) -> Path | None:
        name = ask.symbol.lower()
        known = self._names.get(ask.timeframe, {}).get(name)
        if known is None or not known.is_file():
            self._names = _names(self._root, self._max_files)
            known = self._names.get(ask.timeframe, {}).get(name)
        return known

    def _told(self, status: int, body: bytes, content_type: str = "text/plain") -> Answer:
        return Answer(
            url=self._root.absolute().as_uri(), status=status, content_type=content_type, headers={}, body=body
        )


def _names(root: Path, most: int) -> Names:
    """Return every file by timeframe and name. Links are not followed, so that nothing outside of `root` is read."""
    found: Names = {}
    for path in islice(_files(root), most):
        inside = (part.lower() for part in path.relative_to(root).parts[:-1])
        timeframe = next((FOLDERS[part] for part in inside if part in FOLDERS), DAILY)
        found.setdefault(timeframe, {})[path.name[: -len(SUFFIX)].lower()] = path
    return found


def _files(root: Path) -> Iterator[Path]:
    with os.scandir(root):  # says so if there is no such folder, which walking does not
        pass
    for folder, _folders, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if name.lower().endswith(SUFFIX) and path.is_file() and not path.is_symlink():
                yield path


def _listed(root: Path, names: Names) -> bytes:
    """Return name and market of each file, once for all timeframes, by name."""
    markets = {name: path.parent for files in names.values() for name, path in files.items()}
    rows = [{"symbol": name, "market": _market(folder.relative_to(root))} for name, folder in sorted(markets.items())]
    return msgspec.json.encode({"listings": rows})


def _market(folder: Path) -> str:
    """Return the folder that names the market: us/nasdaq stocks/2 is nasdaq stocks."""
    return next((part for part in reversed(folder.parts) if not part.isdecimal() and part.lower() not in FOLDERS), "")
