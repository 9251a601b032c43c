"""Financial Modeling Prep's prices, quotes, actions and lists, read by value: recorded and of our own making."""

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
from truetape.providers.fmp import decode, reference

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "fmp"
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
    return check(READERS[kind](body, Ask(**{"kind": kind, "symbol": "ACME", **ask})), DECODED[kind], kind=kind)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def minute(stamp: str) -> bytes:
    return b'[{"date":"%b","open":1,"high":1,"low":1,"close":1,"volume":1}]' % stamp.encode()


def test_recorded_quote_by_value(recordings: Path) -> None:
    """A quote of the older API has the fields of the present one."""
    frame = read("quotes", (recordings / "fmp" / "v3_quote_PM.json").read_bytes())
    assert frame.select(QUOTE).rows() == [
        ("PM", at(2022, 3, 6, 14, 44, 33), 99.8, 101.04, 101.07, 99.25, 102.48, 7054888.0, "USD")
    ]


def test_recorded_profile_by_value(recordings: Path) -> None:
    """A profile is a listing with its identifiers."""
    row = read("listings", (recordings / "fmp" / "v3_profile_AAPL.json").read_bytes()).row(0, named=True)
    assert {name: value for name, value in row.items() if value is not None} == {
        "symbol": "AAPL",
        "name": "Apple Inc.",
        "exchange": "NASDAQ",
        "asset_class": "equity",
        "currency": "USD",
        "status": "active",
        "first_date": date(1980, 12, 12),
        "isin": "US0378331005",
        "cusip": "037833100",
        "cik": "0000320193",
    }


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("v3_quote_PM.json", {"quotes": 1, "listings": 1}),
        ("v3_profile_AAPL.json", {"listings": 1}),
        ("v3_income-statement_PM.json", {}),
        ("v3_dcf_Infinity_string.json", {}),
    ],
)
def test_every_recording_is_read_as_what_it_is(recordings: Path, name: str, read_as: dict[str, int]) -> None:
    """Each kind that a body holds has its rows; of every other kind it is a stated defect."""
    body = (recordings / "fmp" / name).read_bytes()
    found = {}
    for kind in READERS:
        try:
            found[kind] = read(kind, body, symbol="").height
        except UndecodablePayload:
            continue
    assert read_as == found


def test_daily_bars() -> None:
    """Split-adjusted, ascending, and a row of nulls is no bar."""
    assert read("bars", golden("daily")).rows() == [
        ("ACME", "1d", at(2024, 3, 8), 93.575, 94.0, 93.25, 93.75, 2000.0, None, "USD", "split", False),
        ("ACME", "1d", at(2024, 3, 11), 93.75, 94.5, 93.125, 94.0, 2100.5, None, "USD", "split", False),
    ]


def test_minutes_are_of_the_exchanges_clock() -> None:
    """New York's clocks went forward between the two: 15:59 was 20:59 UTC, and 09:30 is 13:30 UTC."""
    frame = read("bars", golden("minutes"), timeframe="1m")
    assert frame.select("symbol", "timeframe", "ts_event", "close", "volume", "basis").rows() == [
        ("ACME", "1m", at(2024, 3, 8, 20, 59), 187.5, 70.0, "raw"),
        ("ACME", "1m", at(2024, 3, 11, 13, 30), 94.15, 12.0, "raw"),
    ]


@pytest.mark.parametrize(
    ("symbol", "start", "currency"),
    [
        ("ACME", at(2024, 3, 8, 14, 30), "USD"),
        ("BRK-B", at(2024, 3, 8, 14, 30), "USD"),
        ("VOD.L", at(2024, 3, 8, 9, 30), None),
        ("7203.T", at(2024, 3, 8, 0, 30), None),
        ("^GSPC", at(2024, 3, 8, 14, 30), None),
        ("BTCEUR", at(2024, 3, 8, 14, 30), "EUR"),
        ("", at(2024, 3, 8, 14, 30), None),
    ],
)
def test_the_symbol_tells_zone_and_currency(symbol: str, start: datetime, currency: str | None) -> None:
    """Minutes at half past nine of the exchange that the suffix names."""
    frame = read("bars", minute("2024-03-08 09:30:00"), symbol=symbol, timeframe="5m")
    assert [(symbol or None, start, currency)] == frame.select("symbol", "ts_event", "currency").rows()


def test_pairs_and_indices() -> None:
    """Rates and levels are closes; the present rate is a quote."""
    assert read("fx_rates", golden("pair")).rows() == [
        ("EUR", "USD", at(2024, 3, 8), 1.094, None, None),
        ("EUR", "USD", at(2024, 3, 11), 1.0927, None, None),
    ]
    assert read("fx_rates", golden("rate")).rows() == [("EUR", "USD", at(2024, 3, 11, 10), 1.0927, None, None)]
    assert read("index_levels", golden("daily")).rows() == [
        ("ACME", at(2024, 3, 8), 93.75, "USD"),
        ("ACME", at(2024, 3, 11), 94.0, "USD"),
    ]


