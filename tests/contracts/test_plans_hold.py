"""Every plan that the providers state, asked for more than it allows: no window of it is ever broken."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from quota_oracle import SECONDS, Greedy, Requests, folder_in_memory

from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.app.plans import plans
from truetape.domain.plans import Plan, Spending
from truetape.ports.ledger import Grant
from truetape.providers import NAMES
from truetape.services.ingestion.spending import spending_of

pytestmark = pytest.mark.no_cover  # long, and of code that its own tests cover

START = 1_772_917_200 * 10**9  # 2026-03-07 21:00 UTC, hours before New York's clocks change
REQUESTS = 1500


memory = pytest.fixture(folder_in_memory)


def pause_s(plan: Plan) -> float:
    """Return the seconds between two requests that ask for three times what the tightest window of calls allows."""
    paces = [
        SECONDS[window.period] * window.every / window.limit
        for window in plan.windows
        if window.unit in {"calls", "credits"} and not window.endpoint
    ]
    return max(paces, default=1.0) / 3


def request(plan: Plan, chance: random.Random) -> Spending:
    symbols = tuple(f"S{chance.randrange(2000)}" for _ in range(chance.choice((1, 1, 1, 3))))
    return spending_of(
        plan,
        provider="acme",
        account="k",
        endpoint=chance.choice(("bars", *plan.weights)),
        symbols=symbols,
        expected_bytes=float(chance.randrange(1_000_000)),
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
async def test_no_plan_is_ever_broken(memory: Path, name: str) -> None:
    """Asked by two ledgers side by side for three times its pace; at least 95 % of what may go goes."""
    for number, (called, plan) in enumerate(plans(name).plans.items()):
        clock, chance, went, greedy, ideal = SetClock(START), random.Random(number), Requests(), Greedy(plan.windows), 0
        ledgers = [SqliteLedger(memory / called, clock=clock) for _ in range(2)]
        for _ in range(REQUESTS // 10):
            burst = [request(plan, chance) for _ in range(chance.randint(1, 20))]
            clock.advance(chance.expovariate(1 / pause_s(plan)) * len(burst))
            ledger = chance.choice(ledgers)
            answers = await asyncio.gather(*(ledger.reserve(one, plan.windows) for one in burst))
            for one, answer in zip(burst, answers, strict=True):
                ideal += greedy.ask(clock.now_ns(), one)
                if isinstance(answer, Grant):
                    went.add(clock.now_ns(), one)
        for ledger in ledgers:
            await ledger.close()
        broken = [window for window in plan.windows if went.most(window) > window.limit * (1 + 1e-6)]
        assert (called, broken) == (called, [])
        assert ideal > 0
        assert len(went.at_ns) >= 0.95 * ideal, called
