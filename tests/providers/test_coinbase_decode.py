"""Coinbase's candles, trades, ticker and products, read by value: the recorded ones, and small ones of our own."""

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
from truetape.providers.coinbase import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "coinbase"
VALUES = ("open", "high", "low", "close", "volume")
READERS = (decode.bars, decode.trades, decode.quotes, decode.listings)
FIVE = Ask(kind="bars", symbol="ACME-USD", timeframe="5m")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_candles_by_value() -> None:
    """Low comes before high, the newest first, and a bar without trades is absent; the last of an open range runs."""
    frame = check(decode.bars(golden("candles.json"), FIVE), DECODED["bars"], kind="bars")
    same = (None, "USD", "raw")
    assert [
        ("ACME-USD", "5m", at(2024, 3, 8, 23, 55), 60.5, 64.5, 60.0, 64.25, 3.0, *same, False),
        ("ACME-USD", "5m", at(2024, 3, 9, 0, 5), 64.25, 65.5, 63.999, 65.0, 12.00000001, *same, False),
        ("ACME-USD", "5m", at(2024, 3, 9, 0, 10), 65.0, 66.25, 64.1, 66.125, 0.5, *same, True),
    ] == frame.rows()


@pytest.mark.parametrize(
    ("rows", "start", "end", "running"),
    [
        pytest.param(2, None, None, True, id="the latest candles"),
        pytest.param(300, None, None, True, id="a full page of the latest candles"),
        pytest.param(2, date(2024, 3, 8), None, True, id="the last page of an open range"),
        pytest.param(300, date(2024, 3, 8), None, False, id="a full page, that others follow"),
        pytest.param(2, date(2024, 3, 8), date(2024, 3, 9), False, id="finished ones only"),
    ],
)
def test_the_running_candle(rows: int, start: date | None, end: date | None, running: bool) -> None:
    """Where an end is asked for only finished candles come; else the last candle there is runs."""
    body = json.dumps([[1709856000 + 60 * number, 1, 2, 1, 2, 5] for number in reversed(range(rows))]).encode()
    ask = Ask(kind="bars", symbol="ACME-USD", timeframe="1m", start=start, end=end)
    assert [False] * (rows - 1) + [running] == decode.bars(body, ask)["running"].to_list()


def test_a_candle_of_nulls_is_no_bar() -> None:
    """A start alone says nothing of prices."""
    body = b"[[1709856060,1,2,1,2,5],[1709856000,null,null,null,null,null]]"
    assert [at(2024, 3, 8, 0, 1)] == decode.bars(body, FIVE)["ts_event"].to_list()
    assert decode.bars(b"[[1709856000,null,null,null,null,null]]", FIVE).is_empty()


@pytest.mark.parametrize(
    ("symbol", "timeframe", "expected"),
    [
        ("BTC-EUR", "1h", ("BTC-EUR", "1h", "EUR")),
        ("", "1w", (None, "1d", None)),
        ("ACME-", "1d", ("ACME-", "1d", None)),
    ],
)
def test_the_ask_names_symbol_and_timeframe(symbol: str, timeframe: str, expected: tuple[str | None, ...]) -> None:
    """The body names neither; what Coinbase has no candles of is a day."""
    frame = decode.bars(b"[[1709856000,1,2,1,2,5]]", Ask(kind="bars", symbol=symbol, timeframe=timeframe))
    assert [expected] == frame.select("symbol", "timeframe", "currency").rows()


def test_trades_by_value() -> None:
    """The newest comes first and is last here; the side told is the resting order's, ours the aggressor's."""
    frame = decode.trades(golden("trades.json"), Ask(kind="trades", symbol="ACME-USD"))
    check(frame, DECODED["trades"], kind="trades")
    columns = ("symbol", "ts_event", "price", "size", "trade_id", "conditions", "side", "venue", "currency")
    assert [
        ("ACME-USD", at(2024, 3, 8, 23, 59, 59), 64.2, 1.5, "10", None, "buy", None, "USD"),
        ("ACME-USD", at(2024, 3, 8, 23, 59, 59, 500_000), 64.2, 2.0, "11", None, "buy", None, "USD"),
        ("ACME-USD", at(2024, 3, 9, 0, 0, 0, 1), 64.25, 1e-8, "12", None, "sell", None, "USD"),
    ] == frame.select(columns).rows()


