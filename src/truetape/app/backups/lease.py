"""One at a time makes or prunes backups at a place: a lease that is renewed, and ends by itself with its holder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec
import structlog

from truetape.domain.errors import NotKept, PlaceInUse, StoreUnavailable
from truetape.ports.objects import Objects

LEASES: Final = "leases/"
LASTS_S: Final = 900
RENEWED_S: Final = 180.0

log = structlog.get_logger()


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    holder: str
    until: int  # UTC nanoseconds; 0 when it was given back


class Lease:
    """A lease that this process holds."""

    def __init__(self, objects: Objects, key: str, told: _Told, now: Callable[[], int]) -> None:
        self._objects = objects
        self._key = key
        self._told = told
        self._now = now

    async def check(self) -> None:
        """Return if it is held still.

        Raises:
            PlaceInUse: It ended, because this process slept too long, and somebody else has one.
        """
        newest = await _newest(self._objects)
        if newest is None or newest[0] != self._key:
            raise PlaceInUse(place=self._objects.place, holder=newest[1].holder if newest else "somebody else")

    async def renew(self, *, every_s: float) -> None:
        """Renew it for ever."""
        while True:
            await asyncio.sleep(every_s)
            with contextlib.suppress(StoreUnavailable):  # the next time, or it ends
                await self._write(self._now() + LASTS_S * 10**9)

    async def give_back(self) -> None:
        """Let others have the place."""
        try:
            await self._write(0)
        except StoreUnavailable as error:
            log.warning("backup.lease", place=self._objects.place, reason=error.reason, ends_in_s=LASTS_S)

    async def _write(self, until: int) -> None:
        await self._objects.put(self._key, msgspec.json.encode(msgspec.structs.replace(self._told, until=until)))


@contextlib.asynccontextmanager
async def leased(
    objects: Objects, *, what: str, now: Callable[[], int], renewed_s: float = RENEWED_S
) -> AsyncIterator[Lease]:
    """Hold the place for `what` until the end of the block, and renew that every `renewed_s` seconds.

    `now` gives UTC nanoseconds.

    Raises:
        PlaceInUse: Somebody else holds it.
        StoreUnavailable: The place cannot be read or written now.
    """
    newest = await _newest(objects)
    if newest is not None and newest[1].until > now():
        raise PlaceInUse(place=objects.place, holder=newest[1].holder)
    number = 1 if newest is None else int(newest[0].removeprefix(LEASES)) + 1
    key = f"{LEASES}{number:012}"
    told = _Told(holder=f"{what} on {socket.gethostname()}, process {os.getpid()}", until=now() + LASTS_S * 10**9)
    if not await objects.put(key, msgspec.json.encode(told), only_new=True):
        raise PlaceInUse(place=objects.place, holder="somebody who came at the same moment")
    if newest is not None:
        await objects.delete(newest[0])
    lease = Lease(objects, key, told, now)
    renewing = asyncio.create_task(lease.renew(every_s=renewed_s))
    try:
        yield lease
    finally:
        renewing.cancel()
        await lease.give_back()


async def _newest(objects: Objects) -> tuple[str, _Told] | None:
    keys = [one.key async for one in objects.list(LEASES)]
    for key in reversed(keys):
        try:
            return key, msgspec.json.decode(await objects.get(key), type=_Told)
        except NotKept:
            continue
        except msgspec.DecodeError:
            return key, _Told(holder="somebody", until=0)
    return None
