"""Massive's bodies, read by value: small ones of our own, and what is no such thing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers import massive

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "massive"
READERS = massive.provider(None).decode  # type: ignore[arg-type]
VALUES = ("open", "high", "low", "close", "volume")
TRADE = ("symbol", "price", "size", "trade_id", "conditions", "side", "venue", "currency")
SIDES = ("symbol", "bid", "bid_size", "ask", "ask_size", "currency")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def ask(kind: str, symbol: str = "ACME", timeframe: str = "1d") -> Ask:
    return Ask(kind=kind, symbol=symbol, timeframe=timeframe)


def test_days() -> None:
    """Prices that were asked for as traded; a bar of nulls is none."""
    frame = check(READERS["bars"](golden("aggregates.json"), ask("bars")), DECODED["bars"], kind="bars")
    assert frame.rows() == [
        ("ACME", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, None, "USD", "raw", False),
        ("ACME", "1d", at(2024, 3, 12), 188.5, 190.1, 187.25, 188.25, 900.5, None, "USD", "raw", False),
    ]


def test_a_whole_markets_day() -> None:
    """Rows name their tickers and come in the order of these."""
    frame = READERS["bars"](golden("grouped.json"), ask("bars", symbol=""))
    assert frame.select("symbol", "ts_event", "close", "basis").rows() == [
        ("ACME", at(2024, 3, 8), 187.5, "split"),
        ("ZED", at(2024, 3, 8), 2.5, "split"),
    ]


def test_open_and_close_of_a_day() -> None:
    """The provider's own daily summary."""
    frame = READERS["bars"](golden("open_close.json"), ask("bars"))
    assert frame.select("symbol", "ts_event", *VALUES, "basis").rows() == [
        ("ACME", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, "split")
    ]


def aggregate(stamp: int, *, ticker: str = "ACME", **changes: Any) -> bytes:
    """One aggregate at Unix millisecond `stamp`, with fields replaced; one set to Ellipsis is left out."""
    row: dict[str, Any] = {"t": stamp, "o": 1, "h": 1, "l": 1, "c": 1.5, "v": 1} | changes
    kept = {name: value for name, value in row.items() if value is not ...}
    return json.dumps({"status": "OK", "ticker": ticker, "adjusted": False, "results": [kept]}).encode()


SUNDAY = 1709442000000  # 2024-03-03 05:00 UTC, midnight in New York
FRIDAY = 1709874000000  # 2024-03-08 05:00 UTC


@pytest.mark.parametrize(
    ("timeframe", "stamp", "start"),
    [
        ("1w", SUNDAY, at(2024, 3, 4)),
        ("1w", FRIDAY, at(2024, 3, 4)),
        ("1mo", FRIDAY, at(2024, 3, 1)),
        ("1m", FRIDAY, at(2024, 3, 8, 5)),
        ("?", FRIDAY, at(2024, 3, 8)),
    ],
)
def test_bars_begin_with_their_period(timeframe: str, stamp: int, start: datetime) -> None:
    """A week that begins with a Sunday is labelled with its Monday; minutes keep their instant."""
    frame = READERS["bars"](aggregate(stamp), ask("bars", timeframe=timeframe))
    assert frame["ts_event"].to_list() == [start]


@pytest.mark.parametrize(
    ("ticker", "currency"),
    [("ACME", "USD"), ("BRK.B", "USD"), ("C:EURCHF", "CHF"), ("X:BTCUSD", "USD"), ("X:ETHBTC", "BTC"), ("I:SPX", None),
     ("O:ACME240315C00180000", "USD"), ("X:ODD", None)],
)  # fmt: skip
def test_the_ticker_tells_the_currency(ticker: str, currency: str | None) -> None:
    """A pair in its second half; an index has none."""
    frame = READERS["bars"](aggregate(FRIDAY, ticker=ticker), ask("bars"))
    assert frame.select("symbol", "currency").rows() == [(ticker, currency)]


def test_index_levels() -> None:
    """The closes of an index's days, whatever timeframe is asked."""
    frame = READERS["index_levels"](aggregate(FRIDAY, ticker="I:SPX"), ask("index_levels", timeframe="1m"))
    assert check(frame, DECODED["index_levels"], kind="index_levels").rows() == [("I:SPX", at(2024, 3, 8), 1.5, None)]


