"""Normalising: the newest claims, known splits, and everything as traded."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline_doubles import FRIDAY, MONDAY, NOW, action_claims, bar_claims, weekdays
from truetape.domain.time import DAY_NS
from truetape.services.processing.normalize import known_splits, latest_claims, raw_actions, raw_bars

DAYS = weekdays(5)
LATER = date(2024, 6, 9)  # the day before NOW


def splits(*rows: tuple[date, float]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={"ex_date": pl.Date, "value": pl.Float64}, orient="row")


def one(close: float, payload: str, ts_known: int, name: str = "p") -> pl.DataFrame:
    return bar_claims(name, [close], payload=payload, ts_known=ts_known)


@pytest.mark.parametrize(
    ("claims", "captured", "expected"),
    [
        pytest.param([one(1, "a", 1)], (), [1], id="one"),
        pytest.param([one(1, "b", 1), one(2, "a", 2)], (), [2], id="the newer"),
        pytest.param([one(1, "a", 1), one(2, "b", 1)], (), [2], id="known at once: the greater payload key"),
        pytest.param([one(1, "a", 1), one(2, "b", 2)], ("a",), [1], id="said again: the same bytes as before"),
        pytest.param([one(1, "a", 1, "q"), one(2, "b", 2, "p")], (), [2, 1], id="each provider has its own"),
        pytest.param([one(1, "a", 1).clear()], (), [], id="none"),
    ],
)
def test_the_newest_claim_of_each_provider_counts(
    claims: list[pl.DataFrame], captured: tuple[str, ...], expected: list[float]
) -> None:
    """The rows come in the order of key and provider, however they lay in the store."""
    rows = pl.concat(claims)

    assert latest_claims(rows, key=("ts_event",), captured=captured)["close"].to_list() == expected
    assert latest_claims(rows.reverse(), key=("ts_event",), captured=captured)["close"].to_list() == expected


def test_claims_of_many_payloads_are_laid_over_each_other() -> None:
    """A correction of two days leaves the others as they were."""
    whole = bar_claims("p", [1, 2, 3, 4, 5], payload="old", ts_known=1)
    corrected = bar_claims("p", [30, 40], days=DAYS[2:4], payload="new", ts_known=2)

    assert latest_claims(pl.concat([corrected, whole]), key=("ts_event",))["close"].to_list() == [1, 2, 30, 40, 5]


def test_most_providers_decide_the_ratio_of_a_split() -> None:
    """At a tie the smaller one is taken; dividends and impossible ratios are no splits."""
    claims = pl.concat(
        [
            action_claims("a", (FRIDAY, "split", 7.0), (MONDAY, "split", 3.0), (DAYS[1], "dividend", 9.0)),
            action_claims("b", (FRIDAY, "split", 7.0), (MONDAY, "split", 2.0), (DAYS[2], "split", 0.0)),
            action_claims("c", (FRIDAY, "split", 4.0), (DAYS[2], "split", float("inf")), (DAYS[2], "split", None)),
        ]
    )

    assert known_splits(claims).rows() == [(MONDAY, 2.0), (FRIDAY, 7.0)]
    assert known_splits(claims.clear()).is_empty()


def adjusted(name: str, closes: list[float], **changes: Any) -> pl.DataFrame:
    return bar_claims(name, closes, **{"basis": "split", "volume": [100.0] * len(closes), **changes})


def test_split_adjusted_claims_become_comparable_with_raw_ones() -> None:
    """2 for 1 on Wednesday: before, twice the price and half the volume."""
    claims = pl.concat(
        [
            adjusted("yahoo", [10.0, 10.5, 11.0, 11.5, 12.0]),
            bar_claims("alpha", [20.0, 21.0, 11.0, 11.5, 12.0], volume=[50.0, 50.0, 100.0, 100.0, 100.0]),
        ]
    )

    raw = raw_bars(claims, splits((DAYS[2], 2.0)))

    assert raw.select("provider", "close", "volume", "basis").rows() == [
        row
        for close, volume in zip([20.0, 21.0, 11.0, 11.5, 12.0], [50.0, 50.0, 100.0, 100.0, 100.0], strict=True)
        for row in [("alpha", close, volume, "raw"), ("yahoo", close, volume, "raw")]
    ]


def test_an_answer_is_adjusted_for_the_splits_before_it_was_sent() -> None:
    """What was sent before a split knows nothing of it, also if it is from the same provider."""
    before, after = NOW - 3 * DAY_NS, NOW
    claims = pl.concat(
        [
            adjusted("yahoo", [20.0], days=[MONDAY], ts_known=before, payload="old"),
            adjusted("yahoo", [10.5], days=[DAYS[1]], ts_known=after, payload="new"),
        ]
    )

    assert raw_bars(claims, splits((LATER, 2.0)))["close"].to_list() == [20.0, 21.0]


def test_a_split_that_has_not_happened_is_not_undone() -> None:
    """Announced for next week, it is in nobody's prices."""
    assert raw_bars(adjusted("yahoo", [10.0]), splits((date(2024, 6, 20), 2.0)))["close"].to_list() == [10.0]


def test_fully_adjusted_claims_cannot_be_undone() -> None:
    """They are left out of the vote."""
    claims = pl.concat([adjusted("full", [9.7], basis="all"), bar_claims("alpha", [10.0])])

    assert raw_bars(claims, splits())["provider"].to_list() == ["alpha"]
    assert raw_bars(adjusted("full", [9.7], basis="all"), splits()).is_empty()
    assert raw_bars(claims.clear(), splits((MONDAY, 2.0))).schema == claims.schema


def test_the_order_of_the_claims_does_not_matter() -> None:
    """Shuffled claims give the same frame."""
    claims = pl.concat([adjusted(name, [10.0, 10.5, 11.0, 11.5, 12.0]) for name in ("b", "a", "c")])
    order = list(range(len(claims)))
    random.Random(1).shuffle(order)

    assert raw_bars(claims[order], splits((DAYS[2], 2.0))).equals(raw_bars(claims, splits((DAYS[2], 2.0))))


def test_dividends_become_cash_as_paid() -> None:
    """A dividend per share of today's count, before a 4 for 1, was four times as much; splits stay as they are."""
    claims = pl.concat(
        [
            action_claims("yahoo", (MONDAY, "dividend", 0.25), (DAYS[2], "split", 4.0), basis="split"),
            action_claims("yahoo", (MONDAY - timedelta(1), "dividend", 1.0), basis="split", ts_known=NOW - 30 * DAY_NS),
            action_claims("alpha", (MONDAY, "dividend", 1.0)),
        ]
    )

    raw = raw_actions(claims, splits((DAYS[2], 4.0)))

    assert raw.select("provider", "ex_date", "type", "value", "basis").rows() == [
        ("yahoo", MONDAY - timedelta(1), "dividend", 1.0, "raw"),
        ("alpha", MONDAY, "dividend", 1.0, "raw"),
        ("yahoo", MONDAY, "dividend", 1.0, "raw"),
        ("yahoo", DAYS[2], "split", 4.0, "raw"),
    ]
    assert raw_actions(claims.clear(), splits()).is_empty()
