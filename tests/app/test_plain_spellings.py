"""Bars and actions as other programs write them, through truetape adjust and truetape factors."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app
from truetape.app.factor_tables import known_mode
from truetape.domain.errors import BadInput

BARS = "date,open,high,low,close,volume\n2024-06-03,80,88,72,100,100\n2024-06-05,20,22,18,25,400\n"
SPLIT = "ex_date,type,value\n2024-06-05,split,4\n"
ALL = 5 / 25  # the part of a new share's 25 dollars that is paid on the 5th


def run(folder: Path, bars: str, actions: str, *options: str, name: str = "bars.csv") -> Result:
    """Adjust `bars` by `actions`, both as the texts of files."""
    if bars:
        (folder / name).write_text(bars)
    (folder / "actions.csv").write_text(actions)
    files = ("--bars", folder / name, "--actions", folder / "actions.csv", "-o", folder / "out.csv")
    return CliRunner().invoke(app, ["adjust", *map(str, files), "--adjustment", "all", *options])


def closes(folder: Path, header: str) -> list[float]:
    return [float(one) for one in pl.read_csv(folder / "out.csv")[header]]


@pytest.mark.parametrize(
    ("bars", "header", "said"),
    [
        pytest.param(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n"
            "A.US,D,20240603,000000,80,88,72,100,100\nA.US,D,20240605,000000,20,22,18,25,400\n",
            "<CLOSE>",
            "adjusted for splits and dividends already",
            id="Stooq",
        ),
        pytest.param(
            "Date,Open,High,Low,Close,Adj Close,Volume\n"
            "2024-06-03,80,88,72,100,25,100\n2024-06-05,20,22,18,25,25,400\n",
            "Close",
            "adjusted for splits already: give --basis split",
            id="Yahoo",
        ),
        pytest.param(
            "t,o,h,l,c,v,n\n2024-06-03T04:00:00Z,80,88,72,100,100,1\n2024-06-05T04:00:00Z,20,22,18,25,400,1\n",
            "c",
            "",
            id="Alpaca",
        ),
        pytest.param(
            "timestamp,open,high,low,close,volume\n2024/06/03 00:00,80,88,72,100,100\n20240605,20,22,18,25,400\n",
            "close",
            "",
            id="Alpha Vantage, and dates without dashes",
        ),
    ],
)
def test_bars_of_other_programs(tmp_path: Path, bars: str, header: str, said: str) -> None:
    """Their columns are found, and stay what they are called; files that look adjusted are doubted aloud."""
    done = run(tmp_path, bars, SPLIT)

    assert 0 == done.exit_code, done.stderr
    assert [25, 25] == closes(tmp_path, header)
    assert said in done.stderr
    assert bool(said) == bool(done.stderr)
    assert bars.splitlines()[0] == (tmp_path / "out.csv").read_text().splitlines()[0]


def test_bars_in_parquet_with_other_headers(tmp_path: Path) -> None:
    """An index of instants, as pandas writes it."""
    stamps = [datetime(2024, 6, 3, tzinfo=UTC), datetime(2024, 6, 5, tzinfo=UTC)]
    prices = {name: [100.0, 25.0] for name in ("Open", "High", "Low", "Close")}
    pl.DataFrame({"Datetime": stamps, **prices, "Vol": [1, 4]}).write_parquet(tmp_path / "bars.parquet")

    done = run(tmp_path, "", SPLIT, "--json", name="bars.parquet")

    assert {"rows": 2, "factors": 1, "first": "2024-06-03", "last": "2024-06-05"}.items() <= json.loads(
        done.stdout
    ).items()
    assert [25, 25] == closes(tmp_path, "Close")


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        pytest.param("Date,Dividends\n2024-06-05,5\n", 95, id="Yahoo's dividends"),
        pytest.param("Date,Stock Splits\n2024-06-05,4:1\n", 25, id="Yahoo's splits"),
        pytest.param("date,dividends,stock splits\n2024-06-04,0,0\n2024-06-05,5,4.0\n", 25 - 25 * ALL, id="yfinance"),
        pytest.param("date,divCash,splitFactor\n2024-06-05,0,4.0\n2024-06-03,,1.0\n", 25, id="Tiingo"),
        pytest.param("exDate,type,amount\n2024-06-05,cash dividend,5\n", 95, id="other words"),
        pytest.param("ex-date,Type,ratio\n20240605,Forward-Split,8/2\n", 25, id="a ratio with a stroke"),
        pytest.param("DISTCD,DIVAMT,FACPR,FACSHR,EXDT\n5523,,3,3,20240605\n1232,5,0,0,20240605\n", 20, id="CRSP"),
        pytest.param("exdt,facshr\n2024-06-05,3\n", 25, id="CRSP's shares alone"),
        pytest.param("ex_date,type,value,currency\n2024-06-05,dividend,5,USD\n", 95, id="a currency"),
        pytest.param("Date,Capital Gains\n2024-06-05,5\n", 95, id="a fund's gains"),
    ],
)
def test_actions_of_other_programs(tmp_path: Path, actions: str, expected: float) -> None:
    """One in a row, or in columns beside dates; four new shares for one old, 5 dollars for each new one."""
    done = run(tmp_path, BARS, actions)

    assert (0, "") == (done.exit_code, done.stderr)
    assert [expected, 25] == closes(tmp_path, "close")


@pytest.mark.parametrize(
    ("bars", "actions", "said"),
    [
        (BARS, "Date,Stock Splits\n2024-06-05,-4\n", "line 2, splits was '-4'. Write cash per share, or new shares"),
        (BARS, "Date,Dividends\n2024-06-05,5\n2024-06-05,5\n", "Keep one row for each date"),
        (BARS, "exdt,facpr,facshr\n2024-06-05,0.2,0\n", "line 2, facpr was 0.2. Of FACSHR, FACPR and DIVAMT"),
        (BARS, "exdt,facpr,facshr\n2024-06-05,-1,-1\n", "line 2, facshr was '-1'"),
        (BARS, "ex_date,type,value\n2024-06-05,reverse split,4\n", "line 2, type was 'reverse split'. Write one of"),
        (BARS, "ex_date,type,value\n2024-06-05,dividend,1:20\n", "line 2, value was '1:20'"),
        (BARS, "ex_date,type,value\n06/05/2024,split,4\n", "ex_date was '06/05/2024'. Write a date as YYYY-MM-DD"),
        (
            BARS.replace("\n2024", ",currency\n2024", 1)
            .replace(",100\n", ",100,GBP\n")
            .replace(",400\n", ",400,GBP\n"),
            "ex_date,type,value,currency\n2024-06-05,dividend,5,GBp\n",
            "was 'GBp'. Prices are in GBP: write cash in it",
        ),
        (
            BARS,
            "ex_date,type,value,currency\n2024-06-05,dividend,5,EUR\n2024-06-04,dividend,5,USD\n",
            "was 'EUR, USD'. Prices are in one currency",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, bars: str, actions: str, said: str) -> None:
    """With the place, the value, and what to write."""
    done = run(tmp_path, bars, actions)

    assert 2 == done.exit_code
    assert said in done.stderr
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("TotalReturn", "lean_total_return"),
        ("total_return", "total_return"),
        ("adjusted", "total_return"),
        ("SPLIT_ADJUSTED", "split"),
        ("backwards-panama-canal", "difference"),
        ("Forward_Total_Return", "forward_total_return"),
    ],
)
def test_modes_by_their_names_in_any_case(text: str, mode: str) -> None:
    """Ours, and LEAN's in C# and in Python."""
    assert mode == known_mode(text)


