"""Twelve Data's series, quotes, actions and lists, read by value: the recorded ones, and small ones of our own."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.providers.twelve_data import decode, reference

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "twelve_data"
FIELDS = ("open", "high", "low", "close", "volume")
READERS = {
    "bars": decode.bars,
    "quotes": decode.quotes,
    "fx_rates": decode.fx_rates,
    "index_levels": decode.index_levels,
    "actions": reference.actions,
    "listings": reference.listings,
}


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def read(kind: str, body: bytes, **ask: Any) -> pl.DataFrame:
    """The frame of `body`, which must have exactly the columns of its kind."""
    return check(READERS[kind](body, Ask(**{"kind": kind, "symbol": "ACME", **ask})), DECODED[kind], kind=kind)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def values(*rows: dict[str, Any], **meta: str) -> bytes:
    price = dict.fromkeys(("open", "high", "low", "close"), "1")
    return json.dumps({"meta": meta, "values": [price | row for row in rows], "status": "ok"}).encode()


def test_recorded_series_equal_the_same_query_as_csv(recordings: Path) -> None:
    """Thirty daily bars: what the provider itself wrote as CSV is what its JSON is read as."""
    folder = recordings / "twelve_data"
    frame = read("bars", (folder / "recorded_time_series.json").read_bytes(), symbol="?")
    with (folder / "recorded_time_series.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    expected = [
        (at(*map(int, line["datetime"].split("-"))), *(float(line[name]) for name in FIELDS))
        for line in reversed(lines)
    ]
    assert expected == frame.select("ts_event", *FIELDS).rows()
    assert [("IBM", "1d", "USD", "raw", False)] == frame.select(
        "symbol", "timeframe", "currency", "basis", "running"
    ).unique().rows()


def test_recorded_batches(recordings: Path) -> None:
    """A part that is an error, a quote or a price is no series; the others are read."""
    rows = [
        (name, *read("bars", (recordings / "twelve_data" / f"{name}.json").read_bytes()).row(row)[:8])
        for name, row in (("batch_error", 0), ("batch_multi", 0), ("batch_time_series", 0), ("batch_time_series", 1))
    ]
    apple = ("AAPL", "1d", at(2024, 11, 22), 228.84, 230.5, 227.25, 229.87, 35462000.0)
    assert rows == [
        ("batch_error", *apple),
        ("batch_multi", "AAPL", "1m", at(2024, 11, 22, 20, 59), 229.8, 229.9, 229.75, 229.87, 1245000.0),
        ("batch_time_series", *apple),
        ("batch_time_series", "MSFT", "1d", at(2024, 11, 22), 412.18, 415.63, 411.36, 414.17, 18934500.0),
    ]


def test_recorded_cross_rates(recordings: Path) -> None:
    """A series that names neither symbol nor zone is that of the ask, in UTC, with every decimal."""
    body = (recordings / "twelve_data" / "time_series_cross.json").read_bytes()
    frame = read("bars", body, symbol="JPY/BTC")
    assert (30, "JPY/BTC", "BTC") == (frame.height, frame["symbol"][0], frame["currency"][0])
    assert frame.select("ts_event", "open", "close", "volume").row(-1) == (
        at(2025, 8, 7, 8, 16),
        0.000000059152179,
        0.000000059134013,
        None,
    )


def test_recorded_quotes(recordings: Path) -> None:
    """A quote of 2021 tells only its date; a batch holds one quote among other things."""
    one = read("quotes", (recordings / "twelve_data" / "recorded_quote.json").read_bytes())
    names = ("symbol", "ts_event", "price", "open", "high", "low", "previous_close", "volume", "currency")
    assert one.select(names).rows() == [
        ("IBM", at(2021, 7, 1), 146.84, 146.96001, 147.5, 146.55, 146.59, 2665427.0, "USD")
    ]
    batch = read("quotes", (recordings / "twelve_data" / "batch_multi.json").read_bytes())
    assert batch.select(names).rows() == [
        ("MSFT", at(2024, 11, 22, 20), 414.17, 412.18, 415.63, 411.36, 412.87, 18934500.0, "USD")
    ]


@pytest.mark.parametrize("name", ["exchange_rate", "currency_conversion"])
def test_recorded_rates(recordings: Path, name: str) -> None:
    """One unit of the first currency in the second."""
    body = (recordings / "twelve_data" / f"{name}.json").read_bytes()
    assert read("fx_rates", body).rows() == [("EUR", "USD", at(2025, 8, 7, 8, 36), 1.16844, None, None)]


def test_recorded_calendars(recordings: Path) -> None:
    """A hundred splits and a hundred dividends of many symbols, oldest first."""
    splits = read("actions", (recordings / "twelve_data" / "splits_calendar.json").read_bytes(), symbol="")
    dividends = read("actions", (recordings / "twelve_data" / "dividends_calendar.json").read_bytes(), symbol="")
    chosen = splits.filter(pl.col("symbol").is_in(["FFHMY", "SMXWW"])).select("symbol", "ex_date", "type", "value")
    assert (100, 100) == (splits.height, dividends.height)
    assert chosen.rows() == [
        ("FFHMY", date(2025, 8, 7), "split", 1.025),
        ("SMXWW", date(2025, 8, 7), "split", 1 / 7),
    ]
    assert dividends.select("symbol", "ex_date", "type", "value", "currency", "basis").row(-1) == (
        "GECCH",
        date(2029, 12, 14),
        "dividend",
        0.51345,
        None,
        "raw",
    )


def test_recorded_lists(recordings: Path) -> None:
    """Listings elsewhere of one share, and a list of funds whose class is that of the list."""
    folder = recordings / "twelve_data"
    cross = read("listings", (folder / "cross_listings.json").read_bytes())
    assert cross.select("symbol", "name", "exchange", "mic", "status").rows()[1:3] == [
        ("NVDA", "NVIDIA Corporation", "VSE", "XWBO", "active"),
        ("NVDACL", "NVIDIA CORP", "BVS", "XSGO", "active"),
    ]
    funds = read("listings", (folder / "etfs_list.json").read_bytes(), page="etfs")
    assert funds.select("symbol", "name", "mic", "asset_class").rows() == [
        ("IVV", "iShares Core S&P 500 ETF", "XNAS", "etf")
    ]


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        ("batch_error.json", {"bars": 1, "index_levels": 1}),
        ("batch_multi.json", {"bars": 1, "index_levels": 1, "quotes": 1}),
        ("batch_time_series.json", {"bars": 2, "index_levels": 2}),
        ("cross_listings.json", {"listings": 14}),
        ("currency_conversion.json", {"fx_rates": 1}),
        ("dividends_calendar.json", {"actions": 100}),
        ("etfs_list.json", {"listings": 1}),
        ("exchange_rate.json", {"fx_rates": 1}),
        ("recorded_quote.json", {"quotes": 1}),
        ("recorded_time_series.json", {"bars": 30, "index_levels": 30}),
        ("splits_calendar.json", {"actions": 100}),
        ("time_series_cross.json", {"bars": 30, "index_levels": 30}),
        ("countries.json", {}),
        ("etfs_world_summary.json", {}),
        ("exchange_schedule.json", {}),
        ("income_statement.json", {}),
        ("instrument_type.json", {}),
        ("last_changes.json", {}),
        ("market_capitalization.json", {}),
        ("profile.json", {}),
        ("recorded_api_usage.json", {}),
        ("recorded_price.json", {}),  # of no known time
        ("recorded_time_series.csv", {}),
        ("statistics.json", {}),
        ("websocket_heartbeat.json", {}),
        ("websocket_price_event.json", {}),
        ("websocket_subscribe_status.json", {}),
    ],
)
def test_every_recording_is_read_as_what_it_is(recordings: Path, name: str, read_as: dict[str, int]) -> None:
    """Each kind that a body holds has its rows; of every other kind it is a stated defect."""
    body = (recordings / "twelve_data" / name).read_bytes()
    found = {}
    for kind in READERS:
        try:
            found[kind] = read(kind, body, symbol="").height
        except UndecodablePayload:
            continue
    assert read_as == found


def test_daily_bars() -> None:
    """Newest first becomes ascending, a row of nulls is no bar, and the decimals are kept."""
    assert read("bars", golden("daily")).rows() == [
        ("ACME", "1d", at(2024, 3, 8), 187.15, 188.0, 186.5, 187.50001, 1000.0, None, "USD", "raw", False),
        ("ACME", "1d", at(2024, 3, 11), 93.75, 94.5, 93.125, 94.0, 0.0, None, "USD", "raw", False),
    ]


def test_minutes_are_of_the_exchanges_clock() -> None:
    """New York's clocks went forward between the two: 15:59 was 20:59 UTC, and 09:30 is 13:30 UTC."""
    assert read("bars", golden("minutes")).select("timeframe", "ts_event", "close", "volume").rows() == [
        ("1m", at(2024, 3, 8, 20, 59), 187.5, 70.0),
        ("1m", at(2024, 3, 11, 13, 30), 94.15, None),
    ]


