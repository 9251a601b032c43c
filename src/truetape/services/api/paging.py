"""Cursors: where the next page begins and what is known on it, in one opaque word.

All pages show what the store held when the first was asked for: what is written between two pages moves nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import astuple
from datetime import date
from typing import Annotated, Final

import msgspec

from truetape.domain.errors import BadInput
from truetape.services.api.query import BarsQuery, DocketQuery, InstrumentsQuery, TicksQuery

LONGEST: Final = 512
_CHECKSUM_BYTES: Final = 6
_AGAIN: Final = "Give `next` of the page before as it is, with the same question, or leave it out to start again."


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page begins: the symbol's place in the question, or the row's in the list, and the first label's date.

    `skip` rows of that date were on the page before; only trades and quotes are cut within a date.
    """

    place: Annotated[int, msgspec.Meta(ge=0)]
    start: date | None = None
    skip: Annotated[int, msgspec.Meta(ge=0)] = 0


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A position, the question it belongs to, and where the first page stood: its store version and what it told.

    `told` is a knowledge time in UTC nanoseconds.
    """

    question: str
    told: int
    version: int
    position: Position


def fingerprint(query: BarsQuery | InstrumentsQuery | DocketQuery | TicksQuery) -> str:
    """Return a short name of the question, equal for equal questions only."""
    words = repr((type(query).__name__, *astuple(query)))
    return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()


def encode_cursor(cursor: Cursor) -> str:
    """Return `cursor` as text that fits a URL as it is."""
    payload = msgspec.msgpack.encode(cursor)
    return base64.urlsafe_b64encode(_checksum(payload) + payload).rstrip(b"=").decode()


def decode_cursor(text: str, *, question: str) -> Cursor:
    """Return the cursor that `encode_cursor` wrote for `question`.

    Raises:
        BadInput: It was changed, cut, or made for another question.
    """
    try:
        data = base64.b64decode(text[:LONGEST] + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.msgpack.decode(data[_CHECKSUM_BYTES:], type=Cursor)
    except (binascii.Error, ValueError):
        raise _refused(text) from None
    if cursor.question != question or encode_cursor(cursor) != text:
        raise _refused(text)
    return cursor


def _refused(text: str) -> BadInput:
    return BadInput(parameter="cursor", value=text[:64], fix=_AGAIN)


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM_BYTES, person=b"truetape").digest()
