"""Pairs of currencies and coins in our spelling."""

from __future__ import annotations

import pytest

from truetape.domain.pairs import halves, is_fx


@pytest.mark.parametrize(
    ("symbol", "pair", "fx"),
    [
        ("EUR/USD", ("EUR", "USD"), True),
        ("USD/CNH", ("USD", "CNH"), True),
        ("BTC/USD", ("BTC", "USD"), False),
        ("ETH/BTC", ("ETH", "BTC"), False),
        ("EURUSD", None, False),
        ("EUR/", None, False),
        ("/USD", None, False),
        ("A/B/C", None, False),
        ("", None, False),
    ],
)
def test_pairs(symbol: str, pair: tuple[str, str] | None, fx: bool) -> None:
    """A pair has two halves around one slash; both are national currencies, or one of them is a coin."""
    assert (halves(symbol), is_fx(symbol)) == (pair, fx)
