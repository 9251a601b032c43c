"""What the Alpaca dialect writes, compared with bodies written by hand, and read back by the provider's decoder."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from truetape.domain.asks import Ask
from truetape.domain.decoding import decoded
from truetape.domain.schema import DECODED, empty
from truetape.providers.alpaca import decode
from truetape.providers.alpaca.actions import actions
from truetape.services.api.dialects import alpaca

ASK = Ask(kind="bars", symbol="")
MORNING = datetime(2024, 3, 8, 14, 30, tzinfo=UTC)
prices = st.builds(lambda digits, places: digits / 10**places, st.integers(1, 999_999), st.integers(0, 4))
short = settings(max_examples=60, deadline=None)


def bars(timeframe: str, *rows: tuple[str, datetime, float | None], currency: str = "USD") -> pl.DataFrame:
    """Bars of one price each."""
    symbols, starts, closes = zip(*rows, strict=True)
    values: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), closes)
    columns = {"symbol": symbols, "ts_event": pl.Series(starts, dtype=DECODED["bars"]["ts_event"]), **values}
    same: dict[str, Any] = {"timeframe": timeframe, "basis": "raw", "running": False, "currency": currency}
    return decoded("bars", {name: list(values) for name, values in columns.items()}, volume=1000.0, **same)


def test_days_are_stamped_with_new_yorks_midnight() -> None:
    """At 05:00 UTC in winter and 04:00 in summer, each symbol under its name."""
    days = [datetime(2024, 3, 8, tzinfo=UTC), datetime(2024, 3, 11, tzinfo=UTC)]
    frame = bars("1d", ("ACME", days[0], 187.5), ("ACME", days[1], 188.0), ("ZED", days[0], None))
    expected = {
        "bars": {
            "ACME": [
                {"t": "2024-03-08T05:00:00Z", "o": 187.5, "h": 187.5, "l": 187.5, "c": 187.5, "v": 1000},
                {"t": "2024-03-11T04:00:00Z", "o": 188, "h": 188, "l": 188, "c": 188, "v": 1000},
            ],
            "ZED": [{"t": "2024-03-08T05:00:00Z", "o": None, "h": None, "l": None, "c": None, "v": 1000}],
        },
        "next_page_token": "more",
    }
    assert expected == json.loads(alpaca.bars(frame, token="more"))
    assert json.loads(alpaca.bars(frame[:1], zone="UTC"))["bars"]["ACME"][0]["t"] == "2024-03-08T00:00:00Z"
    assert_frame_equal(decode.bars(alpaca.bars(frame), ASK), frame[:2])


def test_minutes_keep_their_instant() -> None:
    """And have no decimals where they need none."""
    frame = bars("1m", ("BTC/USD", MORNING, 1.5), ("BTC/USD", MORNING + timedelta(minutes=1), 2.0))
    body = alpaca.bars(frame, zone="UTC")
    assert [row["t"] for row in json.loads(body)["bars"]["BTC/USD"]] == ["2024-03-08T14:30:00Z", "2024-03-08T14:31:00Z"]
    assert_frame_equal(decode.bars(body, Ask(kind="bars", symbol="", timeframe="1m")), frame)
    newest = json.loads(alpaca.latest_bars(frame))
    assert newest == {"bars": {"BTC/USD": {"t": "2024-03-08T14:31:00Z", "o": 2, "h": 2, "l": 2, "c": 2, "v": 1000}}}


@pytest.mark.parametrize("kind", ["bars", "trades", "quotes"])
def test_nothing_is_an_object_without_symbols(kind: str) -> None:
    """As the provider writes an empty answer."""
    write = {"bars": alpaca.bars, "trades": alpaca.trades, "quotes": alpaca.quotes}[kind]
    assert json.loads(write(empty(DECODED[kind]))) == {kind: {}, "next_page_token": None}


def instants(*nanoseconds: int) -> pl.Series:
    return pl.Series(nanoseconds).cast(DECODED["bars"]["ts_event"])


TRADES = decoded(
    "trades",
    {
        "symbol": ["ACME", "ACME", "BTC/USD"],
        "ts_event": instants(1_709_908_200_123_456_789, 1_709_908_201_500_000_000, 1_709_908_202_000_000_000),
        "price": [187.15, 187.2, 68300.5],
        "size": [100.0, 0.5, 0.25],
        "trade_id": ["151", "x-1", None],
        "conditions": ["@,T", " ", None],
        "side": [None, None, "sell"],
        "venue": ["D", "N", None],
    },
    currency="USD",
)


def test_trades() -> None:
    """Ids are numbers where they can be, and what is not known is left out; nanoseconds are kept."""
    body = json.loads(alpaca.trades(TRADES[[0, 2]]))
    assert body == {
        "trades": {
            "ACME": [
                {"t": "2024-03-08T14:30:00.123456789Z", "p": 187.15, "s": 100, "x": "D", "c": ["@", "T"], "i": 151}
            ],
            "BTC/USD": [{"t": "2024-03-08T14:30:02Z", "p": 68300.5, "s": 0.25, "tks": "S"}],
        },
        "next_page_token": None,
    }
    assert_frame_equal(decode.trades(alpaca.trades(TRADES[[0, 2]]), ASK), TRADES[[0, 2]])
    assert json.loads(alpaca.trades(TRADES[[1]]))["trades"]["ACME"][0]["i"] == "x-1"


QUOTES = decoded(
    "quotes",
    {
        "symbol": ["ACME", "ACME", "BTC/USD"],
        "ts_event": instants(1_709_908_200_000_000_001, 1_762_180_200_000_000_000, 1_709_908_200_250_000_000),
        "bid": [187.1, 190.1, 68300.0],
        "bid_size": [400.0, 40.0, 0.25],
        "ask": [187.2, 190.2, 68301.0],
        "ask_size": [150.0, 300.0, None],
    },
    currency="USD",
)


def test_quotes() -> None:
    """Sizes of stocks are lots until November 2025, and shares from then on."""
    body = alpaca.quotes(QUOTES, token="t")
    sides = {"t": "2024-03-08T14:30:00.000000001Z", "ap": 187.2, "as": 1.5, "bp": 187.1, "bs": 4}
    told = json.loads(body)
    assert (told["quotes"]["ACME"][0], told["next_page_token"]) == (sides, "t")
    assert [row["bs"] for row in told["quotes"]["ACME"]] == [4, 40]
    assert_frame_equal(decode.quotes(body, ASK), QUOTES)


def test_snapshots() -> None:
    """One object for each symbol, of coins a level deeper; the size of the last trade is not known."""
    session = {"price": [187.5], "open": [187.15], "high": [188.0], "low": [186.5], "previous_close": [186.75]}
    sides = {
        name: QUOTES[name][:1] for name in ("symbol", "ts_event", "bid", "bid_size", "ask", "ask_size", "currency")
    }
    frame = decoded("quotes", {**sides, **session, "volume": [1000.0]})
    told = json.loads(alpaca.snapshots(frame))["ACME"]
    assert told["latestTrade"] == {"t": "2024-03-08T14:30:00.000000001Z", "p": 187.5, "s": 0}
    assert (told["prevDailyBar"]["c"], told["minuteBar"]) == (186.75, None)
    for wrapped in (False, True):
        assert_frame_equal(decode.quotes(alpaca.snapshots(frame, wrapped=wrapped), ASK), frame)


def action(
    kind: str, value: float | None, *, new_symbol: str | None = None, currency: str | None = None
) -> pl.DataFrame:
    columns: dict[str, Any] = {"symbol": ["ACME"], "ex_date": [date(2024, 3, 8)], "type": [kind], "value": [value]}
    same: dict[str, Any] = {"new_symbol": new_symbol, "currency": currency, "basis": "raw"}
    return decoded("actions", columns, record_date=date(2024, 3, 7), pay_date=date(2024, 3, 20), **same)


ACTIONS = [
    ("forward_splits", action("split", 1.5)),
    ("reverse_splits", action("split", 0.125)),
    ("stock_dividends", action("stock_dividend", 0.05)),
    ("cash_dividends", action("dividend", 0.24, currency="USD")),
    ("cash_dividends", action("special_dividend", 1.5, currency="USD")),
    ("spin_offs", action("spin_off", 0.25, new_symbol="BABY")),
    ("cash_mergers", action("merger", 54.5, currency="USD")),
    ("stock_mergers", action("merger", 0.5, new_symbol="BIG")),
    ("redemptions", action("redemption", 10.25, currency="USD")),
    ("name_changes", action("symbol_change", None, new_symbol="NEW")),
    ("worthless_removals", action("worthless", None)),
    ("rights_distributions", action("rights", 0.1, new_symbol="ACME.RT")),
]


@pytest.mark.parametrize(("name", "frame"), ACTIONS)
def test_actions_have_their_list(name: str, frame: pl.DataFrame) -> None:
    """With an id that is a UUID, and the same each time."""
    body = alpaca.corporate_actions(frame, token="t")
    told = json.loads(body)
    assert (list(told["corporate_actions"]), told["next_page_token"]) == ([name], "t")
    identity = told["corporate_actions"][name][0]["id"]
    assert str(UUID(identity)) == identity
    assert_frame_equal(actions(body, ASK), frame)


def test_a_split_is_written_whole() -> None:
    """Its rates are whole numbers; dates that are not known are left out."""
    frame = action("split", 1.5).with_columns(pl.lit(None, pl.Date).alias("record_date"))
    row = json.loads(alpaca.corporate_actions(frame))["corporate_actions"]["forward_splits"][0]
    del row["id"]
    assert row == {
        "symbol": "ACME",
        "cusip": "",
        "new_rate": 3,
        "old_rate": 2,
        "process_date": "2024-03-08",
        "ex_date": "2024-03-08",
        "payable_date": "2024-03-20",
    }


def test_what_alpaca_has_no_type_for_is_left_out() -> None:
    """A distribution of capital gains."""
    assert json.loads(alpaca.corporate_actions(action("capital_gain", 1.0)))["corporate_actions"] == {}


def test_assets() -> None:
    """A delisted one is inactive and not tradable."""
    columns: dict[str, Any] = {
        "symbol": ["ACME", "BTC/USD"],
        "name": ["Acme", None],
        "exchange": ["NYSE", "CRYPTO"],
        "mic": ["XNYS", None],
        "asset_class": ["equity", "crypto"],
        "status": ["delisted", "active"],
    }
    frame = decoded("listings", columns, currency="USD")
    told = json.loads(alpaca.assets(frame))
    assert [(row["class"], row["status"], row["tradable"]) for row in told] == [
        ("us_equity", "inactive", False),
        ("crypto", "active", True),
    ]
    assert_frame_equal(decode.listings(alpaca.assets(frame), ASK), frame)
    assert_frame_equal(decode.listings(alpaca.asset(frame[:1]), ASK), frame[:1])


def test_rates() -> None:
    """Daily ones in lists, present ones alone."""
    starts = instants(1_709_769_600_000_000_000, 1_709_856_000_000_000_000)  # 7 and 8 March 2024
    columns: dict[str, Any] = {
        "ts_event": starts,
        "rate": [1.0948, 1.0938],
        "bid": [1.0946, None],
        "ask": [1.095, None],
    }
    frame = decoded("fx_rates", columns, base="EUR", quote="USD")
    assert_frame_equal(decode.fx_rates(alpaca.rates(frame), ASK), frame)
    assert_frame_equal(decode.fx_rates(alpaca.latest_rates(frame), ASK), frame[1:])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (alpaca.failure("unauthorized."), {"message": "unauthorized."}),
        (alpaca.failure("invalid symbol", code=40010001), {"code": 40010001, "message": "invalid symbol"}),
    ],
)
def test_failures(body: bytes, expected: dict[str, Any]) -> None:
    """With a code where there is one."""
    assert json.loads(body) == expected


@short
@given(st.lists(st.tuples(st.dates(date(1970, 1, 2), date(2100, 1, 1)), prices), unique_by=lambda row: row[0]))
def test_days_come_back(rows: list[tuple[date, float]]) -> None:
    """Whatever dates and prices."""
    told = [("ACME", datetime(day.year, day.month, day.day, tzinfo=UTC), price) for day, price in sorted(rows)]
    frame = bars("1d", *told) if told else empty(DECODED["bars"])
    assert_frame_equal(decode.bars(alpaca.bars(frame), ASK), frame)


@short
@given(st.lists(st.tuples(st.integers(1, 4_000_000_000_000_000_000), prices), unique_by=lambda row: row[0]))
def test_trades_come_back(rows: list[tuple[int, float]]) -> None:
    """To the nanosecond."""
    told = sorted(rows)
    columns: dict[str, Any] = {"ts_event": instants(*(at for at, _ in told)), "price": [price for _, price in told]}
    frame = decoded("trades", columns, symbol="ACME", size=1.0, currency="USD") if told else empty(DECODED["trades"])
    assert_frame_equal(decode.trades(alpaca.trades(frame), ASK), frame)
