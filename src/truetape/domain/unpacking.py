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
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    KeyError,
)


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


def _gunzipped(payload: Payload) -> bytes:
    plain, rest = bytearray(), payload.body
    for _ in range(MEMBERS):
        engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            plain += engine.decompress(rest, payload.limit + 1 - len(plain))
        except zlib.error:
            raise payload.defect("its gzip data was damaged") from None
        _fits(payload, len(plain))
        if not engine.eof:
            raise payload.defect("its gzip data ended early")
        rest = engine.unused_data.lstrip(b"\0")
        if not rest:
            return bytes(plain)
    raise payload.defect(f"its gzip data had more than {MEMBERS} parts")


def _unzipped(payload: Payload) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(payload.body)) as archive:
            files = [one for one in archive.infolist() if not one.is_dir()]
            if len(files) != 1:
                raise payload.defect(f"its zip held {len(files)} files, not one")
            only = files[0]
            if only.compress_type not in _PLAIN or only.flag_bits & _ENCRYPTED:
                raise payload.defect("its zip was encrypted, or packed in another way than deflate")
            with archive.open(only) as file:
                plain = file.read(payload.limit + 1)
    except _BROKEN:
        raise payload.defect("its zip data was damaged") from None
    _fits(payload, len(plain))
    return plain


def _fits(payload: Payload, size: int) -> None:
    if size > payload.limit:
        raise payload.defect(f"it held more than {payload.limit} bytes when unpacked")
