"""An archive in a folder: compressed payloads named by their sha256, and a journal of checked lines."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Final

from truetape.adapters.file_archive.disk import LARGEST, reason, sync_folder, unavailable, unwrap, wrap
from truetape.adapters.file_archive.journal import Journal
from truetape.domain.errors import BadInput, CorruptArchive, StoreUnavailable, WrongFolder
from truetape.domain.identity import payload_key
from truetape.domain.messages import RawCaptured, StreamCaptured
from truetape.ports.archive import Attempted, Entry

_KEY_LENGTH: Final = 64


class FileArchive:
    """Keep payloads and the journal under `folder`; `read_only` looks into an archive that another process may own.

    Layout: `payloads/ab/cd...zst` (12 bytes of header, then zstd) and `journal.jsonl` (CRC-32 and JSON on each line).
    Safe to use from several threads. Of several processes only one may write, which the data folder's lock ensures.

    Raises:
        WrongFolder: `folder` is to be read and is not there.
        StoreUnavailable: The folder cannot be made or opened.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self._folder = folder
        self._payloads = folder / "payloads"
        self._incoming = folder / "incoming"
        self._read_only = read_only
        self._numbers = count()
        self._lock = threading.Lock()
        if read_only and not folder.is_dir():
            raise WrongFolder(path=str(folder), reason="it holds no archive. Choose another folder with --data.")
        if not read_only:
            self._prepare()
        self._journal = Journal(folder / "journal.jsonl", read_only=read_only)

    def put(self, body: bytes) -> str:
        """Keep `body` and return its key (sha256, hexadecimal).

        Raises:
            StoreUnavailable: The bytes cannot be written now, for example because the disk is full.
            BadInput: `body` is larger than 1 GiB.
        """
        if len(body) > LARGEST:
            raise BadInput(parameter="body", value=f"{len(body)} bytes", fix=f"Keep payloads within {LARGEST} bytes.")
        self._refuse_if_read_only()
        key = payload_key(body)
        path = self._path(key)
        with unavailable(path):
            if self._is_whole(key):
                sync_folder(path.parent)  # the process that wrote it may have died before it did
            else:
                self._write(path, body)
        return key

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`.

        Raises:
            CorruptArchive: The bytes are missing, or not those that were put.
            StoreUnavailable: The file is there and cannot be read now.
        """
        path = self._path(key)
        try:
            kept = path.read_bytes()
        except FileNotFoundError:
            raise CorruptArchive(path=str(path), reason="it is missing") from None
        except OSError as error:
            raise StoreUnavailable(path=str(path), reason=reason(error)) from error
        body = unwrap(kept, path)
        if payload_key(body) != key:
            raise CorruptArchive(path=str(path), reason="its bytes are not those that were put")
        return body

    def record(self, entry: Entry) -> None:
        """Append `entry` to the journal.

        Raises:
            StoreUnavailable: The journal cannot be written now; it stays as it was.
        """
        self._refuse_if_read_only()
        self._journal.append(entry)

    def journal(self) -> Iterator[Entry]:
        """Yield every entry, oldest first.

        Raises:
            CorruptArchive: An entry before the last one is not readable.
        """
        return self._journal.entries()

    def scrub(self, on_read: Callable[[], None] = lambda: None) -> Iterator[CorruptArchive]:
        """Read everything and yield what is damaged or missing, one problem at a time; `on_read` follows a payload."""
        wanted: set[str] = set()
        try:
            for entry in self.journal():
                if isinstance(entry, RawCaptured | StreamCaptured | Attempted) and entry.key:
                    wanted.add(entry.key)
        except CorruptArchive as problem:
            yield problem
        for key in sorted(wanted | set(self._keys())):
            try:
                self.get(key)
            except CorruptArchive as problem:
                yield problem
            on_read()

    def sizes(self) -> Iterator[tuple[str, int]]:
        """Yield the key of each payload and the bytes that it takes on the disk.

        Raises:
            StoreUnavailable: The folder cannot be read now.
        """
        with unavailable(self._payloads):
            for key in self._keys():
                yield key, self._path(key).stat().st_size

    def close(self) -> None:
        """Give the journal back."""
        self._journal.close()

    def _prepare(self) -> None:
        with unavailable(self._folder):
            self._payloads.mkdir(parents=True, exist_ok=True)
            self._incoming.mkdir(exist_ok=True)
            for leftover in self._incoming.iterdir():
                leftover.unlink()
            sync_folder(self._folder)

    def _write(self, path: Path, body: bytes) -> None:
        """Write beside, then rename: a payload is there in full or not at all."""
        with self._lock:
            draft = self._incoming / f"{os.getpid()}-{next(self._numbers)}"
        try:
            with draft.open("xb") as file:
                file.write(wrap(body))
                file.flush()
                os.fsync(file.fileno())
            if not path.parent.is_dir():
                path.parent.mkdir(exist_ok=True)
                sync_folder(self._payloads)
            draft.replace(path)
            sync_folder(path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def _is_whole(self, key: str) -> bool:
        try:
            self.get(key)
        except CorruptArchive:
            return False
        return True

    def _keys(self) -> Iterator[str]:
        for path in self._payloads.glob("??/*.zst"):
            yield path.parent.name + path.stem

    def _path(self, key: str) -> Path:
        if len(key) != _KEY_LENGTH or not set(key) <= set("0123456789abcdef"):
            raise CorruptArchive(path=str(self._payloads), reason=f"{key[:80]!r} is not the name of a payload")
        return self._payloads / key[:2] / f"{key[2:]}.zst"

    def _refuse_if_read_only(self) -> None:
        if self._read_only:
            raise StoreUnavailable(path=str(self._folder), reason="it was opened for reading only")