@pytest.mark.parametrize(("page", "rows"), [("", 0), ("seek-0-12-12", 0), ("read-13-12", 3)])
def test_a_page_that_only_looks_for_trades_has_none(page: str, rows: int) -> None:
    """What it shows is read with the others."""
    ask = Ask(kind="trades", symbol="ACME-USD", start=date(2024, 3, 8), page=page)
    assert rows == len(decode.trades(golden("trades.json"), ask))


def test_a_ticker_by_value() -> None:
    """The volume of 24 hours is not a session's."""
    frame = decode.quotes(golden("ticker.json"), Ask(kind="quotes", symbol="ACME-USD"))
    check(frame, DECODED["quotes"], kind="quotes")
    told = ("symbol", "ts_event", "price", "bid", "ask", "currency")
    assert [("ACME-USD", at(2024, 3, 9, 0, 0, 0, 1), 64.25, 64.2, 64.25, "USD")] == frame.select(told).rows()
    assert [(None,) * 7] == frame.drop(told).rows()


def test_a_ticker_of_an_empty_book() -> None:
    """A side without orders is missing."""
    body = b'{"price":"64.25","time":"2024-03-09T00:00:00Z","bid":"","ask":null}'
    frame = decode.quotes(body, Ask(kind="quotes", symbol="ACME-USD"))
    assert [(64.25, None, None)] == frame.select("price", "bid", "ask").rows()


def test_products_by_value() -> None:
    """Offline is neither active nor delisted; one product alone is a list of one."""
    frame = decode.listings(golden("products.json"), Ask(kind="listings", symbol=""))
    check(frame, DECODED["listings"], kind="listings")
    told = ("symbol", "name", "asset_class", "currency", "status")
    assert [
        ("ACME-USD", "ACME/USD", "crypto", "USD", "active"),
        ("GONE-EUR", "GONE/EUR", "crypto", "EUR", "delisted"),
        ("AWAY-BTC", "AWAY/BTC", "crypto", "BTC", None),
    ] == frame.select(told).rows()
    assert [(None,) * 8] * 3 == frame.drop(told).rows()
    one = json.dumps(json.loads(golden("products.json"))[1]).encode()
    assert ["GONE-EUR"] == decode.listings(one, Ask(kind="listings", symbol=""))["symbol"].to_list()


@pytest.mark.parametrize("reader", [decode.bars, decode.trades, decode.listings])
def test_an_empty_list_has_no_rows(reader: Decode) -> None:
    """Nothing traded in the range: an answer without rows."""
    assert reader(b"[]", FIVE).is_empty()


