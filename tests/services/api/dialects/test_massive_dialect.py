"""What the Massive dialect writes, compared with bodies written by hand, and read back by the provider's decoder."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from truetape.domain.asks import Ask
from truetape.domain.decoding import decoded
from truetape.domain.schema import DECODED, empty
from truetape.providers.massive import decode, ticks
from truetape.services.api.dialects import massive

INSTANT = DECODED["bars"]["ts_event"]
EIGHTH = datetime(2024, 3, 8, tzinfo=UTC)
prices = st.builds(lambda digits, places: digits / 10**places, st.integers(1, 999_999), st.integers(0, 4))
short = settings(max_examples=60, deadline=None)


def ask(kind: str = "bars", symbol: str = "ACME", timeframe: str = "1d") -> Ask:
    return Ask(kind=kind, symbol=symbol, timeframe=timeframe)


def bars(timeframe: str, *rows: tuple[str, datetime, float], basis: str = "raw") -> pl.DataFrame:
    """Bars of one price each."""
    symbols, starts, closes = (list(values) for values in zip(*rows, strict=True))
    columns: dict[str, Any] = {"symbol": symbols, "ts_event": pl.Series(starts, dtype=INSTANT)}
    columns |= dict.fromkeys(("open", "high", "low", "close"), closes)
    same: dict[str, Any] = {"timeframe": timeframe, "basis": basis, "running": False, "currency": "USD"}
    return decoded("bars", columns, volume=1000.0, **same)


def instants(*nanoseconds: int) -> pl.Series:
    return pl.Series(nanoseconds, dtype=pl.Int64).cast(INSTANT)


def test_days_are_stamped_with_new_yorks_midnight() -> None:
    """In Unix milliseconds; the address of the next page stands at the end."""
    frame = bars("1d", ("ACME", EIGHTH, 187.5), ("ACME", datetime(2024, 3, 11, tzinfo=UTC), 188.0))
    assert json.loads(massive.aggregates(frame, next_url="/next")) == {
        "ticker": "ACME",
        "queryCount": 2,
        "resultsCount": 2,
        "adjusted": False,
        "results": [
            {"v": 1000, "o": 187.5, "c": 187.5, "h": 187.5, "l": 187.5, "t": 1709874000000},
            {"v": 1000, "o": 188, "c": 188, "h": 188, "l": 188, "t": 1710129600000},
        ],
        "count": 2,
        "status": "OK",
        "request_id": "00000000000000000000000000000000",
        "next_url": "/next",
    }
    assert json.loads(massive.aggregates(frame, zone="UTC"))["results"][0]["t"] == 1709856000000
    assert_frame_equal(decode.bars(massive.aggregates(frame), ask()), frame)
    adjusted = bars("1d", ("ACME", EIGHTH, 1.0), basis="split")
    assert_frame_equal(decode.bars(massive.aggregates(adjusted), ask()), adjusted)


def test_minutes_keep_their_instant() -> None:
    """Also of a coin."""
    frame = bars("1m", ("X:BTCUSD", datetime(2024, 3, 8, 14, 30, tzinfo=UTC), 1.5))
    assert_frame_equal(decode.bars(massive.aggregates(frame, zone="UTC"), ask(timeframe="1m")), frame)


def test_nothing_has_no_results() -> None:
    """The ticker is the one that was asked for."""
    body = json.loads(massive.aggregates(empty(DECODED["bars"]), symbol="ACME"))
    assert (body["ticker"], body["resultsCount"], "results" in body) == ("ACME", 0, False)


def test_a_whole_markets_day() -> None:
    """Rows name their tickers."""
    frame = bars("1d", ("ACME", EIGHTH, 187.5), ("ZED", EIGHTH, 2.0), basis="split")
    body = massive.grouped(frame)
    assert [row["T"] for row in json.loads(body)["results"]] == ["ACME", "ZED"]
    assert_frame_equal(decode.bars(body, ask(symbol="")), frame)


def test_trades() -> None:
    """Codes that are no numbers are left out; a coin's side is a condition."""
    columns: dict[str, Any] = {
        "symbol": ["ACME"] * 3,
        "ts_event": instants(1_709_908_200_123_456_789, 1_709_908_201_000_000_000, 1_709_908_202_000_000_000),
        "price": [187.15, 187.2, 187.25],
        "size": [100.0, 0.5, 2.0],
        "trade_id": ["151", None, "152"],
        "conditions": ["12,37", None, "@,T"],
        "venue": ["11", None, "N"],
    }
    frame = decoded("trades", columns, currency="USD")
    body = massive.trades(frame, next_url="/next")
    assert json.loads(body)["results"][0] == {
        "sip_timestamp": 1_709_908_200_123_456_789,
        "participant_timestamp": 1_709_908_200_123_456_789,
        "price": 187.15,
        "size": 100,
        "id": "151",
        "conditions": [12, 37],
        "exchange": 11,
    }
    assert json.loads(body)["next_url"] == "/next"
    assert_frame_equal(ticks.trades(body, ask("trades"))[:2], frame[:2])
    assert ticks.trades(body, ask("trades")).select("conditions", "venue").row(2) == (None, None)
    coins = decoded("trades", {"ts_event": instants(1, 2), "side": ["buy", "sell"]}, symbol="X:BTCUSD", size=1.0)
    priced = coins.with_columns(pl.lit(2.0).alias("price"))
    assert ticks.trades(massive.trades(priced), ask("trades", "X:BTCUSD"))["side"].to_list() == ["buy", "sell"]


