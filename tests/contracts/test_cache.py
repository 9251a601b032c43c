"""What every cache promises."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.adapters.memory_cache import MemoryCache
from truetape.adapters.set_clock import SetClock

Build = Callable[[int, SetClock], MemoryCache]


@pytest.fixture(params=[MemoryCache])
def build(request: pytest.FixtureRequest) -> Build:
    return lambda max_bytes, clock: request.param(max_bytes=max_bytes, clock=clock)


async def test_a_value_comes_back_as_it_was_put(build: Build) -> None:
    """Also an empty one; an unknown key has none; the last put counts."""
    cache = build(100, SetClock(0))
    await cache.put("a", b"1")
    await cache.put("b", b"")
    await cache.put("a", b"2")
    assert [await cache.get(key) for key in "abc"] == [b"2", b"", None]


async def test_what_was_used_longest_ago_goes_first(build: Build) -> None:
    """Three of ten bytes fit into 30; reading the first saves it, the second goes."""
    cache = build(30, SetClock(0))
    for key in "abc":
        await cache.put(key, b"123456789")
    await cache.get("a")
    await cache.put("d", b"123456789")
    assert [key for key in "abcd" if await cache.get(key)] == ["a", "c", "d"]


async def test_a_value_larger_than_the_cache_is_not_kept(build: Build) -> None:
    """It also takes the old value of its key away, and leaves the others."""
    cache = build(30, SetClock(0))
    await cache.put("a", b"old")
    await cache.put("b", b"other")
    await cache.put("a", b"x" * 30)
    assert [await cache.get("a"), await cache.get("b")] == [None, b"other"]


async def test_an_expired_value_is_gone(build: Build) -> None:
    """A value kept for two seconds is there after 1.9 and not after 2."""
    clock = SetClock(0)
    cache = build(100, clock)
    await cache.put("a", b"1", ttl_s=2)
    await cache.put("b", b"2")
    clock.advance(1.9)
    assert await cache.get("a") == b"1"
    clock.advance(0.1)
    assert [await cache.get("a"), await cache.get("b")] == [None, b"2"]
    assert cache.size_bytes == 2


async def test_dropping_a_prefix(build: Build) -> None:
    """Only keys that start with it go."""
    cache = build(100, SetClock(0))
    for key in ("bars/1", "bars/2", "quotes/1"):
        await cache.put(key, b"x")
    await cache.drop("bars/")
    assert [await cache.get(key) for key in ("bars/1", "bars/2", "quotes/1")] == [None, None, b"x"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(-1, 12)), max_size=40))
@settings(max_examples=50, deadline=None)
async def test_any_history_of_puts_and_gets_matches_a_model(steps: list[tuple[str, int]]) -> None:
    """Against an ordered dictionary; a negative number is a get, others put that many bytes."""
    cache, model = MemoryCache(max_bytes=25, clock=SetClock(0)), OrderedDict[str, bytes]()
    for key, length in steps:
        if length < 0:
            expected = model.get(key)
            if expected is not None:
                model.move_to_end(key)
            assert await cache.get(key) == expected
            continue
        model.pop(key, None)
        model[key] = bytes(length)
        while sum(1 + len(value) for value in model.values()) > 25:
            model.popitem(last=False)
        await cache.put(key, bytes(length))
        assert cache.size_bytes == sum(1 + len(value) for value in model.values())
