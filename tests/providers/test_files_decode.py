"""Files of prices, read by value: recorded ones of several makers, and small ones of our own in CSV and Parquet."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from truetape.domain.asks import Ask
from truetape.domain.decoding import Payload
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED, check
from truetape.ports.provider import Decode
from truetape.providers.files import decode
from truetape.providers.files.table import MOST_ROWS, column_names

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "files"
ASK = Ask(kind="bars", symbol="ACME")
VALUES = ("ts_event", "open", "high", "low", "close", "volume", "adj_close", "basis")
ACTIONS = b"ex_date,type,value\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def parquet(frame: pl.DataFrame) -> bytes:
    packed = io.BytesIO()
    frame.write_parquet(packed)
    return packed.getvalue()


def prices(**columns: Any) -> pl.DataFrame:
    """Two daily bars with columns replaced or added."""
    days = [date(2024, 3, 7), date(2024, 3, 8)]
    return pl.DataFrame({"date": days, **{name: [1.5, 2.5] for name in ("open", "high", "low", "close")}, **columns})


@pytest.mark.parametrize(
    ("file", "timeframe", "rows", "first", "last"),
    [
        ("history_csv/yhoo-1996-2015.txt.gz", "1d", 4965,
         ("1996-04-12", 1.052083, 1.791667, 1.020833, 1.375, 408720000.0, 1.375, "split"),
         ("2015-12-31", 33.220001, 33.689999, 33.18, 33.259998, 7423300.0, 33.259998, "split")),
        ("history_csv/2006-day-001.txt", "1d", 255,
         ("2006-01-02", 3578.73, 3605.95, 3578.73, 3604.33, 0.0, None, "raw"), None),
        ("history_csv/zipline/csvdir_samples/AAPL.csv.gz", "1d", 754,
         ("2012-01-03", 58.485714, 58.92857, 58.42857, 58.747143, 75555200.0, None, "raw"),
         ("2014-12-31", 112.82, 113.129997, 110.209999, 110.379997, 41403400.0, None, "raw")),
        ("history_csv/zipline/yahoo_samples/MSFT.csv.gz", "1d", 252,
         ("2014-01-02", 21001.0, 23001.0, 20001.0, 22001.0, 20001.0, 0.0, "split"),
         ("2014-12-31", 21252.0, 23252.0, 20252.0, 22252.0, 20252.0, 0.0, "split")),
        ("market_prices/MSFT_D1.csv.gz", "1d", 9140,
         ("1986-03-13", 0.08854199945926666, 0.1015629991889, 0.08854199945926666, 0.09722200036048889,
          1031788800.0, None, "raw"), None),
        ("market_prices/MSFT_T1.csv.gz", "1m", 7440,
         ("2022-05-18T16:00", 256.8800048828125, 257.0799865722656, 256.8599853515625, 257.0350036621094, 36494.0,
          None, "raw"),
         ("2022-06-15T16:29", 250.32000732421875, 250.3249969482422, 250.19000244140625, 250.22000122070312, 31930.0,
          None, "raw")),
        ("market_prices/MSFTEXTRA_T5.csv.gz", "5m", 3198,
         ("2022-04-18T16:00", 279.9599914550781, 280.07000732421875, 279.70001220703125, 279.8616943359375, 152985.0,
          None, "raw"), None),
        ("stooq/aapl_us_d.csv.gz", "1d", 9710,
         ("1984-09-07", 0.100763, 0.101999, 0.0995464, 0.100763, 97676041.83885, None, "all"), None),
    ],
)  # fmt: skip
def test_recorded_files(
    recordings: Path, file: str, timeframe: str, rows: int, first: tuple[Any, ...], last: tuple[Any, ...] | None
) -> None:
    """Files of Yahoo, Stooq and three other makers: every row, with prices as they stand there."""
    ask = Ask(kind="bars", symbol="X", timeframe=timeframe)
    frame = check(decode.bars((recordings / file).read_bytes(), ask), DECODED["bars"], kind="bars")
    assert frame.height == rows
    assert frame.select(VALUES).row(0) == (at(first[0]), *first[1:])
    assert last is None or frame.select(VALUES).row(-1) == (at(last[0]), *last[1:])


@pytest.mark.parametrize(
    ("file", "timeframe", "named"),
    [
        ("market_prices/MSFT_T5_with_added_indice.csv.gz", "5m", "120 seconds apart"),
        ("market_prices/MSFT_T2.csv.gz", "5m", "120 seconds apart"),
        ("market_prices/MSFT_T1.csv.gz", "1d", "several bars of one date"),
        ("market_prices/MSFT_D1.csv.gz", "1m", "of days, not 1m"),
        ("market_prices/TSLA_HistoricalData_investing.csv.gz", "1d", "Date was '11/14/2023'"),
        ("history_csv/bidask.csv", "1m", "the column open was missing"),
        ("history_csv/ticksample.csv", "1m", "no date and time"),
        ("history_csv/zipline/yahoo_samples/AAPL.adjustments.gz", "1d", "no CSV"),
    ],
)
def test_recorded_files_that_are_not_as_asked(recordings: Path, file: str, timeframe: str, named: str) -> None:
    """A bar too many, another timeframe, an American date, ticks: each is said, and none is read wrongly."""
    with pytest.raises(UndecodablePayload) as caught:
        decode.bars((recordings / file).read_bytes(), Ask(kind="bars", symbol="X", timeframe=timeframe))
    assert named in caught.value.reason


def test_actions_of_a_recorded_file(recordings: Path) -> None:
    """Dividends stand beside the prices, and Apple's seven for one of 2014."""
    body = (recordings / "history_csv/zipline/csvdir_samples/AAPL.csv.gz").read_bytes()
    frame = decode.actions(body, Ask(kind="actions", symbol="AAPL"))
    rows = frame.select("ex_date", "type", "value").rows()
    assert rows[0] == (date(2012, 8, 9), "dividend", 0.37857)
    assert (date(2014, 6, 9), "split", 7.0) in rows
    assert len(rows) == 11


