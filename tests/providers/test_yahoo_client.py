"""What Yahoo is asked for beside bars, how symbols are spelled, and how far back minutes go."""

from __future__ import annotations

import pytest

from truetape.domain.asks import Ask
from truetape.providers.yahoo import DECLARATION
from truetape.providers.yahoo.client import request
from truetape.providers.yahoo.spelling import spell


def test_a_quote_is_the_chart_of_the_last_session() -> None:
    """No crumb is needed for it."""
    asked = request(Ask(kind="quotes", symbol="^GSPC"))
    assert asked.url == "https://query1.finance.yahoo.com/v8/finance/chart/%5EGSPC"
    assert asked.params == {"range": "1d", "interval": "1d"}
    assert not asked.secrets


def test_dots_alone_lead_nowhere() -> None:
    """A symbol of dots would climb up the path."""
    assert request(Ask(kind="bars", symbol="..")).url == "https://query1.finance.yahoo.com/v8/finance/chart/"


def test_index_levels_are_asked_for_as_bars() -> None:
    """The same span of the same chart."""
    levels, bars = (request(Ask(kind=kind, symbol="^GSPC")) for kind in ("index_levels", "bars"))
    assert levels == bars


@pytest.mark.parametrize(
    ("symbol", "spelled"),
    [
        ("AAPL", "AAPL"),
        ("BRK.B", "BRK-B"),
        ("BF.A", "BF-A"),
        ("VOD.L", "VOD.L"),
        ("BT.A.L", "BT-A.L"),
        ("7203.T", "7203.T"),
        ("0700.HK", "0700.HK"),
        ("EUR/USD", "EURUSD=X"),
        ("BTC/USD", "BTC-USD"),
        ("^GSPC", "^GSPC"),
        ("^NYA.X", "^NYA.X"),
        ("ES=F", "ES=F"),
    ],
)
def test_spelling(symbol: str, spelled: str) -> None:
    """Share classes have a dash, exchanges their dot, currencies and coins no slash."""
    assert spell(symbol) == spelled


def test_minutes_reach_back_a_month_a_week_at_a_time() -> None:
    """Longer minutes reach back sixty days, hours two years, and days for ever."""
    offer = DECLARATION.offer("bars")
    assert offer is not None
    assert offer.depth_days == {"1m": 30, "5m": 60, "15m": 60, "30m": 60, "1h": 730}
    assert offer.span_days == {"1m": 7}