def test_pairs() -> None:
    """A pair's bars are in its second currency; its rates are the closes there are."""
    assert ["USD"] * 3 == read("bars", golden("pair"))["currency"].to_list()
    assert read("fx_rates", golden("pair")).rows() == [
        ("EUR", "USD", at(2024, 3, 8), 1.094, None, None),
        ("EUR", "USD", at(2024, 3, 11), 1.0927, None, None),
    ]
    assert read("fx_rates", golden("exchange_rate")).rows() == [("EUR", "USD", at(2024, 3, 11, 10), 1.0927, None, None)]


def test_an_index_is_its_closes() -> None:
    """Levels are closes."""
    assert read("index_levels", golden("daily")).rows() == [
        ("ACME", at(2024, 3, 8), 187.50001, "USD"),
        ("ACME", at(2024, 3, 11), 94.0, "USD"),
    ]


def test_a_batch() -> None:
    """The parts that are series, one of them without bars."""
    frame = read("bars", golden("batch"))
    assert frame.select("symbol", "timeframe", "ts_event", "close").rows() == [("ACME", "1w", at(2024, 3, 4), 2.0)]


@pytest.mark.parametrize(
    ("timeframe", "stamp", "label"),
    [("1d", "2024-03-08", at(2024, 3, 8)), ("1h", "2024-03-08 14:30:00", at(2024, 3, 8, 14, 30))],
)
def test_what_a_series_does_not_name_is_asked(timeframe: str, stamp: str, label: datetime) -> None:
    """Without a meta the symbol and the timeframe are those of the ask, and the zone is UTC."""
    frame = read("bars", values({"datetime": stamp}), timeframe=timeframe)
    assert frame.select("symbol", "timeframe", "ts_event", "currency").rows() == [("ACME", timeframe, label, None)]


