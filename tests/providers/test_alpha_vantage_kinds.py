"""Alpha Vantage's quotes, exchange rates, lists of actions and listings, read by value."""

from __future__ import annotations

import gzip
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
from truetape.providers.alpha_vantage import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "alpha_vantage"
QUOTE = Ask(kind="quotes", symbol="ACME")
EUR_USD = Ask(kind="fx_rates", symbol="EUR/USD")
LISTED = ("symbol", "name", "exchange", "mic", "asset_class", "status", "first_date", "last_date")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def series(rows: dict[str, Any]) -> bytes:
    return json.dumps({"Meta Data": {"2. Symbol": "ACME"}, "Time Series (Daily)": rows}).encode()


def told(frame: Any) -> dict[str, Any]:
    """The only row, without what is null."""
    (row,) = frame.rows(named=True)
    return {name: value for name, value in row.items() if value is not None}


def test_a_recorded_quote_by_value(recordings: Path) -> None:
    """The day's quote is stamped with New York's close: 20:00 UTC in summer."""
    body = (recordings / "alpha_vantage" / "GLOBAL_QUOTE_MSFT.json").read_bytes()
    assert told(check(decode.quotes(body, QUOTE), DECODED["quotes"], kind="quotes")) == {
        "symbol": "MSFT",
        "ts_event": at(2018, 10, 5, 20),
        "price": 112.13,
        "open": 112.63,
        "high": 113.17,
        "low": 110.64,
        "previous_close": 112.79,
        "volume": 29062853.0,
        "currency": "USD",
    }


def test_a_delayed_quote_says_so_in_its_key() -> None:
    """The field's name goes on after Global Quote; 16:00 in New York is 21:00 UTC in winter."""
    found = told(decode.quotes(golden("quote.json"), QUOTE))
    assert (found["symbol"], found["ts_event"], found["price"]) == ("ACME", at(2024, 3, 8, 21), 187.5)


def test_a_recorded_exchange_rate_by_value(recordings: Path) -> None:
    """One euro in dollars, with bid and ask, at its UTC time."""
    body = (recordings / "alpha_vantage" / "CURRENCY_EXCHANGE_RATE_EURUSD.json").read_bytes()
    frame = check(decode.fx_rates(body, EUR_USD), DECODED["fx_rates"], kind="fx_rates")
    assert frame.rows() == [("EUR", "USD", at(2022, 3, 21, 11, 29, 42), 1.1030223, 1.1030223, 1.1030223)]


def test_an_exchange_rate_as_a_quote() -> None:
    """The quote of a coin is its exchange rate; a dash is no price."""
    assert told(decode.quotes(golden("exchange_rate.json"), Ask(kind="quotes", symbol=""))) == {
        "symbol": "BTC/EUR",
        "ts_event": at(2024, 3, 8, 12, 0, 1),
        "price": 62000.5,
        "bid": 62000.25,
        "currency": "EUR",
    }


def test_recorded_rates_of_many_days_by_value(recordings: Path) -> None:
    """The rate of a day is its close; a row without prices is none."""
    body = (recordings / "alpha_vantage" / "FX_DAILY_EURAUD_partial.json").read_bytes()
    frame = check(decode.fx_rates(body, EUR_USD), DECODED["fx_rates"], kind="fx_rates")
    assert frame.tail(3).rows() == [
        ("EUR", "AUD", at(2021, 1, 7), 1.57893, None, None),
        ("EUR", "AUD", at(2021, 1, 8), 1.5735, None, None),
        ("EUR", "AUD", at(2021, 1, 11), 1.57823, None, None),
    ]


def test_rates_of_many_days() -> None:
    """They come ascending; the rate of a day is its close."""
    days = {
        "2024-03-12": {"1. open": "1.09", "2. high": "1.11", "3. low": "1.08", "4. close": "1.1"},
        "2024-03-11": {"1. open": "1.08", "2. high": "1.09", "3. low": "1.07", "4. close": "1.09"},
    }
    about = {"2. From Symbol": "EUR", "3. To Symbol": "USD", "5. Last Refreshed": "2024-03-13", "6. Time Zone": "UTC"}
    body = json.dumps({"Meta Data": about, "Time Series FX (Daily)": days}).encode()

    assert decode.fx_rates(body, EUR_USD).rows() == [
        ("EUR", "USD", at(2024, 3, 11), 1.09, None, None),
        ("EUR", "USD", at(2024, 3, 12), 1.1, None, None),
    ]


