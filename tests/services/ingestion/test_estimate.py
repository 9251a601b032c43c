"""What a plan takes: calls, credits, money and time, by hand."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from test_routing import declared

from truetape.domain.capability import Declaration, Offer
from truetape.domain.plans import Budget, Period, Plan, Unit, Window
from truetape.services.ingestion.estimate import Load, estimate, requests_of, shared_out
from truetape.services.ingestion.rounds import Round
from truetape.services.ingestion.routing import Policy

TODAY = date(2024, 6, 10)
NOW = 1_717_977_600 * 10**9
YEAR = {"start": date(2023, 1, 1), "end": date(2023, 12, 31), "today": TODAY}


@pytest.mark.parametrize(
    ("offer", "timeframe", "expected"),
    [
        pytest.param(None, "1d", 1, id="nothing known"),
        pytest.param(Offer(kind="bars"), "1d", 1, id="everything at once"),
        pytest.param(Offer(kind="bars", rows=100), "1d", 3, id="252 sessions on pages of 100"),
        pytest.param(Offer(kind="bars", span_days={"1m": 7}), "1m", 53, id="a week at a time"),
        pytest.param(
            Offer(kind="bars", span_days={"1m": 30}, rows=5_000), "1m", 25, id="months on two pages, five days on one"
        ),
    ],
)
def test_requests_of_a_range(offer: Offer | None, timeframe: str, expected: int) -> None:
    """One symbol, one year: 365 days, of which 252 are sessions of 390 minutes."""
    assert expected == requests_of(offer, timeframe=timeframe, **YEAR)


def round_(number: int, *, kind: str = "bars") -> Round:
    return Round(f"rnd_{number}", f"ins_{number}", f"S{number}", kind, "1d", date(2023, 1, 1), date(2023, 12, 31))


def named(name: str, **changes: object) -> Declaration:
    return msgspec.structs.replace(declared(**changes), name=name)


THREE = {
    "dear": named("dear"),
    "free": named("free"),
    "coins": named("coins", assets=("crypto",)),
    "none": named("none", offers=(Offer(kind="quotes"),)),
}
BUDGETS = {
    "dear": Budget(account="a", plan=Plan(price_per_call=0.01, weights={"bars": 3.0})),
    "free": Budget(account="b", plan=Plan()),
}
ASSETS = {"ins_0": "equity", "ins_1": "equity"}


@pytest.mark.parametrize(
    ("policy", "asked", "unasked"),
    [
        pytest.param(
            Policy(),
            {"dear": 2, "free": 2},
            {"coins": "it has no equity", "none": "it has no bars"},
            id="everybody who has it",
        ),
        pytest.param(
            Policy(name="failover"),
            {"dear": 2},
            {"free": "failover asks dear first", "coins": "it has no equity", "none": "it has no bars"},
            id="the first",
        ),
        pytest.param(
            Policy(name="cheapest"),
            {"free": 2},
            {"dear": "cheapest asks free first", "coins": "it has no equity", "none": "it has no bars"},
            id="the cheapest",
        ),
        pytest.param(
            Policy(quorum=1, providers=("free", "dear")),
            {"free": 2},
            {"dear": "consensus asks free first", "coins": "it has no equity", "none": "it has no bars"},
            id="as many as agree",
        ),
    ],
)
def test_how_rounds_are_shared_out(policy: Policy, asked: dict[str, int], unasked: dict[str, str]) -> None:
    """As the policy would ask if nobody fails; the others are named with the reason."""
    loads, reasons = shared_out([round_(0), round_(1)], THREE, BUDGETS, policy, today=TODAY, assets=ASSETS)

    assert asked == {name: load.rounds for name, load in loads.items()}
    assert unasked == reasons


def test_a_short_history_is_named() -> None:
    """It would not bring all that is asked for."""
    budgets = {"dear": Budget(account="a", plan=Plan(depth_days={"bars": 400}))}

    loads, reasons = shared_out([round_(0)], THREE, budgets, Policy(name="failover"), today=TODAY)

    assert {"free"} == set(loads)
    assert "its history begins on 2023-05-07 only" == reasons["dear"]


def test_what_a_load_costs() -> None:
    """Two calls of three credits at a cent each."""
    loads, _ = shared_out([round_(0), round_(1)], THREE, BUDGETS, Policy(name="failover"), today=TODAY)

    found = estimate(loads["dear"], THREE["dear"], BUDGETS["dear"], now_ns=NOW)

    assert (2, 2, 6.0, 0.02, "USD") == (
        found.rounds,
        found.requests,
        found.credits,
        found.money,
        found.currency,
    )


def window(limit: float, period: Period, unit: Unit = "calls", **rest: object) -> Window:
    return Window(limit=limit, period=period, unit=unit, **rest)  # type: ignore[arg-type]


HUNDRED = Load(
    rounds=100, requests=100, credits=500.0, endpoints={"bars": 80.0, "quotes": 20.0}, symbols={"A", "B", "C"}
)


@pytest.mark.parametrize(
    ("windows", "seconds", "bound_by"),
    [
        pytest.param((), 9.9, "its pace of 10 a second", id="the pace alone"),
        pytest.param((window(200, "day"),), 9.9, "its pace of 10 a second", id="room enough"),
        pytest.param((window(25, "day"),), 3 * 86_400.0, "25 calls a day", id="four days of 25: done on the fourth"),
        pytest.param((window(30, "day"),), 3 * 86_400.0, "30 calls a day", id="30, 30, 30 and 10"),
        pytest.param(
            (window(25, "day"), window(5, "minute")), 3 * 86_400.0, "25 calls a day", id="the narrowest decides"
        ),
        pytest.param((window(100, "minute", "credits"),), 240.0, "100 credits a minute", id="credits"),
        pytest.param((window(2, "month", "symbols"),), 30 * 86_400.0, "2 symbols a month", id="symbols"),
        pytest.param((window(10, "minute", every=10),), 5400.0, "10 calls a 10 minutes", id="ten minutes"),
        pytest.param((window(40, "hour", endpoint="bars"),), 3600.0, "40 calls a hour", id="one endpoint"),
        pytest.param(
            (window(50, "hour", "credits", endpoint="quotes"),), 3600.0, "50 credits a hour", id="its share of credits"
        ),
        pytest.param((window(1, "day", "bytes"),), 9.9, "its pace of 10 a second", id="bytes are not known before"),
        pytest.param((window(1, "day", "bytes", endpoint="bars"),), 9.9, "its pace of 10 a second", id="nor there"),
    ],
)
def test_how_long_it_lasts(windows: tuple[Window, ...], seconds: float, bound_by: str) -> None:
    """A hundred calls at ten a second, in windows that nothing was used of: the first one is spent at once."""
    budget = Budget(account="", plan=Plan(windows=windows))

    found = estimate(HUNDRED, declared(calls_per_second=10.0), budget, now_ns=NOW)

    assert (seconds, bound_by) == (round(found.seconds, 6), found.bound_by)


@pytest.mark.parametrize(
    ("left", "seconds"), [(100.0, 9.9), (50.0, 3600.0), (0.0, 3600.0 + 86_400.0), (49.0, 90_000.0)]
)
def test_what_is_left_now_counts(left: float, seconds: float) -> None:
    """The day has 50 calls and begins anew in an hour."""
    day = window(50, "day")
    budget = Budget(account="", plan=Plan(windows=(day,)))
    standings = {day: (left, NOW + 3600 * 10**9)}

    found = estimate(HUNDRED, declared(calls_per_second=10.0), budget, standings=standings, now_ns=NOW)

    assert pytest.approx(seconds) == found.seconds


def test_nothing_to_do_takes_no_time() -> None:
    """And uses nothing, also of a window of its own endpoint."""
    budget = Budget(account="", plan=Plan(windows=(window(1, "day", endpoint="bars"),)))

    assert 0.0 == estimate(Load(), declared(), budget, now_ns=NOW).seconds
    assert "USD" == estimate(Load(), declared(), None, now_ns=NOW).currency
