"""Rounds under policies: who is asked, what counts as an answer, pages, budgets, breakers and debts."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline_doubles import Script, refuse
from routed_room import FAILOVER, GOOD, Routed
from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Offer
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.plans import Budget, Plan
from truetape.domain.time import NANOSECONDS
from truetape.ports.archive import Attempted
from truetape.services.ingestion.rounds import Listed
from truetape.services.ingestion.routing import Policy

GARBLED, NOTHING = b"garbled", b"raw"
DOWN = refuse(FailureClass.TRANSIENT)
SLOW = 3600.0
UNREADABLE = "The payload of p was not readable as bars: it is no list of closes."


async def test_failover_asks_one_and_records_why() -> None:
    """The first choice delivers, nobody else is asked."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))

    await room.run()

    assert {"p": 1, "q": 0} == room.asked()
    assert [("p", "first choice", ())] == [(one.provider, one.why, one.tried) for one in room.captures]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (DOWN, "transient: no: transient"),
        (refuse(FailureClass.QUOTA), "quota: no: quota"),
        (refuse(FailureClass.ENTITLEMENT), "entitlement: no: entitlement"),
        (refuse(FailureClass.PERMANENT), "permanent: no: permanent"),
        (NOTHING, "empty: it has no rows for it"),
        (b"refused", "quota: no: quota"),
        (
            GARBLED,
            "transient: an answer of another shape than its decoder knows: " + UNREADABLE,
        ),
    ],
)
async def test_failover_goes_on_for_every_kind_of_failure(event: bytes | Failure, words: str) -> None:
    """HTTP 200 is not success: an answer without rows, a refusal in a body and a changed schema count as failures."""
    room = Routed(FAILOVER, p=Script(event), q=Script(GOOD))

    await room.run()

    (captured,) = [one for one in room.captures if one.provider == "q"]
    assert ("next after p", (f"p: {words}",)) == (captured.why, captured.tried)
    assert ("q",) == room.closings[0].providers
    assert "p" == room.closings[0].gave_up[0].provider


async def test_unreadable_bytes_are_kept_all_the_same() -> None:
    """What a provider's schema drifted to is evidence."""
    room = Routed(FAILOVER, p=Script(GARBLED), q=Script(GOOD))

    await room.run()

    assert {GARBLED} == {room.archive.get(one.key) for one in room.recorded(Attempted)}


async def test_a_policy_can_forbid_to_fall_through() -> None:
    """Then the round stays open rather than to be answered by somebody else."""
    room = Routed(Policy(name="failover", fall_through=False), p=Script(DOWN), q=Script(GOOD))

    await room.run()

    assert 0 == room.asked()["q"]
    assert [] == room.closings
    assert room.service.tally.rounds_unanswered == 1


async def test_a_quorum_stops_when_it_has_enough() -> None:
    """Two of three are asked at once; the third only because one of them failed."""
    room = Routed(Policy(quorum=2), p=Script(GOOD), q=Script(DOWN), r=Script(GOOD), s=Script(GOOD))

    await room.run()

    assert {"p": 1, "q": 2, "r": 1, "s": 0} == room.asked()
    assert ("p", "r") == room.closings[0].providers
    assert {"p": "2 of 4 are to agree", "r": "2 of 4 are to agree; q failed"} == {
        one.provider: one.why for one in room.captures
    }


class Sleeper(Script):
    """A provider that takes an hour for every answer."""

    async def fetch(self, ask: Ask) -> Answer:
        answered = await super().fetch(ask)
        assert self.clock is not None
        until = self.clock.now + int(SLOW * NANOSECONDS)
        import asyncio

        while self.clock.now < until:  # noqa: ASYNC110 - the clock under test has no event for this
            await asyncio.sleep(0)
        return answered


async def test_a_hedge_asks_another_when_the_first_is_silent() -> None:
    """The first answer counts; the silent request is let go, and nothing of it is lost or counted twice."""
    room = Routed(Policy(name="hedged", hedge_s=2.0), p=Sleeper(GOOD), q=Script(GOOD))

    await room.run()

    assert {"p": 1, "q": 1} == room.asked()
    assert [("q", "p silent for 2 s")] == [(one.provider, one.why) for one in room.captures]
    assert ("q",) == room.closings[0].providers