def test_exchange_rates() -> None:
    """Daily closes of a pair, and the present rate."""
    frame = READERS["fx_rates"](aggregate(FRIDAY, ticker="C:EURUSD"), ask("fx_rates"))
    assert check(frame, DECODED["fx_rates"], kind="fx_rates").rows() == [
        ("EUR", "USD", at(2024, 3, 8), 1.5, None, None)
    ]
    assert READERS["fx_rates"](golden("last_quote.json"), ask("fx_rates")).rows() == [
        ("EUR", "USD", at(2024, 3, 8, 21, 59, 59, 250_000), 1.09385, 1.0938, 1.0939)
    ]


def test_trades() -> None:
    """A cancelled trade is left out; one that was on no tape has its venue's time."""
    frame = check(READERS["trades"](golden("trades.json"), ask("trades")), DECODED["trades"], kind="trades")
    assert frame.select(TRADE).rows() == [
        ("ACME", 187.15, 100.0, "183276", "12,37", None, "11", "USD"),
        ("ACME", 187.2, 0.5, "183278", "1", None, "2", "USD"),
    ]
    assert frame["ts_event"].to_physical().to_list() == [1_709_908_200_123_456_789, 1_709_908_202_000_000_000]


@pytest.mark.parametrize(("condition", "side"), [(1, "sell"), (2, "buy"), (7, None)])
def test_the_condition_of_a_coins_trade_is_its_side(condition: int, side: str | None) -> None:
    """Whoever took the offer."""
    row = {"price": 1, "size": 1, "participant_timestamp": 0, "conditions": [condition]}
    body = json.dumps({"status": "OK", "results": [row]}).encode()
    assert READERS["trades"](body, ask("trades", symbol="X:BTCUSD"))["side"].to_list() == [side]
    short = {"T": "X:BTCUSD", "p": 1, "s": 1, "t": 0, "c": [condition]}
    body = json.dumps({"status": "OK", "results": short}).encode()
    frame = READERS["trades"](body, ask("trades", symbol=""))
    assert frame.select("side", "venue", "trade_id").rows() == [(side, None, None)]


def test_the_newest_trade() -> None:
    """It names its ticker."""
    frame = READERS["trades"](golden("last_trade.json"), ask("trades", symbol=""))
    assert frame.select(TRADE).rows() == [("ACME", 187.5, 2.0, "7", "12", None, "4", "USD")]


def test_the_newest_trade_of_a_coin() -> None:
    """It names its pair with a hyphen."""
    last = {"price": 68300.5, "size": 0.25, "timestamp": 1709931599500, "conditions": [1]}
    body = json.dumps({"status": "success", "symbol": "ETH-BTC", "last": last}).encode()
    frame = READERS["trades"](body, ask("trades", symbol=""))
    assert frame.select("symbol", "ts_event", "side", "venue", "currency").rows() == [
        ("X:ETHBTC", at(2024, 3, 8, 20, 59, 59, 500_000), "sell", None, "BTC")
    ]


def test_trades_come_out_in_order() -> None:
    """Rows in no order are sorted by their time."""
    rows = [{"price": price, "size": 1, "sip_timestamp": price} for price in (2, 3, 1)]
    body = json.dumps({"status": "OK", "results": rows}).encode()
    frame = READERS["trades"](body, ask("trades", symbol=""))
    assert frame.select("symbol", "price", "conditions", "currency").rows() == [
        (None, 1.0, None, None),
        (None, 2.0, None, None),
        (None, 3.0, None, None),
    ]


def test_quotes() -> None:
    """Sizes are lots until November 2025, and shares from then on."""
    frame = check(READERS["quotes"](golden("quotes.json"), ask("quotes")), DECODED["quotes"], kind="quotes")
    assert frame.select(SIDES).rows() == [
        ("ACME", 187.1, 400.0, 187.2, 300.0, "USD"),
        ("ACME", 190.1, 40.0, 190.2, 300.0, "USD"),
    ]
    assert READERS["quotes"](golden("quotes.json"), ask("quotes", symbol="C:EURUSD"))["bid_size"].to_list() == [4, 40]


