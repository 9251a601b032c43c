"""Prices in anybody's tables: which columns are recognised, what they tell of the basis, and which rows are meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from truetape.domain import price_tables
from truetape.domain.asks import Ask
from truetape.domain.decoding import Payload
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.domain.price_tables import STOOQ, Habits
from truetape.domain.schema import DECODED, check
from truetape.domain.tables import rows

RAW = Habits(basis="raw")
YAHOO = "Date,Open,High,Low,Close,Adj Close,Volume"
YFINANCE = "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits"
GENERIC = "date,open,high,low,close,volume"
BULK = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>"
ALPACA = "symbol,timestamp,open,high,low,close,volume,trade_count,vwap"


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def payload() -> Payload:
    return Payload(provider="files", kind="bars", body=b"")


def table(header: str, *lines: str) -> pl.DataFrame:
    return rows(Payload(provider="files", kind="bars", body="\n".join([header, *lines]).encode()))


def bars(header: str, *lines: str, timeframe: str = "1d", symbol: str = "ACME") -> list[tuple[Any, ...]]:
    """The bars of a table, read as whoever made it writes, without their symbol and timeframe."""
    read = table(header, *lines)
    ask = Ask(kind="bars", symbol=symbol, timeframe=timeframe)
    frame = price_tables.bars(payload(), read, ask, habits=price_tables.habits(read.columns))
    assert check(frame, DECODED["bars"], kind="bars")["timeframe"].unique().to_list() in ([timeframe], [])
    return frame.drop("symbol", "timeframe").rows()


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        (YAHOO, "2024-03-08,1,3,0.5,2,1.9,100", (day("2024-03-08"), 1, 3, 0.5, 2, 100, 1.9, None, "split", False)),
        (YFINANCE, "2024-03-08 00:00:00-05:00,1,3,0.5,2,100,0.0,0.0",
         (day("2024-03-08"), 1, 3, 0.5, 2, 100, None, None, "all", False)),
        (GENERIC, "2024-03-08,1,3,0.5,2,", (day("2024-03-08"), 1, 3, 0.5, 2, None, None, None, "raw", False)),
        (BULK, "ACME,D,20240308,000000,1,3,0.5,2,100.5,0",
         (day("2024-03-08"), 1, 3, 0.5, 2, 100.5, None, None, "all", False)),
        ("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", "2024-03-08,1,3,0.5,2",
         (day("2024-03-08"), 1, 3, 0.5, 2, None, None, None, "all", False)),
        (ALPACA, "ACME,2024-03-08T05:00:00Z,1,3,0.5,2,100,7,1.5",
         (day("2024-03-08"), 1, 3, 0.5, 2, 100, None, None, "raw", False)),
        ("t,o,h,l,c,v", "20240308,1,3,0.5,2,100", (day("2024-03-08"), 1, 3, 0.5, 2, 100, None, None, "raw", False)),
        ("symbol,timeframe,ts_event,open,high,low,close,volume,adj_close,currency,basis,running",
         "ACME,1d,2024-03-08T00:00:00Z,1,3,0.5,2,100,1.9,USD,split,false",
         (day("2024-03-08"), 1, 3, 0.5, 2, 100, 1.9, "USD", "split", False)),
    ],
)  # fmt: skip
def test_columns_of_many_makers(header: str, line: str, expected: tuple[Any, ...]) -> None:
    """Yahoo, Stooq, Alpaca, our own files and plain ones: each with the basis that its maker uses."""
    assert bars(header, line) == [expected]


@pytest.mark.parametrize(
    ("header", "line", "timeframe", "start"),
    [
        (BULK, "ACME,5,20240308,153000,1,1,1,1,1,0", "5m", day("2024-03-08T14:30")),
        (BULK, "ACME,60,20240708,160000,1,1,1,1,1,0", "1h", day("2024-07-08T14:00")),
        (ALPACA, "ACME,2024-03-08 14:30:00+00:00,1,1,1,1,1,1,1", "1m", day("2024-03-08T14:30")),
        (GENERIC, "2024-03-08 14:30:00,1,1,1,1,1", "1m", day("2024-03-08T14:30")),
        ("time,open,high,low,close", "1709908200,1,1,1,1", "15m", day("2024-03-08T14:30")),
        ("Date,Time,Open,High,Low,Close", "2024-03-08,15:30:00,1,1,1,1", "1m", day("2024-03-08T15:30")),
    ],
)
def test_bars_within_the_day(header: str, line: str, timeframe: str, start: datetime) -> None:
    """Stooq writes Warsaw time; what names no zone is UTC."""
    assert [row[0] for row in bars(header, line, timeframe=timeframe)] == [start]


@pytest.mark.parametrize(("timeframe", "start"), [("1w", "2024-03-04"), ("1mo", "2024-03-01")])
def test_longer_bars_are_labelled_with_their_first_day(timeframe: str, start: str) -> None:
    """A week begins on Monday."""
    assert bars(GENERIC, "2024-03-08,1,1,1,1,1", timeframe=timeframe)[0][0] == day(start)


def test_rows_of_the_symbol_and_the_timeframe_are_taken() -> None:
    """A file of several symbols holds each in any order; the last of equal bars counts, a row of nothing is none."""
    header = "ticker,per,date,open,high,low,close"
    lines = ("B,D,2024-03-08,9,9,9,9", "a,D,2024-03-08,2,2,2,2", "A,D,2024-03-07,1,1,1,1", "A,W,2024-03-04,5,5,5,5",
             "A,D,2024-03-06,,,,", "A,D,2024-03-08,3,3,3,3")  # fmt: skip
    assert [row[:2] for row in bars(header, *lines, symbol="A")] == [(day("2024-03-07"), 1), (day("2024-03-08"), 3)]


def test_without_a_symbol_all_rows_are_meant() -> None:
    """An ask that names no symbol takes the table as it is; an unknown timeframe is a day."""
    read = table("symbol,date,open,high,low,close", "A,2024-03-08,1,1,1,1")
    frame = price_tables.bars(payload(), read, Ask(kind="bars", symbol="", timeframe="?"), habits=RAW)
    assert frame.select("symbol", "timeframe").rows() == [(None, "1d")]


@pytest.mark.parametrize("header", [GENERIC, BULK])
def test_no_rows_are_an_empty_frame(header: str) -> None:
    """A header alone is a table without bars."""
    assert bars(header) == []


def test_an_absent_symbol_is_refused() -> None:
    """Rows of others only: the symbol is not there, whatever is asked."""
    for read in (price_tables.bars, price_tables.actions):
        with pytest.raises(ProviderRefused, match="no row of 'ACME'") as caught:
            read(payload(), table(ALPACA, "B,2024-03-08T05:00:00Z,1,1,1,1,1,1,1"), Ask(kind="bars", symbol="ACME"),
                 habits=RAW)  # fmt: skip
        assert caught.value.failure.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize(
    ("header", "lines", "timeframe", "named"),
    [
        ("open,high,low,close", ["1,1,1,1"], "1d", "the column of dates was missing among 'open, high"),
        ("date,open,low,close", ["2024-03-08,1,1,1"], "1d", "the column high was missing"),
        (GENERIC, ["8.3.2024,1,1,1,1,1"], "1d", "date was '8.3.2024'"),
        (GENERIC, ["2024-03-08,1,1,1,1,12M"], "1d", "volume was '12M'"),
        (GENERIC, ["2024-03-08,1,1,1,1,1"], "1m", "bars were of days, not 1m"),
        (GENERIC, ["2024-03-08 14:30:00,1,1,1,1,1", "2024-03-08 14:31:00,1,1,1,1,1"], "1d", "several bars of one date"),
        (BULK, ["ACME,D,20240308,140000,1,1,1,1,1,0", "ACME,D,20240308,150000,1,1,1,1,1,0"], "1d", "several bars"),
        (GENERIC, ["2024-03-08 14:30:00,1,1,1,1,1", "2024-03-08 14:32:00,1,1,1,1,1"], "5m", "120 seconds apart"),
        (BULK, ["ACME,D,20240308,000000,1,1,1,1,1,0"], "5m", "of the timeframe 'd', not 5m"),
        (GENERIC + ",basis", ["2024-03-08,1,1,1,1,1,real"], "1d", "a basis was none of raw, split, all"),
    ],
)
def test_what_is_not_as_asked_is_named(header: str, lines: list[str], timeframe: str, named: str) -> None:
    """A table of another shape or timeframe is refused, and the reason says where."""
    with pytest.raises(UndecodablePayload) as caught:
        bars(header, *lines, timeframe=timeframe)
    assert named in caught.value.reason


@pytest.mark.parametrize(
    ("header", "lines", "expected"),
    [
        (YFINANCE, ["2024-03-07,1,1,1,1,1,0.25,0.0", "2024-03-08,1,1,1,1,1,0.0,2.0"],
         [(date(2024, 3, 7), "dividend", 0.25, "split"), (date(2024, 3, 8), "split", 2.0, "split")]),
        ("date,open,high,low,close,dividend,split", ["2024-03-07,1,1,1,1,0.0,1.0", "2024-03-08,1,1,1,1,0.5,7.0"],
         [(date(2024, 3, 8), "dividend", 0.5, "raw"), (date(2024, 3, 8), "split", 7.0, "raw")]),
        ("date,close,divCash,splitFactor", ["2024-03-07,1,,"], []),
        (GENERIC, ["2024-03-07,1,1,1,1,1"], []),
        ("dividend", ["1"], []),
    ],
)  # fmt: skip
def test_actions_beside_prices(header: str, lines: list[str], expected: list[tuple[Any, ...]]) -> None:
    """0 and 1 are no splits, 0 is no dividend; cash is in the basis that its maker uses."""
    read, ask = table(header, *lines), Ask(kind="actions", symbol="ACME")
    frame = price_tables.actions(payload(), read, ask, habits=price_tables.habits(read.columns))
    assert (
        check(frame, DECODED["actions"], kind="actions").select("ex_date", "type", "value", "basis").rows() == expected
    )


def test_actions_keep_the_currency() -> None:
    """Where the table names one."""
    read = table("date,dividend,currency", "2024-03-08,1,EUR")
    assert price_tables.actions(payload(), read, Ask(kind="actions", symbol="A"), habits=RAW)["currency"].to_list() == [
        "EUR"
    ]


def test_a_negative_action_is_a_defect() -> None:
    """Neither splits nor dividends are below 0."""
    with pytest.raises(UndecodablePayload, match="split was negative"):
        price_tables.actions(
            payload(), table("date,split", "2024-03-08,-2"), Ask(kind="actions", symbol=""), habits=RAW
        )


def test_the_first_of_several_names_counts() -> None:
    """A column named close is the close, whatever else the table has."""
    found = price_tables.recognized(["price", "Close", "Date", "time", "Vol."])
    assert found == {"when": "Date", "clock": "time", "close": "Close", "volume": "Vol."}
    assert price_tables.habits(["Data", "Open"]) == STOOQ
