"""Kraken's candles, trades, spreads and pairs, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.kraken import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "kraken"
VALUES = ("open", "high", "low", "close", "volume")
READERS = (decode.bars, decode.trades, decode.quotes, decode.listings)
DAYS = Ask(kind="bars", symbol="ACME/USD")
CANDLE = '[1709856000,"60.5","64.50","60.0","64.25","62.1","3.0",7]'


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def result(text: str) -> bytes:
    return f'{{"error":[],"result":{text}}}'.encode()


def test_candles_by_value() -> None:
    """A flat candle is a bar; those after `last` are running; the body's own name of the pair does not matter."""
    frame = check(decode.bars(golden("ohlc.json"), DAYS), DECODED["bars"], kind="bars")
    same = (None, "USD", "raw")
    assert [
        ("ACME/USD", "1d", at(2024, 3, 8), 60.5, 64.5, 60.0, 64.25, 3.0, *same, False),
        ("ACME/USD", "1d", at(2024, 3, 9), 64.25, 64.25, 64.25, 64.25, 0.0, *same, False),
        ("ACME/USD", "1d", at(2024, 3, 10), 64.2, 65.5, 63.999, 65.0, 12.00000001, *same, True),
    ] == frame.rows()


def test_candles_without_a_last_finished_one() -> None:
    """Nothing says that any is running."""
    assert [False] == decode.bars(result(f'{{"X":[{CANDLE}]}}'), DAYS)["running"].to_list()


@pytest.mark.parametrize(
    ("symbol", "timeframe", "expected"),
    [
        ("BTC/EUR", "1h", ("BTC/EUR", "1h", "EUR")),
        ("XBTUSD", "1w", ("XBTUSD", "1d", None)),
        ("", "1d", (None, "1d", None)),
        ("ACME/", "1d", ("ACME/", "1d", None)),
    ],
)
def test_the_ask_names_symbol_and_timeframe(symbol: str, timeframe: str, expected: tuple[str | None, ...]) -> None:
    """The body names the pair in another way than it was asked for; what Kraken has no candles of is a day."""
    frame = decode.bars(result(f'{{"X":[{CANDLE}]}}'), Ask(kind="bars", symbol=symbol, timeframe=timeframe))
    assert [expected] == frame.select("symbol", "timeframe", "currency").rows()


def test_trades_by_value() -> None:
    """Times keep their seven decimals; old answers have no number of the trade; equal instants stay in their order."""
    frame = decode.trades(golden("trades.json"), Ask(kind="trades", symbol="ACME/USD"))
    check(frame, DECODED["trades"], kind="trades")
    assert [
        ("ACME/USD", 64.2, 1.5, "10", "l", "buy", None, "USD"),
        ("ACME/USD", 64.2, 2.0, "11", "m,x", "sell", None, "USD"),
        ("ACME/USD", 64.25, 1e-8, None, "m", "sell", None, "USD"),
    ] == frame.drop("ts_event").rows()
    second = 1_709_942_399_000_000_000
    assert [second + 123_456_700, second + 123_456_700, second + 10**9] == frame["ts_event"].to_physical().to_list()


def test_spreads_by_value() -> None:
    """The last spread of a second stands for it; there are no sizes."""
    frame = decode.quotes(golden("spread.json"), Ask(kind="quotes", symbol="ACME/USD"))
    check(frame, DECODED["quotes"], kind="quotes")
    told = ("symbol", "ts_event", "bid", "ask", "currency")
    assert [
        ("ACME/USD", at(2024, 3, 8, 23, 59, 58), 64.1, 64.2, "USD"),
        ("ACME/USD", at(2024, 3, 8, 23, 59, 59), 64.16, 64.25, "USD"),
    ] == frame.select(told).rows()
    assert [(None,) * 8] * 2 == frame.drop(told).rows()


def test_pairs_by_value() -> None:
    """Both sides money is foreign exchange; a token of something else is of no class; a pair at rest has no status."""
    frame = decode.listings(golden("pairs.json"), Ask(kind="listings", symbol=""))
    check(frame, DECODED["listings"], kind="listings")
    told = ("symbol", "name", "asset_class", "currency", "status")
    assert [
        ("BTC/USD", "BTC/USD", "crypto", "USD", "active"),
        ("EUR/USD", "EUR/USD", "fx", "USD", "active"),
        ("DOGE/BTC", "DOGE/BTC", "crypto", "BTC", None),
        ("ACMEx/USD", "ACMEx/USD", None, "USD", "active"),
        ("ACMEUSD.d", "ACMEUSD.d", "crypto", None, None),
    ] == frame.select(told).rows()
    assert [(None,) * 8] * 5 == frame.drop(told).rows()


