"""The settings [fx] name pairs of currencies, and say what is wrong with others."""

from __future__ import annotations

import pytest

from truetape.app.rate_settings import rate_pairs


def test_pairs_are_named_once_each() -> None:
    """A pair that stands twice is asked about once."""
    problems: list[str] = []
    assert rate_pairs({"pairs": ["EUR/USD", "USD/JPY", "EUR/USD"]}, problems) == ("EUR/USD", "USD/JPY")
    assert rate_pairs({}, problems) == ()
    assert [] == problems


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (1, "fx must be a table: write [fx] before its settings."),
        ({"pair": []}, "fx.pair is no setting; known is pairs."),
        ({"pairs": "EUR/USD"}, "fx.pairs was 'EUR/USD'; write a list of pairs of ISO 4217 codes"),
        ({"pairs": ["BTC/USD"]}, "fx.pairs has 'BTC/USD', which is no pair; write"),
        ({"pairs": [7]}, "fx.pairs has 7, which is no pair; write"),
        ({"pairs": ["EUR/EUR"]}, "fx.pairs has 'EUR/EUR', which is one currency twice; remove it."),
    ],
)
def test_what_is_wrong_is_told(table: object, problem: str) -> None:
    """Each problem names the value and what to write instead."""
    problems: list[str] = []
    rate_pairs(table, problems)
    assert [True] == [one.startswith(problem) for one in problems]
