"""LEAN's factor files: read, taken apart into ex-dates, and built again from actions and closes."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from truetape.domain.adjust import factor_table
from truetape.domain.factor_files import ROWS, actions, lean_rows, parsed, skipped, steps, written

FILE = "20240102,0.45,0.5,1\n20240105,0.45,0.5,50\n20240110,0.9,0.5,40\n20240112,0.9,1,20\n20501231,1,1,0\n"
#       to Friday 5 January half of 50 is handed out; on the 11th two for one; on the 15th 2 of 20
DAYS = pl.Series([date(2024, 1, day) for day in (2, 3, 4, 5, 8, 9, 10, 11, 12, 16)])
NO_DAYS = pl.Series([], dtype=pl.Date)
CLOSES = pl.DataFrame({"date": DAYS, "close": [48.0, 49.0, 49.5, 50.0, 25.0, 30.0, 40.0, 20.0, 20.0, 18.0]})


def test_lines_are_read_whatever_stands_around_them() -> None:
    """A mark of UTF-8, blank lines, carriage returns, a fifth field, a missing price and another order."""
    text = "\ufeff20501231,1,1,0\r\n\r\n 20240102 , 0.5,0.25 ,1,source\r\n20240103,1,1\r\n20240104,1,1,\r\n"

    assert [
        (date(2024, 1, 2), 0.5, 0.25, 1.0),
        (date(2024, 1, 3), 1.0, 1.0, 0.0),
        (date(2024, 1, 4), 1.0, 1.0, 0.0),
        (date(2050, 12, 31), 1.0, 1.0, 0.0),
    ] == parsed(text).rows()


def test_factors_that_could_not_be_written_are_skipped_and_named() -> None:
    """Lines with inf, an exponent or a factor of nothing do not count; of two lines of a day the first does."""
    text = "20240101,1,inf,1\n20240102,1,1.6e+6,2\n20240103,0,1,3\n20240104,1,2,4\n20240104,1,3,4\n20501231,1,1,0\n"

    assert [date(2024, 1, 4), date(2050, 12, 31)] == parsed(text)["date"].to_list()
    assert 2.0 == parsed(text)["split_factor"][0]
    assert [1, 2] == skipped(text)


@pytest.mark.parametrize("line", ["20240102,1", "20241302,1,1,1", "20240102,x,1,1", "20240102,1,1,abc", "date,a,b,c"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    """With its number and what stands there."""
    with pytest.raises(ValueError, match=f"line 2 was '{line}'"):
        parsed(f"20240101,1,1,1\n{line}\n")


def test_an_empty_file_has_no_steps() -> None:
    """Nothing is known, and nothing changes."""
    assert steps(parsed(""), DAYS).is_empty()


@pytest.mark.parametrize(
    ("days", "ex_dates"),
    [
        pytest.param(DAYS, [(2024, 1, 8), (2024, 1, 11), (2024, 1, 16)], id="the next bar: the 15th is a holiday"),
        pytest.param(NO_DAYS, [(2024, 1, 8), (2024, 1, 11), (2024, 1, 15)], id="without bars the next weekday"),
        pytest.param(DAYS.head(5), [(2024, 1, 8), (2024, 1, 11), (2024, 1, 15)], id="bars that end"),
        pytest.param(
            pl.Series([date(2024, 1, 2), date(2024, 2, 20)]),
            [(2024, 1, 8), (2024, 1, 11), (2024, 1, 15)],
            id="bars that pause for a month",
        ),
    ],
)
def test_the_steps_of_a_file(days: pl.Series, ex_dates: list[tuple[int, int, int]]) -> None:
    """Each line's own ratio to the next: 0.5 stays on the 8th, two for one on the 11th, 0.9 stays in the end."""
    found = steps(parsed(FILE), days)

    assert [date(*one) for one in ex_dates] == found["ex_date"].to_list()
    assert [1.0, 2.0, 1.0] == found["split"].to_list()
    assert [0.5, 1.0, 0.9] == found["dividend"].to_list()
    assert [date(2024, 1, 5), date(2024, 1, 10), date(2024, 1, 12)] == found["before"].to_list()
    assert [50.0, 40.0, 20.0] == found["close"].to_list()


def test_lines_between_two_bars_are_one_step() -> None:
    """Half stays, then three quarters of it on twice the shares: the next bar is that of Tuesday the 16th."""
    found = steps(parsed("20240112,0.375,0.5,20\n20240113,0.75,0.5,18\n20240114,1,0.5,9\n20501231,1,1,0\n"), DAYS)

    assert [(date(2024, 1, 16), 2.0, 0.375, date(2024, 1, 14), 9.0)] == found.rows()
    assert [6.25, 2.0] == actions(found, CLOSES)["value"].to_list()


def test_a_file_that_does_not_end_with_ones_has_a_last_step() -> None:
    """So that the factors of its last line count too."""
    found = steps(parsed("20240102,0.5,1,1\n20501231,0.5,1,0\n"), DAYS)

    assert [(date(2051, 1, 2), 1.0, 0.5)] == found.select("ex_date", "split", "dividend").rows()


def test_cash_is_what_a_step_takes_of_the_close() -> None:
    """25 of 50, and 2 of 20; the ratio of a split stands as it is."""
    found = actions(steps(parsed(FILE), DAYS), CLOSES)

    assert [
        (date(2024, 1, 8), "dividend", 25.0),
        (date(2024, 1, 11), "split", 2.0),
        (date(2024, 1, 16), "dividend", pytest.approx(2.0)),
    ] == found.rows()


