"""Tiingo's rows, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.tiingo import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "tiingo"
ASK = Ask(kind="bars", symbol="ACME")
GOOGL = Ask(kind="bars", symbol="GOOGL")
VALUES = ("open", "high", "low", "close", "volume")
NOTHING = (None,) * 4  # isin, cusip, figi, cik


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def row(**changes: Any) -> bytes:
    """One daily row with fields replaced; one set to Ellipsis is left out."""
    fields: dict[str, Any] = dict.fromkeys(VALUES, 1.5) | {"date": "2024-03-08T00:00:00.000Z"} | changes
    return json.dumps([{name: value for name, value in fields.items() if value is not ...}]).encode()


def zipped(body: bytes, *, names: tuple[str, ...] = ("t.csv",), method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, body)
    return buffer.getvalue()


RECORDED_DAYS = [
    (at(2018, 1, 5), 1103.45, 1113.58, 1101.8, 1110.29, 1493389.0, 1110.29),
    (at(2018, 1, 8), 1111.0, 1119.16, 1110.0, 1114.21, 1148958.0, 1114.21),
    (at(2018, 1, 9), 1118.44, 1118.44, 1108.2, 1112.79, 1335995.0, 1112.79),
]


@pytest.mark.parametrize("name", ["ticker_price_pandas_daily_metric_name.json", "ticker_price_pandas_daily_csv.csv"])
def test_recorded_days_by_value(recordings: Path, name: str) -> None:
    """The same question asked as JSON and as a table has the same answer; neither has an action."""
    body = (recordings / "tiingo" / name).read_bytes()
    frame = check(decode.bars(body, GOOGL), DECODED["bars"], kind="bars")
    assert frame.select("ts_event", *VALUES, "adj_close").rows()[:3] == RECORDED_DAYS
    assert frame.select("symbol", "timeframe", "currency", "basis", "running").unique().rows() == [
        ("GOOGL", "1d", "USD", "raw", False)
    ]
    assert (len(frame), frame["ts_event"][-1]) == (10, at(2018, 1, 19))
    assert decode.actions(body, GOOGL).is_empty()


def test_recorded_newest_days(recordings: Path) -> None:
    """A day written with +00:00, and one of which only five columns were asked."""
    folder = recordings / "tiingo"
    frame = decode.bars((folder / "ticker_price.json").read_bytes(), GOOGL)
    assert frame.select("ts_event", *VALUES, "adj_close").rows() == [
        (at(2018, 4, 12), 1031.47, 1044.65, 1026.05, 1037.29, 1644794.0, 1037.29)
    ]
    frame = decode.bars((folder / "ticker_price_with_multiple_columns.json").read_bytes(), GOOGL)
    assert frame.select("ts_event", *VALUES, "adj_close").rows() == [
        (at(2024, 10, 22), 162.98, 165.77, 162.98, 165.14, 16568121.0, None)
    ]


def test_recorded_half_hours(recordings: Path) -> None:
    """Minutes are stamped with their start in UTC; a volume that was not asked for is missing."""
    body = (recordings / "tiingo" / "intraday_price.json").read_bytes()
    frame = decode.bars(body, Ask(kind="bars", symbol="GOOGL", timeframe="30m"))
    assert frame.select("timeframe", "ts_event", *VALUES).rows()[:2] == [
        ("30m", at(2018, 1, 2, 14, 30), 1057.47, 1061.91, 1054.17, 1061.91, None),
        ("30m", at(2018, 1, 2, 15), 1061.91, 1067.345, 1061.91, 1066.945, None),
    ]
    assert (len(frame), frame["ts_event"][-1]) == (13, at(2018, 1, 2, 20, 30))


def test_recorded_coins(recordings: Path) -> None:
    """Two coins in one body, each in its own currency; what single exchanges say is not read."""
    body = (recordings / "tiingo" / "crypto_price_history.json").read_bytes()
    frame = check(decode.bars(body, Ask(kind="bars", symbol="btcusd")), DECODED["bars"], kind="bars")
    assert frame.select("symbol", "ts_event", "open", "high", "low", "close", "volume", "currency").rows() == [
        ("btcusd", at(2019, 5, 1), 5367.348827845256, 5443.811868611532, 5358.100876910302, 5420.0896708474575,
         27749.729226739997, "USD"),
        ("btcusd", at(2019, 5, 2), 5441.491804492167, 5590.235084334595, 5426.033480300644, 5545.697488248552,
         40036.510605330004, "USD"),
        ("fldcbtc", at(2019, 5, 1), 1.8e-07, 1.9e-07, 1.8e-07, 1.9e-07, 34807.97636632, "BTC"),
        ("fldcbtc", at(2019, 5, 2), 1.9e-07, 2e-07, 1.8e-07, 1.8e-07, 283386.06880708, "BTC"),
    ]  # fmt: skip


def test_recorded_list_of_symbols(recordings: Path) -> None:
    """A hundred thousand symbols in an archive: the living, the gone and those that never had a price."""
    body = (recordings / "tiingo" / "list_all_tickers.zip").read_bytes()
    frame = check(decode.listings(body, Ask(kind="listings", symbol="")), DECODED["listings"], kind="listings")
    found = {one[0]: one[1:] for one in frame.rows()}
    assert len(frame) == 80_657
    assert found["AAPL"] == (None, "NASDAQ", None, "equity", "USD", "active", date(1980, 12, 12), None, *NOTHING)
    assert found["BF.B"] == (
        None, "NYSE", None, "equity", "USD", "delisted", date(2017, 6, 23), date(2017, 6, 26), *NOTHING,
    )  # fmt: skip
    assert found["000003"] == (None, "SHE", None, "equity", "CNY", None, None, None, *NOTHING)
    assert found["BFAM1"] == (None, None, None, "equity", "USD", None, None, None, *NOTHING)
    assert found["SPY"][2:5] == (None, "etf", "USD")


def test_recorded_single_symbols(recordings: Path) -> None:
    """What is told of one share, and of two coins."""
    folder = recordings / "tiingo"
    frame = decode.listings((folder / "ticker_metadata.json").read_bytes(), Ask(kind="listings", symbol="GOOGL"))
    assert frame.rows() == [
        (
            "GOOGL",
            'Alphabet Inc.("Google") - Class A',
            "NASDAQ",
            None,
            None,
            "USD",
            None,
            date(2004, 8, 19),
            None,
            *NOTHING,
        )
    ]
    frame = decode.listings((folder / "crypto_metadata.json").read_bytes(), Ask(kind="listings", symbol="btcusd"))
    assert frame.select("symbol", "name", "asset_class", "currency").rows() == [
        ("btcusd", "Bitcoin Tether (BTC/USD)", "crypto", "USD"),
        ("fldcbtc", "FoldingCoin (FLDC/BTC)", "crypto", "BTC"),
    ]


@pytest.mark.parametrize("name", ["daily.json", "daily.csv"])
def test_days(name: str) -> None:
    """A row of nulls is no bar, and prices are as traded."""
    frame = check(decode.bars(golden(name), ASK), DECODED["bars"], kind="bars")
    assert frame.rows() == [
        ("ACME", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, 1000.0, 93.5, "USD", "raw", False),
        ("ACME", "1d", at(2024, 3, 12), 94.25, 95.05, 93.625, 94.125, 1800.5, 94.125, "USD", "raw", False),
    ]


@pytest.mark.parametrize("name", ["daily.json", "daily.csv"])
def test_actions_of_days(name: str) -> None:
    """Cash and split factor stand on the ex-date, cash as paid then."""
    frame = check(decode.actions(golden(name), ASK), DECODED["actions"], kind="actions")
    assert frame.rows() == [
        ("ACME", date(2024, 3, 12), "dividend", 0.24, "USD", "raw", None, None, None, None),
        ("ACME", date(2024, 3, 12), "split", 2.0, "USD", "raw", None, None, None, None),
    ]


@pytest.mark.parametrize(("timeframe", "body"), [("1w", "daily.json"), ("1m", "minutes.json"), ("1d", "coins.json")])
def test_other_rows_have_no_actions(timeframe: str, body: str) -> None:
    """The date of a week is no ex-date, and coins pay nothing."""
    ask = Ask(kind="bars", symbol="ACME", timeframe=timeframe)
    assert check(decode.actions(golden(body), ask), DECODED["actions"], kind="actions").is_empty()


def test_minutes() -> None:
    """Minutes keep their instant."""
    frame = decode.bars(golden("minutes.json"), Ask(kind="bars", symbol="ACME", timeframe="1m"))
    assert frame.select("timeframe", "ts_event", *VALUES, "basis").rows() == [
        ("1m", at(2024, 3, 8, 14, 30), 187.15, 187.2, 187.1, 187.125, None, "raw"),
        ("1m", at(2024, 3, 8, 14, 31), 187.125, 187.3, 187.12, 187.3, None, "raw"),
    ]


@pytest.mark.parametrize(
    ("timeframe", "start"), [("1w", at(2024, 3, 4)), ("1mo", at(2024, 3, 1)), ("?", at(2024, 3, 8))]
)
def test_longer_bars_begin_with_their_period(timeframe: str, start: datetime) -> None:
    """Friday the 8th stands for the week of Monday the 4th, or for March."""
    frame = decode.bars(row(), Ask(kind="bars", symbol="ACME", timeframe=timeframe))
    assert frame["ts_event"].to_list() == [start]


@pytest.mark.parametrize(
    ("symbol", "currency"), [("ACME", "USD"), ("eurchf", "CHF"), ("000001", None), ("btcusd", None), ("", None)]
)
def test_the_symbol_tells_the_currency(symbol: str, currency: str | None) -> None:
    """Rows of shares and of national currencies do not name theirs."""
    frame = decode.bars(row(), Ask(kind="bars", symbol=symbol))
    assert frame.select("symbol", "currency").rows() == [(symbol or None, currency)]


def test_coins() -> None:
    """Each coin has its own symbol and currency."""
    frame = decode.bars(golden("coins.json"), Ask(kind="bars", symbol="btcusd"))
    assert frame.select("symbol", "ts_event", "close", "volume", "currency").rows() == [
        ("btcusd", at(2024, 3, 8), 68300.75, 27749.5, "USD"),
        ("btcusd", at(2024, 3, 9), 68400.0, 9000.25, "USD"),
        ("ethbtc", at(2024, 3, 8), 0.0571, 12.5, "BTC"),
    ]


def test_quotes() -> None:
    """Without a trade the provider's reference stands in; a symbol without any time has no row."""
    frame = check(
        decode.quotes(golden("top.json"), Ask(kind="quotes", symbol="ACME")), DECODED["quotes"], kind="quotes"
    )
    assert frame.drop("ts_event").rows() == [
        ("ACME", 187.5, 187.4, 200.0, 187.5, 300.0, 187.2, 188.0, 186.5, 187.15, 1000.0, "USD"),
        ("BRK-B", 401.25, None, None, None, None, None, None, None, 400.0, 0.0, "USD"),
    ]
    assert frame["ts_event"].to_physical().to_list() == [1_709_931_599_123_456_789, 1_709_931_600_000_000_000]