@pytest.mark.parametrize("reader", [decode.bars, decode.trades, decode.quotes])
def test_a_pair_without_rows(reader: Decode) -> None:
    """Nothing since then: an answer without rows."""
    last = '"1709942400000000000"' if reader is decode.trades else "1709942400"
    assert reader(result(f'{{"XACMEZUSD":[],"last":{last}}}'), DAYS).is_empty()


def test_no_pairs() -> None:
    """A market without pairs is an answer without rows."""
    assert decode.listings(result("{}"), DAYS).is_empty()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("rest", ["", ',"result":{}'])
def test_an_error_is_refused(reader: Decode, rest: str) -> None:
    """Kraken's own words come back, whether there is a result beside them or not."""
    with pytest.raises(ProviderRefused, match="EQuery:Unknown asset pair") as caught:
        reader(f'{{"error":["EQuery:Unknown asset pair"]{rest}}}'.encode(), DAYS)
    assert FailureClass.PERMANENT is caught.value.failure.failure_class


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.bars, result("{}"), "of 0 pairs"),
        (decode.bars, result('{"last":1}'), "of 0 pairs"),
        (decode.bars, result('{"A":[],"B":[]}'), "of 2 pairs"),
        (decode.bars, result('{"A":7}'), "of 1 pairs"),
        (decode.bars, result('{"A":[[1,"1"]]}'), "$.result[...][0]"),
        (decode.bars, result(f'{{"A":[{CANDLE.replace("60.5", "x")}]}}'), "$.result[...][0][1]"),
        (decode.bars, result(f'{{"A":[{CANDLE.replace("1709856000", "99999999999")}]}}'), "$.result[...][0][0]"),
        (decode.bars, result(f'{{"A":[{CANDLE}],"last":{2**63}}}'), "$.result[...]"),
        (decode.bars, b'{"error":[],"result":{"A":[[170', "truncated"),
        (decode.bars, b'{"error":[]}', "`result`"),
        (decode.trades, golden("trades.json").replace(b'"b"', b'"buy"'), "side was 'buy'"),
        (decode.trades, golden("trades.json").replace(b"1709942400,", b"1e400,"), "not from 1800 to 2199"),
        (decode.trades, golden("trades.json").replace(b"1709942400,", b'"sNaN",'), "not from 1800 to 2199"),
        (decode.trades, golden("trades.json").replace(b",11]", b",99999999999999999999]"), "trade_id was no Int64"),
        (decode.trades, golden("trades.json").replace(b'"2.00000000"', b'"Infinity"'), "volume was no finite number"),
        (decode.quotes, golden("spread.json").replace(b'"64.16000"', b'"-"'), "$.result[...][2][1]"),
        (decode.listings, result('{"A":{"wsname":"A/B"}}'), "`altname`"),
    ],
)
def test_drift_is_named(reader: Decode, body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, DAYS)
    assert named in caught.value.reason


def test_recorded_candles_by_value(recordings: Path) -> None:
    """Seven hundred and twenty-one minutes without a gap; the last one runs."""
    body = (recordings / "crypto" / "kraken" / "OHLC.json").read_bytes()
    frame = decode.bars(body, Ask(kind="bars", symbol="BTC/USDT", timeframe="1m"))
    first = at(2025, 11, 10, 12, 17)
    assert [first + timedelta(minutes=number) for number in range(721)] == frame["ts_event"].to_list()
    assert [False] * 720 + [True] == frame["running"].to_list()
    rows = frame.select(*VALUES, "currency").rows()
    assert (106038.2, 106038.2, 106038.2, 106038.2, 0.0, "USDT") == rows[0]
    assert (106038.3, 106038.3, 106038.3, 106038.3, 0.00032101, "USDT") == rows[2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http_asset_pairs.json", ("BTC/USDT", "crypto", "USDT", "active")),
        ("http_asset_pairs_tokenized.json", ("AAPLx/USD", None, "USD", "active")),
    ],
)
def test_recorded_pairs(recordings: Path, name: str, expected: tuple[str | None, ...]) -> None:
    """A pair of two coins, and one of a share's token."""
    frame = decode.listings((recordings / "crypto" / "kraken" / name).read_bytes(), Ask(kind="listings", symbol=""))
    assert [expected] == frame.select("symbol", "asset_class", "currency", "status").rows()


def test_a_recorded_ticker_cannot_be_placed(recordings: Path) -> None:
    """A ticker does not say of when it is: one pair's, and all pairs' in a single body."""
    one = (recordings / "crypto" / "kraken" / "http_ticker.json").read_bytes()
    every = gzip.decompress((recordings / "crypto/api.kraken.com/0_public_Ticker_assetVersion=1.json.gz").read_bytes())
    assert 1530 == len(json.loads(every)["result"])
    for body in (one, every):
        with pytest.raises(UndecodablePayload, match=r"\$\.result"):
            decode.quotes(body, Ask(kind="quotes", symbol="BTC/USDT"))
