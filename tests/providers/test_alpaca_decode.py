"""Alpaca's pages, read by value: small ones of our own, and what is no such thing."""

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
from truetape.providers.alpaca import decode
from truetape.providers.alpaca.actions import actions

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "alpaca"
READERS: dict[str, Decode] = {
    "bars": decode.bars,
    "trades": decode.trades,
    "quotes": decode.quotes,
    "actions": actions,
    "listings": decode.listings,
    "fx_rates": decode.fx_rates,
}
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
    """The date is that of the stamp in UTC, on both sides of the change of clocks."""
    frame = check(decode.bars(golden("bars_daily.json"), ask("bars")), DECODED["bars"], kind="bars")
    assert frame.rows() == [
        ("ACME", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, None, "USD", "raw", False),
        ("ACME", "1d", at(2024, 3, 11), 188.5, 190.1, 187.25, 188.25, 900.5, None, "USD", "raw", False),
    ]


def test_many_symbols() -> None:
    """A bar of nulls is none; the page's currency stands for all."""
    frame = decode.bars(golden("bars_many.json"), ask("bars"))
    assert frame.select("symbol", "ts_event", "close", "currency").rows() == [
        ("BTC/USD", at(2024, 3, 8), 68300.75, "MXN")
    ]


@pytest.mark.parametrize("symbol", ["ACME", ""])
def test_a_single_symbols_minutes(symbol: str) -> None:
    """The symbol is the one that was asked for."""
    frame = decode.bars(golden("bars_one.json"), ask("bars", symbol=symbol, timeframe="1m"))
    assert frame.select("symbol", "timeframe", "ts_event", *VALUES, "currency").rows() == [
        (symbol or None, "1m", at(2024, 3, 8, 14, 30), 187.15, 187.2, 187.1, 187.125, 100.0, "USD" if symbol else None),
        (symbol or None, "1m", at(2024, 3, 8, 14, 31), 187.125, 187.3, 187.12, 187.3, 50.0, "USD" if symbol else None),
    ]


@pytest.mark.parametrize(
    ("timeframe", "starts"),
    [("1w", [at(2024, 3, 4), at(2024, 3, 11)]), ("1mo", [at(2024, 3, 1)]), ("?", [at(2024, 3, 8), at(2024, 3, 11)])],
)
def test_longer_bars_begin_with_their_period(timeframe: str, starts: list[datetime]) -> None:
    """With the Monday or the first."""
    frame = decode.bars(golden("bars_daily.json"), ask("bars", timeframe=timeframe))
    assert frame["ts_event"].to_list() == starts


def test_trades() -> None:
    """Conditions in their order, the side of a coin's aggressor; a corrected trade stands as it is told."""
    frame = check(decode.trades(golden("trades.json"), ask("trades")), DECODED["trades"], kind="trades")
    assert frame.select(TRADE).rows() == [
        ("ACME", 187.15, 100.0, "151", "@,T", None, "D", "USD"),
        ("ACME", 187.2, 0.5, "71697353758036", " ,F", None, "N", "USD"),
        ("BTC/USD", 68300.5, 0.25, "9", None, "sell", None, "USD"),
        ("BTC/USD", 68301.0, 1.0, None, None, "buy", None, "USD"),
    ]
    assert frame["ts_event"].to_physical()[0] == 1_709_908_200_123_456_789
    assert decode.trades(golden("trades_latest.json"), ask("trades")).select(TRADE).rows() == [
        ("ACME240315C00180000", 0.5, 1.0, None, "I", None, "A", "USD")
    ]


def test_quotes() -> None:
    """Sizes of shares are lots until November 2025, and shares from then on."""
    frame = check(decode.quotes(golden("quotes.json"), ask("quotes")), DECODED["quotes"], kind="quotes")
    assert frame.select(SIDES).rows() == [
        ("ACME", 187.1, 400.0, 187.2, 300.0, "USD"),
        ("ACME", 190.1, 40.0, 190.2, 300.0, "USD"),
        ("BTC/USD", 68300.0, 0.25, 68301.0, 1.5, "USD"),
    ]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_trades_come_out_in_order(order: tuple[int, ...]) -> None:
    """Whatever order they came in."""
    rows = [{"t": f"2024-03-08T14:30:0{number}Z", "p": number, "s": 1} for number in order]
    frame = decode.trades(json.dumps({"trades": {"ACME": rows}}).encode(), ask("trades"))
    assert frame["price"].to_list() == [1.0, 2.0, 3.0]


