"""The envelope of a message outside its process: CloudEvents 1.0 attributes around the message as JSON data."""

from __future__ import annotations

import hashlib

import msgspec

from truetape.domain.messages import Message
from truetape.domain.time import iso


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A message with the attributes that CloudEvents 1.0 requires, and the W3C trace parent."""

    id: str
    source: str
    type: str
    time: str
    subject: str
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    traceparent: str = ""


def seal(message: Message, *, source: str, at_ns: int, traceparent: str = "") -> Envelope:
    """Return `message` in its envelope; equal messages get equal ids, so that a receiver can drop repeats."""
    data = msgspec.json.encode(message)
    name = type(message).__name__
    return Envelope(
        id=hashlib.sha256(data).hexdigest()[:32],
        source=f"truetape/{source}",
        type=f"truetape.{name}.v1",
        time=iso(at_ns),
        subject=message.subject,
        data=msgspec.Raw(data),
        traceparent=traceparent,
    )
