"""Where providers' bytes are kept before anything reads them, with a journal of what happened in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from truetape.domain.announced_messages import ActionStated
from truetape.domain.class_messages import ClassesTold
from truetape.domain.messages import (
    BackfillRequested,
    CalendarsCorrected,
    DecisionMade,
    InstrumentsDeclared,
    InstrumentsMerged,
    RawCaptured,
    RoundClosed,
    SnapshotNamed,
    StreamCaptured,
)


class Attempted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One request to a provider that brought no data: what failed, and when."""

    provider: str
    kind: str
    round_id: str
    instrument_id: str
    symbol: str
    ts_known: int
    failure_class: str
    words: str
    status: int
    attempt: int
    key: str = ""  # the archived body of the error, "" if there was none
    simulated: bool = False


Entry = (
    InstrumentsDeclared
    | InstrumentsMerged
    | CalendarsCorrected
    | ClassesTold
    | BackfillRequested
    | RawCaptured
    | RoundClosed
    | StreamCaptured
    | DecisionMade
    | ActionStated
    | SnapshotNamed
    | Attempted
)


class Archive(Protocol):
    """Keep raw bytes for ever, under their sha256, and the journal.

    Guarantees, held by tests/contracts/test_archive.py for every adapter:

    - Durable: when `put` or `record` returns, a crash of the process or the machine loses nothing of it.
    - Whole: a payload is readable only in full; `get` checks its hash.
    - In order: `journal` gives entries in the order of `record`; an entry cut short by a crash was never recorded.
    - Once: the same bytes put twice are kept once.
    """

    def put(self, body: bytes) -> str:
        """Keep `body` and return its key (sha256, hexadecimal).

        Raises:
            StoreUnavailable: The bytes cannot be written now, for example because the disk is full.
        """
        ...

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`.

        Raises:
            CorruptArchive: The bytes are missing, or not those that were put.
        """
        ...

    def record(self, entry: Entry) -> None:
        """Append `entry` to the journal.

        Raises:
            StoreUnavailable: The journal cannot be written now.
        """
        ...

    def journal(self) -> Iterator[Entry]:
        """Yield every entry, oldest first.

        Raises:
            CorruptArchive: An entry before the last one is not readable.
        """
        ...
