"""What every clock promises."""

from __future__ import annotations

import asyncio
import time

import pytest

from truetape.adapters.set_clock import SetClock
from truetape.adapters.system_clock import SystemClock
from truetape.domain.errors import BadInput
from truetape.ports.clock import Clock

START = 1_700_000_000_123_456_789


@pytest.fixture(params=["system", "set"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return SystemClock() if request.param == "system" else SetClock(START)


async def test_time_never_goes_back(clock: Clock) -> None:
    """A thousand answers are in order."""
    answers = [clock.now_ns() for _ in range(1000)]
    assert answers == sorted(answers)


async def test_sleep_returns_when_the_time_has_passed(clock: Clock) -> None:
    """After sleeping 20 ms the clock shows at least 20 ms more (less a system timer's grain)."""
    before = clock.now_ns()
    await clock.sleep(0.02)
    assert clock.now_ns() - before >= 19_000_000


@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_a_sleep_of_nothing_returns_at_once(clock: Clock, seconds: float) -> None:
    """Zero and negative sleeps do not wait and do not turn time back."""
    before = clock.now_ns()
    await asyncio.wait_for(clock.sleep(seconds), 1)
    assert clock.now_ns() >= before


def test_the_system_clock_tells_the_present() -> None:
    """Within a second of the system's own."""
    assert abs(SystemClock().now_ns() - time.time_ns()) < 1_000_000_000


async def test_a_set_clock_stands_still() -> None:
    """It shows what it was set to, to the nanosecond, until it is moved."""
    clock = SetClock(START)
    assert (clock.now_ns(), clock.now_ns()) == (START, START)
    clock.advance(1.5)
    assert clock.now_ns() == START + 1_500_000_000
    clock.set(START + 2_000_000_000)
    await clock.sleep(3600)
    assert clock.now_ns() == START + 3_602_000_000_000


async def test_sleepers_of_a_set_clock_wake_in_the_order_in_which_they_are_due() -> None:
    """Started as 3 h, 1 h, 2 h, they wake as 1, 2, 3, each at its own time."""
    clock, woken = SetClock(0), []

    async def sleeper(hours: int) -> None:
        await clock.sleep(hours * 3600)
        woken.append((hours, clock.now_ns()))

    await asyncio.gather(sleeper(3), sleeper(1), sleeper(2))
    assert woken == [(hours, hours * 3600 * 10**9) for hours in (1, 2, 3)]


async def test_a_sleeper_that_is_cancelled_holds_up_nobody() -> None:
    """The next sleeper wakes at its own time."""
    clock = SetClock(0)
    cancelled = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait_for(clock.sleep(2), 1)
    assert clock.now_ns() == 2_000_000_000


def test_a_set_clock_refuses_to_go_back() -> None:
    """Setting an earlier time names the present."""
    with pytest.raises(BadInput, match=r"2023-11-14T22:13:20\.123456789Z"):
        SetClock(START).set(START - 1)
