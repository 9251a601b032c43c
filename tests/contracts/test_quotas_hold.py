"""No quota is ever broken, and at least 95 % of each can be used: simulated requests, judged from outside.

`make soak` makes a million of them.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quota_oracle import Greedy, Requests, folder_in_memory

from lengths import usually
from servers import Redis
from truetape.adapters.redis_ledger import RedisLedger
from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.domain.plans import Period, Spending, Window
from truetape.domain.quota import NEVER
from truetape.ports.ledger import Denial, Grant

pytestmark = pytest.mark.no_cover  # long, and of code that its own tests cover

ASKED = usually(100_000, long=1_000_000)
START = int(datetime(2026, 3, 7, 21, 0, tzinfo=UTC).timestamp()) * 10**9  # hours before New York's clocks change
NEW_YORK = "America/New_York"


memory = pytest.fixture(folder_in_memory)


@dataclass(frozen=True)
class Provider:
    """A provider of the simulation: what it allows, how it weighs, and the seconds between two bursts of requests."""

    windows: tuple[Window, ...]
    pause_s: float
    weights: tuple[float, ...] = (1.0,)
    symbols: int = 0


def calls(limit: float, period: Period, **more: Any) -> Window:
    return Window(limit=limit, period=period, **more)


def credits_(limit: float, period: Period, **more: Any) -> Window:
    return Window(unit="credits", limit=limit, period=period, **more)


PROVIDERS = {
    "day-and-second": Provider((calls(25, "day", zone=NEW_YORK), calls(5, "second", rolling=True)), 13_900),
    "rolling-minute": Provider((calls(60, "minute", rolling=True), calls(30, "second", rolling=True)), 5),
    "hour-day-symbols": Provider(
        (
            calls(50, "hour", zone=NEW_YORK),
            calls(1000, "day", zone=NEW_YORK),
            Window(unit="symbols", limit=500, period="month"),
        ),
        430,
        symbols=2000,
    ),
    "calendar-minute": Provider((calls(200, "minute"),), 1.25),
    "few-a-minute": Provider((calls(5, "minute", rolling=True),), 50),
    "credits": Provider((credits_(8, "minute"), credits_(800, "day")), 960, weights=(1, 1, 2, 5)),
    "bandwidth": Provider((calls(250, "day"), Window(unit="bytes", limit=5e6, period="month", rolling=True)), 17_000),
    "warsaw-day": Provider((calls(100, "day", zone="Europe/Warsaw"), calls(3, "second")), 3_456),
    "weights": Provider((credits_(6000, "minute"), credits_(25_000, "minute", every=5)), 0.66, weights=(1, 2, 10, 40)),
    "endpoints": Provider(
        (credits_(100.5, "hour", rolling=True), calls(20, "hour", endpoint="chain"), calls(10, "second")),
        240,
        weights=(0.5, 1.25, 3),
    ),
}


class Simulation:
    """Providers that are asked in bursts, by ledgers that restart; everything that was let go is noted."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.went: dict[str, Requests] = {name: Requests() for name in PROVIDERS}
        self.ideal: dict[str, int] = dict.fromkeys(PROVIDERS, 0)

    def burst(self, name: str, size: int) -> list[Spending]:
        provider, chance = PROVIDERS[name], self.random
        return [
            Spending(
                provider=name,
                account="k",
                endpoint=chance.choice(("bars", "chain")),
                credits=chance.choice(provider.weights),
                symbols=(f"S{chance.randrange(provider.symbols)}",) if provider.symbols else (),
                bytes=float(chance.randrange(1, 20_000)),
            )
            for _ in range(size)
        ]

    async def ask(self, name: str, *, requests: int, open_ledgers: Callable[[SetClock], list[Any]]) -> None:
        """Ask `name` so many times, in bursts of one to twenty, by two ledgers that close and open again at times."""
        provider, clock, greedy = PROVIDERS[name], SetClock(START), Greedy(PROVIDERS[name].windows)
        ledgers, asked = open_ledgers(clock), 0
        while asked < requests:
            size = self.random.randint(1, 20)
            clock.advance(self.random.expovariate(1 / provider.pause_s) * size / 10)
            burst, ledger = self.burst(name, size), self.random.choice(ledgers)
            answers = await asyncio.gather(*(ledger.reserve(one, provider.windows) for one in burst))
            for one, answer in zip(burst, answers, strict=True):
                if isinstance(answer, Grant):
                    self.went[name].add(clock.now_ns(), one)
                self.ideal[name] += greedy.ask(clock.now_ns(), one)
            asked += size
            if self.random.random() < 0.002:
                for one in ledgers:
                    await one.close()
                ledgers = open_ledgers(clock)
        for one in ledgers:
            await one.close()

    def violations(self) -> list[str]:
        """Return every window that held more than its limit, at whatever moment."""
        return [
            f"{name}: {window} held {most}"
            for name, provider in PROVIDERS.items()
            for window in provider.windows
            if (most := self.went[name].most(window)) > window.limit * (1 + 1e-6)
        ]

    def used_less_than(self, share: float) -> dict[str, float]:
        """Return the providers that were asked and let less than `share` go of what an exact ledger would have."""
        shares = {name: len(self.went[name].at_ns) / ideal for name, ideal in self.ideal.items() if ideal}
        return {name: found for name, found in shares.items() if found < share}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROVIDERS)
