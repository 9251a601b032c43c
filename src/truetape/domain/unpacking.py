"""Undoing gzip and zip: bounded, whatever the packed bytes promise."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import replace
from typing import Final

from truetape.domain.decoding import Payload

MEMBERS: Final = 100  # parts of one gzip body, and files of one zip; honest ones hold one

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK"
_PLAIN: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED: Final = 1
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_LOCAL: Final = b"PK\x03\x04"
_HEAD: Final = struct.Struct("<26xHH")  # of a file: the lengths of its name and of what follows the name
_BROKEN: Final = (zipfile.BadZipFile, struct.error, OSError, ValueError, NotImplementedError)


def unpacked(payload: Payload) -> Payload:
    """Return `payload` with gzip undone, or with the only file of a zip; any other body as it is.

    Raises:
        UndecodablePayload: The body is too large, packed or not, or what is packed is damaged or not one file.
    """
    payload.bounded()
    if payload.body.startswith(_GZIP):
        return replace(payload, body=_gunzipped(payload))
    if payload.body.startswith(_ZIP):
        return replace(payload, body=_unzipped(payload))
    return payload


def members(payload: Payload, *, most: int) -> dict[str, bytes]:
    """Return the files of a zip by their names.

    Raises:
        UndecodablePayload: The body is no zip, too large, packed or not, or damaged, or holds more than `most` files.
    """
    payload.bounded()
    files = _files(payload)
    if len(files) > most:
        raise payload.defect(f"its zip held {len(files)} files, the most is {most}")
    found: dict[str, bytes] = {}
    room = payload.limit
    for one in files:
        found[one.filename] = _content(payload, one, room=room)
        room -= len(found[one.filename])
    return found


def _gunzipped(payload: Payload) -> bytes:
    plain, rest = bytearray(), payload.body
    for _ in range(MEMBERS):
        part, rest = _inflated(payload, rest, window=_GZIP_WINDOW, room=payload.limit - len(plain), what="gzip")
        plain += part
        rest = rest.lstrip(b"\0")
        if not rest:
            return bytes(plain)
    raise payload.defect(f"its gzip data had more than {MEMBERS} parts")


def _unzipped(payload: Payload) -> bytes:
    files = _files(payload)
    if len(files) != 1:
        raise payload.defect(f"its zip held {len(files)} files, not one")
    return _content(payload, files[0], room=payload.limit)


def _files(payload: Payload) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(payload.body)) as archive:
            return [one for one in archive.infolist() if not one.filename.endswith("/")]
    except _BROKEN:
        raise payload.defect("its zip data was damaged") from None


def _content(payload: Payload, one: zipfile.ZipInfo, *, room: int) -> bytes:
    """Return what a file of a zip holds, at most `room` bytes."""
    if one.compress_type not in _PLAIN or one.flag_bits & _ENCRYPTED:
        raise payload.defect("its zip was encrypted, or packed in another way than deflate")
    plain = _member(payload, one)
    if one.compress_type == zipfile.ZIP_DEFLATED:
        plain, _ = _inflated(payload, plain, window=-zlib.MAX_WBITS, room=room, what="zip")
    if len(plain) > room:
        raise payload.defect(f"it held more than {payload.limit} bytes when unpacked")
    if zlib.crc32(plain) != one.CRC:
        raise payload.defect("its zip data was damaged")
    return plain


def _member(payload: Payload, only: zipfile.ZipInfo) -> bytes:
    """Return the packed bytes of a file, which follow a header of its own with its name once more."""
    start = max(only.header_offset, 0)
    head = payload.body[start : start + _HEAD.size]
    if len(head) < _HEAD.size or not head.startswith(_LOCAL):
        raise payload.defect("its zip data was damaged")
    name, extra = _HEAD.unpack(head)
    start += _HEAD.size + name + extra
    return payload.body[start : start + only.compress_size]


def _inflated(payload: Payload, packed: bytes, *, window: int, room: int, what: str) -> tuple[bytes, bytes]:
    """Return what deflated data hold, at most `room` bytes, and what follows them."""
    engine = zlib.decompressobj(window)
    try:
        plain = engine.decompress(packed, room + 1)
    except zlib.error:
        raise payload.defect(f"its {what} data was damaged") from None
    if len(plain) > room:
        raise payload.defect(f"it held more than {payload.limit} bytes when unpacked")
    if not engine.eof:
        raise payload.defect(f"its {what} data ended early")
    return plain, engine.unused_data