def test_a_size_beyond_all_numbers_is_missing() -> None:
    """A hundred times the largest number is none."""
    row = {"sip_timestamp": 0, "bid_price": 1, "bid_size": 1e308, "ask_price": 2, "ask_size": 1}
    frame = READERS["quotes"](json.dumps({"status": "OK", "results": [row]}).encode(), ask("quotes"))
    assert frame.select(SIDES).rows() == [("ACME", 1.0, None, 2.0, 100.0, "USD")]


def test_snapshots() -> None:
    """An index has a value; what was not found or never traded has no row."""
    frame = READERS["quotes"](golden("snapshot.json"), ask("quotes", symbol=""))
    acme = (187.45, 900.0, 187.55, 700.0, 187.15, 188.0, 186.5, 186.75, 1000.0, "USD")
    assert frame.rows() == [
        ("ACME", at(2024, 3, 8, 20, 59, 59, 250_000), 187.5, *acme),
        ("I:SPX", at(2024, 3, 8, 21), 5123.69, *(None,) * 4, 5164.46, 5189.26, 5117.5, 5157.36, None, None),
    ]
    frame = READERS["quotes"](golden("snapshot_old.json"), ask("quotes", symbol=""))
    assert frame.rows() == [("ACME", at(2024, 3, 8, 20, 59, 59, 250_000), 187.5, *acme)]


def test_actions() -> None:
    """Ratios are new shares for one old; cash is as paid, in dollars where no currency is told."""
    columns = ("symbol", "ex_date", "type", "value", "currency")
    frame = check(READERS["actions"](golden("splits.json"), ask("actions")), DECODED["actions"], kind="actions")
    assert frame.select(columns).rows() == [
        ("TINY", date(2024, 3, 12), "split", 0.125, None),
        ("ACME", date(2024, 3, 13), "split", 1.5, None),
    ]
    frame = check(READERS["actions"](golden("dividends.json"), ask("actions")), DECODED["actions"], kind="actions")
    assert frame.select(columns).rows() == [
        ("ACME", date(2024, 3, 18), "dividend", 0.24, "USD"),
        ("ACME", date(2024, 3, 18), "special_dividend", 1.5, "CAD"),
        ("FUND", date(2024, 3, 19), "capital_gain", 0.5, "USD"),
        ("FUND", date(2024, 3, 20), "capital_gain", 0.25, "USD"),
        ("FUND", date(2024, 3, 21), "special_dividend", 0.75, "USD"),
        ("FUND", date(2024, 3, 22), "dividend", 0.1, "USD"),
    ]
    assert frame.select("declared_date", "record_date", "pay_date").rows()[:2] == [
        (date(2024, 2, 1), date(2024, 3, 19), date(2024, 4, 1)),
        (None, None, None),
    ]


def test_tickers() -> None:
    """What trades no more has its last day; a pair has no code for its currency."""
    columns = ("symbol", "name", "mic", "asset_class", "currency", "status", "last_date", "figi", "cik")
    frame = check(READERS["listings"](golden("tickers.json"), ask("listings")), DECODED["listings"], kind="listings")
    assert frame.select(columns).rows() == [
        ("ACME", "Acme Corporation", "XNYS", "equity", "USD", "active", None, "BBG000000001", "0000000001"),
        ("SPYX", "All of It", "ARCX", "etf", "USD", "active", None, None, None),
        ("GONE", "Gone Inc.", "XNAS", "equity", "USD", "delisted", date(2020, 3, 2), None, None),
        ("C:EURUSD", "Euro - United States Dollar", None, "fx", None, "active", None, None, None),
        ("WHAT", None, None, None, None, None, None, None, None),
    ]
    frame = READERS["listings"](golden("ticker.json"), ask("listings"))
    assert frame.select("symbol", "first_date").rows() == [("ACME", date(1980, 12, 12))]


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("body", [b'{"status":"OK","results":[]}', b'{"status":"DELAYED"}', b'{"status":"OK"}'])
def test_no_rows_are_an_empty_frame(kind: str, body: bytes) -> None:
    """Results that are missing or empty answer a span without trades."""
    assert check(READERS[kind](body, ask(kind)), DECODED[kind], kind=kind).is_empty()