def test_where_there_are_no_bars_the_reference_price_stands_in() -> None:
    """Of a step without either nothing can be said, and its split is kept."""
    text = "20240105,0.5,0.5,0\n20240110,0.8,1,40\n20501231,1,1,0\n"

    found = actions(steps(parsed(text), NO_DAYS), CLOSES.clear())

    assert [(date(2024, 1, 8), "split", 2.0), (date(2024, 1, 11), "dividend", pytest.approx(8.0))] == found.rows()


@pytest.mark.parametrize(
    ("last", "reference", "cash"),
    [
        pytest.param(date(2024, 1, 2), "40", 25.0, id="a bar of the week before"),
        pytest.param(date(2023, 6, 1), "40", 20.0, id="a bar of half a year before: the reference price"),
        pytest.param(date(2023, 6, 1), "0", 25.0, id="an old bar, and no reference price"),
    ],
)
def test_a_bar_of_long_ago_does_not_tell_what_was_paid(last: date, reference: str, cash: float) -> None:
    """Half of the close of the day before the ex-date; bars may have ended earlier."""
    closes = pl.DataFrame({"date": [last], "close": [50.0]})

    found = actions(steps(parsed(f"20240110,0.5,1,{reference}\n20501231,1,1,0\n"), NO_DAYS), closes)

    assert [cash] == found["value"].to_list()


def test_a_dividend_on_the_day_of_a_split_is_per_new_share() -> None:
    """Half of 40, on two new shares: 10."""
    found = actions(steps(parsed("20240110,0.5,0.5,40\n20501231,1,1,0\n"), DAYS), CLOSES)

    assert [(date(2024, 1, 11), "dividend", 10.0), (date(2024, 1, 11), "split", 2.0)] == found.rows()


def test_a_file_is_built_again_from_its_actions_and_closes() -> None:
    """Line for line, the first and the last included."""
    made = lean_rows(factor_table(actions(steps(parsed(FILE), DAYS), CLOSES), CLOSES), CLOSES)

    assert FILE == written(made)


def test_factors_without_bars_bring_their_own_days_and_closes() -> None:
    """The day before the ex-date and its close stand in the table."""
    found = steps(parsed(FILE), NO_DAYS)

    assert FILE.splitlines()[1:] == written(lean_rows(found, CLOSES.clear())).splitlines()


def test_factors_without_anything_else_are_dated_the_day_before() -> None:
    """With the price that is not known as 0."""
    bare = steps(parsed(FILE), NO_DAYS).select("ex_date", "split", "dividend")

    assert "20240107,0.45,0.5,0\n" == written(lean_rows(bare, CLOSES.clear())).splitlines(keepends=True)[0]


def test_no_factors_make_a_file_of_two_lines() -> None:
    """Where the data begin, and the end of time."""
    assert "20240102,1,1,1\n20501231,1,1,0\n" == written(lean_rows(factor_table(CLOSES.clear(), CLOSES), CLOSES))


def test_numbers_are_rounded_as_lean_rounds_them() -> None:
    """Seven decimals of the price factor, eight of the split factor, four of the price."""
    row = (date(2024, 1, 2), 0.123456789, 1 / 56, 12.34567)

    assert "20240102,0.1234568,0.01785714,12.3457\n" == written(pl.DataFrame([row], schema=ROWS, orient="row"))


# The securities of the sample: which tickers they had, and when. Of nb there are no bars.
TICKERS = {
    "aaa.1": [("aaa", 20020522, 20070518)],
    "bac": [("nb", 0, 19980930), ("bac", 19981001, 20501231)],
    "goog": [("goocv", 0, 20140402), ("goog", 20140403, 20501231)],
}


def sample_closes(folder: Path, name: str, *, first: date) -> pl.DataFrame:
    """The closes of a security, as traded, read without our decoders."""
    found = []
    for ticker, begins, ends in TICKERS.get(name, [(name, 0, 20501231)]):
        path = folder / "daily" / f"{ticker}.zip"
        if path.exists():
            with zipfile.ZipFile(path) as packed:
                lines = packed.read(packed.namelist()[0]).decode().splitlines()
            cells = [line.split(",") for line in lines]
            found += [(one[0][:8], int(one[4]) / 10_000) for one in cells if begins <= int(one[0][:8]) <= ends]
    rows = [(datetime.strptime(day, "%Y%m%d").date(), close) for day, close in found]  # noqa: DTZ007
    frame = pl.DataFrame(rows, schema={"date": pl.Date, "close": pl.Float64}, orient="row")
    return frame.filter(pl.col("date") >= first)


@pytest.mark.parametrize("name", ["aaa.1", "aapl", "bac", "bno", "eem", "fb", "goog", "iwm", "spy", "uso"])
def test_every_line_of_the_sample_is_computed_again(recordings: Path, name: str) -> None:
    """From the file's own steps, taken as cash and ratios, and raw closes; where bars are missing, reference prices.

    The steps are those of the file since its rounding came first: see the page's docstring. What true dividends give
    is compared beside it.
    """
    folder = recordings / "lean" / "equity" / "usa"
    rows = parsed((folder / "factor_files" / f"{name}.csv").read_text())
    bars = sample_closes(folder, name, first=rows["date"][0])
    inner = rows.slice(1, len(rows) - 2).select("date", close="reference_price")
    closes = pl.concat([bars, inner]).unique("date", keep="first").sort("date")
    if bars["date"][0] > rows["date"][0]:
        closes = pl.concat([rows.head(1).select("date", close="reference_price"), closes])

    made = lean_rows(factor_table(actions(steps(rows, bars["date"]), bars), closes), closes)

    assert rows["date"].to_list() == made["date"].to_list()
    for column in ROWS:
        if column != "date":
            assert rows[column].to_list() == pytest.approx(made[column].to_list(), rel=1e-9, abs=5e-3), column
    assert rows.rows() == parsed(written(made)).rows()
