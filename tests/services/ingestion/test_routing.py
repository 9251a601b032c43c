"""Routing: whom a policy asks, in which order, why, and when it is enough."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.capability import Declaration, Offer
from truetape.domain.plans import Plan
from truetape.services.ingestion.routing import (
    Candidate,
    Choice,
    Policy,
    choose,
    comparable,
    enough,
    history_since,
    ineligible,
    ordered,
)

A, B, C = Candidate("a", "raw", money=0.02), Candidate("b", "split", credits=5.0), Candidate("c", "raw", credits=1.0)
ALL = Candidate("adjusted", "all")
TODAY = date(2024, 6, 10)

CONSENSUS, QUORUM = Policy(), Policy(quorum=2)
FAILOVER, HEDGED = Policy(name="failover"), Policy(name="hedged", hedge_s=2.0)


def names(policy: Policy, *candidates: Candidate, settled_basis: str = "") -> list[str]:
    return [one.name for one in ordered(policy, candidates, settled_basis=settled_basis)]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (CONSENSUS, ["a", "b", "c"]),
        (FAILOVER, ["a", "b", "c"]),
        (Policy(name="failover", providers=("c", "a", "z")), ["c", "a"]),
        (Policy(name="cheapest"), ["c", "b", "a"]),
        (Policy(name="cheapest", providers=("b", "a")), ["b", "a"]),
        (Policy(name="failover", fall_through=False), ["a"]),
        (Policy(name="consensus", quorum=2, fall_through=False), ["a", "b"]),
        (Policy(name="cheapest", fall_through=False), ["c"]),
    ],
)
def test_the_order_of_choice(policy: Policy, expected: list[str]) -> None:
    """The settings' order, the policy's own list, or what costs least: money first, then credits."""
    assert expected == names(policy, A, B, C)


@pytest.mark.parametrize(
    ("candidates", "settled", "expected"),
    [
        pytest.param((A, ALL, B), "", ["a", "b"], id="a new series follows its first choice"),
        pytest.param((ALL, A, B), "", ["adjusted"], id="even where that stands by itself"),
        pytest.param((A, ALL, B), "all", ["adjusted"], id="an adjusted series goes on adjusted"),
        pytest.param((A, ALL, B), "split", ["a", "b"], id="raw and split-adjusted turn into each other"),
        pytest.param((A, B), "all", [], id="rather nobody than a mixture"),
        pytest.param((), "", [], id="nobody there"),
    ],
)
def test_a_series_never_mixes_bases(candidates: tuple[Candidate, ...], settled: str, expected: list[str]) -> None:
    """Prices adjusted for dividends cannot be brought to raw, so they never stand beside others."""
    assert expected == names(FAILOVER, *candidates, settled_basis=settled)


SHORT, SHORTER = Candidate("s", "raw", since=date(2020, 1, 1)), Candidate("t", "raw", since=date(2024, 1, 1))


@pytest.mark.parametrize(
    ("policy", "candidates", "expected"),
    [
        pytest.param(FAILOVER, (SHORT, A), ["a"], id="who has all of it goes before"),
        pytest.param(QUORUM, (SHORT, A, SHORTER, B), ["a", "b"], id="also where several are asked"),
        pytest.param(FAILOVER, (SHORTER, SHORT), ["s", "t"], id="else the longest history"),
        pytest.param(CONSENSUS, (SHORT, A), ["s", "a"], id="everybody votes on what it has"),
    ],
)
def test_a_short_history_hides_no_longer_one(
    policy: Policy, candidates: tuple[Candidate, ...], expected: list[str]
) -> None:
    """A provider that keeps the last months only would settle years that it has nothing of."""
    assert expected == names(policy, *candidates)


@pytest.mark.parametrize(
    ("plan", "question", "since"),
    [
        (None, {}, None),
        (None, {"timeframe": "1m", "start": date(2024, 5, 11)}, None),
        (None, {"timeframe": "1m", "start": date(2024, 5, 10)}, date(2024, 5, 11)),
        (Plan(depth_days={"bars": 10}), {"start": date(2020, 1, 1)}, date(2024, 5, 31)),
        (None, {"kind": "quotes"}, None),
    ],
)
def test_where_a_history_begins(plan: Plan | None, question: dict[str, object], since: date | None) -> None:
    """By the offer or by the plan; nothing where it reaches back far enough, or where there is none."""
    given = {"kind": "bars", "timeframe": "1d", "start": TODAY, "today": TODAY, **question}

    assert since == history_since(declared(), plan, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("basis", "settled", "expected"),
    [("raw", "", True), ("all", "", True), ("raw", "split", True), ("all", "all", True), ("all", "raw", False)],
)
def test_comparable_bases(basis: str, settled: str, expected: bool) -> None:
    """A first row may have any basis."""
    assert expected is comparable(basis, settled)


@pytest.mark.parametrize(
    ("policy", "delivered", "failed", "running", "silent", "expected"),
    [
        pytest.param(
            CONSENSUS,
            (),
            {},
            (),
            False,
            [Choice(name, "every provider votes") for name in "abc"],
            id="consensus asks everybody",
        ),
        pytest.param(CONSENSUS, ("a",), {"b": "x"}, ("c",), False, [], id="and nobody twice"),
        pytest.param(
            QUORUM,
            (),
            {},
            (),
            False,
            [Choice("a", "2 of 3 are to agree"), Choice("b", "2 of 3 are to agree")],
            id="a quorum asks as many as it needs",
        ),
        pytest.param(
            QUORUM, ("a",), {"b": "quota"}, (), False, [Choice("c", "2 of 3 are to agree; b failed")], id="and fills up"
        ),
        pytest.param(FAILOVER, (), {}, (), False, [Choice("a", "first choice")], id="failover asks one"),
        pytest.param(FAILOVER, (), {}, ("a",), False, [], id="and waits for it"),
        pytest.param(FAILOVER, (), {}, ("a",), True, [], id="however long it is silent"),
        pytest.param(FAILOVER, (), {"a": "x"}, (), False, [Choice("b", "next after a")], id="then the next"),
        pytest.param(
            FAILOVER, (), {"a": "x", "b": "y"}, (), False, [Choice("c", "next after a, b")], id="and the one after"
        ),
        pytest.param(FAILOVER, (), dict.fromkeys("abc", "x"), (), False, [], id="until nobody is left"),
        pytest.param(FAILOVER, ("a",), {}, (), False, [], id="or one has delivered"),
        pytest.param(HEDGED, (), {}, ("a",), False, [], id="a hedge waits at first"),
        pytest.param(HEDGED, (), {}, ("a",), True, [Choice("b", "a silent for 2 s")], id="then it asks another too"),
        pytest.param(HEDGED, (), {}, ("a", "b"), True, [Choice("c", "a, b silent for 2 s")], id="and another"),
        pytest.param(
            HEDGED, (), {"a": "x"}, (), False, [Choice("b", "next after a")], id="a failure is not waited for"
        ),
        pytest.param(Policy(name="cheapest"), (), {}, (), False, [Choice("a", "cheapest choice")], id="the cheapest"),
    ],
)
def test_whom_to_ask_now(
    policy: Policy,
    delivered: tuple[str, ...],
    failed: dict[str, str],
    running: tuple[str, ...],
    silent: bool,
    expected: list[Choice],
) -> None:
    """Each choice says why it was made."""
    assert expected == choose(policy, (A, B, C), delivered=delivered, failed=failed, running=running, silent=silent)


@pytest.mark.parametrize(
    ("policy", "delivered", "expected"),
    [
        (CONSENSUS, ("a", "b"), False),
        (CONSENSUS, ("a", "b", "c"), True),
        (QUORUM, ("a",), False),
        (QUORUM, ("a", "c"), True),
        (FAILOVER, (), False),
        (FAILOVER, ("b",), True),
    ],
)
def test_when_it_is_enough(policy: Policy, delivered: tuple[str, ...], expected: bool) -> None:
    """A consensus wants its quorum, every other policy one answer."""
    assert expected is enough(policy, (A, B, C), delivered)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(CONSENSUS, True), (QUORUM, False), (FAILOVER, False), (Policy(fall_through=False), False)],
)
def test_who_asks_everybody(policy: Policy, expected: bool) -> None:
    """Only where all are asked can an unreadable answer change nothing about whom to ask."""
    assert expected is policy.asks_everybody


def declared(**changes: object) -> Declaration:
    given = {
        "name": "p",
        "title": "P",
        "offers": (
            Offer(kind="bars", timeframes=("1m", "1d"), depth_days={"1m": 30}),
            Offer(kind="actions", with_bars=True),
            Offer(kind="trades", depth_days={"": 7}),
        ),
        "basis": "raw",
        "zone": "UTC",
        "feed": "f",
        "needs_key": False,
        "key_variable": "",
        "calls_per_second": 1.0,
    }
    return Declaration(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({}, ""),
        ({"asset_class": "equity"}, ""),
        ({"asset_class": "etf"}, ""),
        ({"asset_class": "crypto"}, "it has no crypto"),
        ({"kind": "quotes"}, "it has no quotes"),
        ({"kind": "actions"}, "it has no actions"),
        ({"timeframe": "5m"}, "it has no bars of 5m"),
        ({"timeframe": "1m", "end": date(2024, 5, 11)}, ""),
        ({"timeframe": "1m", "end": date(2024, 5, 10)}, "its history of 1m reaches back 30 days only"),
        ({"kind": "trades", "end": date(2024, 6, 1)}, "its history of 1d reaches back 7 days only"),
    ],
)
def test_who_has_what_is_asked(question: dict[str, object], reason: str) -> None:
    """A provider is not asked for what its table says it has not; funds count as equities."""
    given = {"kind": "bars", "timeframe": "1d", "asset_class": "", "end": TODAY, "today": TODAY, **question}

    assert reason == ineligible(declared(), None, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("plan", "question", "reason"),
    [
        (Plan(), {}, ""),
        (Plan(kinds=("bars",)), {}, ""),
        (Plan(kinds=("quotes", "trades")), {}, "its plan has no bars"),
        (Plan(depth_days={"bars": 10}), {"end": date(2024, 5, 31)}, ""),
        (Plan(depth_days={"bars": 10}), {"end": date(2024, 5, 30)}, "its history of 1d reaches back 10 days only"),
        (Plan(depth_days={"bars": 10}), {"kind": "trades", "end": date(2024, 6, 4)}, ""),
        (
            Plan(depth_days={"bars": 3650, "bars/1m": 0}),
            {"timeframe": "1m", "end": date(2024, 6, 9)},
            "its history of 1m reaches back 0 days only",
        ),
        (
            Plan(depth_days={"bars": 3650}),
            {"timeframe": "1m", "end": date(2024, 5, 10)},
            "its history of 1m reaches back 30 days only",
        ),
    ],
)
def test_what_a_plan_is_entitled_to(plan: Plan, question: dict[str, object], reason: str) -> None:
    """Nobody is asked for what the subscription does not hold, and the shorter of two histories counts."""
    given = {"kind": "bars", "timeframe": "1d", "asset_class": "", "end": TODAY, "today": TODAY, **question}

    assert reason == ineligible(declared(), plan, **given)  # type: ignore[arg-type]


def test_a_coin_is_no_share() -> None:
    """A provider of coins is not asked about a fund."""
    coins = declared(assets=("crypto",))

    assert "it has no etf" == ineligible(
        coins, None, kind="bars", timeframe="1d", asset_class="etf", end=TODAY, today=TODAY
    )
