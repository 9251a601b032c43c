"""Binance's candles, aggregated trades, ticker and symbols, read by value: recorded ones, and small ones of our own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.binance import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "binance"
VALUES = ("open", "high", "low", "close", "volume")
READERS = (decode.bars, decode.trades, decode.quotes, decode.listings)
DAYS = Ask(kind="bars", symbol="ACMEUSDT")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_candles_by_value() -> None:
    """Strings become the same decimals; the last candle of an open range runs."""
    frame = check(decode.bars(golden("klines.json"), DAYS), DECODED["bars"], kind="bars")
    same = (None, "USDT", "raw")
    assert [
        ("ACMEUSDT", "1d", at(2024, 3, 8), 60.5, 64.5, 60.0, 64.25, 3.0, *same, False),
        ("ACMEUSDT", "1d", at(2024, 3, 9), 64.25, 65.5, 63.999, 65.0, 12.00000001, *same, True),
    ] == frame.rows()


@pytest.mark.parametrize(
    ("rows", "end", "running"),
    [
        pytest.param(3, None, True, id="the last page of an open range"),
        pytest.param(1000, None, False, id="a full page, that others follow"),
        pytest.param(3, date(2024, 3, 9), False, id="finished ones only"),
    ],
)
def test_the_running_candle(rows: int, end: date | None, running: bool) -> None:
    """Where an end is asked for only finished candles come; else the last candle there is runs."""
    first = json.loads(golden("klines.json"))[0]
    body = json.dumps([[first[0] + 60_000 * number, *first[1:]] for number in range(rows)]).encode()
    ask = Ask(kind="bars", symbol="ACMEUSDT", timeframe="1m", start=date(2024, 3, 8), end=end)
    assert [False] * (rows - 1) + [running] == decode.bars(body, ask)["running"].to_list()


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("BTCUSDT", "USDT"),
        ("ETHBTC", "BTC"),
        ("BTCFDUSD", "FDUSD"),
        ("BTCUSD", "USD"),
        ("BTCEUR", "EUR"),
        ("USDT", None),
        ("BTCXYZ", None),
        ("", None),
    ],
)
def test_a_symbol_ends_in_its_currency(symbol: str, currency: str | None) -> None:
    """The longest known ending counts; another is not known."""
    frame = decode.bars(golden("klines.json"), Ask(kind="bars", symbol=symbol, timeframe="4h"))
    assert (symbol or None, "1d", currency) == frame.select("symbol", "timeframe", "currency").row(0)


def test_trades_by_value() -> None:
    """A row of several trades names the first and the last; if the buyer rested in the book, the seller came to it."""
    frame = decode.trades(golden("agg_trades.json"), Ask(kind="trades", symbol="ACMEUSDT"))
    check(frame, DECODED["trades"], kind="trades")
    moment = at(2024, 3, 8, 23, 59, 59, 123_000)
    assert [
        ("ACMEUSDT", moment, 64.2, 1.5, "7", None, "buy", None, "USDT"),
        ("ACMEUSDT", moment, 64.15, 2.0, "8-10", None, "sell", None, "USDT"),
    ] == frame.rows()


def test_single_trades_have_their_own_number() -> None:
    """A body of none but single trades."""
    body = json.dumps(json.loads(golden("agg_trades.json"))[:1]).encode()
    assert ["7"] == decode.trades(body, Ask(kind="trades", symbol="ACMEUSDT"))["trade_id"].to_list()


def test_a_ticker_by_value() -> None:
    """What is said of 24 hours is not of a session."""
    frame = decode.quotes(golden("ticker_24hr.json"), Ask(kind="quotes", symbol="ACMEUSDT"))
    check(frame, DECODED["quotes"], kind="quotes")
    told = ("symbol", "ts_event", "price", "bid", "bid_size", "ask", "ask_size", "currency")
    moment = at(2024, 3, 9, 0, 0, 0, 123_000)
    assert [("ACMEUSDT", moment, 64.25, 64.2, 3.0, 64.25, 0.5, "USDT")] == frame.select(told).rows()
    assert [(None,) * 5] == frame.drop(told).rows()


def test_symbols_by_value() -> None:
    """A market in a break may come back or not."""
    frame = decode.listings(golden("exchange_info.json"), Ask(kind="listings", symbol=""))
    check(frame, DECODED["listings"], kind="listings")
    told = ("symbol", "name", "asset_class", "currency", "status")
    assert [
        ("ACMEUSDT", "ACME/USDT", "crypto", "USDT", "active"),
        ("GONEBTC", "GONE/BTC", "crypto", "BTC", None),
    ] == frame.select(told).rows()
    assert [(None,) * 8] * 2 == frame.drop(told).rows()


@pytest.mark.parametrize(
    ("reader", "body"), [(decode.bars, b"[]"), (decode.trades, b"[]"), (decode.listings, b'{"symbols":[]}')]
)
def test_an_empty_list_has_no_rows(reader: Decode, body: bytes) -> None:
    """Nothing in the range: an answer without rows."""
    assert reader(body, DAYS).is_empty()


@pytest.mark.parametrize("reader", READERS)
def test_an_error_is_refused(reader: Decode) -> None:
    """Binance's own words come back."""
    with pytest.raises(ProviderRefused, match=r"Invalid symbol\.") as caught:
        reader(b'{"code":-1121,"msg":"Invalid symbol."}', DAYS)
    assert FailureClass.PERMANENT is caught.value.failure.failure_class


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.bars, b'[[1709856000000,"1","2","1","2","5"]]', "$[0]"),
        (decode.bars, golden("klines.json").replace(b'"60.50000000"', b"{}"), "$[0][1]"),
        (decode.bars, golden("klines.json").replace(b'"60.50000000"', b'"-inf"'), "open was no finite number"),
        (decode.bars, golden("klines.json").replace(b'"60.50000000"', b'"?"'), "$[0][1]"),
        (decode.bars, golden("klines.json").replace(b"1709856000000", b"9709856000000"), "$[0][0]"),
        (decode.bars, b"[[1709856000000,", "truncated"),
        (decode.trades, golden("agg_trades.json").replace(b'"m":true', b'"m":2'), "$[1].m"),
        (decode.trades, golden("agg_trades.json").replace(b":10,", b":99999999999999999999,"), "l was no Int64"),
        (decode.trades, golden("agg_trades.json").replace(b'"2.00000000"', b'"NaN"'), "q was no finite number"),
        (decode.quotes, b'{"symbol":"ACMEUSDT","bidPrice":"1","bidQty":"1"}', "`closeTime`"),
        (decode.quotes, golden("ticker_24hr.json").replace(b'"0.50000000"', b'"half"'), "askQty was 'half'"),
        (decode.listings, b'{"symbols":[{"symbol":"ACMEUSDT"}]}', "`baseAsset`"),
    ],
)
def test_drift_is_named(reader: Decode, body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where; so is a ticker without a time."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, DAYS)
    assert named in caught.value.reason


def test_recorded_candles_by_value(recordings: Path) -> None:
    """The one candle of the documentation."""
    frame = decode.bars((recordings / "crypto" / "binance" / "klines_response.json").read_bytes(), DAYS)
    assert [(at(2017, 7, 3), 0.0163479, 0.8, 0.015758, 0.015771, 148976.11427815)] == frame.select(
        "ts_event", *VALUES
    ).rows()


def test_recorded_ticker_by_value(recordings: Path) -> None:
    """The ticker of the documentation."""
    body = (recordings / "crypto" / "binance" / "ticker_24hr_response.json").read_bytes()
    frame = decode.quotes(body, Ask(kind="quotes", symbol="BNBBTC"))
    told = ("ts_event", "price", "bid", "bid_size", "ask", "ask_size", "currency")
    moment = at(2017, 7, 12, 14, 31, 39, 40_000)
    assert [(moment, 4.000002, 4.0, 100.0, 4.000002, 100.0, "BTC")] == frame.select(told).rows()


def test_recorded_symbols(recordings: Path) -> None:
    """The documentation's symbol, and the 121 of a captured answer, of which four were in a break."""
    body = (recordings / "crypto" / "binance" / "exchange_info_response.json").read_bytes()
    frame = decode.listings(body, Ask(kind="listings", symbol=""))
    assert [("ETHBTC", "ETH/BTC", "BTC", "active")] == frame.select("symbol", "name", "currency", "status").rows()
    line = (recordings / "ws_captures" / "BINANCE_US.0.txt").read_text().splitlines()[0]
    every = decode.listings(line.split(" -> ", 1)[1].split(": ", 1)[1].encode(), Ask(kind="listings", symbol=""))
    assert (121, 4) == (len(every), every["status"].null_count())
    assert ("BTCUSD", "BTC/USD", "USD", "active") == every.select("symbol", "name", "currency", "status").row(0)
