"""Alpaca's pages, read by value: the recorded ones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.schema import DECODED, check
from truetape.providers.alpaca import decode
from truetape.providers.alpaca.actions import actions

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "alpaca"
VALUES = ("open", "high", "low", "close", "volume")
TRADE = ("symbol", "price", "size", "trade_id", "conditions", "side", "venue", "currency")
SIDES = ("symbol", "bid", "bid_size", "ask", "ask_size", "currency")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def ask(kind: str, symbol: str = "ACME", timeframe: str = "1d") -> Ask:
    return Ask(kind=kind, symbol=symbol, timeframe=timeframe)


def recorded(folder: Path, name: str) -> bytes:
    return (folder / "alpaca" / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "get_bars_1.json",
            [
                ("AAPL", at(2022, 2, 1), 174.0, 174.84, 172.31, 174.61, 85998033.0),
                ("AAPL", at(2022, 2, 2), 174.64, 175.88, 173.33, 175.84, 84817432.0),
            ],
        ),
        (
            "go_TestGetBars_Asof_18.json",
            [
                ("META", at(2022, 6, 10), 183.04, 183.1, 175.02, 175.57, 27398594.0),
                ("META", at(2022, 6, 13), 170.59, 172.575, 164.03, 164.26, 31514255.0),
            ],
        ),
        (
            "go_TestGetBars_Adjustment_19.json",
            [
                ("GE", at(2024, 4, 1), 138.48, 138.82, 136.48, 138.29, 5905509.0),
                ("GE", at(2024, 4, 2), 138.96, 142.9, 132.49, 134.94, 20490401.0),
            ],
        ),
        (
            "go_TestGetMultiBars_20.json",
            [
                ("AAPL", at(2021, 10, 13), 141.21, 141.4, 139.2, 140.91, 78993712.0),
                ("AAPL", at(2021, 10, 14), 142.08, 143.88, 141.51, 143.76, 69696731.0),
                ("AAPL", at(2021, 10, 15), 144.13, 144.895, 143.51, 144.84, 67393148.0),
                ("NIO", at(2021, 10, 13), 35.75, 36.68, 35.47, 36.24, 33394068.0),
                ("NIO", at(2021, 10, 14), 36.09, 36.45, 35.605, 36.28, 29890265.0),
                ("NIO", at(2021, 10, 15), 37.0, 38.29, 36.935, 37.71, 48138793.0),
            ],
        ),
        ("get_bars_multi_empty_response_5.json", []),
        ("get_bars_single_empty_response_4.json", []),
    ],
)
def test_recorded_days_by_value(recordings: Path, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Days are stamped with New York's midnight; the page may hold several symbols."""
    frame = check(decode.bars(recorded(recordings, name), ask("bars")), DECODED["bars"], kind="bars")
    assert frame.select("symbol", "ts_event", *VALUES).rows() == rows
    assert set(frame.select("timeframe", "currency", "basis", "running").rows()) <= {("1d", "USD", "raw", False)}