def test_a_cut_list_is_no_list() -> None:
    """The last line of a whole one ends."""
    with pytest.raises(UndecodablePayload, match="last line was cut"):
        decode.listings(golden("listing_status.csv").rstrip(), QUOTE)


def test_a_rate_without_codes_is_that_of_the_ask() -> None:
    """What the body does not name was asked for; without a pair it stays unknown."""
    body = (
        b'{"Realtime Currency Exchange Rate": {"5. Exchange Rate": "1.5", "6. Last Refreshed": "2024-03-08 12:00:01"}}'
    )
    for ask, expected in ((EUR_USD, ("EUR", "USD")), (QUOTE, ("ACME", None))):
        assert decode.fx_rates(body, ask).select("base", "quote").row(0) == expected


def test_crypto_days_end_at_midnight() -> None:
    """Nine in the evening is before the end of a day of coins: the newest bar runs."""
    frame = decode.bars(golden("crypto_daily.json"), Ask(kind="bars", symbol="BTC/EUR"))
    assert frame.select("symbol", "ts_event", "close", "volume", "currency", "basis", "running").rows() == [
        ("BTCEUR", at(2024, 3, 11), 65000.1, 1e-8, "EUR", "raw", False),
        ("BTCEUR", at(2024, 3, 12), 65500.4, 12.5, "EUR", "raw", True),
    ]


@pytest.mark.parametrize(("timeframe", "basis"), [("1h", "raw"), ("5m", "all"), ("1d", "all")])
def test_intraday_bars_are_raw_where_our_client_asked_for_them(timeframe: str, basis: str) -> None:
    """Bars of just the asked timeframe are the answer to a question for raw ones; any others may be adjusted."""
    frame = decode.bars(golden("intraday_60min.json"), Ask(kind="bars", symbol="ACME", timeframe=timeframe))
    assert set(frame["basis"]) == {basis}


def test_intraday_csv_of_a_pair_is_in_utc() -> None:
    """Shares are stamped in New York's time, currencies in UTC."""
    body = b"timestamp,open,high,low,close\r\n2024-03-08 10:00:00,1,1,1,1\r\n"
    stamps = [
        decode.bars(body, Ask(kind="bars", symbol=symbol, timeframe="5m"))["ts_event"][0] for symbol in ("A", "EUR/USD")
    ]
    assert stamps == [at(2024, 3, 8, 15), at(2024, 3, 8, 10)]


def test_lists_of_dividends_and_splits() -> None:
    """Dates that are None are unknown, and a dividend without an amount is none."""
    ask = Ask(kind="actions", symbol="ACME")
    cash = check(decode.actions(golden("dividends.json"), ask), DECODED["actions"], kind="actions")
    assert cash.rows() == [
        ("ACME", date(1999, 3, 8), "dividend", 0.2, "USD", "raw", None, None, None, None),
        (
            *("ACME", date(2024, 3, 11), "dividend", 0.24, "USD", "raw"),
            *(date(2024, 1, 30), date(2024, 3, 12), date(2024, 4, 1), None),
        ),
    ]
    splits = check(decode.actions(golden("splits.json"), ask), DECODED["actions"], kind="actions")
    assert splits.select("ex_date", "type", "value").rows() == [
        (date(2001, 6, 18), "split", 0.1),
        (date(2024, 3, 12), "split", 2.0),
    ]
    nothing = decode.actions(b'{"symbol": "ACME", "data": []}', ask)
    assert check(nothing, DECODED["actions"], kind="actions").is_empty()


def test_listings() -> None:
    """Names may hold commas; null is no date, and what we do not know stays null."""
    frame = check(decode.listings(golden("listing_status.csv"), QUOTE), DECODED["listings"], kind="listings")
    assert frame.select(LISTED).rows() == [
        ("ACME", "Acme, Inc.", "NYSE", "XNYS", "equity", "active", date(1999, 11, 18), None),
        ("ACM-P-A", "Acme Preferred", "NYSE MKT", "XASE", "equity", "delisted", None, date(2014, 4, 24)),
        ("GOLD", "Gold Trust", "NYSE ARCA", "ARCX", "etf", "active", date(2018, 8, 15), None),
        ("ODD", None, "ELSEWHERE", None, None, "active", date(2018, 8, 15), None),
    ]
    assert set(frame["currency"]) == {"USD"}


