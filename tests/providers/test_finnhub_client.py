"""What Finnhub is asked for each kind, which page follows, and what its headers tell."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.failures import FailureClass
from truetape.domain.plans import Allowance
from truetape.providers.finnhub import spell
from truetape.providers.finnhub.classify import allowances, classify
from truetape.providers.finnhub.client import follow, request

START, END = date(2024, 3, 8), date(2024, 3, 10)


def asked(kind: str, symbol: str = "ACME", **more: object) -> tuple[str, dict[str, str]]:
    """Path and parameters of the request; the token stays a secret."""
    found = request(Ask(kind=kind, symbol=symbol, **more), base_url="http://host/v1/", key="k")  # type: ignore[arg-type]
    assert (found.secret_headers, found.secrets) == ({"X-Finnhub-Token": "k"}, {})
    return found.url.removeprefix("http://host/v1/"), found.params


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="", status=status, content_type="", headers=named, body=body)


@pytest.mark.parametrize(
    ("symbol", "path"),
    [
        ("ACME", "stock/candle"),
        ("OANDA:EUR_USD", "forex/candle"),
        ("BINANCE:BTCUSDT", "crypto/candle"),
        ("COINBASE:BTC-USD", "crypto/candle"),
    ],
)
def test_candles_of_shares_currencies_and_coins(symbol: str, path: str) -> None:
    """Each has an endpoint of its own, with the same parameters."""
    span = {"from": "1709769600", "to": "1709942399"}
    assert asked("bars", symbol, timeframe="5m", start=START, end=START) == (
        path,
        {"symbol": symbol, "resolution": "5", **span},
    )


def test_ticks_are_asked_for_by_day() -> None:
    """A page begins after the ticks of those before it."""
    whole = {"symbol": "ACME", "date": "2024-03-08", "limit": "25000", "skip": "0", "format": "json"}
    assert asked("trades", start=START) == ("stock/tick", whole)
    assert asked("trades", start=START, page="2024-03-08:25000") == ("stock/tick", whole | {"skip": "25000"})
    assert asked("trades", page="2024-03-08") == ("stock/tick", whole)
    assert "date" not in asked("trades")[1]


def test_actions_symbols_and_rates() -> None:
    """Dates bound actions; the US are listed where no exchange is named; rates are those of a base on a day."""
    assert asked("actions", start=START, end=END) == (
        "stock/dividend",
        {"symbol": "ACME", "from": "2024-03-08", "to": "2024-03-10"},
    )
    assert asked("actions", page="splits") == (
        "stock/split",
        {"symbol": "ACME", "from": "1970-01-02", "to": "2100-01-01"},
    )
    assert asked("listings", "") == ("stock/symbol", {"exchange": "US"})
    assert asked("listings", "L") == ("stock/symbol", {"exchange": "L"})
    assert asked("fx_rates", "OANDA:EUR_USD", start=START) == ("forex/rates", {"base": "EUR", "date": "2024-03-08"})
    assert asked("fx_rates", "EUR") == ("forex/rates", {"base": "EUR"})


def test_full_pages_of_ticks_are_followed_and_then_the_next_day() -> None:
    """A page with fewer ticks than the most is the last of its day."""
    ask = Ask(kind="trades", symbol="ACME", start=START, end=END)
    marks = []
    for body in (b'{"count":25000}', b'{"count":25000}', b'{"count":7}', b'{"count":0}', b'{"count":0}'):
        following = follow(answer(body), ask)
        marks.append(following.page if following else None)
        ask = following or ask
    assert marks == ["2024-03-08:25000", "2024-03-08:50000", "2024-03-09", "2024-03-10", None]


@pytest.mark.parametrize(
    ("ask", "page"),
    [
        (Ask(kind="actions", symbol="ACME"), "splits"),
        (Ask(kind="actions", symbol="ACME", page="splits"), None),
        (Ask(kind="fx_rates", symbol="EUR", start=START, end=END), "2024-03-09"),
        (Ask(kind="fx_rates", symbol="EUR", start=START, end=END, page="2024-03-10"), None),
        (Ask(kind="fx_rates", symbol="EUR", end=END), None),
        (Ask(kind="fx_rates", symbol="EUR"), None),
        (Ask(kind="trades", symbol="ACME", start=START), None),
        (Ask(kind="bars", symbol="ACME", start=START, end=END), None),
        (Ask(kind="quotes", symbol="ACME"), None),
    ],
)
def test_other_pages(ask: Ask, page: str | None) -> None:
    """Splits come after dividends and days after days; bars and quotes come whole."""
    following = follow(answer({"actions": b"[]", "fx_rates": b'{"base":"EUR","quote":{}}'}.get(ask.kind, b"{}")), ask)
    assert (following.page if following else None) == page


@pytest.mark.parametrize("kind", ["actions", "trades", "fx_rates"])
@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"error":"API limit reached."}', b"<html></html>"])
def test_nothing_follows_a_refusal(kind: str, body: bytes) -> None:
    """Only after data is there more to ask for."""
    assert follow(answer(body), Ask(kind=kind, symbol="ACME", start=START, end=END)) is None


@pytest.mark.parametrize(
    ("symbol", "spelled"),
    [
        ("BRK.B", "BRK.B"),
        ("VOD.L", "VOD.L"),
        ("EUR/USD", "OANDA:EUR_USD"),
        ("BTC/USD", "COINBASE:BTC-USD"),
        ("BTC/USDT", "BINANCE:BTCUSDT"),
        ("ETH/BTC", "BINANCE:ETHBTC"),
    ],
)
def test_spelling(symbol: str, spelled: str) -> None:
    """A pair is that of one venue."""
    assert spell(symbol) == spelled


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (
            {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "1629373450"},
            (Allowance(unit="calls", period="minute", left=59, limit=60, resets_at_s=1629373450),),
        ),
        ({"x-ratelimit-remaining": "0"}, (Allowance(unit="calls", period="minute", left=0),)),
        (
            {"x-ratelimit-remaining": "1", "x-ratelimit-limit": "many", "x-ratelimit-reset": "9" * 13},
            (Allowance(unit="calls", period="minute", left=1),),
        ),
        ({"x-ratelimit-remaining": "-1"}, ()),
        ({"x-ratelimit-remaining": "9" * 13}, ()),
        ({"x-ratelimit-limit": "60"}, ()),
        ({}, ()),
    ],
)
def test_headers_tell_what_is_left_of_the_minute(headers: dict[str, str], told: tuple[Allowance, ...]) -> None:
    """Numbers that are none are not believed."""
    assert allowances(headers) == told


LIMIT = b'{"error":"API limit reached. Please try again later. Remaining Limit: 0"}'
DATE = "Thu, 19 Aug 2021 11:43:40 GMT"  # Unix second 1629373420


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X_Ratelimit_Reset": "1629373450", "Date": DATE}, 30.0),
        ({"X_Ratelimit_Reset": "1629373400", "Date": DATE}, 0.0),
        ({"X_Ratelimit_Reset": "1629373450", "Date": DATE, "Retry_After": "7"}, 7.0),
        ({"X_Ratelimit_Reset": "1629373450"}, None),
        ({"X_Ratelimit_Reset": "soon", "Date": DATE}, None),
        ({}, None),
    ],
)
def test_a_throttle_waits_until_the_reset(headers: dict[str, str], wait: float | None) -> None:
    """The header tells when the minute begins anew; the answer's own date says how far off that is."""
    for given in (answer(LIMIT, 429, **headers), answer(b"", 429, **headers)):
        failure = classify(given)
        assert failure is not None
        assert (failure.failure_class, failure.retry_after_s) == (FailureClass.THROTTLED, wait)


def test_other_failures_do_not_wait_for_the_reset() -> None:
    """A wrong key stays wrong."""
    failure = classify(answer(b'{"error":"Invalid API key."}', 401, X_Ratelimit_Reset="1629373450", Date=DATE))
    assert failure is not None
    assert (failure.failure_class, failure.retry_after_s) == (FailureClass.AUTH, None)
