"""The journal on disk: one entry on each line, with a checksum before it, in the order of recording."""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from truetape.adapters.file_archive.disk import sync_folder, unavailable
from truetape.domain.errors import BadInput, CorruptArchive, StoreUnavailable
from truetape.ports.archive import Entry

LONGEST_LINE: Final = 1 << 26
_PREFIX: Final = len("0123abcd ")


class Journal:
    """Append entries to `path` and read them back.

    A line is the CRC-32 of the JSON in 8 hexadecimal digits, a space, the JSON, and a line feed. What stands behind the
    last line feed was being written when the process or the machine stopped: it was never recorded, readers pass over
    it and the next process that writes cuts it off.

    Raises:
        StoreUnavailable: The file cannot be opened for writing.
        CorruptArchive: The end of the file is damaged, so that nothing can safely be written behind it.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._size = 0  # bytes that are recorded
        if not read_only:
            with unavailable(path):
                self._open()

    def append(self, entry: Entry) -> None:
        """Record `entry`; when this returns it survives a crash.

        Raises:
            StoreUnavailable: It cannot be written now; the journal stays as it was.
        """
        line = _line(entry)
        if len(line) > LONGEST_LINE:
            raise BadInput(parameter="entry", value=f"{len(line)} bytes", fix=f"Keep it within {LONGEST_LINE} bytes.")
        with self._lock:
            if self._handle is None:
                raise StoreUnavailable(path=str(self._path), reason="it is not open for writing")
            with unavailable(self._path):
                self._write(self._handle, line)

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, oldest first, as far as they were recorded when it came to them.

        Raises:
            CorruptArchive: A line is damaged.
            StoreUnavailable: The file cannot be read now.
        """
        decoder: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
        with unavailable(self._path), contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(self._path.open("rb"))
            except FileNotFoundError:
                return
            for number, line in _lines(file, self._path):
                try:
                    entry = decoder.decode(memoryview(line)[_PREFIX:])
                except msgspec.DecodeError as error:
                    raise _damaged(self._path, number, f"is no entry that this version knows ({error})") from None
                yield entry

    def close(self) -> None:
        """Close the file; entries stay readable."""
        with self._lock:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None

    def _open(self) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with self._path.open("rb") as file:
                self._size = sum(len(line) for _, line in _lines(file, self._path))
            os.ftruncate(handle, self._size)
            os.fsync(handle)
            sync_folder(self._path.parent)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    def _write(self, handle: int, line: bytes) -> None:
        """Write behind what is recorded; whatever an earlier failure left there is overwritten and cut off."""
        try:
            done = 0
            while done < len(line):
                done += os.pwrite(handle, line[done:], self._size + done)
            os.ftruncate(handle, self._size + len(line))
            os.fsync(handle)
        except OSError:
            with contextlib.suppress(OSError):  # the next write cuts it off, if this cannot
                os.ftruncate(handle, self._size)
            raise
        self._size += len(line)


def _line(entry: Entry) -> bytes:
    data = msgspec.json.encode(entry)
    return b"%08x %b\n" % (zlib.crc32(data), data)


def _lines(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each recorded line with its number, from 1; stop before one that was being written."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
            return
        if not _is_sound(line):
            if b"\0" in line and not file.read(1):
                return  # a crash of the machine left a page unwritten; JSON has no zero bytes
            raise _damaged(path, number, "does not match its checksum")
        yield number, line


def _is_sound(line: bytes) -> bool:
    data = memoryview(line)[_PREFIX:-1]
    return line[:_PREFIX] == b"%08x " % zlib.crc32(data)


def _damaged(path: Path, number: int, what: str) -> CorruptArchive:
    return CorruptArchive(path=str(path), reason=f"line {number} {what}")