async def test_the_cheapest_is_asked_first() -> None:
    """Money decides, whatever the order of the settings."""
    dear, free = Plan(price_per_call=0.01), Plan()
    budgets = {"p": Budget(account="x", plan=dear), "q": Budget(account="y", plan=free)}
    room = Routed(Policy(name="cheapest"), budgets=budgets, p=Script(GOOD), q=Script(GOOD))

    await room.run()

    assert {"p": 0, "q": 1} == room.asked()
    assert "cheapest choice" == room.captures[0].why


async def test_who_has_nothing_of_it_is_not_asked() -> None:
    """A provider without the timeframe or the asset costs no call."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))
    room.declare("p", offers=(Offer(kind="bars", timeframes=("1m",)),))

    await room.run()

    assert {"p": 0, "q": 1} == room.asked()
    assert "first choice" == room.captures[0].why


async def test_a_series_goes_on_in_its_basis() -> None:
    """After raw prices an adjusted source is no alternative, also after a restart: the gap stays open instead."""
    room = Routed(FAILOVER, p=Script(GOOD, DOWN), q=Script(GOOD))
    room.declare("q", basis="all")
    await room.run()

    later = Routed(FAILOVER, p=Script(DOWN), q=Script(GOOD))
    later.archive.entries = room.archive.entries
    later.declare("q", basis="all")
    await later.service.resume()
    await later.run(end=date(2024, 6, 14))

    assert {"p": 2, "q": 0} == later.asked()
    assert ["rnd"] == sorted({one.round_id[:3] for one in later.closings})
    assert 1 == later.service.tally.rounds_unanswered


async def test_an_empty_range_is_settled_with_its_reason() -> None:
    """All who know the symbol have no rows: it is remembered, and nobody is asked again, also after a restart."""
    room = Routed(
        FAILOVER, p=Script(NOTHING), q=Script(refuse(FailureClass.EMPTY)), r=Script(refuse(FailureClass.PERMANENT))
    )
    await room.run()

    again = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD), r=Script(GOOD))
    again.archive.entries = room.archive.entries
    await again.service.resume()
    await again.run()

    (closed,) = room.closings
    assert ((), (), "p: it has no rows for it; q: no: empty; r: no: permanent") == (
        closed.providers,
        closed.captures,
        closed.empty,
    )
    assert {"p": 0, "q": 0, "r": 0} == again.asked()
    assert "it has no rows" in again.service.intervals.empty["ins_a", "bars", "1d"][0][1]


async def test_an_outage_beside_an_empty_answer_leaves_it_open() -> None:
    """Who could not be reached may have rows."""
    room = Routed(FAILOVER, p=Script(NOTHING), q=Script(DOWN))

    await room.run()

    assert [] == room.closings
    assert 1 == room.service.tally.rounds_unanswered


async def test_a_series_that_nobody_has_is_named() -> None:
    """With the reason of each provider; the last hundred such series are kept."""
    room = Routed(FAILOVER, p=Script(GOOD), q=Script(GOOD))
    room.declare("p", offers=(Offer(kind="quotes"),))
    room.declare("q", offers=(Offer(kind="bars", timeframes=("1m",)),))

    await room.run([Listed(f"ins_{number}", f"S{number}") for number in range(101)])

    left_out = room.service.tally.left_out
    assert {"p": 0, "q": 0} == room.asked()
    assert [f"S{number} 1d" for number in range(1, 101)] == sorted(left_out, key=lambda one: int(one[1:-3]))
    assert {"p: it has no bars; q: it has no bars of 1d"} == set(left_out.values())


async def test_a_basis_that_nobody_else_has_leaves_nobody() -> None:
    """What the only provider would mix in is said too."""
    room = Routed(Policy(name="failover", providers=("z",)), p=Script(GOOD))

    await room.run()

    assert {"A 1d": "p: its prices would be mixed with others, or the policy leaves it out"} == (
        room.service.tally.left_out
    )
