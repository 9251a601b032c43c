"""EODHD's prices, quotes, actions and lists, read by value: small bodies of our own making."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.providers.eodhd import decode, reference

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "eodhd"
READERS = {
    "bars": decode.bars,
    "quotes": decode.quotes,
    "fx_rates": decode.fx_rates,
    "index_levels": decode.index_levels,
    "actions": reference.actions,
    "listings": reference.listings,
}
QUOTE = ("symbol", "ts_event", "price", "open", "high", "low", "previous_close", "volume", "currency")
ACTION = ("symbol", "ex_date", "type", "value", "currency", "basis", "declared_date", "record_date", "pay_date")


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def read(kind: str, body: bytes, **ask: Any) -> pl.DataFrame:
    """The frame of `body`, which must have exactly the columns of its kind."""
    return check(READERS[kind](body, Ask(**{"kind": kind, "symbol": "ACME.US", **ask})), DECODED[kind], kind=kind)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def test_days() -> None:
    """As traded; the volume before a split, which is adjusted for it, is left out; a row of nulls is no bar."""
    assert read("bars", golden("days")).rows() == [
        ("ACME.US", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.5, None, 93.75, "USD", "raw", False),
        ("ACME.US", "1d", at(2024, 3, 11), 93.75, 94.5, 93.125, 94.0, 2100.0, 94.0, "USD", "raw", False),
    ]


def test_minutes() -> None:
    """Stamps are seconds in UTC; a minute of nulls is no bar."""
    frame = read("bars", golden("minutes"), timeframe="1m")
    assert frame.rows() == [
        ("ACME.US", "1m", at(2024, 3, 8, 20, 59), 187.4, 187.6, 187.4, 187.5, 70.0, None, "USD", "raw", False),
        ("ACME.US", "1m", at(2024, 3, 11, 13, 30), 94.1, 94.2, 94.0, 94.15, 12.0, None, "USD", "raw", False),
    ]


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("ACME.US", "USD"),
        ("VOD.LSE", None),
        ("EURJPY.FOREX", "JPY"),
        ("BTC-EUR.CC", "EUR"),
        ("BTC.CC", None),
        ("", None),
    ],
)
def test_the_symbol_tells_the_currency(symbol: str, currency: str | None) -> None:
    """Rows name neither."""
    frame = read("bars", golden("days"), symbol=symbol)
    assert [(symbol or None, currency)] * 2 == frame.select("symbol", "currency").rows()


def test_pairs_and_indices() -> None:
    """Rates and levels are closes; the present rate is a quote."""
    assert read("fx_rates", golden("days"), symbol="EURUSD.FOREX").rows() == [
        ("EUR", "USD", at(2024, 3, 8), 187.5, None, None),
        ("EUR", "USD", at(2024, 3, 11), 94.0, None, None),
    ]
    assert read("fx_rates", golden("quote"), symbol="BTC-USD.CC").rows() == [
        ("BTC", "USD", at(2024, 3, 8, 21), 187.5, None, None)
    ]
    assert read("index_levels", golden("days"), symbol="GSPC.INDX").rows() == [
        ("GSPC.INDX", at(2024, 3, 8), 187.5, None),
        ("GSPC.INDX", at(2024, 3, 11), 94.0, None),
    ]


def test_quotes() -> None:
    """NA is a number that is missing; a symbol without a stamp is not known and has no row."""
    assert read("quotes", golden("quote")).select(QUOTE).rows() == [
        ("ACME.US", at(2024, 3, 8, 21), 187.5, 187.15, 188.0, 186.5, 187.15, 1000.0, "USD")
    ]
    assert read("quotes", golden("quotes")).select(QUOTE).rows() == [
        ("ACME.US", at(2024, 3, 8, 21), 187.5, None, 188.0, 186.5, 187.15, None, "USD"),
        ("EURUSD.FOREX", at(2024, 3, 11, 10), 1.0927, 1.094, 1.095, 1.0915, 1.094, 0.0, "USD"),
    ]


def test_one_quote_of_an_unknown_symbol_is_refused() -> None:
    """Never to be asked again."""
    with pytest.raises(ProviderRefused) as caught:
        read("quotes", b'{"code":"ZZZ.US","timestamp":"NA","open":"NA","close":"NA"}')
    assert FailureClass.PERMANENT is caught.value.failure.failure_class


def test_actions() -> None:
    """Cash as paid where it is told, else adjusted; two for one is 2, one for eight 0.125."""
    assert read("actions", golden("dividends")).select(ACTION).rows() == [
        ("ACME.US", date(1990, 2, 9), "dividend", 0.01, "USD", "split", None, None, None),
        (
            "ACME.US",
            date(2024, 2, 9),
            "dividend",
            0.24,
            "USD",
            "raw",
            date(2024, 2, 1),
            date(2024, 2, 12),
            date(2024, 2, 15),
        ),
    ]
    assert read("actions", golden("splits")).select(ACTION[:6]).rows() == [
        ("ACME.US", date(2019, 6, 3), "split", 0.125, "USD", "raw"),
        ("ACME.US", date(2024, 3, 11), "split", 2.0, "USD", "raw"),
    ]


def test_listings() -> None:
    """Symbols end with the exchange that was asked, which tells the class of pairs."""
    names = ("symbol", "name", "exchange", "asset_class", "currency", "status", "isin")
    assert read("listings", golden("symbols"), symbol="").select(names).rows() == [
        ("ACME.US", "Acme Corp", "NYSE", "equity", "USD", "active", "US0000000001"),
        ("ACMF.US", "Acme Fund", "NMFQS", "fund", "USD", "active", None),
        ("ACMN.US", "Acme Notes", "NYSE", None, "USD", "active", None),
    ]
    gone = read("listings", golden("symbols"), symbol="", page="US/delisted")
    assert [("ACME.US", "delisted")] == gone.select("symbol", "status").rows()[:1]
    assert read("listings", golden("pairs"), symbol="", page="FOREX").select(names).rows() == [
        ("EURUSD.FOREX", "EUR/USD", "FOREX", "fx", "USD", "active", None)
    ]


@pytest.mark.parametrize("kind", sorted(READERS))
def test_nothing_is_an_empty_frame(kind: str) -> None:
    """A range without rows gets an empty list."""
    assert read(kind, b"[]", symbol="EURUSD.FOREX").is_empty()


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("bars", golden("minutes"), "the timeframe asked for was '1d'"),
        ("bars", golden("days").replace(b"2024-03-08", b"2024-03-0X"), "a value of date was '2024-03-0X', no date"),
        ("bars", golden("days").replace(b'"adjusted_close"', b'"adjustedClose"'), "`adjusted_close`"),
        ("bars", golden("days").replace(b"187.15", b'"187.15"'), "$[1].open"),
        ("quotes", b'{"code":"A.US","timestamp":"soon","close":1}', "a value of timestamp was no Int64"),
        ("quotes", b'{"code":"A.US","timestamp":1,"close":"much"}', "a value of close was no Float64"),
        ("quotes", b'{"code":"A.US","timestamp":1}', "`close`"),
        ("fx_rates", golden("days"), "the symbol 'ACME.US' was no pair"),
        ("actions", b'[{"date":"2024-03-08"}]', "the fields value and split were missing"),
        ("actions", b'[{"date":"2024-03-08","split":"two for one"}]', "the field split was 'two for one', no ratio"),
        ("actions", b'[{"date":"2024-03-08","split":"1/0"}]', "the field split was '1/0', no ratio"),
        ("actions", b'[{"date":"2024-03-08","value":1,"recordDate":"soon"}]', "a value of recordDate was 'soon'"),
        ("listings", b'[{"Name":"?"}]', "`Code`"),
    ],
)
def test_drift_is_named(kind: str, body: bytes, named: str) -> None:
    """What is of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        read(kind, body)
    assert named in caught.value.reason


@pytest.mark.parametrize("kind", sorted(READERS))
@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (b"Unauthenticated", FailureClass.AUTH),
        (b'{"error":"Ticker Not Found, no \\"timestamp\\"","code":404}', FailureClass.PERMANENT),
        (b'{"error":"no \\u0022timestamp\\u0022 now","timestamp":1,"code":503}', FailureClass.TRANSIENT),
    ],
)
def test_an_error_is_refused(kind: str, body: bytes, failure_class: FailureClass) -> None:
    """Whatever was asked, in text or in JSON."""
    with pytest.raises(ProviderRefused) as caught:
        read(kind, body)
    assert failure_class is caught.value.failure.failure_class
