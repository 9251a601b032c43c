"""Lists are fetched when they are due, asked again later where they could not be had, and told again after a crash."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

from ingestion_room import Room, eventually
from room_doubles import rows
from truetape.app.conformance.market import market
from truetape.app.sandbox.desk import broken
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp, Tampering, untouched
from truetape.domain.messages import GaveUp, RawCaptured
from truetape.domain.registers import Register
from truetape.providers import vendor
from truetape.services.ingestion.registers import AGAIN_S
from truetape.services.ingestion.service import IngestionService

DAY_S = 86_400.0
SEC = Register(provider="sec", kind="listings", every_s=DAY_S)
ISSUER = Register(provider="sec", kind="issuers", symbol="AAA", every_s=7 * DAY_S)
CURRENCIES = Register(provider="iso4217", kind="currencies", every_s=7 * DAY_S)


def registers(*wanted: Register, tamper: Tampering = untouched, **room: Any) -> tuple[Room, IngestionService]:
    made = Room(**room)
    http = InMemoryHttp(market(), tamper=tamper)
    for name, key in (("sec", "Acme a@b.example"), ("iso4217", "")):
        made.providers[name] = vendor(name).provider(http, base_url=f"{ROOT}/{name}", key=key)
    return made, made.build(registers=wanted, simulated=True)


async def test_a_list_is_fetched_again_when_it_is_due() -> None:
    """Each in its own time: the list of tickers daily, an issuer's page weekly, in the order of the settings."""
    room, service = registers(SEC, ISSUER)
    assert [SEC, ISSUER] == list(service.registers.due(room.clock.now_ns()))

    for one in (SEC, ISSUER):
        assert isinstance(await service.registers.fetch(one), tuple)

    assert [] == list(service.registers.due(room.clock.now_ns()))
    await room.clock.sleep(DAY_S)
    assert [SEC] == list(service.registers.due(room.clock.now_ns()))


async def test_a_list_is_archived_and_told_like_every_answer() -> None:
    """It belongs to no round; one about a single thing says which, and both are in the journal."""
    room, service = registers()

    whole = await service.registers.fetch(SEC)
    single = await service.registers.fetch(ISSUER, why="asked")

    assert isinstance(whole, tuple)
    assert isinstance(single, tuple)
    told = [(one.kind, one.round_id, one.instrument_id, one.symbol, one.why) for one in (*whole, *single)]
    assert told == [
        ("listings", "", "", "", "its list is due"),
        ("issuers", "", "list of AAA", "AAA", "asked"),
    ]
    assert [*whole, *single] == room.recorded(RawCaptured) == room.bus.of(RawCaptured)
    assert b'"fields"' in room.archive.get(whole[0].key)


async def test_all_pages_of_a_list_come() -> None:
    """Currencies in use, then those withdrawn."""
    _, service = registers()

    pages = await service.registers.fetch(CURRENCIES)

    assert isinstance(pages, tuple)
    assert ["", "list-three"] == [one.page for one in pages]


async def test_what_could_not_be_had_is_asked_for_again_later() -> None:
    """Not at once, and not only when the next list is due."""
    room, service = registers(SEC, tamper=lambda _request, _reply: broken(503))

    failure = await service.registers.fetch(SEC)

    assert isinstance(failure, GaveUp)
    assert [] == list(service.registers.due(room.clock.now_ns()))
    await room.clock.sleep(AGAIN_S)
    assert [SEC] == list(service.registers.due(room.clock.now_ns()))


async def test_a_provider_that_is_not_enabled_is_not_asked() -> None:
    """Its list waits until it is."""
    room, service = registers(Register(provider="gleif", kind="issuers", symbol="L"))

    assert [] == list(service.registers.due(room.clock.now_ns()))


async def test_a_file_is_kept_as_if_it_had_been_fetched() -> None:
    """Its bytes are archived, journalled and told."""
    room, service = registers()

    capture = await service.registers.keep(SEC, b"{}", why="from a file")

    assert (b"{}", "from a file", "") == (room.archive.get(capture.key), capture.why, capture.symbol)
    assert [capture] == room.recorded(RawCaptured) == room.bus.of(RawCaptured)


async def test_after_a_crash_the_newest_lists_are_told_again() -> None:
    """Those that the store has not; the journal says when each was fetched, so that none is fetched too early."""
    room, service = registers()
    kept = await service.registers.keep(SEC, b"{1}", why="w")
    lost = await service.registers.keep(CURRENCIES, b"{2}", why="w")
    again, restarted = registers(SEC, archive=room.archive)
    columns: dict[str, Any] = {"payload": [kept.key], "kind": "listings", "provider": "sec"}
    again.store.rows["captures"] = rows("captures", **columns, ts_known=date(2024, 1, 2))

    await restarted.resume()

    assert [lost] == again.bus.of(RawCaptured)
    assert [] == list(restarted.registers.due(again.clock.now_ns()))


async def test_what_is_due_is_fetched_for_ever() -> None:
    """Each list once a day, while the room works."""
    room, service = registers(SEC)
    work = asyncio.create_task(service.registers.work())

    await eventually(lambda: len(room.bus.of(RawCaptured)) >= 3)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    first, second, third = (one.ts_known for one in room.bus.of(RawCaptured)[:3])
    assert min(second - first, third - second) >= DAY_S * 1e9
