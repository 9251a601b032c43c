"""Finnhub's candles and quotes, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.finnhub import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "finnhub"
ASK = Ask(kind="bars", symbol="ACME")
VALUES = ("open", "high", "low", "close", "volume")
QUOTED = ("price", "open", "high", "low", "previous_close")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def candles(**changes: Any) -> bytes:
    """Two daily candles with arrays replaced; one set to Ellipsis is left out."""
    body: dict[str, Any] = (
        {letter: [1.5, 2.5] for letter in "ohlcv"} | {"t": [1709856000, 1710115200], "s": "ok"} | changes
    )
    return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()


def test_recorded_candles_by_value(recordings: Path) -> None:
    """Daily candles stamped at midnight UTC, with prices as sent."""
    body = (recordings / "finnhub" / "kevwk314_stock_candles.json").read_bytes()
    frame = check(decode.bars(body, Ask(kind="bars", symbol="AAPL")), DECODED["bars"], kind="bars")
    assert frame.select("symbol", "ts_event", *VALUES, "currency", "basis").rows() == [
        ("AAPL", at(2019, 9, 24), 221.03, 222.49, 217.19, 217.68, 33463820.0, "USD", "split"),
        ("AAPL", at(2019, 9, 25), 218.55, 221.5, 217.1402, 221.03, 24018876.0, "USD", "split"),
        ("AAPL", at(2019, 9, 26), 220.0, 220.94, 218.83, 219.89, 20730608.0, "USD", "split"),
    ]


def test_recorded_candles_stamped_the_evening_before(recordings: Path) -> None:
    """21:00 UTC is the next date: the recording's 2019-09-16T21:00Z is the session of the 17th."""
    body = (recordings / "finnhub" / "kevwk314_crypto_candles.json").read_bytes()
    frame = decode.bars(body, Ask(kind="bars", symbol="OANDA:EUR_USD"))
    assert frame.select("ts_event", *VALUES, "currency").rows() == [
        (at(2019, 9, 17), 1.0996, 1.1074, 1.09897, 1.10713, 75789.0, None),
        (at(2019, 9, 18), 1.107, 1.10751, 1.1013, 1.10288, 75883.0, None),
        (at(2019, 9, 19), 1.10269, 1.10729, 1.10223, 1.10397, 73485.0, None),
        (at(2019, 9, 20), 1.10398, 1.10595, 1.10101, 1.10182, 5138.0, None),
    ]


def test_recorded_quote_by_value(recordings: Path) -> None:
    """A quote is one row at the time of its last trade."""
    body = (recordings / "finnhub" / "quote_AAPL.json").read_bytes()
    frame = check(decode.quotes(body, Ask(kind="quotes", symbol="AAPL")), DECODED["quotes"], kind="quotes")
    assert frame.select("bid", "bid_size", "ask", "ask_size", "volume").row(0) == (None,) * 5
    assert frame.select("symbol", "ts_event", *QUOTED, "currency").rows() == [
        ("AAPL", at(2021, 8, 18, 20, 0, 3), 146.36, 149.8, 150.71, 146.15, 150.19, "USD")
    ]


def test_a_recorded_quote_without_a_time_is_undecodable(recordings: Path) -> None:
    """An old quote that does not say of when it is cannot be placed."""
    body = (recordings / "finnhub" / "kevwk314_stock_quote.json").read_bytes()
    with pytest.raises(UndecodablePayload, match="`t`"):
        decode.quotes(body, ASK)


def test_candles() -> None:
    """A candle of nulls is no bar."""
    frame = decode.bars((GOLDEN / "candle_daily.json").read_bytes(), ASK)
    assert frame.rows() == [
        ("ACME", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, None, "USD", "split", False),
        ("ACME", "1d", at(2024, 3, 12), 188.5, 190.1, 187.25, 188.25, 900.0, None, "USD", "split", False),
    ]