def test_recorded_listings_by_value(recordings: Path) -> None:
    """All listings of March 2022: count, ends, kinds and places."""
    body = gzip.decompress((recordings / "alpha_vantage" / "LISTING_STATUS_2022-03.csv.gz").read_bytes())
    frame = check(decode.listings(body, QUOTE), DECODED["listings"], kind="listings")
    assert frame.height == 12_427
    assert frame.select(LISTED).row(0) == (
        *("A", "Agilent Technologies Inc", "NYSE", "XNYS", "equity", "active", date(1999, 11, 18), None),
    )
    assert dict(frame["asset_class"].value_counts().iter_rows()) == {"equity": 9_105, "etf": 3_322}
    assert dict(frame["mic"].value_counts().iter_rows()) == {
        "XNAS": 5_673,
        "XNYS": 3_995,
        "ARCX": 1_892,
        "BATS": 560,
        "XASE": 307,
    }


@pytest.mark.parametrize("reader", [decode.quotes, decode.fx_rates, decode.listings])
def test_an_empty_object_is_an_empty_frame(reader: Decode) -> None:
    """An answer without fields is an answer without rows."""
    assert reader(b"{}", QUOTE).is_empty()


def test_an_empty_quote_is_an_unknown_symbol() -> None:
    """A quote without fields is how the provider says that it does not know the symbol."""
    for body in (b'{"Global Quote": {}}', b'{ "Global Quote - DATA DELAYED BY 15 MINUTES" : {} }\n'):
        with pytest.raises(ProviderRefused) as caught:
            decode.quotes(body, QUOTE)
        assert caught.value.failure.failure_class is FailureClass.PERMANENT
    with pytest.raises(ProviderRefused, match="not known"):
        decode.quotes(b'{"Global Quote": {}, "more": 1}', QUOTE)


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.quotes, b'{"Quote": {}}', "no Global Quote among the fields Quote"),
        (decode.quotes, golden("quote.json").replace(b"2024-03-08", b"8 March"), "latest trading day was '8 March'"),
        (decode.quotes, golden("quote.json").replace(b'"187.5000"', b'"much"'), "price was 'much'"),
        (decode.quotes, golden("quote.json").replace(b'"1000"', b"1000"), "Global Quote"),
        (decode.quotes, b"[]", "Expected `object`"),
        (decode.fx_rates, b'{"Rate": {}}', "no Realtime Currency Exchange Rate among the fields Rate"),
        (decode.fx_rates, b'{"Realtime Currency Exchange Rate": {}}', "Last Refreshed"),
        (decode.listings, b'{"a": 1}', "JSON with the fields a"),
        (decode.listings, b"symbol,name\r\nA,B\r\n", "exchange was missing"),
        (decode.listings, golden("listing_status.csv").replace(b"2018-08-15", b"soon"), "ipoDate was 'soon'"),
        (decode.actions, golden("splits.json").replace(b"2.0000", b"0"), "split_factor was not positive"),
        (decode.actions, golden("splits.json").replace(b"2001-06-18", b"2001"), "ex-date was '2001'"),
        (decode.actions, golden("dividends.json").replace(b"2024-04-01", b"April"), "payment_date was 'April'"),
        (decode.actions, b'{"data": 1}', "Expected `array`"),
    ],
)
def test_drift_of_other_kinds_is_named(reader: Decode, body: bytes, named: str) -> None:
    """A body of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, QUOTE)
    assert named in caught.value.reason


def test_rows_of_unnumbered_fields_are_read_too() -> None:
    """Fields are known by their names; a number that we have not seen does no harm."""
    row = {"1. open": "1.5", "2. high": "2", "3. low": "1", "4. close": "1.75", "9. volume": "10"}
    found = decode.bars(series({"2024-03-08": row, "2024-03-07": row}), QUOTE)
    assert found.select("close", "volume").rows() == [(1.75, 10.0)] * 2
    less = {name: value for name, value in row.items() if name != "9. volume"}
    with pytest.raises(UndecodablePayload, match=r"9\. volume was missing in a row"):
        decode.bars(series({"2024-03-08": row, "2024-03-07": less}), QUOTE)