async def test_many_requests_break_no_quota(memory: Path, name: str) -> None:
    """Of ten providers with all kinds of windows and weights, two ledgers on one file that restart; 95 % are used."""
    simulation = Simulation(seed=4)
    await simulation.ask(
        name,
        requests=ASKED // len(PROVIDERS),
        open_ledgers=lambda clock: [SqliteLedger(memory / "ledger", clock=clock) for _ in range(2)],
    )
    assert simulation.violations() == []
    assert simulation.used_less_than(0.95) == {}


@pytest.mark.slow
async def test_redis_breaks_no_quota(redis: Redis) -> None:
    """The same ten providers, by two ledgers on one server."""
    simulation, prefix = Simulation(seed=5), uuid.uuid4().hex
    for name in PROVIDERS:
        await simulation.ask(
            name,
            requests=usually(2_000, long=5_000),
            open_ledgers=lambda clock: [RedisLedger(redis.url, prefix=prefix, clock=clock) for _ in range(2)],
        )
    assert simulation.violations() == []
    assert simulation.used_less_than(0.95) == {}


TIMELINE = """
import asyncio, random, sys
from pathlib import Path
from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant

async def main():
    clock, chance, granted = SetClock(int(sys.argv[2])), random.Random(int(sys.argv[3])), 0
    ledger = SqliteLedger(Path(sys.argv[1]), clock=clock)
    windows = (
        Window(limit=300, period="day", zone="America/New_York"),
        Window(limit=60, period="hour", rolling=True),
    )
    for _ in range(20 * 144):
        size = chance.randint(1, 20)
        one = Spending(provider="acme", account="k")
        answers = await asyncio.gather(*(ledger.reserve(one, windows) for _ in range(size)))
        granted += sum(isinstance(answer, Grant) for answer in answers)
        clock.advance(600)
    await ledger.close()
    print(granted)

asyncio.run(main())
"""


@pytest.mark.slow
def test_two_processes_whose_clocks_differ_share_a_quota(memory: Path) -> None:
    """Each lives through twenty days at its own pace, so that each is now ahead and now behind: 300 go on each day."""
    start = START + 8 * 3600 * 10**9  # midnight in New York
    command = [sys.executable, "-c", TIMELINE, str(memory / "ledger"), str(start)]
    askers = [subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE) for seed in (1, 2)]
    granted = sum(int(asker.communicate(timeout=120)[0]) for asker in askers)
    assert 0.95 * 300 * 20 <= granted <= 300 * 21  # the last day has one hour, since the first had 23


WINDOWS = st.lists(
    st.builds(
        Window,
        unit=st.sampled_from(("calls", "credits", "bytes")),
        limit=st.one_of(st.integers(1, 12).map(float), st.floats(1, 12)),
        period=st.sampled_from(("second", "minute", "hour", "day", "month")),
        rolling=st.booleans(),
        zone=st.sampled_from(("UTC", NEW_YORK, "Europe/Warsaw")),
        endpoint=st.sampled_from(("", "", "bars")),
    ),
    min_size=1,
    max_size=4,
)
REQUESTS = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 2), st.floats(0, 4000), st.floats(0, 90_000)),
        st.sampled_from(("bars", "chain")),
        st.floats(0.25, 5),
        st.integers(1, 6),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@given(WINDOWS, REQUESTS)
@settings(max_examples=40)
async def test_any_plan_under_any_requests(
    tmp_path_factory: pytest.TempPathFactory, windows: list[Window], requests: list[tuple[float, str, float, int, bool]]
) -> None:
    """No window holds too much; what is denied may go, alone, at the instant that it was told, and not before."""
    clock, went = SetClock(START), Requests()
    path = tmp_path_factory.mktemp("any") / "ledger"
    ledger = SqliteLedger(path, clock=clock)
    for pause_s, endpoint, weight, size, restarts in requests:
        clock.advance(pause_s)
        one = Spending(provider="acme", account="k", endpoint=endpoint, credits=weight, bytes=float(size))
        answer = await ledger.reserve(one, windows)
        if isinstance(answer, Denial) and answer.until_ns < NEVER:
            assert answer.until_ns > clock.now_ns()
            clock.set(answer.until_ns)
            answer = await ledger.reserve(one, windows)
            assert isinstance(answer, Grant)
        if isinstance(answer, Grant):
            went.add(clock.now_ns(), one)
        if restarts:
            await ledger.close()
            ledger = SqliteLedger(path, clock=clock)
    await ledger.close()
    assert [window for window in windows if went.most(window) > window.limit * (1 + 1e-6)] == []