def test_recorded_quarter_hours(recordings: Path) -> None:
    """Minutes are stamped with their start."""
    frame = decode.bars(recorded(recordings, "go_TestGetBars_16.json"), ask("bars", timeframe="15m"))
    assert frame.select("timeframe", "ts_event", *VALUES).rows()[::4] == [
        ("15m", at(2021, 10, 15, 16), 3378.14, 3380.815, 3376.3001, 3379.72, 211689.0),
        ("15m", at(2021, 10, 15, 17), 3387.56, 3390.74, 3382.87, 3382.87, 134339.0),
    ]
    assert len(frame) == 5


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "get_crypto_bars_1.json",
            [
                ("BTC/USD", at(2022, 3, 9, 5), 162.95, 88496480.0, "USD"),
                ("ETH/USD", at(2022, 3, 9, 5), 858.97, 19227323.0, "USD"),
            ],
        ),
        ("go_TestLatestBar_21.json", [("AAPL", at(2021, 10, 11, 23, 59), 142.59, 2714.0, "USD")]),
        ("go_TestLatestBar_Currency_24.json", [("AAPL", at(2023, 1, 14, 0, 59), 2536.46, 441.0, "MXN")]),
        (
            "multi_stock_latest_bar_17.json",
            [
                ("SPY", at(2022, 7, 26, 20, 50), 392.18, 2100.0, "USD"),
                ("TSLA", at(2022, 7, 26, 19, 59), 776.63, 5993.0, "USD"),
            ],
        ),
    ],
)
def test_recorded_minutes_of_many(recordings: Path, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Coins, the newest bar of each symbol, and prices in another currency."""
    frame = decode.bars(recorded(recordings, name), ask("bars", timeframe="1m"))
    assert frame.select("symbol", "ts_event", "close", "volume", "currency").rows() == rows


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "get_trades_9.json",
            [
                ("AAPL", 159.07, 1.0, "151", "@,T,I", None, "D", "USD"),
                ("AAPL", 159.07, 2.0, "168", "@,T,I", None, "D", "USD"),
            ],
        ),
        ("go_TestGetTrades_4.json", [("AAPL", 140.2, 595.0, "1", "@,T", None, "P", "USD")]),
        ("go_TestGetTrades_Update_6.json", []),
        (
            "get_crypto_trades_3.json",
            [
                ("BTC/USD", 41516.08, 0.00315427, "293648598", None, "buy", None, "USD"),
                ("ETH/USD", 2715.06, 0.001, "236866246", None, "sell", None, "USD"),
            ],
        ),
        (
            "get_trades_3.json",
            [
                ("SPY240426C00555000", 0.24, 1.0, None, "I", None, "M", "USD"),
                ("SPY240426C00555000", 0.21, 20.0, None, "j", None, "B", "USD"),
            ],
        ),
        ("go_TestLatestTrade_27.json", [("AAPL", 134.7, 20.0, "32", "@,T,I", None, "J", "USD")]),
        ("get_trades_multi_empty_response_11.json", []),
    ],
)
def test_recorded_trades_by_value(recordings: Path, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Trades of shares, coins and options; those that were taken back are left out."""
    frame = check(decode.trades(recorded(recordings, name), ask("trades")), DECODED["trades"], kind="trades")
    assert frame.select(TRADE).rows() == rows


def test_recorded_trades_keep_nanoseconds(recordings: Path) -> None:
    """13:34:54.178322688 of 12 March 2024."""
    frame = decode.trades(recorded(recordings, "get_trades_3.json"), ask("trades"))
    assert frame["ts_event"].to_physical()[0] == 1_710_250_494_178_322_688


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "get_quotes_6.json",
            [("AAPL", 159.52, 400.0, 158.65, 100.0, "USD"), ("AAPL", 159.52, 400.0, 158.8, 100.0, "USD")],
        ),
        ("get_latest_quote_14.json", [("AAPL", 161.1, 200.0, 161.11, 1300.0, "USD")]),
        ("get_latest_quote_8.json", [("AAPL240126P00050000", 0.05, 1344.0, 0.06, 1593.0, "USD")]),
        (
            "get_crypto_quotes_2.json",
            [
                ("BTC/USD", 29058.0, 0.3544, 29059.0, 3.252, "USD"),
                ("ETH/USD", 1817.0, 4.76, 1817.7, 6.137, "USD"),
            ],
        ),
        ("get_quotes_multi_empty_response_8.json", []),
    ],
)
def test_recorded_quotes_by_value(recordings: Path, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Sizes of shares were lots of a hundred; of coins and options they are what they say."""
    frame = check(decode.quotes(recorded(recordings, name), ask("quotes")), DECODED["quotes"], kind="quotes")
    assert frame.select(SIDES).rows() == rows


def test_recorded_snapshots_by_value(recordings: Path) -> None:
    """The newest of trade and quote dates the row; a symbol that is not known has none."""
    frame = decode.quotes(recorded(recordings, "go_TestSnapshots_32.json"), ask("quotes"))
    check(frame, DECODED["quotes"], kind="quotes")
    assert frame.drop("ts_event").rows() == [
        ("AAPL", 133.4201, 133.42, 1500.0, 133.43, 700.0, 132.04, 134.07, 131.83, 131.46, 25846800.0, "USD"),
        ("MSFT", 253.8738, 253.87, 200.0, 253.89, 200.0, 253.34, 254.35, 251.8, None, 6100459.0, "USD"),
    ]
    assert frame["ts_event"].to_physical()[0] == 1_620_053_287_257_820_915
    frame = decode.quotes(recorded(recordings, "go_TestLatestCryptoSnapshots_48.json"), ask("quotes"))
    assert frame.select("symbol", "price", "bid_size", "previous_close").rows() == [
        ("LTC/USD", 106.8, 55.0, 103.455),
        ("BTC/USD", 39712.0, 0.405, 38379.0),
    ]


def test_recorded_actions_by_value(recordings: Path) -> None:
    """Splits, a merger, name changes and removals, by date."""
    body = recorded(recordings, "go_TestGetCorporateActions_51.json")
    frame = check(actions(body, ask("actions", symbol="")), DECODED["actions"], kind="actions")
    columns = ("symbol", "ex_date", "type", "value", "new_symbol")
    assert len(frame) == 15
    assert frame.select(columns).rows()[:3] == [
        ("FAZE", date(2024, 3, 11), "merger", 0.13091, "GAME"),
        ("POLC", date(2024, 3, 11), "symbol_change", None, "POLCQ"),
        ("EACPW", date(2024, 3, 12), "worthless", None, None),
    ]
    splits = frame.filter(frame["type"] == "split").select("symbol", "value", "record_date", "pay_date").rows()
    assert splits == [
        ("FBL", 5.0, date(2024, 3, 11), date(2024, 3, 12)),
        ("NVDL", 6.0, date(2024, 3, 11), date(2024, 3, 12)),
    ]


@pytest.mark.parametrize("name", ["get_all_assets_1.json", "get_asset_3.json"])
def test_recorded_assets_by_value(recordings: Path, name: str) -> None:
    """A list of assets, and one alone."""
    frame = decode.listings(recorded(recordings, name), ask("listings", symbol=""))
    assert check(frame, DECODED["listings"], kind="listings").rows() == [
        ("AAPL", "Apple Inc. Common Stock", "NASDAQ", "XNAS", "equity", "USD", "active", *(None,) * 6)
    ]


def test_a_page_of_another_order_is_sorted(recordings: Path) -> None:
    """Newest first is turned around, disorder is sorted."""
    frame = decode.quotes(recorded(recordings, "go_TestGetQuotes_SortDesc_10.json"), ask("quotes"))
    assert frame.select("bid", "ask").rows() == [(228.33, 228.35), (228.34, 228.35)]
