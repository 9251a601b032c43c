"""Receipts: one word that holds a question and from where it was answered, so that it can be answered so again.

A receipt needs no memory of the server: it says which endpoint was asked what, which commit of the store and which
knowledge time the answer stood at, and a digest of the rows, by which a store that is not the same any more is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from typing import Annotated, Final
from urllib.parse import quote, urlencode

import msgspec

from truetape.domain.errors import BadInput
from truetape.domain.time import iso

LONGEST_ID: Final = 2048  # characters; common proxies take 4096 bytes for all headers of an answer together
TOO_LONG: Final = f"The question is too long for a receipt of {LONGEST_ID} characters; ask for fewer symbols at once."
_CHECKSUM_BYTES: Final = 6
_DIGEST_BYTES: Final = 8
_LARGEST: Final = 1 << 14  # bytes of a question, unpacked
_PLAIN, _PACKED = b"\x01", b"\x02"

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Instant = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class GoneAnswer(BadInput):
    """The store cannot give an answer again that was given once."""


class Question(msgspec.Struct, frozen=True, array_like=True):
    """What was asked: at which endpoint, with which parts of the path, parameters and form of answer."""

    endpoint: str
    place: dict[str, str]
    given: dict[str, str]
    form: str


class Slip(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a receipt holds. `as_of` and `told` are UTC nanoseconds; as_of None: all that the store held."""

    question: Question
    version: Count  # of the store
    as_of: Instant | None  # that rows were read at
    told: Instant  # the knowledge time that the answer tells
    snapshot: str
    digest: Annotated[bytes, msgspec.Meta(max_length=_DIGEST_BYTES)]  # of the rows


def digest_of(rows: bytes) -> bytes:
    """Return the digest of the rows of an answer, as they are written in its form."""
    return hashlib.blake2b(rows, digest_size=_DIGEST_BYTES).digest()


def encode_slip(slip: Slip) -> str | None:
    """Return `slip` as text that fits a URL as it is; None if that had more than LONGEST_ID characters."""
    plain = msgspec.msgpack.encode(slip)
    packed = zlib.compress(plain, 9, wbits=-15)
    payload = _PACKED + packed if len(packed) < len(plain) else _PLAIN + plain
    text = base64.urlsafe_b64encode(_checksum(payload) + payload).rstrip(b"=").decode()
    return text if len(text) <= LONGEST_ID else None


def decode_slip(text: str) -> Slip:
    """Return the slip that `encode_slip` wrote.

    Raises:
        BadInput: It is none: changed, cut, or of another program.
    """
    if len(text) > LONGEST_ID:
        raise _refused(text)
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        slip = msgspec.msgpack.decode(_unpacked(data[_CHECKSUM_BYTES:]), type=Slip)
    except (binascii.Error, zlib.error, ValueError):
        raise _refused(text) from None
    if encode_slip(slip) != text:
        raise _refused(text)
    return slip


def gone(text: str, slip: Slip, *, path: str, why: str) -> GoneAnswer:
    """Return the error that says why the answer of receipt `text` cannot be given again, and what comes nearest."""
    given = {name: value for name, value in slip.question.given.items() if name not in {"snapshot", "cursor", "as_of"}}
    nearest = f"{path.format(**_in_url(slip.question.place))}?{urlencode({**given, 'as_of': iso(slip.told)})}"
    fix = f"{why} The question that comes nearest is {nearest}"
    return GoneAnswer(parameter="receipt", value=text[:64], fix=fix)


def _in_url(place: dict[str, str]) -> dict[str, str]:
    return {name: quote(value, safe="") for name, value in place.items()}


def _unpacked(payload: bytes) -> bytes:
    if payload[:1] == _PLAIN:
        return payload[1:]
    if payload[:1] != _PACKED:
        raise ValueError(payload[:1])
    opened = zlib.decompressobj(wbits=-15)
    plain = opened.decompress(payload[1:], _LARGEST)
    if not opened.eof:
        raise ValueError(len(plain))
    return plain


def _refused(text: str) -> BadInput:
    fix = "It is no receipt, or not all of it. Copy `id` of the receipt of an answer as it is."
    return BadInput(parameter="receipt", value=text[:64], fix=fix)


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_BYTES, person=b"truetape-receipt").digest()
