"""What Alpha Vantage is asked for each kind, and which page follows."""

from __future__ import annotations

from datetime import date

import pytest

from truetape.domain.asks import Answer, Ask
from truetape.domain.capability import Offer
from truetape.providers import alpha_vantage
from truetape.providers.alpha_vantage.client import follow, request

TODAY = date(2024, 3, 12)
START, END = date(2023, 12, 15), date(2024, 2, 1)


def params(kind: str, symbol: str = "ACME", **more: object) -> dict[str, str]:
    """The parameters of the request, without the key, which stays a secret."""
    asked = request(Ask(kind=kind, symbol=symbol, **more), today=TODAY, base_url="http://host/", key="k")  # type: ignore[arg-type]
    assert (asked.url, asked.secrets) == ("http://host/query", {"apikey": "k"})
    return asked.params


MINUTES = b'{"Meta Data": {}, "Time Series (5min)": {}}'


def answer(body: bytes = MINUTES, **headers: str) -> Answer:
    return Answer(url="", status=200, content_type="", headers=headers, body=body)


def pages(ask: Ask, sent: Answer) -> list[str]:
    """The marks of all pages after the first."""
    marks, following = [], follow(sent, ask)
    while following is not None:
        marks.append(following.page)
        following = follow(sent, following)
    return marks


def test_minutes_are_asked_for_by_month_raw_and_of_regular_sessions() -> None:
    """The month is that of the page, or of the first day; before 2000 there is none."""
    expected = {
        "function": "TIME_SERIES_INTRADAY",
        "symbol": "ACME",
        "interval": "60min",
        "month": "2023-12",
        "adjusted": "false",
        "extended_hours": "false",
        "outputsize": "full",
        "datatype": "json",
    }
    assert params("bars", timeframe="1h", start=START) == expected
    assert params("bars", timeframe="1h", start=START, page="2024-01") == expected | {"month": "2024-01"}
    assert params("bars", timeframe="1h", start=date(1990, 1, 1)) == expected | {"month": "2000-01"}
    assert "month" not in params("bars", timeframe="1m")


def test_months_follow_to_the_end() -> None:
    """From the middle of December to the first of February are three months."""
    ask = Ask(kind="bars", symbol="ACME", timeframe="5m", start=START, end=END)
    assert pages(ask, answer()) == ["2024-01", "2024-02"]


def test_months_follow_to_the_present_where_no_end_is_given() -> None:
    """The answer's own date says which month it is; without one nothing follows."""
    ask = Ask(kind="bars", symbol="ACME", timeframe="5m", start=START)
    assert pages(ask, answer(date="Mon, 15 Jan 2024 10:00:00 GMT")) == ["2024-01"]
    assert pages(ask, answer(date="yesterday")) == []
    assert pages(ask, answer()) == []


@pytest.mark.parametrize(
    "ask",
    [
        Ask(kind="bars", symbol="ACME", start=START, end=END),
        Ask(kind="bars", symbol="EUR/USD", timeframe="5m", start=START, end=END),
        Ask(kind="bars", symbol="ACME", timeframe="5m", end=END),
        Ask(kind="quotes", symbol="ACME"),
    ],
)
def test_other_answers_come_whole(ask: Ask) -> None:
    """Days, pairs, the last month and quotes have one page."""
    assert follow(answer(), ask) is None


@pytest.mark.parametrize(
    ("start", "size"),
    [(None, "full"), (date(2023, 11, 3), "full"), (date(2023, 11, 4), "compact"), (TODAY, "compact")],
)
def test_the_short_answer_is_asked_for_where_it_is_enough(start: date | None, size: str) -> None:
    """Its 100 points reach back 130 days in any case."""
    assert params("bars", start=start)["outputsize"] == size