def test_no_values_are_no_bars() -> None:
    """A series of nothing is an empty frame."""
    assert read("bars", values()).is_empty()
    assert read("listings", b'{"data":[]}').is_empty()
    assert read("actions", b'{"splits":[]}').is_empty()
    assert read("actions", b" [] ").is_empty()


def test_quotes() -> None:
    """A quote is of its last minute, else of its stamp, else of its date."""
    names = ("symbol", "ts_event", "price", "previous_close", "volume", "currency")
    assert read("quotes", golden("quote")).select(names).rows() == [
        ("ACME", at(2024, 3, 8, 20, 59), 187.5, 187.15, 1000.0, "USD")
    ]
    assert read("quotes", golden("quotes")).select(names).rows() == [
        ("ACME", at(2024, 3, 8), 187.5, 187.15, 1000.0, "USD"),
        ("EUR/USD", at(2024, 3, 11), 1.0927, None, None, "USD"),
    ]


def test_actions() -> None:
    """Two for one is 2, one for eight is 0.125; dividends are cash as paid."""
    names = ("symbol", "ex_date", "type", "value", "currency", "basis")
    assert read("actions", golden("splits")).select(names).rows() == [
        ("ACME", date(2019, 6, 3), "split", 0.125, "USD", "raw"),
        ("ACME", date(2024, 3, 11), "split", 2.0, "USD", "raw"),
    ]
    assert read("actions", golden("dividends")).select(names).rows() == [
        ("ACME", date(2023, 11, 10), "dividend", 0.23, "USD", "raw"),
        ("ACME", date(2024, 2, 9), "dividend", 0.24, "USD", "raw"),
    ]
    assert read("actions", golden("splits_calendar"), symbol="").select(names).rows() == [
        ("ACME", date(2024, 3, 11), "split", 2.0, None, "raw")
    ]
    assert read("actions", golden("dividends_calendar"), symbol="").select(names).rows() == [
        ("ACME", date(2024, 2, 9), "dividend", 0.24, None, "raw")
    ]