def test_a_yahoo_file() -> None:
    """The adjusted close stands beside split-adjusted prices."""
    assert decode.bars((GOLDEN / "yahoo.csv").read_bytes(), ASK).rows() == [
        ("ACME", "1d", at("2024-03-07"), 187.15, 188.0, 186.5, 187.5, 1000.0, 187.1, None, "split", False),
        ("ACME", "1d", at("2024-03-08"), 188.5, 190.1, 187.25, 188.25, 900.0, 187.9, None, "split", False),
    ]


def test_a_file_of_several_symbols() -> None:
    """The rows of the symbol that was asked for are taken; all are listed."""
    body = gzip.compress((GOLDEN / "alpaca_minutes.csv").read_bytes())
    frame = decode.bars(body, Ask(kind="bars", symbol="ACME", timeframe="1m"))
    assert frame.select("symbol", "ts_event", "close").rows() == [
        ("ACME", at("2024-03-08T14:30"), 1.6),
        ("ACME", at("2024-03-08T14:31"), 1.65),
    ]
    names = check(decode.listings(body, ASK), DECODED["listings"], kind="listings")
    assert names["symbol"].to_list() == ["ACME", "BETA"]


def test_a_parquet_file() -> None:
    """Typed columns are read as they are; what means nothing to us is not even read."""
    odd = pl.Series([[1], [2]])
    frame = decode.bars(parquet(prices(volume=[1, None], odd=odd, currency=["USD", "USD"])), ASK)
    assert frame.select(*VALUES, "currency").rows() == [
        (at("2024-03-07"), 1.5, 1.5, 1.5, 1.5, 1.0, None, "raw", "USD"),
        (at("2024-03-08"), 2.5, 2.5, 2.5, 2.5, None, None, "raw", "USD"),
    ]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_of_actions(form: str) -> None:
    """Rows of ex-date, type and value, of the symbol that was asked for."""
    body = (GOLDEN / "actions.csv").read_bytes()
    if form == "parquet":
        body = parquet(pl.read_csv(body))
    frame = check(decode.actions(body, Ask(kind="actions", symbol="ACME")), DECODED["actions"], kind="actions")
    assert frame.select("symbol", "ex_date", "type", "value", "currency", "basis").rows() == [
        ("ACME", date(2024, 3, 7), "dividend", 0.25, "USD", "raw"),
        ("ACME", date(2024, 3, 8), "split", 2.0, "USD", "raw"),
    ]


