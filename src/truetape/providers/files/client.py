"""Find the file that answers a question among those of a folder, and return its bytes."""

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
from truetape.domain.decoding import MAX_BYTES, Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.price_tables import recognized
from truetape.domain.time import TIMEFRAMES
from truetape.ports.http import Unreachable
from truetape.providers.files.table import column_names

SUFFIXES: Final = (".csv", ".csv.gz", ".txt", ".txt.gz", ".parquet")
SHARED: Final = ("PRICES", "BARS", "ALL")  # files of several symbols
ACTIONS: Final = "actions"
MOST_FILES: Final = 500_000

_FOUND, _NOT_FOUND, _TOO_LARGE = 200, 404, 413
_TAGS: Final = (*TIMEFRAMES, ACTIONS)

Key = tuple[str, str]  # symbol in capitals, and timeframe, "actions" or "" for one that its name does not tell


class Client:
    """Look symbols up among the files of a folder; a symbol never becomes a part of a path.

    `AAPL.csv`, `AAPL_1m.parquet`, `1m/AAPL.csv` and `AAPL_actions.csv` are files of one symbol. A file of several has a
    column of symbols, and is called prices, bars or all, or is the only one. The folder is read through at the first
    question, and again for a symbol that was not there.
    """

    def __init__(self, base_url: str, *, max_bytes: int = MAX_BYTES, max_files: int = MOST_FILES) -> None:
        parts = urlsplit(base_url)
        self._root = Path(unquote(parts.path) if parts.scheme == "file" else base_url)
        self._named = bool(base_url)
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._files: dict[Key, Path] = {}

    async def fetch(self, ask: Ask) -> Answer:
        """Return the bytes of the file that answers `ask`.

        A symbol without a file is answered with status 404, a file that is too large with 413.

        Raises:
            Unreachable: No folder is named, or the folder or the file cannot be read.
        """
        if not self._named:
            raise Unreachable("no folder is named: write base_url under [providers.files]")
        started = time.perf_counter()
        try:
            answer = await asyncio.to_thread(self._answer, ask)
        except OSError as error:
            raise Unreachable(f"the files could not be read: {(error.strerror or str(error)).lower()}") from None
        return msgspec.structs.replace(answer, elapsed_s=time.perf_counter() - started)

    def _answer(self, ask: Ask) -> Answer:
        if ask.kind == "listings":
            return self._listed()
        path = self._own(ask)
        if path is None:
            self._look()
            path = self._own(ask)
        answer = self._shared(_tags(ask)) if path is None else self._read(path)
        if answer is not None:
            return answer
        return self._told(_NOT_FOUND, f"there is no file of {ask.symbol[:40]!r} for {ask.kind} of {ask.timeframe[:10]}")

    def _look(self) -> None:
        if self._root.is_file():
            self._files = {}
            return
        self._files = {_key(self._root, path): path for path in islice(_found(self._root), self._max_files)}

    def _own(self, ask: Ask) -> Path | None:
        return self._first(ask.symbol.upper(), _tags(ask))

    def _first(self, name: str, tags: tuple[str, ...]) -> Path | None:
        paths = (self._files.get((name, tag)) for tag in tags)
        return next((path for path in paths if path is not None and path.is_file()), None)

    def _shared(self, tags: tuple[str, ...]) -> Answer | None:
        """Return the first file of several symbols, or one that is too large to tell; None if there is none."""
        named = [self._first(name, tags) for name in SHARED]
        only = list(self._files.values()) if len(self._files) == 1 else []
        paths = [self._root] if self._root.is_file() else [*named, *only]
        answers = (self._read(path) for path in paths if path is not None)
        return next((one for one in answers if one.status != _FOUND or _has_symbols(one.body)), None)

    def _listed(self) -> Answer:
        self._look()
        own = sorted({symbol for symbol, tag in self._files if tag != ACTIONS and symbol not in SHARED})
        shared = self._shared(("1d", "")) if len(own) <= 1 else None
        return shared or self._told(_FOUND, msgspec.json.encode({"files": own}).decode(), "application/json")

    def _read(self, path: Path) -> Answer:
        with path.open("rb") as file:
            body = file.read(self._max_bytes + 1)
        if len(body) > self._max_bytes:
            return self._told(_TOO_LARGE, f"{path.name} has more than {self._max_bytes} bytes")
        return Answer(url=path.absolute().as_uri(), status=_FOUND, content_type="", headers={}, body=body)

    def _told(self, status: int, words: str, content_type: str = "text/plain") -> Answer:
        url = self._root.absolute().as_uri()
        return Answer(url=url, status=status, content_type=content_type, headers={}, body=words.encode())


def _tags(ask: Ask) -> tuple[str, ...]:
    """Return what the name of a file that answers `ask` may tell, the best first."""
    return (ACTIONS, "1d", "") if ask.kind == "actions" else (ask.timeframe, "")


def _found(root: Path) -> Iterator[Path]:
    """Yield the files of prices in `root` and in its subfolders of a timeframe; links are not followed."""
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and entry.name in TIMEFRAMES:
                with os.scandir(entry.path) as inner:
                    yield from (Path(one.path) for one in inner if _is_prices(one))
            elif _is_prices(entry):
                yield Path(entry.path)


def _is_prices(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(SUFFIXES) and entry.is_file(follow_symlinks=False)


def _key(root: Path, path: Path) -> Key:
    suffix = max((one for one in SUFFIXES if path.name.lower().endswith(one)), key=len)
    name = path.name[: -len(suffix)]
    if path.parent != root:
        return name.upper(), path.parent.name
    for tag in _TAGS:
        if name.lower().endswith((f"_{tag}", f"-{tag}")):
            return name[: -len(tag) - 1].upper(), tag
    return name.upper(), ""


def _has_symbols(body: bytes) -> bool:
    try:
        return "symbol" in recognized(column_names(Payload(provider="files", kind="bars", body=body)))
    except UndecodablePayload:
        return False
