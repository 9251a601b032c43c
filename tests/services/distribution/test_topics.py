"""Topics: who hears what, and what a slow subscriber gets."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from truetape.services.distribution.topics import Event, Gap, Subscription, Topics


def event(topic: str = "a", number: int = 0) -> Event:
    return Event(topic, str(number).encode())


async def everything(subscription: Subscription) -> list[Event | Gap]:
    """Return all that `subscription` gives until it ends."""
    return [one async for one in subscription]


@pytest.mark.parametrize(
    ("pattern", "topic", "heard"),
    [
        ("truetape/bars/1d/ins_a", "truetape/bars/1d/ins_a", True),
        ("truetape/bars/1d/ins_a", "truetape/bars/1d/ins_ab", False),
        ("truetape/bars/*/ins_a", "truetape/bars/1d/ins_a", True),
        ("truetape/bars/*", "truetape/bars/1d/ins_a", False),
        ("truetape/bars/**", "truetape/bars/1d/ins_a", True),
        ("truetape/*/**", "truetape/bars/1d/ins_a", True),
        ("truetape/bars/1d/ins_a/**", "truetape/bars/1d/ins_a", False),
        ("truetape/b.rs/**", "truetape/bars/1d/ins_a", False),
        ("", "truetape/bars/1d/ins_a", False),
        ("(", "(", True),
    ],
)
async def test_a_pattern_chooses_topics(pattern: str, topic: str, heard: bool) -> None:
    """A star is one level, two stars at the end are all below; nothing else has a meaning."""
    topics = Topics(capacity=1)
    subscription = topics.subscribe(pattern)

    topics.publish(event(topic))
    topics.close()

    assert await everything(subscription) == ([event(topic)] if heard else [])


async def test_a_slow_subscriber_loses_the_oldest_and_is_told_how_many() -> None:
    """The gap stands where the events are missing; the others keep their order, and who is fast loses nothing."""
    topics = Topics(capacity=2)
    slow = topics.subscribe("a")
    for number in range(3):
        topics.publish(event(number=number))

    assert await anext(slow) == Gap(1)
    assert await anext(slow) == event(number=1)
    for number in range(3, 6):
        topics.publish(event(number=number))
    fast = topics.subscribe("a")
    topics.publish(event(number=6))
    topics.close()

    assert await everything(slow) == [Gap(3), event(number=5), event(number=6)]
    assert await everything(fast) == [event(number=6)]
    assert msgspec.json.encode(Gap(3)) == b'{"missed":3}'


async def test_a_subscriber_waits_for_the_next_event() -> None:
    """Reading before anything was published gives the first event once it comes."""
    topics = Topics(capacity=2)
    subscription = topics.subscribe("a")
    reading = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    assert not reading.done()

    topics.publish(event("b"))
    topics.publish(event("a"))

    assert await reading == event("a")


async def test_closing_ends_a_waiting_reader() -> None:
    """The iteration ends; nobody hangs."""
    topics = Topics(capacity=2)
    reading = asyncio.ensure_future(everything(topics.subscribe("a")))
    await asyncio.sleep(0)

    topics.close()

    assert await reading == []


async def test_who_has_left_hears_nothing() -> None:
    """After the `with` block events go to the others only; leaving twice is the same as once."""
    topics = Topics(capacity=2)
    with topics.subscribe("a") as left:
        topics.publish(event(number=1))
    topics.publish(event(number=2))
    left.close()

    assert await everything(left) == [event(number=1)]
