"""Answers that are kept: each while nothing that it looked at has changed, and made once for all who ask at once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from truetape.ports.cache import Cache
from truetape.services.api.asking import Answered, Teller
from truetape.services.api.config import CACHED, ApiConfig
from truetape.services.api.receipts import Question
from truetape.services.api.render import Rendered

_KEY_BYTES: Final = 16


class KeptAnswers:
    """Answer from what is kept where it is still true, and from `teller` elsewhere.

    An answer is given again only if nothing that it read was changed by any commit since, so that it is never stale;
    what was asked at a snapshot or on a later page holds for ever. The cache bounds the bytes.
    """

    def __init__(self, teller: Teller, *, cache: Cache, config: ApiConfig, on_kept: Callable[[], None]) -> None:
        self._teller = teller
        self._cache = cache
        self._config = config
        self._on_kept = on_kept
        self._under_way: dict[tuple[str, int], asyncio.Task[Rendered]] = {}

    async def answer(self, question: Question) -> Rendered:
        """Return the answer to `question`, whose parameters were checked.

        Raises:
            UnknownSymbol, UnknownTarget, BadInput: It cannot be answered.
            StoreUnavailable: The store cannot be read now.
        """
        return await self._once(_key(question), lambda: self._teller.answer(question))

    async def again(self, receipt: str) -> Rendered:
        """Return the answer that `receipt` is the id of.

        Raises:
            BadInput: It is no receipt.
            GoneAnswer: The store is not the same any more.
            StoreUnavailable: The store cannot be read now.
        """
        return await self._teller.again(receipt)

    async def _once(self, key: str, make: Callable[[], Awaitable[Answered]]) -> Rendered:
        kept = await self._kept(key)
        if kept is not None:
            self._on_kept()
            return kept
        place = (key, self._teller.store.version())
        task = self._under_way.get(place)
        if task is None:
            task = asyncio.create_task(self._made(key, make))
            self._under_way[place] = task
            task.add_done_callback(lambda done: self._forget(place, done))
        else:
            self._on_kept()
        return await asyncio.shield(task)

    def _forget(self, place: tuple[str, int], done: asyncio.Task[Rendered]) -> None:
        del self._under_way[place]
        if not done.cancelled():
            done.exception()  # whoever waited was told; nobody may have waited to the end

    async def _kept(self, key: str) -> Rendered | None:
        held = await self._cache.get(key)
        if held is None:
            return None
        answered = msgspec.msgpack.decode(held, type=Answered)
        if answered.used is None or self._teller.changes.unchanged(answered.used, since=answered.version):
            return answered.rendered
        return None

    async def _made(self, key: str, make: Callable[[], Awaitable[Answered]]) -> Rendered:
        answered = await make()
        if len(answered.rendered.body) <= self._config.max_cached_bytes:
            await self._cache.put(key, msgspec.msgpack.encode(answered), ttl_s=self._config.cache_ttl_s)
        return answered.rendered


def _key(question: Question) -> str:
    asked = msgspec.msgpack.encode(question, order="sorted")
    return f"{CACHED}{hashlib.blake2b(asked, digest_size=_KEY_BYTES).hexdigest()}"