def test_listings() -> None:
    """Identifiers that are remarks are missing; a type without a class has none; a pair is named after its halves."""
    names = ("symbol", "name", "exchange", "mic", "asset_class", "currency", "status", "isin", "cusip", "figi")
    ids = ("US0000000001", "000000001", "BBG000000001")
    assert read("listings", golden("stocks"), symbol="").select(names).rows() == [
        ("ACME", "Acme Corp", "NYSE", "XNYS", "equity", "USD", "active", *ids),
        ("VOD", "Vodafone", "LSE", "XLON", "equity", "GBp", "active", None, None, None),
        ("ACMEW", "Acme warrants", "NYSE", "XNYS", None, "USD", "active", None, None, None),
    ]
    assert read("listings", golden("forex_pairs"), page="forex_pairs").select(names).rows() == [
        ("EUR/USD", "Euro / US Dollar", None, None, "fx", "USD", "active", None, None, None)
    ]


@pytest.mark.parametrize(
    ("kind", "body", "named"),
    [
        ("bars", values({"datetime": "2024-03-08"}, interval="2h"), "the interval was '2h'"),
        ("bars", values({"datetime": "2024-03-08", "open": "much"}, interval="1day"), "a value of open was 'much'"),
        ("bars", values({"datetime": "8 March"}, interval="1day"), "a value of datetime was '8 March', no date"),
        ("bars", values({"datetime": "2024-03-08"}, interval="1min"), "no date and time of UTC"),
        (
            "bars",
            values({"datetime": "2024-03-08 09:30:00"}, interval="1min", exchange_timezone="Mars"),
            "the time zone was 'Mars'",
        ),
        ("bars", b'{"meta":{},"status":"ok"}', "Expected"),
        ("bars", b'{"ACME":{"price":"1"}}', "the field values was missing"),
        ("bars", b'{"values":[{"datetime":"2024-03-08","open":1}]}', "$.values[0].open"),
        ("quotes", b'{"ACME":{"price":"1"}}', "the field close was missing"),
        ("quotes", b'{"close":"1","datetime":"2024-03-08 15:59:00"}', "a value of datetime was"),
        ("quotes", b'{"close":"1"}', "a value of datetime was 'None'"),
        ("fx_rates", b'{"rate":1.1,"timestamp":1710151200}', "no pair"),
        ("fx_rates", golden("daily"), "no pair"),
        ("fx_rates", b'{"rate":1.1}', "`timestamp`"),
        ("actions", b'{"meta":{}}', "the fields splits and dividends were missing"),
        ("actions", b'{"splits":[{"date":"2024-03-08","from_factor":0,"to_factor":1}]}', "not positive"),
        ("actions", b'[{"date":"2024-03-08","from_factor":1}]', "`to_factor`"),
        ("listings", b'{"status":"ok"}', "the field data was missing"),
        ("listings", b'{"data":[{"name":"?"}]}', "`symbol`"),
        ("listings", b'{"data":[{"symbol":"ACME","last_change":"2024-03-08"}]}', "no row had a name"),
    ],
)
def test_drift_is_named(kind: str, body: bytes, named: str) -> None:
    """What is of another shape than we know is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        read(kind, body)
    assert named in caught.value.reason


@pytest.mark.parametrize("kind", sorted(READERS))
def test_an_error_is_refused(kind: str) -> None:
    """Whatever was asked, the provider's own words come back."""
    with pytest.raises(ProviderRefused, match="is incorrect") as caught:
        read(kind, b'{"code":401,"message":"**apikey** parameter is incorrect","status":"error"}')
    assert FailureClass.AUTH is caught.value.failure.failure_class


@pytest.mark.parametrize("kind", ["bars", "quotes"])
def test_a_batch_of_errors_is_refused(kind: str) -> None:
    """If every part failed, the whole did."""
    with pytest.raises(ProviderRefused, match="not found: B") as caught:
        read(kind, b'{"B":{"code":404,"message":"not found: B"},"C":{"code":404,"message":"not found: C"}}')
    assert FailureClass.PERMANENT is caught.value.failure.failure_class