def test_quotes_of_pairs() -> None:
    """Coins name their currency, of national currencies the ticker tells it."""
    columns = ("symbol", "ts_event", "price", "bid", "bid_size", "ask", "ask_size", "currency")
    frame = decode.quotes(golden("coins_top.json"), Ask(kind="quotes", symbol="btcusd"))
    assert frame.select(columns).rows() == [
        ("btcusd", at(2024, 3, 8, 20, 59, 59, 500_000), 68300.75, 68300.5, 0.25, 68301.0, 1.5, "USD")
    ]
    frame = decode.quotes(golden("fx_top.json"), Ask(kind="quotes", symbol="eurusd"))
    assert frame.select(columns).rows() == [
        ("eurusd", at(2024, 3, 8, 21, 59, 59, 250_000), None, 1.0938, 1e6, 1.0939, 2e6, "USD")
    ]


def test_exchange_rates() -> None:
    """A day's rate is its close; the present one is in the middle of bid and ask."""
    ask = Ask(kind="fx_rates", symbol="eurusd")
    frame = check(decode.fx_rates(golden("fx.json"), ask), DECODED["fx_rates"], kind="fx_rates")
    assert frame.rows() == [
        ("EUR", "USD", at(2024, 3, 7), 1.0948, None, None),
        ("EUR", "USD", at(2024, 3, 8), 1.09385, None, None),
    ]
    frame = check(decode.fx_rates(golden("fx_top.json"), ask), DECODED["fx_rates"], kind="fx_rates")
    assert frame.rows() == [("EUR", "USD", at(2024, 3, 8, 21, 59, 59, 250_000), 1.09385, 1.0938, 1.0939)]


