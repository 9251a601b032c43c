"""Lists that are fetched now and then: who is listed, which markets and currencies there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import structlog

from truetape.domain.asks import Answer, Ask
from truetape.domain.messages import GaveUp, RawCaptured
from truetape.domain.registers import LISTS, Place, Register
from truetape.domain.time import NANOSECONDS, to_datetime
from truetape.ports.bus import Bus
from truetape.ports.clock import Clock
from truetape.ports.provider import Provider
from truetape.services.ingestion.enquiry import Enquiry, Errand
from truetape.services.ingestion.rounds import Round

log = structlog.get_logger()

LOOK_EVERY_S: Final = 60.0  # between two looks for lists that are due
AGAIN_S: Final = 3600.0  # before a list is asked for again that could not be had
ABOUT: Final = "list of "  # before what a list is about that is no whole list, in the place of an instrument
WHY: Final = "its list is due"


class Registers:
    """Fetch lists when they are due, within the quotas that all questions share.

    What a list says is claimed payload by payload; it belongs to no round.
    """

    def __init__(
        self,
        wanted: tuple[Register, ...],
        *,
        providers: Mapping[str, Provider],
        enquiry: Enquiry,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._wanted = wanted
        self._providers = providers
        self._enquiry = enquiry
        self._bus = bus
        self._clock = clock
        self._fetched: dict[Place, int] = {}  # when each was fetched last, by its provider's spelling of the symbol
        self._failed: dict[Place, int] = {}
        self._newest: dict[tuple[Place, str], RawCaptured] = {}  # pages that the journal has, the newest of each

    def note(self, entry: RawCaptured) -> None:
        """Remember a list that the journal holds."""
        if entry.kind in LISTS and not entry.round_id:
            place = (entry.provider, entry.kind, entry.symbol)
            self._fetched[place] = max(entry.ts_known, self._fetched.get(place, 0))
            self._newest[place, entry.page] = entry

    async def retell(self, known: frozenset[str]) -> None:
        """Tell again of the newest lists whose payloads are not among `known`, those that the store has.

        Those of providers that are not enabled cannot be read now.
        """
        for entry in self._newest.values():
            if entry.key not in known and entry.provider in self._providers:
                await self._bus.publish(entry)
        self._newest.clear()

    def due(self, now_ns: int) -> Iterator[Register]:
        """Yield the lists that are to be fetched at `now_ns` (UTC nanoseconds), in the order of the settings."""
        for one in self._wanted:
            provider = self._providers.get(one.provider)
            if provider is None:
                continue
            place = _spelled(one, provider)
            last, failed = self._fetched.get(place), self._failed.get(place)
            is_old = last is None or now_ns - last >= one.every_s * NANOSECONDS
            if is_old and (failed is None or now_ns - failed >= AGAIN_S * NANOSECONDS):
                yield one

    async def work(self) -> None:
        """Fetch what is due, for ever.

        Raises:
            StoreUnavailable: What was fetched cannot be told now.
        """
        while True:
            for one in tuple(self.due(self._clock.now_ns())):
                await self.fetch(one)
            await self._clock.sleep(LOOK_EVERY_S)

    async def fetch(self, wanted: Register, *, why: str = WHY) -> GaveUp | tuple[RawCaptured, ...]:
        """Fetch a list now; return its pages, or why there are none.

        A list of which a page is missing is fetched anew as a whole; its other pages are in the archive.

        Raises:
            KeyError: Its provider is not enabled.
        """
        provider = self._providers[wanted.provider]
        now, asked = self._clock.now_ns(), self._round(wanted)
        failure = await self._enquiry.ask(provider, asked, Errand(why=why, proofread=True))
        place = _spelled(wanted, provider)
        if failure is not None:
            self._failed[place] = now
            log.warning("ingestion.register_missing", provider=wanted.provider, kind=wanted.kind, reason=failure.words)
            return failure
        self._fetched[place] = now
        return tuple(asked.captured[wanted.provider])

    async def keep(self, wanted: Register, body: bytes, *, why: str) -> RawCaptured:
        """Archive a list that came in another way as if it had been fetched now, tell of it, and return what was told.

        Raises:
            KeyError: Its provider is not enabled.
        """
        provider, asked = self._providers[wanted.provider], self._round(wanted)
        ask = Ask(kind=asked.kind, symbol=_spelled(wanted, provider)[-1], start=asked.start, end=asked.end)
        answer = Answer(url="", status=200, content_type="", headers={}, body=body)
        return await self._enquiry.capture(provider, asked, ask, answer, Errand(why=why))

    def _round(self, wanted: Register) -> Round:
        """Return a round without an id: what it brings is claimed by itself; lists about one thing are apart."""
        today = to_datetime(self._clock.now_ns()).date()
        about = f"{ABOUT}{wanted.symbol}" if wanted.symbol else ""
        return Round("", about, wanted.symbol, wanted.kind, "1d", today, today, only=(wanted.provider,))


def _spelled(one: Register, provider: Provider) -> Place:
    return one.provider, one.kind, provider.spell(one.symbol) if one.symbol else ""
