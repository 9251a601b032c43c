"""Stooq's tables, read by value: the recorded ones in English and Polish, and small ones of our own."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from truetape.domain.asks import Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.stooq import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "stooq"
ASK = Ask(kind="bars", symbol="acme.us")
HEADER = b"Date,Open,High,Low,Close,Volume\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("file", "symbol", "rows", "first", "last"),
    [
        ("aapl_us_d", "aapl.us", 9710, ("1984-09-07", 0.100763, 0.101999, 0.0995464, 0.100763, 97676041.83885, "USD"),
         ("2023-03-17", 156.08, 156.74, 154.28, 155.0, 98944633.0, "USD")),
        ("tsla_us_d", "tsla.us", 3202, ("2010-06-28", 1.13333, 1.13333, 1.13333, 1.13333, None, "USD"),
         ("2023-03-17", 184.515, 186.2199, 177.33, 180.13, 133197140.0, "USD")),
        ("gme_us_d_2026", "gme.us", 5268, ("2005-02-25", 1.56202, 1.62432, 1.56202, 1.61932, 2373972.0, "USD"),
         ("2026-02-04", 24.48, 25.1599, 24.05, 24.98, 9735297.0, "USD")),
        ("IDX_spx_d", "^spx", 38777, ("1800-01-01", 0.79, 0.8, 0.79, 0.8, None, None),
         ("2023-03-17", 3958.69, 3958.91, 3901.27, 3916.64, 5740077852.0, None)),
    ],
)  # fmt: skip
def test_recorded_tables(
    recordings: Path, file: str, symbol: str, rows: int, first: tuple[object, ...], last: tuple[object, ...]
) -> None:
    """Prices and fractional volumes as sent, in basis all; an index's rows of the 18th century are left out."""
    body = (recordings / "stooq" / f"{file}.csv.gz").read_bytes()
    frame = check(decode.bars(body, Ask(kind="bars", symbol=symbol)), DECODED["bars"], kind="bars")
    values = frame.select("ts_event", "open", "high", "low", "close", "volume", "currency")
    assert frame.height == rows
    assert values.row(0) == (at(str(first[0])), *first[1:])
    assert values.row(-1) == (at(str(last[0])), *last[1:])
    assert frame["basis"].unique().to_list() == ["all"]


def test_the_recorded_index_has_levels(recordings: Path) -> None:
    """The close is the level; the table is gzipped in the recording and plain on the wire."""
    body = gzip.decompress((recordings / "stooq" / "IDX_spx_d.csv.gz").read_bytes())
    frame = decode.index_levels(body, Ask(kind="index_levels", symbol="^spx"))
    assert frame.row(-1) == ("^spx", at("2023-03-17"), 3916.64, None)


def test_bars() -> None:
    """A table of the site: the symbol is that of the question."""
    frame = decode.bars((GOLDEN / "daily.csv").read_bytes(), ASK)
    assert frame.rows() == [
        ("acme.us", "1d", at("2024-03-07"), 187.15, 188.0, 186.5, 187.5, 1000.25, None, "USD", "all", False),
        ("acme.us", "1d", at("2024-03-08"), 188.5, 190.1, 187.25, 188.25, 900.0, None, "USD", "all", False),
    ]


def test_bulk_bars_of_five_minutes() -> None:
    """15:30 in Warsaw is the opening in New York, 14:30 UTC."""
    ask = Ask(kind="bars", symbol="acme.us", timeframe="5m")
    frame = decode.bars((GOLDEN / "bulk_5min.txt").read_bytes(), ask)
    assert frame.select("timeframe", "ts_event", "open", "high", "low", "close", "volume", "basis").rows() == [
        ("5m", at("2024-03-08T14:30"), 1.5, 1.75, 1.25, 1.6, 120.5, "all"),
        ("5m", at("2024-03-08T14:35"), 1.6, 1.7, 1.6, 1.65, 80.0, "all"),
    ]


def test_levels_without_volumes() -> None:
    """Polish names, rows of five cells, and a day before 1800."""
    frame = decode.index_levels((GOLDEN / "index_pl.csv").read_bytes(), Ask(kind="index_levels", symbol="^spx"))
    assert check(frame, DECODED["index_levels"], kind="index_levels").rows() == [
        ("^spx", at("1928-01-03"), 17.76, None),
        ("^spx", at("2024-03-08"), 5123.69, None),
    ]


def test_rates() -> None:
    """The name holds both currencies; a day without a close has no rate."""
    body = b"Date,Open,High,Low,Close\n2024-03-07,1.09,1.1,1.08,\n2024-03-08,1.0947,1.098,1.092,1.0939\n"
    frame = decode.fx_rates(body, Ask(kind="fx_rates", symbol="eurusd"))
    assert check(frame, DECODED["fx_rates"], kind="fx_rates").rows() == [
        ("EUR", "USD", at("2024-03-08"), 1.0939, None, None)
    ]