LISTED = [
    ("000001", None, "SHE", None, "equity", "CNY", "active", date(2007, 8, 30), None, *NOTHING),
    ("ACME", None, "NYSE", None, "equity", "USD", "active", date(1980, 12, 12), None, *NOTHING),
    ("FUNDX", None, "NMFQS", None, "fund", "USD", "active", date(2001, 3, 15), None, *NOTHING),
    ("GONE", None, "NASDAQ", None, "equity", "USD", "delisted", date(1999, 1, 4), date(2024, 2, 29), *NOTHING),
    ("NEVER", None, None, None, "equity", "USD", None, None, None, *NOTHING),
    ("SPYX", None, "NYSE ARCA", None, "etf", "USD", "active", date(1993, 1, 29), None, *NOTHING),
    ("WHAT", None, "NYSE", None, None, "USD", "active", date(2020, 1, 2), None, *NOTHING),
]


@pytest.mark.parametrize("packed", [False, True])
def test_the_list_of_symbols(packed: bool) -> None:
    """A price within a week of the newest one means that the symbol lives."""
    body = golden("supported_tickers.csv")
    frame = decode.listings(zipped(body) if packed else body, Ask(kind="listings", symbol=""))
    assert frame.rows() == LISTED


def test_a_list_without_any_price() -> None:
    """Where no symbol has a price, none is known to live."""
    body = b"ticker,exchange,assetType,priceCurrency,startDate,endDate\nNEVER,NYSE,Stock,USD,,\n"
    assert decode.listings(body, ASK).select("symbol", "status", "last_date").rows() == [("NEVER", None, None)]