def test_a_file_of_actions_of_one_symbol() -> None:
    """Without columns of symbols and currencies all rows are meant, in no currency."""
    body = ACTIONS + b"2024-03-08,Spin_Off,0.5\n"
    assert decode.actions(body, Ask(kind="actions", symbol="")).select(
        "symbol", "type", "value", "currency"
    ).rows() == [(None, "spin_off", 0.5, None)]
    assert decode.actions(ACTIONS, ASK).is_empty()


def test_names_of_a_folder() -> None:
    """The client lists the files that there are."""
    body = json.dumps({"files": ["ACME", "BTC-USD"]}).encode()
    assert decode.listings(body, ASK)["symbol"].to_list() == ["ACME", "BTC-USD"]


def test_a_file_without_symbols_lists_none() -> None:
    """It cannot be said whose prices they are."""
    with pytest.raises(ProviderRefused, match="no column of symbols") as caught:
        decode.listings((GOLDEN / "yahoo.csv").read_bytes(), ASK)
    assert caught.value.failure.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize(
    ("reader", "body", "named"),
    [
        (decode.bars, b"", "its header was ''"),
        (decode.bars, b"PAR1" + b"x" * 50, "no whole Parquet file"),
        (decode.bars, parquet(prices())[:-9], "no whole Parquet file"),
        (decode.bars, parquet(prices(close=["a", "b"])), "close was 'a'"),
        (decode.bars, parquet(prices(close=pl.Series([[1], [2]]))), "the column close was missing"),
        (decode.bars, parquet(prices(date=[1.5, 2.5])), "date had the type Float64"),
        (decode.bars, parquet(prices(basis=["raw", None])), "a basis was none of"),
        (decode.bars, parquet(pl.DataFrame({"date": pl.repeat(0, MOST_ROWS + 1, eager=True)})), "the most is 5000000"),
        (decode.actions, ACTIONS + b"2024-03-08,gift,1\n", "a type was 'gift'"),
        (decode.actions, ACTIONS + b"2024-03-08,,1\n", "a type was 'None'"),
        (decode.actions, ACTIONS + b"soon,split,1\n", "ex_date was 'soon'"),
        (decode.actions, ACTIONS + b"2024-03-08,split,2:1\n", "value was '2:1'"),
        (decode.listings, b'{"files":1}', "files"),
    ],
)
def test_drift_is_named(reader: Decode, body: bytes, named: str) -> None:
    """Files of another shape than we know are refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        reader(body, ASK)
    assert named in caught.value.reason


def test_pages_of_parquet_that_are_damaged() -> None:
    """The end of the file is whole and what it points to is not."""
    body = bytearray(parquet(prices()))
    body[4:60] = b"\xff" * 56
    with pytest.raises(UndecodablePayload, match="no whole Parquet file"):
        decode.bars(bytes(body), ASK)


@pytest.mark.parametrize(
    ("body", "names"), [(b"a,b\n1,2\n", ["a", "b"]), (parquet(prices(x=[1, 2])), [*prices().columns, "x"])]
)
def test_columns_are_named_without_reading_the_rows(body: bytes, names: list[str]) -> None:
    """The head of a file tells its columns."""
    assert column_names(Payload(provider="files", kind="bars", body=body)) == names


def test_columns_of_a_damaged_file() -> None:
    """A file without its end has no names."""
    with pytest.raises(UndecodablePayload, match="no whole Parquet file"):
        column_names(Payload(provider="files", kind="bars", body=b"PAR1"))
