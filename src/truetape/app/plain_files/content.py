"""The bytes of a file or of standard input, gunzipped, up to a stated size."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from pathlib import Path
from typing import IO, Final

from truetape.domain.errors import BadInput

MOST_BYTES: Final = 64 * 1024 * 1024
STDIN: Final = "-"

_GZIP: Final = b"\x1f\x8b"


def read_bytes(name: str, *, most: int = MOST_BYTES) -> bytes:
    """Return what the file `name` holds, or standard input for "-"; gzip is recognized by its first bytes and undone.

    Raises:
        BadInput: The file is missing or not readable, its gzip data is damaged, or it has more than `most` bytes,
            packed or unpacked.
    """
    try:
        packed = _read(sys.stdin.buffer, most) if name == STDIN else _read_file(Path(name), most)
        body = _read(gzip.GzipFile(fileobj=io.BytesIO(packed)), most) if packed.startswith(_GZIP) else packed
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(parameter="The file", value=name, fix=f"Its gzip data is damaged: {error}.") from None
    except OSError as error:
        raise BadInput(parameter="The file", value=name, fix=unusable(error)) from None
    if len(body) > most:
        raise BadInput(parameter="The file", value=name, fix=f"It holds more than {most} bytes. Split it into parts.")
    return body


def unusable(error: OSError) -> str:
    """Return in a sentence why a file could not be read or written, and the way out."""
    return f"{error.strerror or error}. Check the path and its permissions."


def _read_file(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return _read(file, most)


def _read(stream: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    return stream.read(most + 1)