@pytest.mark.parametrize("text", ["totalreturn", "TOTAL_RETURN", "best", ""])
def test_a_name_that_means_no_mode_or_two_is_refused(text: str) -> None:
    """LEAN's total return is another than ours."""
    with pytest.raises(BadInput, match=r"Choose one of raw, split, .*total_return.*, or by LEAN's names Raw"):
        known_mode(text)


def test_factors_of_yahoos_own_history(tmp_path: Path) -> None:
    """One file is both bars and actions; the table reaches the same prices as the actions themselves."""
    history = (
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2024-06-03 00:00:00-04:00,80,88,72,100,100,0,0\n2024-06-05 00:00:00-04:00,20,22,18,25,400,5,4\n"
    )
    run(tmp_path, history, history)
    direct = (tmp_path / "out.csv").read_text()
    bars = str(tmp_path / "bars.csv")
    for form in ("crsp", "lean"):
        table = str(tmp_path / f"{form}.csv")
        done = CliRunner().invoke(app, ["factors", "--bars", bars, "--actions", bars, "--as", form, "-o", table])
        assert (0, True) == (done.exit_code, "Note: " in done.stderr)
        out = str(tmp_path / "again.csv")
        CliRunner().invoke(app, ["adjust", "--bars", bars, "--factors", table, "--mode", "Adjusted", "-o", out])

        assert direct == Path(out).read_text(), form

    assert date(2024, 6, 3) == datetime.fromisoformat(direct.splitlines()[1][:25]).date()
    assert [20.0, 25.0] == closes(tmp_path, "Close")
