"""Thirty days with two of four providers down at any time: every session comes, once, and says from whom and why."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest

from lengths import usually
from pipeline_doubles import BothTimes, DictArchive, Heard, declaration
from truetape.adapters.set_clock import SetClock
from truetape.domain.asks import Answer, Ask
from truetape.domain.decoding import decoded
from truetape.domain.errors import UndecodablePayload
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.messages import RawCaptured, RoundClosed
from truetape.domain.time import DAY_NS, NANOSECONDS, day_start_ns, to_datetime
from truetape.ports.archive import Attempted
from truetape.ports.http import Unreachable
from truetape.ports.provider import Provider
from truetape.services.ingestion.config import IngestionConfig
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.routing import Policy
from truetape.services.ingestion.service import IngestionService

pytestmark = pytest.mark.no_cover  # long, and of code that its own tests cover

NAMES = ("tape", "wire", "feed", "desk")
FIRST = date(2024, 3, 1)
DAYS, INSTRUMENTS = 30, usually(15, long=40)
SHIFT_S = 2 * 3600  # the two that are down change so often
FAULTS = ("unreachable", "throttled", "server_error", "garbage", "note", "blocked", "conflict")


class Weather:
    """Who is down when, and how: drawn once, by seed."""

    def __init__(self, seed: int) -> None:
        choice = random.Random(seed)
        shifts = DAYS * 86_400 // SHIFT_S + 24
        self.down = [{name: choice.choice(FAULTS) for name in choice.sample(NAMES, 2)} for _ in range(shifts)]

    def at(self, now_ns: int) -> dict[str, str]:
        return self.down[(now_ns - day_start_ns(FIRST)) // NANOSECONDS // SHIFT_S]


class Simulated:
    """One provider: it answers with the days that it was asked for, or fails as the weather wants it."""

    def __init__(self, name: str, weather: Weather, clock: SetClock) -> None:
        self.name, self.weather, self.clock = name, weather, clock
        self.asked_while_down = 0

    async def fetch(self, ask: Ask) -> Answer:
        await asyncio.sleep(0)
        fault = self.weather.at(self.clock.now_ns()).get(self.name, "")
        self.asked_while_down += bool(fault)
        if fault == "unreachable":
            raise Unreachable("no connection")
        body = f"{ask.symbol} {ask.start} {ask.end}".encode()
        bodies = {"garbage": b"\xff\xfe", "note": b"Note: slow down", "": body}
        status = {"throttled": 429, "server_error": 503, "blocked": 403, "conflict": 409}.get(fault, 200)
        headers = {"retry-after": "120"} if fault == "throttled" else {}
        answered = bodies.get(fault, fault.encode())
        return Answer(url=f"https://{self.name}", status=status, content_type="", headers=headers, body=answered)

    def classify(self, answer: Answer) -> Failure | None:
        classes = {
            429: FailureClass.THROTTLED,
            503: FailureClass.TRANSIENT,
            403: FailureClass.BLOCKED,
            409: FailureClass.CONFLICT,
        }
        if answer.body.startswith(b"Note"):
            return Failure(failure_class=FailureClass.THROTTLED, words="a note")
        if answer.status == 200:
            return None
        wait = float(answer.headers.get("retry-after", 0)) or None
        return Failure(failure_class=classes[answer.status], words=f"HTTP {answer.status}", retry_after_s=wait)

    @staticmethod
    def bars(body: bytes, ask: Ask) -> pl.DataFrame:
        if body.startswith(b"\xff"):
            raise UndecodablePayload(provider="simulated", kind="bars", reason="it is noise")
        _, start, end = body.decode().split()
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        stamps = pl.Series("ts_event", days, dtype=pl.Date).cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
        flat = dict.fromkeys(("open", "high", "low", "close"), pl.Series([1.0] * len(days)))
        return decoded("bars", {"ts_event": stamps, **flat}, symbol=ask.symbol, timeframe="1d", basis="raw")


class Month:
    """A room that is asked for one more session every evening, and works on it every half hour until the next."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self.clock = SetClock(day_start_ns(FIRST))
        self.archive, self.bus, weather = DictArchive(), Heard(), Weather(seed)
        self.clients = {name: Simulated(name, weather, self.clock) for name in NAMES}
        self.providers = {
            name: Provider(
                declaration=declaration(name, pace=1000.0),
                client=client,
                classify=client.classify,
                decode={"bars": client.bars},
                spell=str.lower,
            )
            for name, client in self.clients.items()
        }
        self.listed = [Listed(f"ins_{number}", f"S{number}") for number in range(INSTRUMENTS)]
        self.policy = policy
        self.on_time = 0

    def room(self) -> IngestionService:
        return IngestionService(
            bus=self.bus,
            store=BothTimes(),
            archive=self.archive,
            clock=self.clock,
            providers=self.providers,
            config=IngestionConfig(
                start=FIRST,
                end=FIRST,
                policies={"bars": self.policy},
                attempts=3,
                overlap_days=0,
                backoff_max_s=300.0,
                debt_after_s=float(DAYS * 86_400),
            ),
        )

    async def pass_by(self) -> None:
        room = self.room()
        for number in range(DAYS):
            evening = day_start_ns(FIRST) + number * DAY_NS + 22 * 3600 * NANOSECONDS
            self.clock.set(max(evening, self.clock.now_ns()))
            if number % 7 == 3:  # a new process, now and then
                room = self.room()
                await room.resume()
            room.extend(self.listed, end=FIRST + timedelta(days=number))
            for _ in range(47):
                await room.work(until_idle=True)
                if self.missing(number) == 0 or self.clock.now_ns() > evening + DAY_NS - 3600 * NANOSECONDS:
                    break
                self.clock.advance(1800)
            self.on_time += INSTRUMENTS - self.missing(number)

    def delivered(self) -> Counter[tuple[str, date, str]]:
        """Count how often each session of each instrument was delivered by each provider to a closed round."""
        found: Counter[tuple[str, date, str]] = Counter()
        for closed in self.closings():
            for page in closed.captures:
                for step in range((page.end - page.start).days + 1):
                    found[page.instrument_id, page.start + timedelta(days=step), page.provider] += 1
        return found

    def closings(self) -> list[RoundClosed]:
        """Return what the journal says was settled; a new process tells the bus again what the store has not marked."""
        return [entry for entry in self.archive.entries if isinstance(entry, RoundClosed)]

    def missing(self, number: int) -> int:
        found = {instrument for instrument, day, _ in self.delivered() if day == FIRST + timedelta(days=number)}
        return INSTRUMENTS - len(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy", [Policy(name="failover"), Policy(name="hedged", hedge_s=5.0)], ids=lambda one: one.name
)
@pytest.mark.parametrize("seed", [1, 2])
async def test_two_of_four_may_be_down(policy: Policy, seed: int) -> None:
    """At least 99.9 % of the planned sessions come within their day; none is lost, none comes twice, all say why."""
    month = Month(policy, seed)

    await month.pass_by()

    found = month.delivered()
    sessions = Counter((instrument, day) for instrument, day, _ in found)
    planned = {(one.instrument_id, FIRST + timedelta(days=number)) for one in month.listed for number in range(DAYS)}
    assert planned == set(sessions)
    assert {1} == set(found.values())
    assert policy.name == "hedged" or {1} == set(sessions.values())
    assert month.on_time / len(planned) >= 0.999
    told = [page for closed in month.closings() for page in closed.captures]
    assert all(page.why for page in told)
    assert all(page.tried for page in told if page.why.startswith("next after"))
    assert len({page.provider for page in told}) >= 3


@pytest.mark.slow
async def test_who_is_down_is_spared() -> None:
    """Breakers keep the questions to providers that are down to a fraction of those that were needed."""
    month = Month(Policy(name="failover"), 3)

    await month.pass_by()

    failures = Counter(entry.failure_class for entry in month.archive.entries if isinstance(entry, Attempted))
    delivered = sum(isinstance(entry, RawCaptured) for entry in month.archive.entries)
    asked = sum(client.asked_while_down for client in month.clients.values())
    assert delivered == DAYS * INSTRUMENTS
    assert asked == failures.total()
    assert asked < delivered
    assert to_datetime(month.clock.now_ns()).date() <= FIRST + timedelta(days=DAYS + 1)
