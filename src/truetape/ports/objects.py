"""Where whole files lie under names, in a folder or with a service that speaks S3: cold tiers and backups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Stat:
    """What is known of one object without reading it. `modified` is in UTC nanoseconds."""

    key: str
    size: int  # bytes
    modified: int


class Objects(Protocol):
    """Keep objects by key: see domain.object_keys. No key may be the beginning segments of another one.

    Guarantees, held by tests/contracts/test_objects.py for every adapter:

    - Whole: an object is there in full or not at all, whatever dies on the way.
    - Durable: when a `put` returns, a crash loses nothing of it.
    - Seen at once: what was put or deleted is so for the next call of anyone.
    - In words: what cannot be reached says why, and never a secret.
    """

    @property
    def place(self) -> str:
        """Where this is, as people write it: a folder, or `s3://bucket/prefix`."""
        ...

    async def put(self, key: str, body: bytes | Path, *, only_new: bool = False) -> bool:
        """Keep `body`, or what the file at that path holds, in place of what was there; memory stays bounded.

        Returns:
            False if `only_new` and there was an object of this key already, which then stays as it was.

        Raises:
            StoreUnavailable: It cannot be written now.
            BadInput: `key` is no key.
        """
        ...

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of an object from `start`, at most `length` of them; none behind its end.

        Raises:
            NotKept: There is no such object.
            StoreUnavailable: It cannot be read now.
        """
        ...

    async def fetch(self, key: str, path: Path) -> None:
        """Write an object into the file at `path`, whole or not at all, in bounded memory.

        Raises:
            NotKept: There is no such object.
            StoreUnavailable: It cannot be read or written now.
        """
        ...

    def list(self, prefix: str = "") -> AsyncIterator[Stat]:
        """Yield the objects whose key begins with `prefix`, in the order of their keys' code points.

        Raises:
            StoreUnavailable: They cannot be listed now.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; it is no error if there is none.

        Raises:
            StoreUnavailable: It cannot be removed now.
        """
        ...
