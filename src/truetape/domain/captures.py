r"""The lines in which live feeds are kept: what was received, with its time, and what was answered over HTTP.

- `<seconds>: <frame>` was received; seconds are Unix time with nine decimals.
- `<url> <-> <seconds>` opened the connection.
- `<url> -> <seconds>: <body>` was answered over HTTP.

A frame or body that no line can hold as it is (bytes that are no UTF-8, or that have line ends or blanks at an end) is
written as `data:;base64,...`.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Final, NamedTuple

from truetape.domain.time import NANOSECONDS

PACKED: Final = b"data:;base64,"
_RECEIVED: Final = re.compile(rb"(\d{1,10})\.(\d{9}): (.*)")
_ANSWERED: Final = re.compile(rb"(\S+) -> (\d{1,10})\.(\d{9}): (.*)")


class Heard(NamedTuple):
    """One thing that was heard: a frame, or the body of the answer of `url`."""

    ts_known: int
    frame: str | bytes
    url: str = ""


def received(frame: str | bytes, ts_known: int) -> bytes:
    """Return the line, with its end, of a frame that came at `ts_known` (UTC nanoseconds)."""
    return b"%b: %b\n" % (_stamp(ts_known), _body(frame))


def opened(url: str, ts_known: int) -> bytes:
    """Return the line of a connection that was opened; `url` holds no secret."""
    return b"%b <-> %b\n" % (url.encode(), _stamp(ts_known))


def answered(url: str, body: bytes, ts_known: int) -> bytes:
    """Return the line of an answer that came over HTTP."""
    return b"%b -> %b: %b\n" % (url.encode(), _stamp(ts_known), _body(frame_of(body)))


def heard(lines: bytes) -> Iterator[Heard]:
    """Yield what the lines say was heard, in their order; other lines are passed over."""
    for line in lines.split(b"\n"):
        match = _RECEIVED.fullmatch(line)
        if match:
            seconds, rest, body = match.groups()
            yield Heard(int(seconds) * NANOSECONDS + int(rest), frame_of(body))
        elif match := _ANSWERED.fullmatch(line):
            url, seconds, rest, body = match.groups()
            yield Heard(int(seconds) * NANOSECONDS + int(rest), bytes_of(body), url.decode(errors="replace"))


def frame_of(body: bytes) -> str | bytes:
    """Return the frame that a line holds: text where it is UTF-8, else bytes; what was packed is bytes again."""
    if body.startswith(PACKED):
        try:
            return b64decode(body[len(PACKED) :], validate=True)
        except binascii.Error:
            return body
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def bytes_of(body: bytes) -> bytes:
    """Return the body of an answer that a line holds."""
    frame = frame_of(body)
    return frame.encode() if isinstance(frame, str) else frame


def _stamp(ts_known: int) -> bytes:
    return b"%d.%09d" % divmod(ts_known, NANOSECONDS)


def _body(frame: str | bytes) -> bytes:
    """Return `frame` as one line can hold it and `frame_of` gives it back."""
    body = frame.encode(errors="replace") if isinstance(frame, str) else frame
    plain = b"\n" not in body and b"\r" not in body and body.strip() == body and not body.startswith(PACKED)
    if plain and (isinstance(frame, str) or not _is_text(body)):
        return body
    return PACKED + b64encode(body)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
