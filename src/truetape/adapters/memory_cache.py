"""A cache in the memory of this process, bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from truetape.domain.time import NANOSECONDS
from truetape.ports.clock import Clock


@dataclass(frozen=True)
class _Kept:
    value: bytes
    size: int
    until_ns: int | None


class MemoryCache:
    """Keep at most `max_bytes` of keys and values; what was used longest ago goes first."""

    def __init__(self, *, max_bytes: int, clock: Clock) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """The bytes held now, keys included."""
        return self._bytes

    async def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None if there is none."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until_ns is not None and self._clock.now_ns() >= kept.until_ns:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return kept.value

    async def put(self, key: str, value: bytes, *, ttl_s: float | None = None) -> None:
        """Keep `value` under `key`, for `ttl_s` seconds if given. A value larger than the cache is not kept."""
        if key in self._kept:
            self._forget(key)
        size = len(key.encode()) + len(value)
        if size > self._max_bytes:
            return
        until = None if ttl_s is None else self._clock.now_ns() + round(ttl_s * NANOSECONDS)
        self._kept[key] = _Kept(value=bytes(value), size=size, until_ns=until)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._kept)))

    async def drop(self, prefix: str) -> None:
        """Forget every key that starts with `prefix`."""
        for key in [key for key in self._kept if key.startswith(prefix)]:
            self._forget(key)

    def _forget(self, key: str) -> None:
        self._bytes -= self._kept.pop(key).size