@pytest.mark.parametrize(
    ("symbol", "timeframe", "expected"),
    [
        ("EUR/USD", "1d", {"function": "FX_DAILY", "outputsize": "full"}),
        ("EUR/USD", "1w", {"function": "FX_WEEKLY", "outputsize": "full"}),
        ("EUR/USD", "1m", {"function": "FX_INTRADAY", "outputsize": "full", "interval": "1min"}),
        ("BTC/USD", "1d", {"function": "DIGITAL_CURRENCY_DAILY"}),
        ("BTC/USD", "1mo", {"function": "DIGITAL_CURRENCY_MONTHLY"}),
        ("BTC/USD", "15m", {"function": "CRYPTO_INTRADAY", "outputsize": "full", "interval": "15min"}),
    ],
)
def test_pairs_have_functions_of_their_own(symbol: str, timeframe: str, expected: dict[str, str]) -> None:
    """National currencies are told from coins."""
    names = ("from_symbol", "to_symbol") if symbol == "EUR/USD" else ("symbol", "market")
    pair = dict(zip(names, symbol.split("/"), strict=True))
    assert params("bars", symbol, timeframe=timeframe) == {**expected, **pair, "datatype": "json"}


@pytest.mark.parametrize("kind", ["bars", "actions", "listings"])
@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"Information": "premium"}', b"<html></html>"])
def test_nothing_follows_a_refusal(kind: str, body: bytes) -> None:
    """Only after data is there more to ask for."""
    assert follow(answer(body), Ask(kind=kind, symbol="ACME", timeframe="5m", start=START, end=END)) is None


def test_rates_of_days_are_a_daily_series() -> None:
    """The present rate has a function of its own; the short series is enough for the last months."""
    pair = {"from_symbol": "EUR", "to_symbol": "USD", "datatype": "json"}
    assert params("fx_rates", "EUR/USD", start=TODAY) == {"function": "FX_DAILY", "outputsize": "compact", **pair}
    assert params("fx_rates", "EUR/USD", end=END) == {"function": "FX_DAILY", "outputsize": "full", **pair}


def test_quotes_and_rates() -> None:
    """A share has a quote, a pair an exchange rate."""
    assert params("quotes") == {"function": "GLOBAL_QUOTE", "symbol": "ACME", "datatype": "json"}
    rate = {"function": "CURRENCY_EXCHANGE_RATE", "from_currency": "EUR", "to_currency": "USD"}
    assert params("fx_rates", "EUR/USD") == params("quotes", "EUR/USD") == rate


def test_dividends_come_before_splits() -> None:
    """Actions are two lists, one page each."""
    ask = Ask(kind="actions", symbol="ACME")
    assert pages(ask, answer(b'{"symbol": "ACME", "data": []}')) == ["splits"]
    assert params("actions") == {"function": "DIVIDENDS", "symbol": "ACME", "datatype": "json"}
    assert params("actions", page="splits")["function"] == "SPLITS"


def test_the_delisted_come_after_the_active() -> None:
    """A day of which the list is wanted is named if the provider keeps lists of it."""
    assert pages(Ask(kind="listings", symbol=""), answer(b"symbol,name,exchange\n")) == ["delisted"]
    assert params("listings", "") == {"function": "LISTING_STATUS", "state": "active"}
    assert params("listings", "", page="delisted", end=END) == {
        "function": "LISTING_STATUS",
        "state": "delisted",
        "date": "2024-02-01",
    }
    assert "date" not in params("listings", "", end=date(2010, 1, 1))


def test_plans_without_adjusted_series_ask_for_actions_apart() -> None:
    """Dividends and splits come with adjusted bars, else by themselves."""
    adjusted = alpha_vantage.provider(None, key="k")  # type: ignore[arg-type]
    plain = alpha_vantage.provider(None, key="k", function="TIME_SERIES_DAILY")  # type: ignore[arg-type]
    assert adjusted.declaration.offer("actions") == Offer(kind="actions", with_bars=True)
    assert plain.declaration.offer("actions") == Offer(kind="actions")
    assert plain.declaration.timeframes == adjusted.declaration.timeframes


@pytest.mark.parametrize(
    ("symbol", "spelled"),
    [
        ("BRK.B", "BRK-B"),
        ("TSCO.L", "TSCO.LON"),
        ("TSCO.LON", "TSCO.LON"),
        ("BT.A.L", "BT-A.LON"),
        ("SHOP.TO", "SHOP.TRT"),
        ("600104.SS", "600104.SHH"),
        ("EUR/USD", "EUR/USD"),
        ("BTC/USD", "BTC/USD"),
        ("A", "A"),
    ],
)
def test_spelling(symbol: str, spelled: str) -> None:
    """Share classes have a dash, exchanges the provider's own suffix."""
    assert alpha_vantage.spell(symbol) == spelled