def test_quotes() -> None:
    """Sizes of stocks are lots until November 2025, and shares from then on; what is missing is left out."""
    columns: dict[str, Any] = {
        "ts_event": instants(1_709_908_200_000_000_001, 1_762_180_200_000_000_000),
        "bid": [187.1, 190.1],
        "bid_size": [400.0, 40.0],
        "ask": [187.2, None],
        "ask_size": [150.0, None],
    }
    frame = decoded("quotes", columns, symbol="ACME", currency="USD")
    body = massive.quotes(frame)
    assert [row["bid_size"] for row in json.loads(body)["results"]] == [4, 40]
    assert list(json.loads(body)["results"][1]) == ["sip_timestamp", "bid_price", "bid_size"]
    assert_frame_equal(ticks.quotes(body, ask("quotes")), frame)


def test_snapshots() -> None:
    """A row for each symbol; those that are not known are named."""
    columns: dict[str, Any] = {
        "symbol": ["ACME", "C:EURUSD"],
        "ts_event": instants(1_709_931_599_250_000_000, 1_709_931_599_000_000_000),
        "price": [187.5, None],
        "bid": [187.45, 1.0938],
        "bid_size": [900.0, 5.0],
        "ask": [187.55, 1.0939],
        "ask_size": [700.0, None],
        "open": [187.15, None],
        "high": [188.0, None],
        "low": [186.5, None],
        "previous_close": [186.75, None],
        "volume": [1000.0, None],
    }
    frame = decoded("quotes", columns, currency="USD")
    body = massive.snapshots(frame, unknown=("NOPE",))
    assert json.loads(body)["results"][2] == {
        "ticker": "NOPE",
        "error": "NOT_FOUND",
        "message": "Ticker not found.",
    }
    assert "last_trade" not in json.loads(body)["results"][1]
    assert_frame_equal(ticks.quotes(body, ask("quotes")), frame)
    traded = frame[:1].with_columns(
        pl.lit(None, pl.Float64).alias(side) for side in ("bid", "bid_size", "ask", "ask_size")
    )
    assert "last_quote" not in json.loads(massive.snapshots(traded))["results"][0]


def action(kind: str, value: float, currency: str | None = None) -> pl.DataFrame:
    columns: dict[str, Any] = {"symbol": ["ACME"], "ex_date": [date(2024, 3, 8)], "type": [kind], "value": [value]}
    return decoded("actions", columns, currency=currency, basis="raw")


