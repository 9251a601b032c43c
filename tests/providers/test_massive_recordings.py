"""Massive's bodies, read by value: the recorded ones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import UndecodablePayload
from truetape.domain.schema import DECODED, check
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


def mock(folder: Path, name: str) -> bytes:
    return (folder / "polygon" / "mocks" / name).read_bytes()


def test_recorded_days_by_value(recordings: Path) -> None:
    """Aggregates that say that they are adjusted are in basis split; the date is New York's."""
    body = (recordings / "polygon" / "v2_aggs_AAPL_1d_2020-06.json").read_bytes()
    frame = check(READERS["bars"](body, ask("bars", symbol="")), DECODED["bars"], kind="bars")
    assert frame.select("ts_event", *VALUES).rows()[::12] == [
        (at(2020, 6, 1), 79.4375, 80.5875, 79.3025, 80.4625, 81000752.0),
        (at(2020, 6, 17), 88.7875, 88.85, 87.7725, 87.8975, 114388504.0),
    ]
    assert frame.select("symbol", "timeframe", "currency", "basis").unique().rows() == [("AAPL", "1d", "USD", "split")]
    assert len(frame) == 13


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("v2_aggs_ticker_AAPL_prev.json", [("AAPL", at(2022, 4, 26), 162.25, 162.34, 156.72, 156.8, 95595226.0)]),
        (
            "v1_open-close_AAPL_2005-04-01_adjusted=true.json",
            [("AAPL", at(2021, 4, 1), 123.66, 124.18, 122.49, 123.0, 75089134.0)],
        ),
    ],
)
def test_recorded_single_days_by_value(recordings: Path, name: str, rows: list[tuple[Any, ...]]) -> None:
    """The day before, and the open and close of a date."""
    frame = READERS["bars"](mock(recordings, name), ask("bars"))
    assert frame.select("symbol", "ts_event", *VALUES).rows() == rows
    assert frame["basis"].to_list() == ["split"]


def test_recorded_trades_by_value(recordings: Path) -> None:
    """A corrected trade stands as it is told; the newest one comes in short letters."""
    body = mock(recordings, "v3_trades_AAPL_limit=2.json")
    frame = check(READERS["trades"](body, ask("trades", symbol="AAPL")), DECODED["trades"], kind="trades")
    assert frame.select(TRADE).rows() == [
        ("AAPL", 156.43, 10.0, "183276", "12,37", None, "11", "USD"),
        ("AAPL", 157.43, 10.0, "183276", "12,37", None, "12", "USD"),
    ]
    assert frame["ts_event"].to_physical().to_list() == [1_651_181_822_461_979_400] * 2
    frame = READERS["trades"](mock(recordings, "v2_last_trade_AAPL.json"), ask("trades", symbol=""))
    assert frame.select(TRADE).rows() == [("AAPL", 166.25, 2.0, "237688", "12,37", None, "4", "USD")]
    assert frame["ts_event"].to_physical().to_list() == [1_651_179_319_310_617_300]


def test_recorded_quotes_by_value(recordings: Path) -> None:
    """A page that was asked for newest first is turned around; its sizes were lots."""
    frame = READERS["quotes"](mock(recordings, "v3_quotes_AAPL.json"), ask("quotes", symbol="AAPL"))
    check(frame, DECODED["quotes"], kind="quotes")
    assert frame.select(SIDES).rows()[::9] == [
        ("AAPL", 155.86, 200.0, 155.87, 200.0, "USD"),
        ("AAPL", 155.85, 400.0, 155.87, 300.0, "USD"),
    ]
    assert frame["ts_event"].to_physical().to_list()[::9] == [1_652_191_872_690_661_000, 1_652_191_872_800_638_700]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "v2_snapshot_locale_us_markets_stocks_tickers_AAPL.json",
            [("AAPL", 159.99, 159.98, 300.0, 159.99, 500.0, 161.84, 166.2, 159.8, 163.64, 68840127.0, "USD")],
        ),
        (
            "v2_snapshot_locale_us_markets_stocks_tickers_index.json",
            [("BCAT", 20.506, 20.5, 1300.0, 20.6, 2200.0, 20.64, 20.64, 20.506, 20.63, 37216.0, "USD")],
        ),
        (
            "v3_snapshot.json",
            [
                (
                    *("O:NCLH221014C00005000", 0.05, 20.9, 172.0, 21.25, 110.0),
                    *(6.7, 7.01, 5.42, 6.71, 67.0, "USD"),
                ),
                ("AAPL", 0.05, 20.9, 17200.0, 21.25, 11000.0, 22.49, 22.49, 21.35, 22.45, 37.0, "USD"),
            ],
        ),
    ],
)
def test_recorded_snapshots_by_value(recordings: Path, name: str, rows: list[tuple[Any, ...]]) -> None:
    """Snapshots of both generations; a ticker that is not found has no row."""
    frame = READERS["quotes"](mock(recordings, name), ask("quotes", symbol=""))
    assert check(frame, DECODED["quotes"], kind="quotes").drop("ts_event").rows() == rows