def action(**fields: Any) -> bytes:
    return json.dumps({"status": "OK", "results": [{"ticker": "ACME", **fields}]}).encode()


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("bars", aggregate(FRIDAY, c=...), "`c`"),
        ("bars", aggregate(FRIDAY, o="1"), "$.results[0].o"),
        ("bars", aggregate(10**15), "$.results[0].t"),
        ("bars", b'{"results":[]}', "`status`"),
        ("bars", b'{"status":"OK","from":"soon","symbol":"A","open":1,"high":1,"low":1,"close":1,"preMarket":1}',
         "from was 'soon'"),
        ("bars", b'{"status":"OK","symbol":"A"}', "results was missing, and symbol was there"),
        ("fx_rates", aggregate(FRIDAY), "the ticker was 'ACME', no pair"),
        ("fx_rates", b'{"status":"OK","symbol":"EURUSD","last":{"bid":1,"ask":1,"timestamp":0}}',
         "the symbol was 'EURUSD', no pair"),
        ("trades", b'{"status":"OK","results":[{"price":1,"size":1}]}', "neither sip_timestamp nor"),
        ("trades", b'{"status":"OK","results":[{"price":1,"sip_timestamp":1}]}', "`size`"),
        ("quotes", b'{"status":"OK","results":[{"sip_timestamp":1}]}', "no row had a bid_price or an ask_price"),
        ("quotes", b'{"status":"OK","results":[{"bid_price":1}]}', "neither sip_timestamp nor"),
        ("quotes", b'{"status":"OK","tickers":[{"day":{}}]}', "`ticker`"),
        ("actions", action(execution_date="2024-03-08"), "the ratio None for None, nothing positive"),
        ("actions", action(execution_date="2024-03-08", split_from=0, split_to=1), "nothing positive"),
        ("actions", action(execution_date="2024-03-08", split_from=1e-308, split_to=1e308), "nothing positive"),
        ("actions", action(ex_dividend_date="2024-03-08", cash_amount=0), "the amount 0.0"),
        ("actions", action(cash_amount=1), "ex_dividend_date was 'None'"),
        ("actions", action(ex_dividend_date="2024-03-08", cash_amount=1, pay_date="soon"), "pay_date was 'soon'"),
        ("listings", b'{"status":"OK","results":[{"market":"stocks"}]}', "`ticker`"),
        ("listings", b'{"status":"OK","results":[{"ticker":"A","split_to":2}]}', "`market`"),
        ("index_levels", aggregate(FRIDAY), "the ticker was 'ACME', no index"),
        ("quotes", b'{"status":"OK","results":[{"tickers":["A"]}]}', "tickers was missing"),
        ("listings", b'{"status":"OK","results":[{"ticker":"A","market":"otc","delisted_utc":"soon"}]}',
         "delisted_utc was 'soon'"),
        ("bars", b"<html>hello</html>", "malformed"),
    ],
)  # fmt: skip
def test_drift_is_named(kind: str, body: bytes, named: str) -> None:
    """Bodies of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        READERS[kind](body, ask(kind))
    assert named in caught.value.reason


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize("ending", ["", ',"results":[]'])
def test_a_refusal_is_raised(kind: str, ending: str) -> None:
    """Massive's own words come back, whatever was asked and whatever stands beside them."""
    reader: Decode = READERS[kind]
    with pytest.raises(ProviderRefused, match="Unknown API Key") as caught:
        reader(f'{{"status":"ERROR","request_id":"x","error":"Unknown API Key"{ending}}}'.encode(), ask(kind))
    assert caught.value.failure.failure_class is FailureClass.AUTH


def test_a_refusal_too_long_to_be_one_is_a_defect() -> None:
    """Nobody explains a refusal in a hundred thousand bytes."""
    body = b'{"status":"ERROR","error":"' + b"x" * 100_000 + b'"}'
    with pytest.raises(UndecodablePayload, match="the status was 'ERROR'"):
        READERS["bars"](body, ask("bars"))
