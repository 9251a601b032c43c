"""How far values are from those of other providers."""

from __future__ import annotations

from math import log
from typing import Any

import polars as pl
import pytest

from evidence_doubles import bars
from truetape.services.quality.checks import prepare


def told(**by_provider: dict[str, Any]) -> pl.DataFrame:
    """Return evidence of three bars at 100 from each provider, with what it says otherwise."""
    records = [
        bars([100.0] * 3, provider=name, **{"volume": [1000.0] * 3, **given}) for name, given in by_provider.items()
    ]
    return prepare(pl.concat(records), needs=["others", "backed"])


def of(evidence: pl.DataFrame, provider: str, row: int) -> dict[str, Any]:
    return dict(evidence.filter(pl.col("provider") == provider)["others"][row])


def test_the_value_that_is_furthest_off_is_named() -> None:
    """A close of 105 against two of 100 is ln 1.05 off, where one percent may be; highs may be off by two."""
    evidence = told(a={}, b={}, c={"close": [100.0, 105.0, 100.0], "high": [103.0, 100.0, 100.0]})

    assert {"worst": pytest.approx(log(1.05) / 0.01), "which": "close", "middle": 100.0, "limit": 0.01} == of(
        evidence, "c", 1
    )
    assert ("high", pytest.approx(log(1.03) / 0.02)) == (of(evidence, "c", 0)["which"], of(evidence, "c", 0)["worst"])
    assert [True] * 6 + [False, False, True] == evidence["backed"].to_list()


def test_where_moves_are_large_closes_may_differ_by_more() -> None:
    """Moves of ten percent have a sigma of 1.4826 x ln 1.1, and so much may a close be off."""
    closes = [100.0 + 10 * (number % 2) for number in range(9)]
    off = [*closes[:-1], 110.0]
    records = [bars(values, provider=name) for name, values in (("a", closes), ("b", closes), ("c", off))]
    evidence = prepare(pl.concat(records), needs=["others"])

    assert pytest.approx(1.4826 * log(1.1)) == of(evidence, "c", 8)["limit"]
    assert pytest.approx(1 / 1.4826) == of(evidence, "c", 8)["worst"]


def test_a_provider_may_count_other_venues() -> None:
    """Twice the volume on each day is usual for it up to the square root of three; ten times on one day is not."""
    evidence = told(a={}, b={}, c={"volume": [2000.0, 2000.0, 20_000.0]})
    usual = log(3) / 2

    assert pytest.approx((log(2) - usual) / log(3)) == of(evidence, "c", 0)["worst"]
    assert pytest.approx((log(20) - usual) / log(3)) == of(evidence, "c", 2)["worst"]


def test_a_day_alone_tells_nothing_of_what_is_usual() -> None:
    """Twice the volume on two days is ln 2 off on each."""
    records = [
        bars([100.0] * 2, provider=name, volume=[volume] * 2)
        for name, volume in zip("abc", (1e3, 1e3, 2e3), strict=True)
    ]
    evidence = prepare(pl.concat(records), needs=["others"])
    longer = prepare(pl.concat([*records, bars([100.0] * 3, instrument_id="b")]), needs=["others"])

    assert pytest.approx(log(2) / log(3)) == of(evidence, "c", 0)["worst"]
    assert pytest.approx(log(2) / log(3)) == of(longer, "c", 0)["worst"]


def test_no_volume_is_off_and_an_unknown_one_is_not() -> None:
    """Nobody backs a volume of 0 where others have some; a missing one contradicts nobody."""
    evidence = told(a={}, b={}, c={"volume": [0.0, None, 1000.0]})

    assert [False, True, True] == evidence.filter(pl.col("provider") == "c")["backed"].to_list()


def test_who_is_alone_has_no_others() -> None:
    """One provider in all, or at one instant, is backed by none."""
    alone = told(a={})
    partly = prepare(pl.concat([bars([100.0] * 3), bars([100.0], provider="q")]), needs=["others", "backed"])

    assert [None] * 3 == alone["others"].to_list()
    assert [False] * 3 == alone["backed"].to_list()
    assert [True, False, False, True] == partly["backed"].to_list()
    assert 0 == len(prepare(bars([1.0]).clear(), needs=["others"]))