def test_quotes() -> None:
    """One row for each symbol, in the currency that its spelling tells."""
    assert read("quotes", golden("quotes")).select(QUOTE).rows() == [
        ("ACME", at(2024, 3, 8, 21), 187.5, 187.15, 188.0, 186.5, 187.15, 1000.0, "USD"),
        ("VOD.L", at(2024, 3, 8, 16, 35), 68.5, None, None, None, None, None, None),
    ]


def test_actions() -> None:
    """Cash as paid where it is told, else adjusted; two for one is 2; a change of symbol names both."""
    assert read("actions", golden("dividends")).select(ACTION).rows() == [
        ("ACME", date(1990, 2, 9), "dividend", 0.01, "USD", "split", None, None, None),
        (
            "ACME",
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
        ("ACME", date(2019, 6, 3), "split", 0.125, "USD", "raw"),
        ("ACME", date(2024, 3, 11), "split", 2.0, "USD", "raw"),
    ]
    changes = read("actions", golden("symbol_change"), symbol="")
    assert changes.select("symbol", "ex_date", "type", "value", "new_symbol").rows() == [
        ("FB", date(2022, 6, 9), "symbol_change", None, "META")
    ]


@pytest.mark.parametrize(
    ("name", "page", "rows"),
    [
        (
            "stock_list",
            "",
            [("ACME", "Acme Corp", None, None, None, "active"), ("VOD.L", "Vodafone", None, None, None, "active")],
        ),
        ("index_list", "index-list", [("^ACM", "Acme 50", "NYSE", "index", "USD", "active")]),
        ("forex_list", "forex-list", [("EURUSD", "EUR / USD", None, "fx", "USD", "active")]),
        (
            "profile",
            "",
            [
                ("ACME", "Acme Corp", "NYSE", "equity", "USD", "active"),
                ("ACMF", "Acme Fund", None, "fund", None, "delisted"),
                ("ACME5", "Acme ETF", None, "etf", None, "active"),
            ],
        ),
    ],
)
def test_listings(name: str, page: str, rows: list[tuple[str | None, ...]]) -> None:
    """The list, or the profile, tells the class."""
    frame = read("listings", golden(name), page=page, symbol="")
    assert rows == frame.select("symbol", "name", "exchange", "asset_class", "currency", "status").rows()


def test_companies_that_are_gone() -> None:
    """First and last day are told."""
    frame = read("listings", golden("delisted"), page="delisted-companies/0")
    assert frame.select("symbol", "status", "first_date", "last_date").rows() == [
        ("GONE", "delisted", date(1999, 4, 1), date(2021, 7, 30))
    ]


@pytest.mark.parametrize("kind", sorted(READERS))
def test_nothing_is_an_empty_frame(kind: str) -> None:
    """An unknown symbol and a range without rows get the same empty list."""
    assert read(kind, b"[ ]").is_empty()


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("bars", minute("2024-03-08 09:30:00"), "the timeframe asked for was '1d'"),
        ("bars", minute("2024-03-0X"), "a value of date was '2024-03-0X', no date"),
        ("bars", minute("2024-03-08").replace(b'"close":1', b'"close":"1"'), "$[0].close"),
        ("bars", minute("2024-03-08").replace(b'"open"', b'"adjOpen"'), "`open`"),
        ("bars", b'{"symbol":"ACME","historical":[]}', "Expected `array`"),
        ("quotes", b'[{"symbol":"ACME","price":1,"timestamp":null}]', "$[0].timestamp"),
        ("fx_rates", golden("daily"), "no pair"),
        ("fx_rates", golden("quotes"), "no pair"),
        ("actions", b'[{"date":"2024-03-08"}]', "the action of '2024-03-08' was of no known type"),
        ("actions", b'[{"date":"2024-03-08","numerator":0,"denominator":1}]', "not positive"),
        ("actions", b'[{"date":"2024-03-08","numerator":1,"denominator":0}]', "not positive"),
        ("actions", b'[{"date":"2024-03-08","dividend":1,"recordDate":"soon"}]', "a value of recordDate was 'soon'"),
        ("listings", b'[{"name":"?"}]', "`symbol`"),
        ("listings", b'[{"symbol":"ACME","date":"2024-03-08"}]', "no row had a name"),
    ],
)
def test_drift_is_named(kind: str, body: bytes, named: str) -> None:
    """What is of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        read(kind, body)
    assert named in caught.value.reason


def test_minutes_of_an_unknown_exchange_are_named() -> None:
    """Without its zone a stamp means nothing."""
    with pytest.raises(UndecodablePayload, match=r"the exchange of 'ACME\.XX' is not known"):
        read("bars", minute("2024-03-08 09:30:00"), symbol="ACME.XX", timeframe="1m")


@pytest.mark.parametrize("kind", sorted(READERS))
def test_an_error_is_refused(kind: str) -> None:
    """Whatever was asked, the provider's own words come back."""
    with pytest.raises(ProviderRefused, match="Invalid API KEY") as caught:
        read(kind, b'{"Error Message":"Invalid API KEY. Feel free to create a Free API Key"}')
    assert FailureClass.AUTH is caught.value.failure.failure_class