def test_quote() -> None:
    """The quote of our own fixture."""
    frame = decode.quotes((GOLDEN / "quote.json").read_bytes(), Ask(kind="quotes", symbol="VOD.L"))
    assert frame.select("symbol", "ts_event", *QUOTED, "currency").rows() == [
        ("VOD.L", at(2024, 3, 8, 21), 187.5, 187.15, 188.0, 186.5, 187.15, None)
    ]


@pytest.mark.parametrize(
    ("stamp", "date"),
    [
        (1709856000, at(2024, 3, 8)),  # 00:00 UTC
        (1709874000, at(2024, 3, 8)),  # 05:00 UTC, midnight in New York
        (1709899199, at(2024, 3, 8)),  # 11:59:59 UTC
        (1709845200, at(2024, 3, 8)),  # 21:00 UTC of the day before
        (1709848800, at(2024, 3, 8)),  # 22:00 UTC of the day before
        (-86400, at(1969, 12, 31)),
        (-10800, at(1970, 1, 1)),
    ],
)
def test_daily_stamps_are_dates(stamp: int, date: datetime) -> None:
    """Midnight in UTC or New York means that date; an evening means the next."""
    body = candles(t=[stamp], **{letter: [1] for letter in "ohlcv"})
    assert decode.bars(body, ASK)["ts_event"].to_list() == [date]


def test_minutes_keep_their_instant_and_are_raw() -> None:
    """Intraday candles are not split-adjusted."""
    frame = decode.bars(candles(t=[1709908200, 1709908260]), Ask(kind="bars", symbol="ACME", timeframe="1m"))
    assert frame.select("timeframe", "ts_event", "basis").rows() == [
        ("1m", at(2024, 3, 8, 14, 30), "raw"),
        ("1m", at(2024, 3, 8, 14, 31), "raw"),
    ]


@pytest.mark.parametrize(
    ("symbol", "read", "currency"),
    [("AAPL", "AAPL", "USD"), ("BRK.B", "BRK.B", "USD"), ("VOD.L", "VOD.L", None), ("", None, None)],
)
def test_symbol_and_currency_come_from_the_ask(symbol: str, read: str | None, currency: str | None) -> None:
    """The body names neither; US listings have no suffix but a share class."""
    frame = decode.bars(candles(), Ask(kind="bars", symbol=symbol, timeframe="?"))
    assert frame.select("symbol", "currency", "timeframe").unique().rows() == [(read, currency, "1d")]


@pytest.mark.parametrize("body", [b'{"s":"no_data"}', b"[]", b" [] \n", b'{"s":"ok","t":[]}'])
def test_no_data_is_an_empty_frame(body: bytes) -> None:
    """No candles are an answer without rows."""
    assert decode.bars(body, ASK).is_empty()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (candles(c=[1]), "c had 1 values, the stamps had 2"),
        (candles(h=...), "h was missing"),
        (candles(t=...), "t was missing"),
        (candles(s="maybe"), "s was 'maybe'"),
        (candles(s=...), "`s`"),
        (candles(o=["1", 2]), "$.o"),
        (candles(t=[1.5, 2]), "$.t"),
        (b'{"s":"ok","t":[17098', "truncated"),
        (b'{"type":"ping"}', "`s`"),
        (b"<html>hello</html>", "malformed"),
    ],
)
def test_drift_is_named(body: bytes, named: str) -> None:
    """Candles of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.bars(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize("reader", [decode.bars, decode.quotes])
def test_an_error_is_refused(reader: Decode) -> None:
    """Finnhub's own words come back."""
    with pytest.raises(ProviderRefused, match="You don't have access to this resource") as caught:
        reader(b'{"error":"You don\'t have access to this resource."}', ASK)
    assert caught.value.failure.failure_class is FailureClass.ENTITLEMENT


def test_a_quote_of_zeros_is_an_unknown_symbol() -> None:
    """All zeros without changes is how Finnhub says that it does not know the symbol."""
    with pytest.raises(ProviderRefused) as caught:
        decode.quotes(b'{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}', ASK)
    assert caught.value.failure.failure_class is FailureClass.PERMANENT
