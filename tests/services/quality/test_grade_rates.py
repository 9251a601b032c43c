"""Rates are voted on among those who tell the same fixing; every number is worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from pipeline_doubles import NOW, filled, instants
from truetape.domain.schema import TABLES, check
from truetape.services.quality.grading import Grading
from truetape.services.quality.rates import grade_rates
from truetape.services.quality.vote import Tolerance

FRIDAY, MONDAY = date(2024, 3, 1), date(2024, 3, 4)
GRADING = Grading(
    round_id="rnd_a", ts_known=NOW, tolerance=Tolerance(0.01, 2e-4), trust={}, stale_sessions=3, simulated=False
)


def claims(*rows: tuple[str, date, float | None]) -> pl.DataFrame:
    """What providers say that one euro costs in dollars."""
    names, days, rates = map(list, zip(*rows, strict=True))
    given: dict[str, Any] = {
        "bid": None,
        "ask": None,
        "base": "EUR",
        "quote": "USD",
        "provider": names,
        "ts_event": instants(days),
        "rate": rates,
    }
    given |= {"payload": [f"of {name}" for name in names], "ts_known": NOW, "simulated": False}
    return filled("rate_claims", len(rows), given)


def test_fixings_are_facts_of_their_own() -> None:
    """The bank's rate and the market's close differ by a percent, and both stand."""
    said = claims(("ecb", FRIDAY, 1.08), ("tiingo", FRIDAY, 1.09), ("alpaca", FRIDAY, 1.0905))

    grades = grade_rates(said, GRADING)

    check(grades.golden, TABLES["fx_rates"].columns, kind="fx_rates")
    told = grades.golden.select("fixing", "rate", "provider", "method", "agreed").rows()
    assert [
        ("close", 1.0905, "alpaca", "consensus", "alpaca,tiingo"),  # within 2e-3 of each other
        ("ecb", 1.08, "ecb", "single_source", "ecb"),
    ] == told
    assert [] == grades.findings.rows()


def test_who_differs_is_told() -> None:
    """One against two: a finding says by how much, and another that a rate was turned round (1 / 1.08 = 0.9259)."""
    said = claims(("a", FRIDAY, 1.08), ("b", FRIDAY, 1.0801), ("c", FRIDAY, 1.10), ("d", FRIDAY, 0.9259))

    findings = grade_rates(said, GRADING).findings

    assert [
        ("EUR/USD", "c", "fx_rate_differs", "c said 1.1 for one EUR, a, b said 1.08"),
        (
            "EUR/USD",
            "d",
            "fx_rate_differs",
            "d said 0.9259 for one EUR, a, b said 1.08: it is the rate the other way round",
        ),
    ] == findings.sort("provider").select("instrument_id", "provider", "check", "explanation").rows()


def test_what_is_no_rate_has_no_vote() -> None:
    """Nought, nothing and infinity are errors; the day has no golden row if nobody tells a rate."""
    said = claims(("a", FRIDAY, 0.0), ("b", FRIDAY, None), ("a", MONDAY, 1.08), ("b", MONDAY, float("inf")))

    grades = grade_rates(said, GRADING)

    assert [1.08] == grades.golden["rate"].to_list()
    assert [
        ("a", "a said that one EUR costs 0.0 USD"),
        ("b", "b said that one EUR costs nothing USD"),
        ("b", "b said that one EUR costs inf USD"),
    ] == grades.findings.filter(check="not_positive").select("provider", "explanation").rows()


def test_a_leap_is_told_and_kept() -> None:
    """A currency may lose a third over a weekend; somebody should know."""
    grades = grade_rates(claims(("a", FRIDAY, 1.08), ("a", MONDAY, 1.62)), GRADING)

    assert [1.08, 1.62] == grades.golden["rate"].to_list()
    assert ["one EUR costs 1.62 USD after 1.08 at the fixing before"] == grades.findings["explanation"].to_list()


def test_no_claims_no_grades() -> None:
    """A round that brought nothing decides nothing."""
    nothing = grade_rates(claims(("a", FRIDAY, 1.0)).clear(), GRADING)
    assert [0, 0, 0] == [len(one) for one in (nothing.golden, nothing.quarantined, nothing.findings)]
