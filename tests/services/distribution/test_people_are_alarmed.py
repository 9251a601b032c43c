"""The distribution room tells people: patiently, once, across restarts, and one channel whatever another does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from pipeline_doubles import NOW, BothTimes, Heard
from room_doubles import rows
from stream_doubles import PatientClock
from truetape.adapters.memory_cache import MemoryCache
from truetape.domain.messages import FindingsStored
from truetape.domain.notices import Notice
from truetape.domain.wire import pack
from truetape.ports.notifier import Undelivered
from truetape.services.distribution.config import AlertRule, DistributionConfig
from truetape.services.distribution.courier import MOST_NAMES, Tally, pause_s
from truetape.services.distribution.service import DistributionService

TODAY = date(2024, 6, 10)
RULES = (
    AlertRule(name="bad", channel="hook", severity="note"),
    AlertRule(name="also", channel="mail", severity="note"),
)
LISTED = rows(
    "listings", instrument_id="ins_a", symbol="AAA", mic="XNAS", valid_from=None, valid_to=None, ts_known=[TODAY]
)


class Ear:
    """A channel that acts out failures, the last for ever if it is not None."""

    def __init__(self, *failures: Undelivered | None) -> None:
        self.failures, self.heard = list(failures), list[Notice]()
        self.tries = 0

    async def send(self, notice: Notice) -> None:
        await asyncio.sleep(0)
        self.tries += 1
        failure = self.failures.pop(0) if len(self.failures) > 1 else next(iter(self.failures), None)
        if failure is not None:
            raise failure
        self.heard.append(notice)

    async def close(self) -> None: ...


class Platform:
    """A distribution room over doubles, whose clock jumps."""

    def __init__(self, store: BothTimes | None = None, *, at_s: float = 0.0, **ears: Ear) -> None:
        self.store, self.clock = store or BothTimes(listings=LISTED), PatientClock(NOW + round(at_s * 10**9))
        self.ears = {"hook": Ear(), "mail": Ear(), **ears}
        self.room = DistributionService(
            bus=Heard(),
            store=self.store,
            cache=MemoryCache(max_bytes=1000, clock=self.clock),
            clock=self.clock,
            config=DistributionConfig(rules=RULES),
            notifiers=self.ears,
        )

    async def until(self, done: Callable[[], bool]) -> None:
        alarming = asyncio.create_task(self.room.alarm())
        for _ in range(20_000):
            await asyncio.sleep(0)
            if done():
                break
        alarming.cancel()
        await asyncio.gather(alarming, return_exceptions=True)
        assert done()


def found(*checks: str, severity: str = "error") -> FindingsStored:
    troubles = pl.DataFrame({"check": checks}).with_columns(
        instrument_id=pl.lit("ins_a"),
        timeframe=pl.lit("1d"),
        ts_event=pl.lit(NOW).cast(pl.Datetime("ns", "UTC")),
        provider=pl.lit("p"),
        severity=pl.lit(severity),
        explanation=pl.lit("it is wrong"),
    )
    return FindingsStored(ts_known=NOW, troubles=pack(troubles))


async def test_each_channel_is_told_by_symbol() -> None:
    """And the state is kept: sent, told, owed no more."""
    one = Platform()
    await one.room.on_findings_stored(found("spike", "spike"))
    await one.until(lambda: all(len(ear.heard) == 1 for ear in one.ears.values()))

    notice = one.ears["hook"].heard[0]
    assert ("bad", "firing", "AAA", 2) == (notice.rule, notice.state, notice.labels["instrument"], notice.count)
    kept = await one.store.read("alerts")
    assert [("also", True, False), ("bad", True, False)] == sorted(kept.select("rule", "told", "owed").iter_rows())
    assert {("hook", "firing"): 1, ("mail", "firing"): 1} == one.room.tally.sent
    assert {("spike", "error"): 2} == one.room.tally.found


async def test_a_restart_does_not_tell_again_and_goes_on() -> None:
    """What was sent is not sent again; what was owed still is."""
    first = Platform(mail=Ear(Undelivered("down")))
    await first.room.on_findings_stored(found("spike"))
    await first.until(lambda: len(first.ears["hook"].heard) == 1 and first.ears["mail"].tries > 0)
    again = Platform(first.store, at_s=600)
    await again.room.recall()
    await again.room.on_findings_stored(found("spike"))
    await again.until(lambda: len(again.ears["mail"].heard) == 1)

    assert [] == again.ears["hook"].heard
    assert 2 == again.ears["mail"].heard[0].count


async def test_a_channel_that_is_down_is_tried_patiently_and_holds_up_no_other() -> None:
    """After 1, 2 and 4 seconds; the other channel is told at once."""
    one = Platform(hook=Ear(Undelivered("down"), Undelivered("down"), Undelivered("down"), None))
    await one.room.on_findings_stored(found("spike"))
    await one.until(lambda: len(one.ears["hook"].heard) == 1)

    assert (4, 1) == (one.ears["hook"].tries, len(one.ears["mail"].heard))
    assert 7 * 10**9 <= one.clock.now_ns() - NOW < 13 * 10**9


@pytest.mark.parametrize(("again", "tries"), [(False, 1), (True, 12)])
async def test_what_is_never_taken_is_given_up(again: bool, tries: int) -> None:
    """At once where it is refused for good, after twelve tries where the channel stays away."""
    one = Platform(hook=Ear(Undelivered("no", again=again)))
    await one.room.on_findings_stored(found("spike"))
    await one.until(lambda: one.room.tally.failed["hook"] == 1)

    assert tries == one.ears["hook"].tries
    kept = (await one.store.read("alerts")).filter(pl.col("rule") == "bad")
    assert [(False, False)] == list(kept.select("told", "owed").iter_rows())


async def test_an_alert_that_is_over_meanwhile_is_not_told() -> None:
    """The series arrived while its channel was away."""
    one = Platform(hook=Ear(Undelivered("down"), Undelivered("down"), None))
    await one.room.on_findings_stored(found("late"))
    alarming = asyncio.create_task(one.until(lambda: len(one.ears["mail"].heard) == 2))
    while one.ears["hook"].tries < 2 or not one.ears["mail"].heard:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await one.room.on_findings_stored(found("arrived", severity="note"))
    await alarming

    assert ["firing", "resolved"] == [notice.state for notice in one.ears["mail"].heard]
    assert [] == one.ears["hook"].heard


async def test_a_full_disk_holds_up_nobody() -> None:
    """The findings are judged and told, and the alert is kept when there is room again."""
    one = Platform()
    one.store.full = True
    await one.room.on_findings_stored(found("spike"))
    await one.until(lambda: len(one.ears["hook"].heard) == 1)
    one.store.full = False
    await one.until(lambda: len(one.store.rows["alerts"]) >= 2)

    assert {True} == set((await one.store.read("alerts"))["told"])


async def test_every_change_is_told_on_a_topic() -> None:
    """For those who listen in the process."""
    one = Platform()
    with one.room.topics.subscribe("truetape/alerts/**") as heard:
        await one.room.on_findings_stored(found("spike"))
        event = await anext(heard)

    data = json.loads(event.body)["data"]  # type: ignore[union-attr]
    assert ("firing", "it is wrong") == (data["state"], data["words"])


async def test_symbols_are_remembered_up_to_a_number() -> None:
    """A hundred thousand and one instruments are named all the same; what none lists is called by its id."""
    one = Platform()
    named = await one.room._symbols_of(pl.Series([f"x{number}" for number in range(100_001)] + ["ins_a"]))

    assert (100_002, "x0", "AAA", {}) == (len(named), named[0], named[-1], one.room._symbols)


async def test_without_rules_findings_are_only_counted() -> None:
    """No symbol is looked up and nothing is written."""
    room = DistributionService(
        bus=Heard(),
        store=BothTimes(),
        cache=MemoryCache(max_bytes=1000, clock=PatientClock(NOW)),
        clock=PatientClock(NOW),
        config=DistributionConfig(),
    )
    await room.on_findings_stored(found("spike"))

    assert {("spike", "error"): 1} == room.tally.found


@pytest.mark.parametrize(("attempt", "expected"), [(1, 1.0), (4, 8.0), (9, 256.0), (10, 300.0), (1000, 300.0)])
def test_pauses_double(attempt: int, expected: float) -> None:
    """Up to five minutes."""
    assert expected == pause_s(attempt)


def test_counts_are_bounded() -> None:
    """The names of user checks beyond the five hundredth are counted together."""
    tally, names = Tally(), tuple(f"c{number}" for number in range(MOST_NAMES))
    many = pl.DataFrame({"check": names, "severity": ["note"] * MOST_NAMES})
    tally.count(many)
    tally.count(pl.DataFrame({"check": ["c1", "x", "y"], "severity": ["note"] * 3}))

    assert (2, 2, MOST_NAMES + 1) == (tally.found["c1", "note"], tally.found["other", "note"], len(tally.found))
