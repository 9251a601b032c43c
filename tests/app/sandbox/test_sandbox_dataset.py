"""The sandbox's datasets: where they come from, and that their actions explain their adjusted closes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from small_tape import SPLIT, raw_rows, small_dataset, weekdays

from truetape.app.sandbox.dataset import Dataset, Series, bokeh, bokeh_folder, read
from truetape.domain.adjust import adjust, factor_table
from truetape.domain.errors import BadInput
from truetape.domain.schema import DECODED, check

TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def stocks() -> Dataset:
    pytest.importorskip("bokeh_sampledata", reason="the demo extra is not installed")
    return bokeh()


def worst_error(series: Series, actions: pl.DataFrame) -> float:
    """The greatest relative distance between the recomputed and the given adjusted close."""
    closes = series.bars.select(pl.col("ts_event").dt.date().alias("date"), "close")
    ours = adjust(series.bars, factor_table(actions, closes), adjustment="all")["close"]
    error = (ours / series.bars["adj_close"] - 1).abs().max()
    assert isinstance(error, float)
    return error


@pytest.mark.parametrize(
    ("symbol", "rows"), [("AAPL", 3270), ("FB", 196), ("GOOG", 2148), ("IBM", 3270), ("MSFT", 3270)]
)
def test_adjusted_closes_of_the_demos_stocks_are_explained(stocks: Dataset, symbol: str, rows: int) -> None:
    """Splits and dividends give the dataset's own adjusted close on every row of every stock."""
    series = stocks.series[symbol]

    assert rows == len(series.bars)
    assert worst_error(series, series.actions) <= TOLERANCE


@pytest.mark.parametrize("symbol", ["AAPL", "IBM", "MSFT"])
def test_adjusted_closes_are_not_explained_without_dividends(stocks: Dataset, symbol: str) -> None:
    """The test above would notice if the dividends were missing."""
    series = stocks.series[symbol]

    assert worst_error(series, series.actions.filter(pl.col("type") == "split")) > 50 * TOLERANCE


def test_the_demos_stocks_have_their_known_actions(stocks: Dataset) -> None:
    """Apple's actions are those that were paid; Microsoft's split and special dividend are found in the ratios."""
    apple = stocks.series["AAPL"].actions
    microsoft = stocks.series["MSFT"].actions

    assert [
        (date(2000, 6, 21), "split", 2.0),
        (date(2005, 2, 28), "split", 2.0),
        (date(2012, 8, 9), "dividend", 2.65),
        (date(2012, 11, 7), "dividend", 2.65),
        (date(2013, 2, 7), "dividend", 2.65),
    ] == apple.select("ex_date", "type", "value").rows()
    assert [(date(2003, 2, 18), 2.0)] == microsoft.filter(pl.col("type") == "split").select("ex_date", "value").rows()
    special = microsoft.filter(pl.col("ex_date") == date(2004, 11, 15))["value"][0]
    assert pytest.approx(3.08, abs=0.06) == special
    assert (0, 0) == (len(stocks.series["FB"].actions), len(stocks.series["GOOG"].actions))


def test_the_demos_dataset_knows_its_listings(stocks: Dataset) -> None:
    """Symbols come in alphabetical order with their venue; the range is that of all of them."""
    assert ("AAPL", "FB", "GOOG", "IBM", "MSFT") == stocks.symbols
    assert (date(2000, 3, 1), date(2013, 3, 1)) == (stocks.start, stocks.end)
    assert ("XNYS", "USD") == (stocks.series["IBM"].mic, stocks.series["IBM"].currency)
    assert stocks.with_splits == {"AAPL", "MSFT"}
    for series in stocks.series.values():
        check(series.bars, DECODED["bars"], kind="bars")
        check(series.actions, DECODED["actions"], kind="actions")


def test_the_older_layout_is_read_too(tmp_path: Path) -> None:
    """One CSV for each symbol, newest first, gives ascending bars with the adjusted close anchored on the last one."""
    (tmp_path / "FB.csv").write_text(
        "Date,Open,High,Low,Close,Volume,Adj Close\n"
        "2012-05-21,36.53,36.66,33.00,34.03,168192700,17.015\n"
        "2012-05-18,42.05,45.00,38.00,38.23,580587700,19.115\n"
    )
    dataset = bokeh_folder(tmp_path)
    bars = dataset.series["FB"].bars

    assert ("FB",) == dataset.symbols
    assert [date(2012, 5, 18), date(2012, 5, 21)] == bars["ts_event"].dt.date().to_list()
    assert [38.23, 34.03] == bars["close"].to_list()
    assert [38.23, 34.03] == pytest.approx(bars["adj_close"].to_list())


