"""Offers: what is said of a kind holds for all its timeframes, unless bars below a day have a word of their own."""

from __future__ import annotations

import pytest

from truetape.domain.capability import INTRADAY, Declaration, Offer
from truetape.domain.time import DERIVED_TIMEFRAMES, TIMEFRAMES

BARS = Offer(
    kind="bars",
    basis="split",
    basis_intraday="raw",
    endpoint="eod",
    endpoint_intraday="minutes",
    feed_intraday="IEX",
)
PLAIN = Offer(kind="quotes", basis_intraday="raw", endpoint_intraday="minutes", feed_intraday="IEX")


@pytest.mark.parametrize(
    ("offer", "timeframe", "expected"),
    [
        (BARS, "1d", ("eod", "split", "")),
        (BARS, "1mo", ("eod", "split", "")),
        (BARS, "1m", ("minutes", "raw", "IEX")),
        (BARS, "1h", ("minutes", "raw", "IEX")),
        (PLAIN, "1m", ("quotes", "", "")),
        (Offer(kind="bars"), "1m", ("bars", "", "")),
    ],
)
def test_bars_below_a_day_may_differ(offer: Offer, timeframe: str, expected: tuple[str, str, str]) -> None:
    """In what they cost, what they are adjusted for, and where they come from; other kinds have no timeframes."""
    assert expected == (offer.endpoint_of(timeframe), offer.basis_of(timeframe), offer.feed_of(timeframe))


def test_every_timeframe_is_below_a_day_or_not() -> None:
    """The two lists and the day itself are all of them."""
    assert [*INTRADAY, "1d", *DERIVED_TIMEFRAMES] == list(TIMEFRAMES)


def test_a_declaration_finds_its_offers() -> None:
    """By kind; timeframes are those of bars."""
    declared = Declaration(
        name="p",
        title="P",
        offers=(PLAIN, Offer(kind="bars", timeframes=("1d",))),
        basis="raw",
        zone="UTC",
        feed="f",
        needs_key=False,
        key_variable="",
        calls_per_second=1.0,
    )

    assert (("quotes", "bars"), ("1d",), PLAIN, None) == (
        declared.kinds,
        declared.timeframes,
        declared.offer("quotes"),
        declared.offer("trades"),
    )
