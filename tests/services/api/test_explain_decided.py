"""Explanations of bars that somebody decided about, and of claims that a repair changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from room_doubles import rows
from small_market import APPLE, NOW_NS, ORIGIN, claims, golden, listings, quarantine, repairs, tables
from truetape.domain.schema import TABLES
from truetape.services.api.directory import Directory
from truetape.services.api.explain import Evidence, Explanation, explain
from truetape.services.api.mended import repaired_bar
from truetape.services.api.narrate import narrate
from truetape.services.api.prices import Prices

FRIDAY = date(2005, 2, 25)
ORIGIN_TIME = TABLES["bars"].columns["ts_known"]
FAR = pl.col("provider") == "finnhub"
RAW = Prices(open=8900.0, high=9100.0, low=8800.0, close=9000.0, volume=110.0)


def applied(**other: Any) -> pl.DataFrame:
    frame = repairs()
    given = {"state": "applied", "decided_by": "ann", "decision_id": "dec_1", **other}
    return frame.with_columns(pl.lit(value, dtype=frame.schema[name]).alias(name) for name, value in given.items())


def decisions() -> pl.DataFrame:
    days = [FRIDAY, date(2005, 3, 1)]
    return rows(
        "decisions",
        decision_id=["dec_1", "dec_2"],
        target="rep_apple_unit",
        action="apply",
        instrument_id=APPLE,
        timeframe="1d",
        start=days,
        end=days,
        provider="finnhub",
        actor="ann",
        why="a unit error",
        **{**ORIGIN, "ts_known": datetime(2024, 1, 12, 9, 8, 7, tzinfo=UTC)},
    )


def explained(**other: Any) -> Explanation:
    market = tables()
    evidence = {name: market[name] for name in ("sessions", "actions", "factors")}
    agreed = golden(APPLE, [FRIDAY], [90.0], [110.0], agreed="finnhub,iex_cloud,yahoo")
    bars = {"bars": agreed, "bar_claims": claims(), "quarantine": quarantine(), "findings": market["findings"].clear()}
    return explain(
        Evidence(**{**evidence, **bars, "payload_bytes": {}, "decisions": decisions(), "repairs": applied(), **other}),
        symbol="AAPL",
        listing=Directory(listings()).find("AAPL"),
        name="Apple Inc.",
        day=FRIDAY,
        as_of=NOW_NS,
        store_version=2,
    )


def test_a_repaired_claim_is_told_as_it_votes() -> None:
    """Beside what the provider said; it is in quarantine no more."""
    told = {claim.provider: claim for claim in explained().claims}

    assert (RAW, "agreed") == (told["finnhub"].raw, told["finnhub"].outcome)
    assert Prices(open=8900.0, high=9100.0, low=8800.0, close=90.0, volume=110.0) == told["finnhub"].repaired
    assert [None, None] == [told[name].repaired for name in ("iex_cloud", "yahoo")]


def test_decisions_about_the_day_are_told() -> None:
    """With who, why and when; those about other days are not."""
    told = explained()
    words = narrate(told)

    assert ["dec_1"] == [one.decision_id for one in told.decisions]
    assert [("rep_apple_unit", "applied", "ann")] == [
        (one.repair_id, one.state, one.decided_by) for one in told.repairs
    ]
    assert "  finnhub  unit_flip, applied by ann  rep_apple_unit\n    the close is 100 times off\n" in words
    assert "  apply rep_apple_unit of finnhub\n    a unit error (ann, 2024-01-12 09:08:07 UTC, dec_1)\n" in words
    assert "    repaired         8900.00    9100.00    8800.00      90.00\n" in words
    assert max(map(len, words.splitlines())) <= 82


def test_a_bar_by_an_operator_says_so() -> None:
    """In the verdict."""
    bar = golden(APPLE, [FRIDAY], [90.0], [110.0], provider="operator", method="operator", agreed="operator")

    assert "operator, score 1.00: An operator decided it." in narrate(explained(bars=bar))


def withdrawn(version: int, *, known: datetime) -> pl.DataFrame:
    bar = golden(APPLE, [FRIDAY], [90.0], [110.0]).with_columns(
        pl.lit(version, dtype=pl.UInt32).alias("version"), pl.lit(known).cast(ORIGIN_TIME).alias("ts_known")
    )
    kept = TABLES["bars"].withdrawal
    return bar.with_columns(
        pl.lit(None, dtype=kind).alias(name) for name, kind in bar.schema.items() if name not in kept
    )


def test_a_withdrawn_bar_says_since_when_and_why() -> None:
    """It has no price; among its versions the withdrawal stands with the reason that a finding gives."""
    known = datetime(2024, 1, 13, 9, 8, 7, tzinfo=UTC)
    why = "The stored row no longer stands: ann decided to undo qua_1: it was a typo."
    finding = rows(
        "findings",
        instrument_id=APPLE,
        timeframe="1d",
        ts_event=[FRIDAY],
        check="withdrawn",
        severity="warning",
        provider="",
        explanation=why,
        **{**ORIGIN, "ts_known": known},
    )
    told = explained(withdrawals=withdrawn(2, known=known), findings=finding)
    words = narrate(told)

    assert ({}, None) == (told.prices, told.verdict)
    assert why == told.gap
    assert [(1, ""), (2, why)] == [(one.version, one.withdrawn) for one in told.versions]
    assert "    2  known 2024-01-13 09:08:07 UTC  withdrawn  current\n       The stored row no longer stands" in words
    assert max(map(len, words.splitlines())) <= 82


def test_a_bar_that_came_back_is_a_bar() -> None:
    """The withdrawal before it stays among its versions; one whose finding is not there says what it can."""
    bars = golden(APPLE, [FRIDAY], [90.0], [110.0]).with_columns(pl.lit(3, dtype=pl.UInt32).alias("version"))
    told = explained(bars=bars, withdrawals=withdrawn(2, known=datetime(2024, 1, 13, tzinfo=UTC)))

    assert (90.0, None) == (told.prices["raw"].close, told.gap)
    assert [(2, "The stored row no longer stands."), (3, "")] == [(one.version, one.withdrawn) for one in told.versions]


@pytest.mark.parametrize(
    "frame",
    [
        repairs(),
        applied(provider="yahoo"),
        applied(record="actions"),
        applied(start=date(2005, 2, 26), end=date(2005, 2, 26)),
        applied(edits='[[1109289600000000000,"close",9001.0,90.0]]'),
        applied(edits='[[1109289600000000000,"close",null,90.0]]'),
        applied(edits='[[1109376000000000000,"close",9000.0,90.0]]'),
        applied(edits='[[1109289600000000000,"dividend",9000.0,90.0]]'),
    ],
)
def test_other_repairs_change_nothing(frame: pl.DataFrame) -> None:
    """Not applied ones, other providers', kinds', days' and columns', and those of another value."""
    assert repaired_bar(frame, claims().filter(FAR), RAW) is None


def test_what_cannot_be_known_as_traded_cannot_be_repaired() -> None:
    """Repairs are of prices as traded."""
    assert repaired_bar(applied(), claims().filter(FAR), None) is None
