"""Files of prices: every provider's headers, moments in any spelling, and the file's own cells on the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from truetape.app.plain_files import in_own_columns, read_prices, read_sheet, write_frame
from truetape.domain.errors import BadInput

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)


def read(folder: Path, text: str, **stated: Any) -> Any:
    (folder / "prices.csv").write_text(text)
    return read_prices(read_sheet(str(folder / "prices.csv")), **stated)


@pytest.mark.parametrize(
    ("header", "row"),
    [
        pytest.param(
            "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits,Capital Gains",
            "2020-01-01,1,2,0.5,1.5,1.4,9,0.1,2,0.3",
            id="yahoo",
        ),
        pytest.param(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            "A.US,D,20200101,000000,1,2,0.5,1.5,9,0",
            id="stooq's archive",
        ),
        pytest.param("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", "2020-01-01,1,2,0.5,1.5,9", id="stooq"),
        pytest.param("t,o,h,l,c,v,n,vw", "2020-01-01T00:00:00Z,1,2,0.5,1.5,9,7,1.2", id="alpaca"),
        pytest.param(
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient",
            "2020-01-01,1,2,0.5,1.5,1.4,9,0.1,2",
            id="alpha vantage",
        ),
        pytest.param(
            "date,close,high,low,open,volume,adjClose,divCash,splitFactor",
            "2020-01-01,1.5,2,0.5,1,9,1.4,0.1,2",
            id="tiingo",
        ),
        pytest.param("Date,Close/Last,Volume,Open,High,Low", "2020-01-01,1.5,9,1,2,0.5", id="nasdaq"),
        pytest.param(
            "ts_event,OPEN,HIGH,LOW,CLOSE,VOLUME,price", "2020-01-01,1,2,0.5,1.5,9,7", id="close before price"
        ),
    ],
)
def test_headers_of_providers_are_recognized(tmp_path: Path, header: str, row: str) -> None:
    """Each field comes from its column, under whatever name."""
    known = {"open": 1, "high": 2, "low": 0.5, "close": 1.5, "volume": 9} | {
        "adj_close": 1.4,
        "dividends": 0.1,
        "splits": 2,
        "capital_gains": 0.3,
    }
    series = read(tmp_path, f"{header}\n{row}\n").series

    assert {"open", "high", "low", "close", "volume"} <= set(series.fields)
    assert {name: known[name] for name in series.fields} == {name: series.frame[name][0] for name in series.fields}
    assert (NEW_YEAR, date(2020, 1, 1)) == (series.frame["ts"][0], series.frame["date"][0])


@pytest.mark.parametrize(
    ("written", "instant", "day"),
    [
        ("2020-01-01", NEW_YEAR, 1),
        ("2020/01/01", NEW_YEAR, 1),
        ("20200101", NEW_YEAR, 1),
        ("2020-01-01 00:00:00+08:00", datetime(2019, 12, 31, 16, tzinfo=UTC), 1),
        ("2020-01-01T09:30-0500", datetime(2020, 1, 1, 14, 30, tzinfo=UTC), 1),
        ("2020-01-01 23:59:59.25 UTC", datetime(2020, 1, 1, 23, 59, 59, 250_000, tzinfo=UTC), 1),
        ("1577836800", NEW_YEAR, 1),
        ("1577836800000", NEW_YEAR, 1),
        ("1577836800000000", NEW_YEAR, 1),
        ("1577836800000000000", NEW_YEAR, 1),
    ],
)
def test_moments_in_any_spelling(tmp_path: Path, written: str, instant: datetime, day: int) -> None:
    """The instant in UTC, and the date as it is written."""
    frame = read(tmp_path, f"time,close\n{written},1\n").series.frame

    assert (instant, date(2020, 1, day)) == (frame["ts"][0], frame["date"][0])


@pytest.mark.parametrize(
    "written", ["2020-01-01 25:00", "2020-02-30", "01/02/2020", "99999999999999999999", "1700-01-01"]
)
def test_what_is_no_moment_is_refused(tmp_path: Path, written: str) -> None:
    """With its place and a way out."""
    with pytest.raises(BadInput, match=r"prices.csv, line 2, Date was .* Write a date as 2005-02-28"):
        read(tmp_path, f"Date,Close\n{written},1\n")


@pytest.mark.parametrize(("clock", "hour"), [("09:30", 9), ("9:30:00", 9), ("093000", 9), ("93000", 9), ("", 0)])
def test_times_of_day_in_a_column_of_their_own(tmp_path: Path, clock: str, hour: int) -> None:
    """They are added to the date; blank is midnight."""
    frame = read(tmp_path, f"Date,Time,Close\n20200101,{clock},1\n").series.frame

    assert hour == frame["ts"][0].hour


@pytest.mark.parametrize(
    ("column", "instant"),
    [
        pytest.param(pl.Series([date(2020, 1, 1)]), NEW_YEAR, id="dates"),
        pytest.param(pl.Series([datetime(2020, 1, 1)]), NEW_YEAR, id="without a zone"),  # noqa: DTZ001  it is meant
        pytest.param(
            pl.Series([datetime(2020, 1, 1)]).dt.replace_time_zone("Asia/Tokyo"),  # noqa: DTZ001  the zone follows
            datetime(2019, 12, 31, 15, tzinfo=UTC),
            id="with a zone",
        ),
        pytest.param(pl.Series([1_577_836_800]), NEW_YEAR, id="Unix seconds"),
    ],
)
def test_typed_moments_of_parquet(tmp_path: Path, column: pl.Series, instant: datetime) -> None:
    """A moment of a zone keeps its date there."""
    pl.DataFrame({"date": column, "close": pl.Series([1.5], dtype=pl.Float32)}).write_parquet(tmp_path / "p.parquet")
    frame = read_prices(read_sheet(str(tmp_path / "p.parquet"))).series.frame

    assert (instant, date(2020, 1, 1), 1.5) == frame.row(0)


def test_typed_times_of_day(tmp_path: Path) -> None:
    """Parquet may hold them as such."""
    frame = pl.DataFrame({"date": [date(2020, 1, 1)], "time": [time(9, 30)], "close": [1.5]})
    frame.write_parquet(tmp_path / "p.parquet")

    assert (
        datetime(2020, 1, 1, 9, 30, tzinfo=UTC)
        == read_prices(read_sheet(str(tmp_path / "p.parquet"))).series.frame["ts"][0]
    )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        pytest.param({"date": [1.5], "close": [1.0]}, "The type of date", id="a date of a fraction"),
        pytest.param({"date": ["2020-01-01"], "close": [True]}, "The type of close", id="a close of yes"),
        pytest.param({"date": ["2020-01-01"], "close": [float("inf")]}, "row 1, close was 'inf'", id="infinity"),
    ],
)
def test_types_that_are_no_prices_are_refused(tmp_path: Path, columns: dict[str, Any], said: str) -> None:
    """By the name of the column."""
    pl.DataFrame(columns).write_parquet(tmp_path / "p.parquet")

    with pytest.raises(BadInput, match=said):
        read_prices(read_sheet(str(tmp_path / "p.parquet")))


def test_numbers_in_any_spelling(tmp_path: Path) -> None:
    """Blank, NaN and a dash are missing; thousands may be grouped."""
    text = 'Date,Close,Volume\n2020-01-01,"1,234.5",-\n2020-01-02,nan,\n2020-01-03, 7 ,N/A\n'

    assert [1234.5, None, 7.0] == read(tmp_path, text).series.frame["close"].to_list()


@pytest.mark.parametrize(
    ("moments", "timeframe"),
    [
        (["2020-01-01"], "1d"),
        (["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"], "1d"),
        (["2020-01-06", "2020-01-13", "2020-01-20"], "1w"),
        (["2020-01-01", "2020-02-01", "2020-03-01"], "1mo"),
        (["2020-01-01T10:00", "2020-01-01T11:00", "2020-01-02T10:00", "2020-01-02T11:00"], "1h"),
        (["2020-01-01T10:00", "2020-01-01T10:05", "2020-01-01T10:10"], "5m"),
    ],
)
def test_distances_tell_the_timeframe(tmp_path: Path, moments: list[str], timeframe: str) -> None:
    """Nights and weekends do not mislead."""
    rows = "\n".join(f"{moment},1" for moment in moments)

    assert timeframe == read(tmp_path, f"t,c\n{rows}\n").series.timeframe


@pytest.mark.parametrize(
    ("period", "stated", "timeframe"),
    [
        ("D", None, "1d"),
        ("60", None, "1h"),
        ("W", None, "1w"),
        ("?", None, "1d"),
        ("D", "1wk", "1w"),
        ("D", "5m", "5m"),
    ],
)
def test_what_is_stated_counts_more(tmp_path: Path, period: str, stated: str | None, timeframe: str) -> None:
    """The owner's word, then the column's, then the distances."""
    text = f"<PER>,<DATE>,<CLOSE>\n{period},20200101,1\n{period},20200102,1\n"

    assert timeframe == read(tmp_path, text, timeframe=stated).series.timeframe


def test_the_series_runs_forward_whatever_the_file_does(tmp_path: Path) -> None:
    """Rows of one instant keep the order of time; each row is still found in the file."""
    prices = read(tmp_path, "Date,Close\n2020-01-03,3\n2020-01-02,2.5\n2020-01-02,2\n2020-01-01,1\n")

    assert [1.0, 2.0, 2.5, 3.0] == prices.series.frame["close"].to_list()
    assert ["line 5", "line 4", "line 3", "line 2"] == [prices.place(row) for row in range(4)]


def test_cells_that_did_not_change_keep_their_bytes(tmp_path: Path) -> None:
    """Changed ones are as short as can be read back, whole where the cell was whole, blank where nothing is known."""
    text = "Date,Note,Close,Volume\n2020-01-02,b,1.50,200\n2020-01-01,a,NaN,1e2\n2019-12-31,c,07,3\n"
    prices = read(tmp_path, text)
    frame = prices.series.frame.with_columns(
        close=pl.Series([7.0, 0.1 + 0.2, None]), volume=pl.Series([3.0, 100.0, 250.0])
    )
    write_frame(in_own_columns(prices, replace(prices.series, frame=frame)), tmp_path / "out.csv")

    assert (
        "Date,Note,Close,Volume\n2020-01-02,b,,250\n2020-01-01,a,0.30000000000000004,1e2\n2019-12-31,c,07,3\n"
        == (tmp_path / "out.csv").read_text()
    )


@pytest.mark.parametrize(("value", "kind"), [(250.0, pl.Int32()), (250.5, pl.Float64())])
def test_whole_columns_stay_whole_if_they_can(tmp_path: Path, value: float, kind: pl.DataType) -> None:
    """A column of whole numbers that gets a fraction becomes one of fractions."""
    frame = pl.DataFrame({"date": [date(2020, 1, 1)], "close": [1.0], "volume": pl.Series([3], dtype=pl.Int32)})
    frame.write_parquet(tmp_path / "p.parquet")
    prices = read_prices(read_sheet(str(tmp_path / "p.parquet")))
    changed = replace(prices.series, frame=prices.series.frame.with_columns(volume=pl.lit(value)))
    after = in_own_columns(prices, changed)

    assert (kind, [value]) == (after.schema["volume"], after["volume"].to_list())