def test_single_symbols() -> None:
    """The last priced day of one share says nothing about its end; null dates mean no prices."""
    frame = decode.listings(golden("ticker.json"), ASK)
    assert frame.rows() == [
        ("ACME", "Acme Corporation", "NYSE", None, None, "USD", None, date(1980, 12, 12), None, *NOTHING)
    ]
    frame = decode.listings(b'{"ticker":"NEVER","name":null,"startDate":null}', ASK)
    assert frame.select("symbol", "name", "first_date").rows() == [("NEVER", None, None)]
    frame = decode.listings(golden("coins_meta.json"), Ask(kind="listings", symbol="btcusd"))
    assert frame.select("symbol", "name", "asset_class", "currency").rows() == [
        ("btcusd", "Bitcoin (BTC/USD)", "crypto", "USD")
    ]


@pytest.mark.parametrize("kind", ["bars", "actions", "quotes", "fx_rates", "listings"])
def test_no_rows_are_an_empty_frame(kind: str) -> None:
    """An empty list answers a span or a symbol without prices."""
    read: Decode = getattr(decode, kind)
    assert check(read(b"[]", ASK), DECODED[kind], kind=kind).is_empty()


def test_no_coins_are_an_empty_frame() -> None:
    """A body that only mentions coins' prices has none."""
    assert decode.bars(b'[] "priceData"'[:3], ASK).is_empty()
    assert check(
        decode.bars(b'[{"ticker":"x","quoteCurrency":"y","priceData":[]}]', ASK), DECODED["bars"], kind="bars"
    ).is_empty()


BIG = b"date,open,high,low,close\n" + b"2024-03-08,1,1,1,1\n" * 4_000_000


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("bars", row(close=...), "`close`"),
        ("bars", row(open="1"), "$[0].open"),
        ("bars", row(date="yesterday"), "date was 'yesterday'"),
        ("bars", row(date=5), "$[0].date"),
        ("actions", row(splitFactor=-1), "splitFactor was not positive"),
        ("bars", b"date,open,high,low\n2024-03-08,1,1,1\n", "close was missing"),
        ("bars", b"date,open,high,low,close\n2024-03-08,1,1,1,x\n", "close was 'x'"),
        ("bars", b"date,open\n1,2,3,4,5\n", "it was no CSV"),
        ("quotes", b'[{"ticker":"ACME"}]', "no quote had a time"),
        ("quotes", b'[{"ticker":"ACME","timestamp":"today"}]', "timestamp was 'today'"),
        ("quotes", b'[{"last":1}]', "`ticker`"),
        ("fx_rates", b'[{"ticker":"btcusd","date":"2024-03-08","close":1}]', "ticker was 'btcusd', no pair"),
        ("listings", b"ticker,exchange\nACME,NYSE\n", "assetType was missing"),
        ("listings", b"{}", "`ticker`"),
        ("listings", b"PK\x03\x04 and nothing else", "zip data was damaged"),
        ("listings", zipped(b"x", names=("a", "b")), "held 2 files"),
        ("listings", zipped(b"x", method=zipfile.ZIP_BZIP2), "another way than deflate"),
        ("listings", zipped(BIG), "more than 67108864 bytes when unpacked"),
        ("bars", b"<html>hello</html>", "malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_drift_is_named(kind: str, body: bytes, named: str) -> None:
    """Bodies of another shape than we know are refused, and the reason says where."""
    read: Decode = getattr(decode, kind)
    with pytest.raises(UndecodablePayload) as caught:
        read(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize("kind", ["bars", "actions", "quotes", "fx_rates", "listings"])
def test_a_refusal_is_raised(kind: str) -> None:
    """Tiingo's own words come back, whatever was asked."""
    read: Decode = getattr(decode, kind)
    with pytest.raises(ProviderRefused, match="Please supply a token") as caught:
        read(b'{"detail":"Please supply a token"}', ASK)
    assert caught.value.failure.failure_class is FailureClass.AUTH
