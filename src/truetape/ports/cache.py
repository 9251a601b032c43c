"""A bounded place for values that can be computed again."""

from __future__ import annotations

from typing import Protocol


class Cache(Protocol):
    """Keep bytes under a key for a while.

    Guarantees, held by tests/contracts/test_cache.py for every adapter: a value comes back as it was put or not at all;
    the cache holds at most its stated number of bytes, dropping what was used longest ago; an expired value is gone.
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None if there is none."""
        ...

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Keep `value` under `key`, for `ttl_s` seconds if given."""
        ...

    async def drop(self, prefix: str) -> None:
        """Forget every key that starts with `prefix`."""
        ...
