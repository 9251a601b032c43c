"""Cut off the end of a write-ahead log that was being written when the machine stopped.

DuckDB passes over a log that ends too early, and refuses one with a page in it that never reached the disk. Only the
last transaction can be such: it was not acknowledged, because its flush to the disk had not ended.

An entry of the log is its size and its checksum (8 bytes each, little-endian) and so many bytes; the entry of 5 bytes
that ends a transaction is `_COMMIT`. The log begins with an entry of some bytes without size and checksum.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TORN: Final = ".torn"  # what was cut off stays in a file of this ending
LONGEST_HEAD: Final = 256
_SIZES: Final = struct.Struct("<QQ")
_COMMIT: Final = b"\x64\x00\x64\xff\xff"
_END: Final = re.compile(re.escape(len(_COMMIT).to_bytes(8, "little")) + b".{8}" + re.escape(_COMMIT), re.DOTALL)
TORN_WORDS: Final = "Corrupt WAL file"
_PLACE: Final = re.compile(rf"{TORN_WORDS}: entry at byte position (\d+)")


def log_of(path: Path) -> Path:
    """Return the write-ahead log of the database at `path`."""
    return path.with_name(f"{path.name}.wal")


def cut_torn_end(path: Path, words: str) -> bool:
    """Cut the log of `path` behind its last whole transaction and return True, if only the one after it is damaged.

    What is cut off is kept beside. A log that is damaged before its last transaction is left alone.

    Args:
        path: The database, which nobody has open.
        words: What DuckDB said when it refused the log.
    """
    found = _PLACE.search(words)
    log = log_of(path)
    if found is None or not log.exists():
        return False
    content = log.read_bytes()
    sound = sound_end(content, damaged=int(found[1]) - _SIZES.size)
    if sound is None:
        return False
    _keep(log.with_name(log.name + TORN), content[sound:])
    with log.open("r+b") as file:
        file.truncate(sound)
        os.fsync(file.fileno())
    return True


def sound_end(content: bytes, *, damaged: int) -> int | None:
    """Return where the last whole transaction before the entry at `damaged` ends; None if others follow the next one.

    Args:
        content: A write-ahead log.
        damaged: The first byte of the first entry that does not match its checksum.
    """
    if len(_END.findall(content, damaged)) > 1:
        return None
    for head in range(min(LONGEST_HEAD, damaged + 1)):
        entries = list(_entries(content, head, damaged))
        if entries and entries[-1][0] == damaged:
            return max((end for _, end, is_commit in entries[:-1] if is_commit), default=head)
    return None


def _entries(content: bytes, start: int, last: int) -> Iterator[tuple[int, int, bool]]:
    """Yield the start and the end of each entry from `start` on until one begins at `last`, and whether it ends one."""
    while start <= last and start + _SIZES.size <= len(content):
        size, _ = _SIZES.unpack_from(content, start)
        body = start + _SIZES.size
        if not size or body + size > len(content):
            return
        yield start, body + size, content[body : body + size] == _COMMIT
        start = body + size


def _keep(beside: Path, part: bytes) -> None:
    with beside.open("wb") as file:
        file.write(part)
        file.flush()
        os.fsync(file.fileno())