@pytest.mark.parametrize("reader", READERS)
def test_an_error_is_refused(reader: Decode) -> None:
    """Coinbase's own words come back."""
    with pytest.raises(ProviderRefused, match="NotFound") as caught:
        reader(b'{"message":"NotFound"}', FIVE)
    assert FailureClass.PERMANENT is caught.value.failure.failure_class


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.bars, b"[[1709856000,1,2,1,2]]", "$[0]"),
        (decode.bars, b'[[1709856000,"1",2,1,2,5]]', "$[0][1]"),
        (decode.bars, b"[[99999999999,1,2,1,2,5]]", "$[0][0]"),
        (decode.bars, b"[[1709856000,1,2,1", "truncated"),
        (decode.bars, b"<html>hello</html>", "malformed"),
        (decode.trades, golden("trades.json").replace(b'"buy"', b'"up"'), "side was 'up'"),
        (decode.trades, golden("trades.json").replace(b'"64.20"', b'"NaN"'), "price was no finite number"),
        (decode.trades, golden("trades.json").replace(b'"2"', b'"two"'), "$[1].size"),
        (decode.trades, golden("trades.json").replace(b"59.5Z", b"59.5"), "time was '2024-03-08T23:59:59.5'"),
        (decode.trades, golden("trades.json").replace(b":12,", b":99999999999999999999,"), "trade_id was no Int64"),
        (decode.quotes, b'{"price":"1","time":"yesterday"}', "time was 'yesterday'"),
        (decode.quotes, b'{"trade_id":1}', "`time`"),
        (decode.listings, b'[{"id":"ACME-USD"}]', "`base_currency`"),
    ],
)
def test_drift_is_named(reader: Decode, body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, FIVE)
    assert named in caught.value.reason


def test_recorded_candles_by_value(recordings: Path) -> None:
    """Days of BTC-EUR: the recording has low and high before open."""
    body = (recordings / "coinbase" / "rest" / "candles_BTC-EUR_recent.json").read_bytes()
    frame = decode.bars(body, Ask(kind="bars", symbol="BTC-EUR", start=date(2021, 1, 1), end=date(2021, 1, 7)))
    rows = frame.select("ts_event", *VALUES, "currency", "running").rows()
    assert [at(2021, 1, day) for day in range(1, 8)] == frame["ts_event"].to_list()
    assert (at(2021, 1, 1), 23706.73, 24250.0, 23512.7, 24070.97, 1830.04655405, "EUR", False) == rows[0]
    assert (at(2021, 1, 7), 29818.73, 32900.0, 29516.98, 32120.19, 5957.46980324, "EUR", False) == rows[-1]


def test_recorded_trades_by_value(recordings: Path) -> None:
    """A thousand trades whose numbers follow each other without a gap."""
    body = (recordings / "coinbase" / "rest" / "ETH-USDT_trades_1000.json").read_bytes()
    frame = decode.trades(body, Ask(kind="trades", symbol="ETH-USDT"))
    assert [str(number) for number in range(5266681, 5267681)] == frame["trade_id"].to_list()
    last = frame.select("ts_event", "price", "size", "side", "currency").rows()[-2:]
    assert [
        (at(2022, 1, 30, 17, 50, 3, 195_410), 2612.44, 0.00137769, "buy", "USDT"),
        (at(2022, 1, 30, 17, 50, 3, 254_624), 2612.44, 0.01351646, "buy", "USDT"),
    ] == last


@pytest.mark.parametrize(
    ("name", "rows", "first"),
    [
        ("products_2021-12-09.json", 404, ("NMR-USD", "NMR/USD", "USD", "active")),
        ("products_partial.json", 3, ("BTC-EUR", "BTC/EUR", "EUR", "active")),
        ("ETH-USDT_product.json", 1, ("ETH-USDT", "ETH/USDT", "USDT", "active")),
    ],
)
def test_recorded_products(recordings: Path, name: str, rows: int, first: tuple[str, ...]) -> None:
    """All products, some, and one."""
    body = (recordings / "coinbase" / "rest" / name).read_bytes()
    frame = decode.listings(body, Ask(kind="listings", symbol=""))
    assert rows == len(frame)
    assert first == frame.select("symbol", "name", "currency", "status").row(0)


def test_the_products_of_a_recorded_capture(recordings: Path) -> None:
    """The first line of a capture is the answer of REST: 162 products, all online."""
    line = (recordings / "ws_captures" / "COINBASE.0.txt").read_text().splitlines()[0]
    body = line.split(" -> ", 1)[1].split(": ", 1)[1].encode()
    frame = decode.listings(body, Ask(kind="listings", symbol=""))
    assert ["active"] * 162 == frame["status"].to_list()
    assert "BTC-GBP" in frame["symbol"]