@pytest.mark.parametrize(
    ("value", "kind", "over", "under"), [(1.5, "forward_split", 3, 2), (0.125, "reverse_split", 1, 8)]
)
def test_splits(value: float, kind: str, over: int, under: int) -> None:
    """In whole numbers; dividends are not among them."""
    frame = pl.concat([action("split", value), action("dividend", 1.0, "USD")])
    body = massive.splits(frame)
    row = {
        "ticker": "ACME",
        "split_from": under,
        "split_to": over,
        "execution_date": "2024-03-08",
        "adjustment_type": kind,
    }
    assert json.loads(body)["results"] == [row]
    assert_frame_equal(decode.actions(body, ask("actions")), frame[:1])


@pytest.mark.parametrize("kind", ["dividend", "special_dividend", "capital_gain"])
def test_dividends(kind: str) -> None:
    """With the dates that are known; splits are not among them."""
    known = action(kind, 0.24, "USD").with_columns(pl.lit(date(2024, 3, 20)).alias("pay_date"))
    body = massive.dividends(pl.concat([action("split", 2.0), known]))
    assert_frame_equal(decode.actions(body, ask("actions")), known)


def test_tickers() -> None:
    """What trades no more has its last day."""
    columns: dict[str, Any] = {
        "symbol": ["ACME", "SPYX", "I:SPX", "GONE"],
        "name": ["Acme", "All", "Index", None],
        "exchange": ["XNYS", "ARCX", None, "XNAS"],
        "mic": ["XNYS", "ARCX", None, "XNAS"],
        "asset_class": ["equity", "etf", "index", "equity"],
        "currency": ["USD", "USD", None, "USD"],
        "status": ["active", "active", "active", "delisted"],
        "first_date": [date(1980, 12, 12), None, None, None],
        "last_date": [None, None, None, date(2020, 3, 2)],
        "figi": ["BBG000000001", None, None, None],
        "cik": ["0000000001", None, None, None],
    }
    frame = decoded("listings", columns)
    assert_frame_equal(decode.listings(massive.tickers(frame), ask("listings")), frame)
    assert_frame_equal(decode.listings(massive.ticker(frame[:1]), ask("listings")), frame[:1])


def test_the_present_rate() -> None:
    """Both sides are the rate where they are not told."""
    columns: dict[str, Any] = {"ts_event": instants(1_709_935_199_250_000_000), "rate": [1.0938]}
    frame = decoded("fx_rates", columns, base="EUR", quote="USD")
    sided = frame.with_columns(pl.lit(1.0938).alias("bid"), pl.lit(1.0938).alias("ask"))
    assert_frame_equal(decode.fx_rates(massive.last_quote(frame), ask("fx_rates")), sided)
    assert_frame_equal(decode.fx_rates(massive.last_quote(sided), ask("fx_rates")), sided)


def test_failures() -> None:
    """Plain errors and those with a status of their own."""
    plain, named = massive.failure("no"), massive.failure("no", status="NOT_FOUND")
    assert (json.loads(plain)["error"], json.loads(plain)["status"]) == ("no", "ERROR")
    assert (json.loads(named)["message"], json.loads(named)["status"]) == ("no", "NOT_FOUND")


@short
@given(
    st.lists(st.tuples(st.dates(date(1970, 1, 2), date(2100, 1, 1)), prices), unique_by=lambda row: row[0], min_size=1)
)
def test_days_come_back(rows: list[tuple[date, float]]) -> None:
    """Whatever dates and prices."""
    told = [("ACME", datetime(day.year, day.month, day.day, tzinfo=UTC), price) for day, price in sorted(rows)]
    frame = bars("1d", *told)
    assert_frame_equal(decode.bars(massive.aggregates(frame), ask()), frame)


@short
@given(st.lists(st.tuples(st.integers(1, 4_000_000_000_000_000_000), prices), unique_by=lambda row: row[0]))
def test_trades_come_back(rows: list[tuple[int, float]]) -> None:
    """To the nanosecond."""
    told = sorted(rows)
    columns: dict[str, Any] = {"ts_event": instants(*(at for at, _ in told)), "price": [price for _, price in told]}
    frame = decoded("trades", columns, symbol="ACME", size=1.0, currency="USD")
    assert_frame_equal(ticks.trades(massive.trades(frame), ask("trades")), frame)