def test_a_size_beyond_all_numbers_is_missing() -> None:
    """A hundred times the largest number is none."""
    row = {"t": "2024-03-08T14:30:00Z", "bp": 1, "bs": 1e308, "ap": 2, "as": 1}
    frame = decode.quotes(json.dumps({"quotes": {"ACME": [row]}}).encode(), ask("quotes"))
    assert frame.select(SIDES).rows() == [("ACME", 1.0, None, 2.0, 100.0, "USD")]


def test_snapshots() -> None:
    """A symbol without a trade and a quote has no row."""
    frame = decode.quotes(golden("snapshots.json"), ask("quotes"))
    assert frame.rows() == [
        (
            *("ACME", at(2024, 3, 8, 20, 59, 59, 250_000), 187.5, 187.45, 900.0, 187.55, 700.0),
            *(187.15, 188.0, 186.5, 186.75, 1000.0, "USD"),
        ),
        ("NEW", at(2024, 3, 8, 20), 10.0, *(None,) * 9, "USD"),
    ]
    frame = decode.quotes(golden("snapshots_coins.json"), ask("quotes"))
    assert frame.select(SIDES).rows() == [("ETH/BTC", 0.057, 55.0, 0.058, 5.5, "BTC")]


def test_actions_of_every_type() -> None:
    """Ratios are new shares for one old, cash is in dollars; by date, whatever the order of the lists."""
    frame = check(actions(golden("actions.json"), ask("actions", symbol="")), DECODED["actions"], kind="actions")
    columns = ("symbol", "ex_date", "type", "value", "currency", "new_symbol")
    assert frame.select(columns).rows() == [
        ("ACME", date(2024, 3, 13), "split", 1.5, None, None),
        ("TINY", date(2024, 3, 14), "split", 0.125, None, None),
        ("ACME", date(2024, 3, 15), "stock_dividend", 0.05, None, None),
        ("UNIT.U", date(2024, 3, 15), "unit_split", 1.0, None, "UNIT"),
        ("ACME", date(2024, 3, 18), "dividend", 0.24, "USD", None),
        ("ACME", date(2024, 3, 18), "special_dividend", 1.5, "USD", None),
        ("ACME", date(2024, 3, 19), "spin_off", 0.25, None, "BABY"),
        ("PREY", date(2024, 3, 20), "merger", 54.5, "USD", None),
        ("SMALL", date(2024, 3, 21), "merger", 0.5, None, "BIG"),
        ("BOTH", date(2024, 3, 22), "merger", 0.25, None, "BIG"),
        ("SPAC", date(2024, 3, 25), "redemption", 10.25, "USD", None),
        ("OLD", date(2024, 3, 26), "symbol_change", None, None, "NEW"),
        ("ZERO", date(2024, 3, 27), "worthless", None, None, None),
        ("ACME", date(2024, 3, 28), "rights", 0.1, None, "ACME.RT"),
    ]
    assert frame.select("basis", "declared_date", "record_date", "pay_date").rows()[:2] == [
        ("raw", None, date(2024, 3, 11), date(2024, 3, 12)),
        ("raw", None, None, None),
    ]


def test_assets() -> None:
    """What is not active any more is delisted; a class or exchange that is not known is missing."""
    frame = decode.listings(golden("assets.json"), ask("listings", symbol=""))
    columns = ("symbol", "name", "exchange", "mic", "asset_class", "currency", "status")
    assert frame.select(columns).rows() == [
        ("ACME", "Acme Corporation Common Stock", "NASDAQ", "XNAS", "equity", "USD", "active"),
        ("GONE", "Gone Inc.", "OTC", "OTCM", "equity", "USD", "delisted"),
        ("ETH/BTC", "Ethereum / Bitcoin", "CRYPTO", None, "crypto", "BTC", "active"),
        ("WHAT", None, None, None, None, "USD", None),
    ]


