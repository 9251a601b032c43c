"""Every provider with every fault, over real sockets: another delivers and says why, one probe brings it back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from pipeline_doubles import DictArchive, Heard
from truetape.adapters.aiohttp_http import AiohttpHttp
from truetape.adapters.system_clock import SystemClock
from truetape.app.conformance.bench import Bench
from truetape.app.conformance.market import market
from truetape.app.conformance.subject import registered
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.desks import NAMES
from truetape.app.sandbox.faults import Fault
from truetape.domain.asks import Ask
from truetape.domain.failures import FailureClass
from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.ports.archive import Attempted
from truetape.ports.provider import Provider
from truetape.services.ingestion.acquisition import Acquisition
from truetape.services.ingestion.breaker import AT_ONCE, COUNTED, BreakerRules
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.enquiry import Enquiry
from truetape.services.ingestion.rounds import Round
from truetape.services.ingestion.routing import Policy
from truetape.services.ingestion.tally import Tally

pytestmark = pytest.mark.no_cover  # long, and of code that its own tests cover

FAULTS = (
    "kill",
    "rate_limit",
    "note",
    "server_error",
    "garbage",
    "truncated",
    "slow",
    "mute",
    "drift",
    "wrong_type",
    "bomb",
    "redirect_loop",
)
SILENT = frozenset({"slow", "mute"})  # only patience ends them
FIRST, SECOND = (date(2024, 2, 20), date(2024, 2, 23)), (date(2024, 2, 26), date(2024, 3, 1))
TRIES = 2
REST_S = 0.1


class Pair:
    """A provider under a fault and the same one without it, asked by the code of the ingestion room."""

    def __init__(self, name: str, fault: str) -> None:
        script = Fault(provider=name, kind=fault, times=TRIES, seconds=5.0, retry_after_s=0)  # type: ignore[arg-type]
        self.name, self.subject = name, registered(name)
        self.kind = "bars" if "1d" in self.subject.declaration.timeframes else self.subject.asked[0].kind
        self.symbol = Bench(self.subject).ours(self.kind)
        self.sandboxes = Sandbox(market(), (script,)), Sandbox(market())
        self.http = AiohttpHttp(timeout_s=0.8 if fault in SILENT else 10.0)
        self.archive, self.bus = DictArchive(), Heard()

    async def start(self) -> None:
        failing, sound = [
            self.subject.build(self.http, f"{await one.start()}/{self.name}", "a-key-that-is-long")
            for one in self.sandboxes
        ]
        self.providers = {self.name: _quick(failing, self.name), "backup": _quick(sound, "backup")}
        config = IngestionConfig(
            start=FIRST[0],
            end=SECOND[1],
            policies={self.kind: Policy(name="failover")},
            attempts=TRIES,
            backoff_s=0.01,
            backoff_max_s=1.5,
            breaker=BreakerRules(failures=TRIES, rest_s=REST_S, longest_s=REST_S),
            simulated=True,
        )
        shared: dict[str, Any] = {
            "bus": self.bus,
            "archive": self.archive,
            "clock": SystemClock(),
            "budgets": {},
            "config": config,
            "tally": Tally(),
        }
        self.enquiry = Enquiry(ledger=None, **shared)
        self.acquisition = Acquisition(providers=self.providers, enquiry=self.enquiry, **shared)

    async def ask(self, identity: str, span: tuple[date, date]) -> RoundClosed:
        round_ = Round(identity, "ins_a", self.symbol, self.kind, "1d", *span)
        ending, closing = await self.acquisition.run(round_)
        assert ending == "closed", [one.words for one in self.archive.entries if isinstance(one, Attempted)]
        assert closing is not None
        return closing

    def injected(self) -> int:
        """Count the answers that carried the fault."""
        return sum(bool(one.injected) for one in self.sandboxes[0].served)

    def rows(self, closing: RoundClosed) -> list[tuple[object, ...]]:
        """Return what the pages of a closed round say."""
        found: list[tuple[object, ...]] = []
        for page in closing.captures:
            provider = self.providers[page.provider]
            ask = Ask(kind=self.kind, symbol=page.symbol, start=page.start, end=page.end, page=page.page)
            found += provider.decode[self.kind](self.archive.get(page.key), ask).unique(maintain_order=True).rows()
        return found

    async def stop(self) -> None:
        await self.http.close()
        for one in self.sandboxes:
            await one.stop()


def _quick(provider: Provider, name: str) -> Provider:
    declared = msgspec.structs.replace(provider.declaration, name=name, calls_per_second=1000.0)
    return replace(provider, declaration=declared)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
async def test_a_fault_loses_nothing_and_is_explained(name: str) -> None:
    """Nothing is lost or doubled, each answer says who was tried before it, and one probe brings the provider back."""
    async with asyncio.TaskGroup() as faults:  # they mostly wait
        for fault in FAULTS:
            faults.create_task(_try(name, fault))


async def _try(name: str, fault: str) -> None:
    pair = Pair(name, fault)
    try:
        await pair.start()
        closings = [await pair.ask("rnd_0", FIRST)]
        injected = bool(pair.injected())
        while injected and pair.injected() < TRIES:  # one that asks for a long wait is given up after each
            closings.append(await pair.ask(f"rnd_{len(closings)}", FIRST))
        await asyncio.sleep(REST_S)
        closings.append(await pair.ask("rnd_last", SECOND))
        _judge(pair, fault, closings, injected=injected)
    except Exception as error:
        error.add_note(f"{name} under the fault {fault}")
        raise
    finally:
        await pair.stop()


def _judge(pair: Pair, fault: str, closings: list[RoundClosed], *, injected: bool) -> None:
    name = pair.name
    if not injected:
        assert fault == "drift", "only rows without names have nothing that could drift"
        assert {name} == {one for closing in closings for one in closing.providers}
        return
    assert {"backup"} == {one for closing in closings[:-1] for one in closing.providers}
    assert {name} == set(closings[-1].providers)
    captures = [entry for entry in pair.archive.entries if isinstance(entry, RawCaptured)]
    assert all(page.why == f"next after {name}" and page.tried for page in captures if page.provider == "backup")
    assert all(page.why == "first choice" for page in captures if page.provider == name)
    failures = [entry for entry in pair.archive.entries if isinstance(entry, Attempted)]
    assert [name] * TRIES == [entry.provider for entry in failures]
    assert all(entry.words for entry in failures)
    classes = {FailureClass(entry.failure_class) for entry in failures}
    after_each = bool(classes & AT_ONCE)  # a ban rests at once, so every further round is a probe
    assert (TRIES if after_each else int(classes <= COUNTED)) == sum(
        breaker.probes for breaker in pair.enquiry.breakers.values()
    )
    for closing in closings:
        rows = pair.rows(closing)
        assert rows
        assert len(rows) == len(set(rows))