def test_quotes() -> None:
    """Warsaw time; a symbol that is not known has no row, a currency that has no volume none either."""
    frame = decode.quotes((GOLDEN / "quotes.csv").read_bytes(), Ask(kind="quotes", symbol="acme.us"))
    values = frame.select("symbol", "ts_event", "price", "open", "high", "low", "volume", "currency", "bid")
    assert check(frame, DECODED["quotes"], kind="quotes").height == 2
    assert values.rows() == [
        ("acme.us", at("2024-03-08T21:00:09"), 1.6, 1.5, 1.75, 1.25, 1000.0, "USD", None),
        ("eurusd", at("2024-03-08T21:58:00"), 1.0939, 1.0947, 1.098, 1.092, None, None, None),
    ]


def test_listings() -> None:
    """The folder of a bulk file tells the market."""
    names = [("acme.us", "nasdaq stocks"), ("spy.us", "nyse etfs"), ("eurusd", "currencies"), ("x", "")]
    body = json.dumps({"listings": [{"symbol": name, "market": market} for name, market in names]}).encode()
    frame = decode.listings(body, Ask(kind="listings", symbol=""))
    assert check(frame, DECODED["listings"], kind="listings").select(
        "symbol", "exchange", "asset_class", "currency"
    ).rows() == [
        ("acme.us", "nasdaq stocks", "equity", "USD"),
        ("spy.us", "nyse etfs", "etf", "USD"),
        ("eurusd", "currencies", "fx", None),
        ("x", None, None, None),
    ]


@pytest.mark.parametrize("body", [HEADER, HEADER + b"1799-01-01,1,1,1,1,1\n"])
def test_no_rows_are_an_empty_frame(body: bytes) -> None:
    """A table without rows that count is one without bars."""
    assert decode.bars(body, ASK).is_empty()


@pytest.mark.parametrize("symbol", ["acme.us", "eurxyz", ""])
def test_a_rate_needs_two_currencies(symbol: str) -> None:
    """Another name is said to be none."""
    with pytest.raises(UndecodablePayload, match="names no two currencies"):
        decode.fx_rates(HEADER + b"2024-03-08,1,1,1,1,1\n", Ask(kind="fx_rates", symbol=symbol))


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.bars, HEADER + b"2024-03-08,1,1,1,1,12", "last line was cut"),
        (decode.bars, HEADER + b"8.3.2024,1,1,1,1,1\n", "no date"),
        (decode.bars, HEADER + b",1,1,1,1,1\n", "no date"),
        (decode.bars, HEADER + b"2024-03-08,1,1,1,x,1\n", "Close was 'x'"),
        (decode.bars, b"Date,Open,High,Low\n2024-03-08,1,1,1\n", "the column close was missing"),
        (decode.bars, b"<TICKER>,<OPEN>,<HIGH>,<LOW>,<CLOSE>\nA,1,1,1,1\n", "the column of dates was missing"),
        (decode.bars, b"\x1f\x8b", "gzip data"),
        (decode.bars, b"something that nobody knows, and more", "none of its tables"),
        (decode.bars, b"Symbol,Date,Time,Close\n", "the column open was missing"),
        (decode.quotes, b"Symbol,Date,Close\n", "the column of clock was missing"),
        (decode.quotes, b"Symbol,Date,Time,Close\na,2024-03-08,noon,1\n", "no date and time"),
        (decode.listings, b'{"listings":[{"symbol":"a"}]}', "market"),
    ],
)
def test_drift_is_named(reader: Decode, body: bytes, named: str) -> None:
    """Bodies of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, ASK)
    assert named in caught.value.reason


@pytest.mark.parametrize(
    ("body", "failure_class"),
    [
        (b"No data", FailureClass.EMPTY),
        (b"Exceeded the daily hits limit", FailureClass.QUOTA),
        (b"<html>This site requires JavaScript to verify your browser</html>", FailureClass.BLOCKED),
    ],
)
@pytest.mark.parametrize("kind", ["bars", "quotes", "index_levels", "fx_rates", "listings"])
def test_an_error_is_refused(kind: str, body: bytes, failure_class: FailureClass) -> None:
    """Whatever was asked, Stooq's own words come back."""
    with pytest.raises(ProviderRefused) as caught:
        getattr(decode, kind)(body, ASK)
    assert caught.value.failure.failure_class is failure_class


def test_a_bulk_file_of_another_name_is_refused() -> None:
    """A file says of whom it is."""
    body = (GOLDEN / "bulk_5min.txt").read_bytes()
    with pytest.raises(ProviderRefused, match=r"no row of 'other\.us'"):
        decode.bars(body, Ask(kind="bars", symbol="other.us", timeframe="5m"))


def test_an_unknown_symbol_of_a_quote_is_refused() -> None:
    """N/D in every cell means that the symbol is not known."""
    body = b"Symbol,Date,Time,Open,High,Low,Close,Volume\nNOPE.US,N/D,N/D,N/D,N/D,N/D,N/D,N/D\n"
    with pytest.raises(ProviderRefused, match="not known") as caught:
        decode.quotes(body, ASK)
    assert caught.value.failure.failure_class is FailureClass.PERMANENT
