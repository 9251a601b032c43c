"""Recorded captures of live feeds, line by line: what was received, sent, and answered over REST, in order of time."""

from __future__ import annotations

import gzip
import heapq
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from operator import attrgetter
from pathlib import Path
from typing import Final, Literal, cast

from truetape.domain.errors import BadInput
from truetape.domain.time import NANOSECONDS

MOST_LINE: Final = 32 << 20  # bytes
MOST_BYTES: Final = 4 << 30  # of one capture, unpacked
STDIN: Final = "-"

Kind = Literal["received", "sent", "opened", "answer", "other"]

_GZIP: Final = b"\x1f\x8b"
_STAMP: Final = rb"(\d{1,10})(?:\.(\d{1,9}))?\d*"
_RECEIVED: Final = re.compile(rb"^" + _STAMP + rb": (.*)$", re.DOTALL)
_NAMED: Final = re.compile(rb"^(https?|wss?)://(\S{1,65536}) (->|<->|<-) " + _STAMP + rb"(?:: (.*))?$", re.DOTALL)
_BY_ARROW: Final[dict[bytes, Kind]] = {b"->": "answer", b"<-": "sent", b"<->": "opened"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a capture; `url` is that of an answer, of what was sent and of what was opened."""

    kind: Kind
    ts_known: int  # UTC nanoseconds; of a line of another kind, that of the line before it
    body: bytes
    file: int  # place among the captures
    url: str = ""


def lines(names: Sequence[str]) -> Iterator[Line]:
    """Yield the lines of all captures as one, in order of time; each capture is in order by itself.

    Raises:
        BadInput: A capture is missing, not readable, damaged, too long or has a line that is too long.
    """
    return heapq.merge(*(_of(name, file) for file, name in enumerate(names)), key=attrgetter("ts_known"))


def parse(raw: bytes, *, file: int, before: int) -> Line:
    """Return what one line says; `before` is the instant of the line before it."""
    received = _RECEIVED.match(raw)
    if received:
        seconds, rest, body = received.groups()
        return Line("received", _instant(seconds, rest), body, file)
    named = _NAMED.match(raw)
    if named is None:
        return Line("other", before, raw, file)
    scheme, place, arrow, seconds, rest, body = named.groups()
    url = f"{scheme.decode()}://{place.decode(errors='replace')}"
    return Line(_BY_ARROW[arrow], _instant(seconds, rest), body or b"", file, url)


def _of(name: str, file: int) -> Iterator[Line]:
    try:
        with ExitStack() as opened:
            yield from _parsed(_open(name, opened), name, file)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BadInput(parameter="The capture", value=name, fix=f"Its gzip data is damaged: {error}.") from None
    except OSError as error:
        fix = f"{error.strerror or error}. Check the path and its permissions."
        raise BadInput(parameter="The capture", value=name, fix=fix) from None


def _open(name: str, opened: ExitStack) -> BufferedReader | gzip.GzipFile:
    """Return the capture to be read; gzip is recognized by its first bytes and undone."""
    if name == STDIN:
        piped = sys.stdin.buffer
        stream = piped if isinstance(piped, BufferedReader) else BufferedReader(cast("RawIOBase", piped))
    else:
        stream = opened.enter_context(Path(name).open("rb"))  # noqa: SIM115 - the stack closes it
    if stream.peek(len(_GZIP)).startswith(_GZIP):
        return opened.enter_context(gzip.GzipFile(fileobj=stream))
    return stream


def _parsed(stream: BufferedReader | gzip.GzipFile, name: str, file: int) -> Iterator[Line]:
    before, number, size = 0, 0, 0
    while raw := stream.readline(MOST_LINE + 1):
        number, size = number + 1, size + len(raw)
        if len(raw) > MOST_LINE or size > MOST_BYTES:
            most = f"a line has at most {MOST_LINE:,} bytes and a capture {MOST_BYTES:,}"
            raise BadInput(parameter="The capture", value=name, fix=f"Line {number} is beyond that: {most}.")
        text = raw.strip()
        if text:
            line = parse(text, file=file, before=before)
            before = line.ts_known
            yield line


def _instant(seconds: bytes, rest: bytes | None) -> int:
    return int(seconds) * NANOSECONDS + int((rest or b"0").ljust(9, b"0"))