def test_exchange_rates() -> None:
    """A day's rate lies at 00:00 UTC, the present one at its moment."""
    frame = check(decode.fx_rates(golden("rates.json"), ask("fx_rates")), DECODED["fx_rates"], kind="fx_rates")
    assert frame.rows() == [
        ("EUR", "USD", at(2024, 3, 7), 1.0948, 1.0946, 1.095),
        ("EUR", "USD", at(2024, 3, 8), 1.0938, 1.0937, 1.0939),
    ]
    assert decode.fx_rates(golden("rates_latest.json"), ask("fx_rates")).rows() == [
        ("USD", "JPY", at(2024, 3, 8, 21, 59, 59, 250_000), 147.06, 147.05, 147.07)
    ]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((kind, f'{{"{kind}":{{}},"next_page_token":null}}') for kind in ("bars", "trades", "quotes")),
        *((kind, f'{{"{kind}":null}}') for kind in ("bars", "trades", "quotes")),
        ("bars", '{"bars":{"ACME":[]}}'),
        ("quotes", "{}"),
        ("actions", '{"corporate_actions":{},"next_page_token":null}'),
        ("actions", '{"corporate_actions":{"name_changes":null}}'),
        ("listings", "[]"),
        ("fx_rates", '{"rates":{}}'),
        ("fx_rates", '{"rates":null}'),
    ],
)
def test_no_rows_are_an_empty_frame(kind: str, body: str) -> None:
    """A question without an answer is no error."""
    assert check(READERS[kind](body.encode(), ask(kind)), DECODED[kind], kind=kind).is_empty()


def action(name: str, **fields: Any) -> bytes:
    return json.dumps({"corporate_actions": {name: [{"symbol": "ACME", "ex_date": "2024-03-08", **fields}]}}).encode()


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("bars", b'{"bars":{"ACME":[{"t":"2024-03-08T05:00:00Z","o":1,"h":1,"l":1}]}}', "`c`"),
        ("bars", b'{"bars":{"ACME":[{"t":"2024-03-08T05:00:00Z","o":"1","h":1,"l":1,"c":1}]}}', "$.bars[...][0].o"),
        ("bars", b'{"bars":{"ACME":[{"t":"2024-03-08","o":1,"h":1,"l":1,"c":1}]}}', "t was '2024-03-08'"),
        ("bars", b'{"stocks":{}}', "`bars`"),
        ("trades", b'{"trades":{"ACME":[{"t":"2024-03-08T05:00:00Z","p":1}]}}', "`s`"),
        ("quotes", b'{"ACME":{"newest":1}}', "no part that is known"),
        ("quotes", b'{"quotes":{"ACME":[{"t":"2024-03-08T05:00:00Z","bp":1}]}}', "`ap`"),
        ("actions", action("stock_burnings"), "type 'stock_burnings' is not known"),
        ("actions", action("forward_splits", new_rate=2), "new_rate was 2.0 for None"),
        ("actions", action("forward_splits", new_rate=2, old_rate=0), "new_rate was 2.0 for 0.0"),
        ("actions", action("forward_splits", new_rate=-2, old_rate=1), "nothing positive"),
        ("actions", action("forward_splits", new_rate=1e308, old_rate=1e-308), "nothing positive"),
        ("actions", action("cash_dividends"), "rate was None for 1.0"),
        ("actions", action("name_changes"), "old_symbol was missing"),
        ("actions", action("cash_dividends", rate=1, ex_date=None), "ex_date was 'None'"),
        ("actions", action("cash_dividends", rate=1, record_date="soon"), "record_date was 'soon'"),
        ("listings", b'[{"symbol":"ACME"}]', "`class`"),
        ("fx_rates", b'{"rates":{"EUR/USD":[]}}', "a pair was 'EUR/USD'"),
        ("bars", b"<html>hello</html>", "malformed"),
    ],
)
def test_drift_is_named(kind: str, body: bytes, named: str) -> None:
    """Bodies of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        READERS[kind](body, ask(kind))
    assert named in caught.value.reason


def test_a_merger_without_a_ratio_has_no_value() -> None:
    """What is not told is missing, where an action means something without it."""
    body = action("stock_mergers", acquiree_symbol="PREY", acquirer_symbol="HUNT")
    assert actions(body, ask("actions")).select("symbol", "type", "value", "new_symbol").rows() == [
        ("PREY", "merger", None, "HUNT")
    ]


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_refusal_is_raised(kind: str) -> None:
    """Alpaca's own words come back, whatever was asked."""
    with pytest.raises(ProviderRefused, match="recent SIP data") as caught:
        READERS[kind](b'{"message":"subscription does not permit querying recent SIP data"}', ask(kind))
    assert caught.value.failure.failure_class is FailureClass.ENTITLEMENT