def test_recorded_actions_by_value(recordings: Path) -> None:
    """Splits and dividends, by date."""
    frame = READERS["actions"](mock(recordings, "v3_reference_splits.json"), ask("actions", symbol=""))
    check(frame, DECODED["actions"], kind="actions")
    assert frame.select("symbol", "ex_date", "type", "value", "currency").rows()[::3] == [
        ("CIG.C", date(2022, 5, 2), "split", 4 / 3, None),
        ("AMZN", date(2022, 6, 6), "split", 20.0, None),
        ("SHOP", date(2022, 6, 29), "split", 10.0, None),
        ("GOOGL", date(2022, 7, 18), "split", 20.0, None),
    ]
    frame = READERS["actions"](mock(recordings, "v3_reference_dividends.json"), ask("actions", symbol=""))
    assert frame.rows()[-1] == (
        *("CSSEN", date(2025, 6, 12), "dividend", 0.59375, "USD", "raw"),
        *(date(2020, 9, 9), date(2025, 6, 15), date(2025, 6, 30), None),
    )
    assert len(frame) == 10


def test_recorded_tickers_by_value(recordings: Path) -> None:
    """A page of the list, and what is told of one ticker."""
    frame = READERS["listings"](mock(recordings, "v3_reference_tickers.json"), ask("listings", symbol=""))
    assert check(frame, DECODED["listings"], kind="listings").rows()[0] == (
        *("A", "Agilent Technologies Inc.", "XNYS", "XNYS", "equity", "USD", "active", None, None, None, None),
        *("BBG000C2V3D6", "0001090872"),
    )
    frame = READERS["listings"](mock(recordings, "v3_reference_tickers_AAPL.json"), ask("listings", symbol="AAPL"))
    assert frame.select("symbol", "mic", "first_date", "figi", "cik").rows() == [
        ("AAPL", "XNAS", date(1980, 12, 12), "BBG000B9XRY4", "0000320193")
    ]


def test_recorded_exchange_rates_by_value(recordings: Path) -> None:
    """The rate lies between bid and ask, of which it is the middle."""
    body = mock(recordings, "v1_last_quote_currencies_AUD_USD.json")
    frame = READERS["fx_rates"](body, ask("fx_rates", symbol="C:AUDUSD"))
    check(frame, DECODED["fx_rates"], kind="fx_rates")
    assert frame.rows() == [("AUD", "USD", at(2022, 5, 10, 14, 41, 34), 0.695235, 0.6952, 0.69527)]
    body = mock(recordings, "v1_conversion_AUD_USD_amount=100_precision=2.json")
    assert READERS["fx_rates"](body, ask("fx_rates")).rows() == [
        ("USD", "AUD", at(2022, 5, 10, 15, 10, 26), 1.4432098, 1.4427932, 1.4436264)
    ]


def test_a_recorded_coins_newest_trade_by_value(recordings: Path) -> None:
    """Its condition names who took the offer."""
    frame = READERS["trades"](mock(recordings, "v1_last_crypto_BTC_USD.json"), ask("trades", symbol=""))
    assert frame.select(TRADE).rows() == [("X:BTCUSD", 39976.89682331, 0.005, None, "2", "buy", "2", "USD")]
    assert frame["ts_event"].to_list() == [at(2022, 4, 28, 21, 13, 29, 688_000)]


@pytest.mark.parametrize("kind", sorted(set(READERS) - {"trades"}))
def test_a_recorded_page_of_something_else_is_no_empty_one(recordings: Path, kind: str) -> None:
    """What has no results but something in their place is another page."""
    with pytest.raises(UndecodablePayload):
        READERS[kind](mock(recordings, "v1_last_crypto_BTC_USD.json"), ask(kind))
