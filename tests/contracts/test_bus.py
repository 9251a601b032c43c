"""What every bus promises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from truetape.adapters.memory_bus import DeadLetter, MemoryBus
from truetape.adapters.set_clock import SetClock
from truetape.domain.errors import BadInput, Transient, UnknownSymbol
from truetape.domain.messages import FactorsChanged, FindingsMade, IndexChanged, Message

Build = Callable[..., MemoryBus]


def factors(number: int, instrument: str = "ins_a") -> FactorsChanged:
    return FactorsChanged(instrument_id=instrument, ts_known=number, changed=1)


def index(number: int) -> IndexChanged:
    return IndexChanged(index_id="idx", ts_known=number, changed=1)


@pytest.fixture(params=[MemoryBus])
async def build(request: pytest.FixtureRequest) -> AsyncIterator[Build]:
    """Build buses of one kind, and close them afterwards."""
    built: list[MemoryBus] = []

    def make(**options: Any) -> MemoryBus:
        built.append(request.param(clock=SetClock(0), **options))
        return built[-1]

    yield make
    for bus in built:
        await bus.close()


async def test_each_group_gets_each_message_once(build: Build) -> None:
    """Two groups that subscribe to one kind both hear it; another kind they do not."""
    bus, heard = build(), []

    def hear(group: str) -> Callable[[Message], Any]:
        async def handler(message: Message) -> None:
            heard.append((group, message))

        return handler

    bus.subscribe(FactorsChanged, group="one", handler=hear("one"))
    bus.subscribe(FactorsChanged, group="two", handler=hear("two"))
    await bus.publish(factors(1))
    await bus.publish(index(2))
    await bus.drain()
    assert sorted(heard, key=lambda item: item[0]) == [("one", factors(1)), ("two", factors(1))]


async def test_a_group_sees_messages_of_all_types_in_the_order_of_publishing(build: Build) -> None:
    """One group with two handlers, of which one is slow, hears 1 to 40 in order."""
    bus, heard = build(), []

    async def slow(message: FactorsChanged) -> None:
        await asyncio.sleep(0.001)
        heard.append(message.ts_known)

    async def fast(message: IndexChanged) -> None:
        heard.append(message.ts_known)

    bus.subscribe(FactorsChanged, group="room", handler=slow)
    bus.subscribe(IndexChanged, group="room", handler=fast)
    for number in range(1, 41):
        await bus.publish(factors(number) if number % 2 else index(number))
    await bus.drain()
    assert heard == list(range(1, 41))


async def test_a_transient_failure_is_delivered_again_before_later_messages(build: Build) -> None:
    """The first message fails twice; it still comes to its end before the second one starts."""
    bus, heard = build(attempts=3), []

    async def handler(message: FactorsChanged) -> None:
        heard.append(message.ts_known)
        if heard.count(1) < 3 and message.ts_known == 1:
            raise Transient("not yet")

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    await bus.publish(factors(1))
    await bus.publish(factors(2))
    await bus.drain()
    assert heard == [1, 1, 1, 2]
    assert list(bus.dead_letters) == []


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (Transient("the disk is full"), 4, True),
        (UnknownSymbol(symbol="ZZZ", known=()), 1, True),
        (ZeroDivisionError("a defect"), 1, False),
        (asyncio.CancelledError(), 1, False),
    ],
    ids=["transient", "terminal", "defect", "cancelled inside"],
)
async def test_a_message_that_cannot_be_handled_is_buried(
    build: Build, error: BaseException, attempts: int, expected: bool
) -> None:
    """It goes to the dead letters with its error; the publisher hears nothing and the next message is delivered."""
    told: list[DeadLetter] = []
    bus, heard = build(attempts=4, on_dead_letter=told.append), []

    async def handler(message: FactorsChanged) -> None:
        heard.append(message.ts_known)
        if message.ts_known == 1:
            raise error

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    await bus.publish(factors(1))
    await bus.publish(factors(2))
    await bus.drain()
    letter = DeadLetter(message=factors(1), error=error, group="room", attempts=attempts)
    assert heard == [1] * attempts + [2]
    assert list(bus.dead_letters) == told == [letter]
    assert letter.expected is expected


async def test_repeats_wait_twice_as_long_each_time() -> None:
    """Four attempts with a backoff of 0.5 s wait 0.5 + 1 + 2 seconds in between."""
    clock = SetClock(0)
    bus = MemoryBus(attempts=4, backoff_s=0.5, clock=clock)

    async def handler(message: FactorsChanged) -> None:
        raise Transient("never")

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    await bus.publish(factors(1))
    await bus.drain()
    assert clock.now_ns() == 3_500_000_000
    await bus.close()


async def test_publish_waits_while_a_group_is_full(build: Build) -> None:
    """With room for two unread messages the fourth publisher waits until the handler takes one more."""
    bus, release, heard = build(capacity=2), asyncio.Event(), []

    async def handler(message: FactorsChanged) -> None:
        heard.append(message.ts_known)
        await release.wait()

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    for number in (1, 2, 3):  # one in the handler, two unread
        await asyncio.wait_for(bus.publish(factors(number)), 1)
        await asyncio.sleep(0)
    late = [asyncio.create_task(bus.publish(factors(number))) for number in (4, 5)]
    await asyncio.sleep(0.01)
    assert [task.done() for task in late] == [False, False]
    assert (bus.stats()["room"].waiting, bus.stats()["room"].blocked) == (2, 2)
    release.set()
    await asyncio.gather(*late)
    await bus.drain()
    assert heard == [1, 2, 3, 4, 5]


def heavy(number: int, size: int) -> FindingsMade:
    return FindingsMade(source="test", ts_known=number, findings=bytes(size))


async def test_publish_waits_while_a_group_has_too_much_to_carry(build: Build) -> None:
    """With room for 100 bytes, 60 and 60 may wait; what comes after them waits for its turn, however great it is."""
    bus, release, heard = build(capacity_bytes=100), asyncio.Event(), []

    async def handler(message: FindingsMade) -> None:
        heard.append(message.ts_known)
        await release.wait()

    bus.subscribe(FindingsMade, group="room", handler=handler)
    for number in (1, 2, 3):  # one in the handler, two unread
        await asyncio.wait_for(bus.publish(heavy(number, 60)), 1)
        await asyncio.sleep(0)
    late = [asyncio.create_task(bus.publish(heavy(number, size))) for number, size in ((4, 500), (5, 1), (6, 60))]
    await asyncio.sleep(0.01)
    late[2].cancel()
    await asyncio.sleep(0)
    stats = bus.stats()["room"]
    assert [task.done() for task in late] == [False, False, True]
    assert (stats.waiting, stats.waiting_bytes, stats.blocked) == (2, 120, 2)
    release.set()
    await asyncio.gather(*late[:2])
    await bus.drain()
    assert heard == [1, 2, 3, 4, 5]
    assert bus.stats()["room"].waiting_bytes == 0


async def test_closing_refuses_publishers_that_wait_for_less_to_carry(build: Build) -> None:
    """They get Transient, as those do that wait for a seat."""
    bus, never = build(capacity_bytes=10), asyncio.Event()

    async def handler(message: FindingsMade) -> None:
        await never.wait()

    bus.subscribe(FindingsMade, group="room", handler=handler)
    for number in (1, 2):
        await bus.publish(heavy(number, 10))
        await asyncio.sleep(0)
    blocked = [asyncio.create_task(bus.publish(heavy(number, 10))) for number in (3, 4)]
    await asyncio.sleep(0)
    await bus.close()
    outcomes = await asyncio.gather(*blocked, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Transient] * 2


async def test_drain_waits_for_messages_that_handlers_publish(build: Build) -> None:
    """A chain of a hundred messages, each published by the handler of the one before, is over when drain returns."""
    bus, heard = build(), []

    async def handler(message: FactorsChanged) -> None:
        await asyncio.sleep(0)
        heard.append(message.ts_known)
        if message.ts_known < 100:
            await bus.publish(factors(message.ts_known + 1))

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    await bus.publish(factors(1))
    await bus.drain()
    assert heard == list(range(1, 101))


async def test_a_message_that_nobody_hears_is_fine(build: Build) -> None:
    """Publishing without subscribers returns, and drain has nothing to wait for."""
    bus = build()
    await bus.publish(factors(1))
    await asyncio.wait_for(bus.drain(), 1)
    assert bus.stats() == {}


async def test_a_subscription_to_all_messages_hears_every_kind(build: Build) -> None:
    """A handler of Message itself hears what has no nearer handler in its group."""
    bus, all_heard, near = build(), [], []

    async def everything(message: Message) -> None:
        all_heard.append(message)

    async def nearer(message: IndexChanged) -> None:
        near.append(message)

    bus.subscribe(Message, group="room", handler=everything)
    bus.subscribe(IndexChanged, group="room", handler=nearer)
    await bus.publish(factors(1))
    await bus.publish(index(2))
    await bus.drain()
    assert (all_heard, near) == ([factors(1)], [index(2)])


async def test_the_counts_of_a_group(build: Build) -> None:
    """Delivered, retried and buried messages are counted apart."""
    bus = build(attempts=2)

    async def handler(message: FactorsChanged) -> None:
        if message.ts_known == 2:
            raise Transient("no")

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    for number in (1, 2, 3):
        await bus.publish(factors(number))
    await bus.drain()
    stats = bus.stats()["room"]
    assert (stats.delivered, stats.retried, stats.buried, stats.waiting, stats.blocked) == (2, 1, 1, 0, 0)


async def test_closing_refuses_publishers_that_wait(build: Build) -> None:
    """Publishers blocked by a full group, and later ones, get Transient; a second close is fine."""
    bus, never = build(capacity=1), asyncio.Event()

    async def handler(message: FactorsChanged) -> None:
        await never.wait()

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    await bus.publish(factors(1))
    await asyncio.sleep(0)
    await bus.publish(factors(2))
    blocked = [asyncio.create_task(bus.publish(factors(number))) for number in (3, 4, 5)]
    await asyncio.sleep(0)
    await bus.close()
    outcomes = await asyncio.gather(*blocked, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Transient] * 3
    with pytest.raises(Transient, match="closed"):
        await bus.publish(factors(6))
    await bus.drain()
    await bus.close()


async def test_a_dead_letter_callback_that_fails_harms_nobody(build: Build) -> None:
    """The pump survives a broken callback."""

    def broken(letter: DeadLetter) -> None:
        raise OSError("log file is gone")

    bus, heard = build(on_dead_letter=broken), []

    async def handler(message: FactorsChanged) -> None:
        heard.append(message.ts_known)
        raise ValueError("defect")

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    await bus.publish(factors(1))
    await bus.publish(factors(2))
    await bus.drain()
    assert heard == [1, 2]


def test_one_handler_for_each_kind_and_group() -> None:
    """A second handler of the same kind in the same group is a mistake of the wiring, told at once."""
    bus = MemoryBus()

    async def handler(message: FactorsChanged) -> None: ...

    bus.subscribe(FactorsChanged, group="room", handler=handler)
    with pytest.raises(ValueError, match="room has a handler of FactorsChanged"):
        bus.subscribe(FactorsChanged, group="room", handler=handler)


@pytest.mark.parametrize("options", [{"capacity": 0}, {"capacity_bytes": 0}, {"attempts": 0}])
def test_a_bus_needs_room_and_attempts(options: dict[str, int]) -> None:
    """Zero capacity or zero attempts would lose or block everything."""
    with pytest.raises(BadInput, match="Give 1 or more"):
        MemoryBus(**options)  # type: ignore[arg-type]
