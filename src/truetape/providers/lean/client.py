"""Gather the files of one security from a folder of LEAN's data, and return them as one body."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from truetape.domain.asks import Answer, Ask
from truetape.domain.decoding import MAX_BYTES
from truetape.ports.http import Unreachable
from truetape.providers.lean.bundle import packed, series_name
from truetape.providers.lean.decode import FOLDERS
from truetape.providers.lean.folder import Folder, Security
from truetape.providers.lean.tickers import OPEN, SINCE_EVER

_FOUND, _NOT_FOUND, _UNREADABLE, _TOO_LARGE = 200, 404, 410, 413
_ROOM: Final = 64 * 1024  # what names and lists of a zip take beside the files
_DAY: Final = timedelta(days=1)
Files = dict[str, Path]


class Client:
    """Look securities up by ticker and date; a symbol never becomes a part of a path.

    The folder is LEAN's `Data`, or the one of US equities below it. It is looked through at the first question, and
    again for a ticker that was not there.
    """

    def __init__(self, base_url: str, *, max_bytes: int = MAX_BYTES) -> None:
        parts = urlsplit(base_url)
        self._root = Path(unquote(parts.path) if parts.scheme == "file" else base_url)
        self._named = bool(base_url)
        self._max_bytes = max_bytes
        self._folder = Folder(self._root)
        self._looked = False
        self._looking = threading.Lock()  # several threads ask at once

    async def fetch(self, ask: Ask) -> Answer:
        """Return the files that answer `ask`: of the security that had its symbol on its last day.

        A symbol without files is answered with status 404, a file that cannot be read with 410, files that are too
        large with 413.

        Raises:
            Unreachable: No folder is named, or the folder cannot be read.
        """
        if not self._named:
            raise Unreachable("no folder is named: write base_url under [providers.lean]")
        started = time.perf_counter()
        try:
            answer = await asyncio.to_thread(self._answer, ask)
        except OSError as error:
            raise Unreachable(f"the folder could not be read: {(error.strerror or str(error)).lower()}") from None
        return msgspec.structs.replace(answer, elapsed_s=time.perf_counter() - started)

    def _answer(self, ask: Ask) -> Answer:
        with self._looking:
            if not self._looked or ask.kind == "listings":
                self._look()
        if ask.kind == "listings":
            return self._given(self._all_maps())
        day = ask.end or OPEN
        security = self._folder.find(ask.symbol, day)
        if security is None:
            with self._looking:
                self._look()
            security = self._folder.find(ask.symbol, day)
        files = dict(self._files(security, ask)) if security is not None else {}
        if not any(name.endswith(".zip") or name.startswith("factor_files/") for name in files):
            words = f"there are no bars of {ask.symbol[:40]!r} of {ask.timeframe[:10]} until {day}"
            return self._told(_NOT_FOUND, words.encode())
        return self._given(files)

    def _look(self) -> None:
        self._folder.look()
        self._looked = True

    def _files(self, security: Security, ask: Ask) -> Iterator[tuple[str, Path]]:
        """Yield the security's files of one timeframe, by their names in the body."""
        if security.map_file is not None:
            yield f"map_files/{security.name}.csv", security.map_file
        part = FOLDERS.get(ask.timeframe, "")
        if part == "daily" and security.factor_file is not None:
            yield f"factor_files/{security.name}.csv", security.factor_file
        for claim in security.claims:
            if part == "minute":
                evening = (ask.start or SINCE_EVER + _DAY) - _DAY  # its last bars are of the next day in UTC
                first, last = max(claim.first, evening), min(claim.last, ask.end or OPEN)
                found = self._folder.minutes(claim.ticker, first, last)
                yield from ((f"minute/{claim.ticker}/{day}_trade.zip", path) for day, path in found.items())
            elif path := self._folder.prices.get(part, {}).get(claim.ticker):
                yield series_name(part, claim.ticker, claim.first, claim.last), path

    def _all_maps(self) -> Files:
        """Return every map file that can be read, and the prices of securities without one."""
        files = {}
        for name, security in self._folder.securities.items():
            if security.map_file is not None:
                files[f"map_files/{name}.csv"] = security.map_file
            else:
                files[f"daily/{name}.zip"] = Path()
        return files

    def _given(self, files: Files) -> Answer:
        """Return `files` as one body; a file that is only named has no bytes in it."""
        read, room = {}, self._max_bytes - _ROOM
        for name, path in files.items():
            try:
                read[name] = _read(path, room) if path.name else b""
            except OSError as error:
                words = f"{name} could not be read: {(error.strerror or str(error)).lower()}"
                return self._told(_UNREADABLE, words.encode())
            room -= len(read[name]) + 2 * len(name)
            if room < 0:
                return self._told(_TOO_LARGE, f"the files have more than {self._max_bytes} bytes".encode())
        return Answer(
            url=self._root.absolute().as_uri(),
            status=_FOUND,
            content_type="application/zip",
            headers={},
            body=packed(read),
        )

    def _told(self, status: int, words: bytes) -> Answer:
        url = self._root.absolute().as_uri()
        return Answer(url=url, status=status, content_type="text/plain", headers={}, body=words)


def _read(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(max(most, 0) + 1)