def test_a_missing_package_says_what_to_install(tmp_path: Path) -> None:
    """Without the demo's package, or with one that has no stocks, the error names the command that installs it."""
    with pytest.raises(BadInput, match=r"pip install 'truetape\[demo\]'"):
        bokeh("no_such_sampledata")
    with pytest.raises(BadInput, match=r"pip install 'truetape\[demo\]'"):
        bokeh_folder(tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_of_bars_is_read(tmp_path: Path, suffix: str) -> None:
    """CSV and Parquet give the same series, sorted, whatever the order of the rows."""
    path = tmp_path / f"tape.{suffix}"
    shuffled = raw_rows().sample(fraction=1.0, shuffle=True, seed=1)
    if suffix == "csv":
        shuffled.write_csv(path)
    else:
        shuffled.write_parquet(path)
    dataset = read(path)

    assert ("AAA", "BBB") == dataset.symbols
    assert (weekdays()[0], weekdays()[-1]) == (dataset.start, dataset.end)
    bars = dataset.series["BBB"].bars
    assert [20.0, 20.01, 20.02] == bars["close"].head(3).to_list()
    assert ["raw"] == bars["basis"].unique().to_list()
    assert 60 == bars["adj_close"].null_count()
    assert 0 == len(dataset.series["AAA"].actions)


def test_actions_beside_the_file_are_read(tmp_path: Path) -> None:
    """The file that ends in _actions tells the splits and dividends as they were paid."""
    actions = small_dataset(tmp_path).series["AAA"].actions

    assert [
        (date(2012, 1, 16), "dividend", 0.5),
        (SPLIT, "split", 2.0),
        (date(2012, 3, 5), "dividend", 0.25),
    ] == actions.select("ex_date", "type", "value").rows()


def test_actions_are_inferred_where_the_file_has_adjusted_closes(tmp_path: Path) -> None:
    """A dividend of 1.00 at a close of 50.00 leaves 98 % of it; the optional columns are taken as they are."""
    path = tmp_path / "tape.csv"
    path.write_text(
        "symbol,date,open,high,low,close,volume,adj_close,currency,mic,name\n"
        "VOD,2020-01-02,50,50,50,50,10,49,GBP,XLON,Vodafone\n"
        "VOD,2020-01-03,50,50,50,50,10,50,GBP,XLON,Vodafone\n"
    )
    series = read(path).series["VOD"]

    assert [(date(2020, 1, 3), "dividend", 1.0, "GBP")] == series.actions.select(
        "ex_date", "type", "value", "currency"
    ).rows()
    assert ("XLON", "Vodafone") == (series.mic, series.name)


HEAD = "symbol,date,open,high,low,close,volume\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("tape.xlsx", "", "ends in .csv or .parquet"),
        ("tape.csv", None, "could not be read"),
        ("tape.csv", "", "could not be read"),
        ("tape.parquet", "no parquet", "could not be read"),
        ("tape.csv", "symbol,date,close\nA,2020-01-02,1\n", "open, high, low, volume are missing"),
        ("tape.csv", HEAD, "no rows"),
        ("tape.csv", HEAD + "A,02.01.2020,1,1,1,1,1\n", "date have cells that are empty"),
        ("tape.csv", HEAD + "A,2020-01-02,1,1,1,,1\n", "close have cells that are empty"),
        ("tape.csv", HEAD + "A,2020-01-02,1,1,1,1,1\nA,2020-01-02,1,1,1,2,1\n", "two bars of one date"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    """Each defect of a file gets an error that names it."""
    path = tmp_path / name
    if content is not None:
        path.write_text(content)

    with pytest.raises(BadInput, match=said):
        read(path)


def test_unusable_actions_say_why(tmp_path: Path) -> None:
    """A malformed ex-date beside good bars is an error, not a lost dividend."""
    raw_rows().write_csv(tmp_path / "tape.csv")
    (tmp_path / "tape_actions.csv").write_text("symbol,ex_date,type,value\nAAA,soon,dividend,1\n")

    with pytest.raises(BadInput, match="ex_date have cells"):
        read(tmp_path / "tape.csv")
