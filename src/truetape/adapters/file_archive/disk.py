"""What the archive asks of the disk: durable folders, plain reasons, and payloads in their wrapping."""

from __future__ import annotations

import contextlib
import functools
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from truetape.domain.errors import CorruptArchive, StoreUnavailable

LARGEST: Final = 1 << 30  # bytes of one payload
_MAGIC: Final = b"TTP1"
_HEADER: Final = struct.Struct("<4sQ")  # magic, length of the payload


@contextlib.contextmanager
def unavailable(path: Path) -> Iterator[None]:
    """Turn every OSError inside into StoreUnavailable, which names `path` and the reason."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(path=str(path), reason=reason(error)) from error


def reason(error: OSError) -> str:
    """Return why, in the system's words."""
    return (error.strerror or str(error)).lower()


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def wrap(body: bytes) -> bytes:
    """Return `body` as it is kept: magic, length (8 bytes, little-endian), zstd."""
    compressed: bytes = _zstd().compress(body, asbytes=True)
    return _HEADER.pack(_MAGIC, len(body)) + compressed


def unwrap(kept: bytes, path: Path) -> bytes:
    """Return the body that `wrap` made `kept` of.

    Raises:
        CorruptArchive: `kept` was not made by `wrap`, or is damaged.
    """
    if len(kept) < _HEADER.size:
        raise CorruptArchive(path=str(path), reason=f"it is cut short at {len(kept)} bytes")
    magic, length = _HEADER.unpack_from(kept)
    if magic != _MAGIC or length > LARGEST:
        raise CorruptArchive(path=str(path), reason="its first bytes are not those of a payload")
    try:
        body: bytes = _zstd().decompress(kept[_HEADER.size :], length, asbytes=True)
    except OSError:
        raise CorruptArchive(path=str(path), reason="it cannot be decompressed") from None
    return body


@functools.cache
def _zstd() -> Any:
    import pyarrow as pa  # pyarrow ships no types

    return pa.Codec("zstd")
