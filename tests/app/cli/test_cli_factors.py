"""truetape factors, and truetape adjust --factors: files in, files out, against LEAN's and Yahoo's own numbers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app
from truetape.app.sandbox import bokeh

BARS = """date,open,high,low,close,volume
2024-06-03,80,80,80,80,10
2024-06-04,100,100,100,100,10
2024-06-05,50,50,50,50,20
2024-06-06,45,45,45,45,20
"""
ACTIONS = "ex_date,type,value,price\n2024-06-05,split,2,\n2024-06-06,dividend,2.5,\n2024-06-06,spin_off,0.1,25\n"
LEAN = "20240603,0.9,0.5,1\n20240604,0.9,0.5,100\n20240605,0.9,1,50\n20501231,1,1,0\n"
SYMBOLS = "symbol,date,open,high,low,close,volume\nA,2024-06-03,8,8,8,8,1\nB,2024-06-03,8,8,8,8,1\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("bars.csv", BARS), ("actions.csv", ACTIONS), ("lean.csv", LEAN), ("both.csv", SYMBOLS)):
        (tmp_path / name).write_text(text)
    return tmp_path


def table(folder: Path, *options: str | Path) -> Result:
    return run("factors", "--bars", folder / "bars.csv", "--actions", folder / "actions.csv", *options)


def test_each_ex_date_has_a_row(folder: Path) -> None:
    """CRSP's factors to adjust shares and prices, without the cash, and what earlier prices are multiplied by."""
    done = table(folder)

    names = "ex_date,share_factor,price_factor,facshr,facpr,divamt,before,close"
    first, second = (line.split(",") for line in done.stdout.splitlines()[1:])
    assert (0, names) == (done.exit_code, done.stdout.splitlines()[0])
    assert ["2024-06-05", "2.0", "0.5", "1.0", "1.0", "0.0", "2024-06-04", "100.0"] == first
    assert ["2024-06-06", "2.5", "2024-06-05", "50.0"] == [second[0], *second[5:]]
    assert [1.0, 0.9, 0.0, 2.5 / 47.5] == pytest.approx([float(one) for one in second[1:5]])


def test_the_table_is_written_in_leans_form(folder: Path) -> None:
    """0.9 stays of the price on the 6th, and two shares stand for one from the 5th on."""
    assert LEAN == table(folder, "--as", "lean").stdout
    done = table(folder, "--as", "lean", "-o", folder / "out.csv")
    assert (f"2 ex-dates of 1 symbols: {folder}/out.csv\n", LEAN) == (done.stdout, (folder / "out.csv").read_text())


def test_leans_own_file_serves_as_actions(folder: Path) -> None:
    """It is computed again from its own steps, and means the same factors in the other form."""
    again = run("factors", "--bars", folder / "bars.csv", "--actions", folder / "lean.csv", "--as", "lean")
    crsp = run("factors", "--bars", folder / "bars.csv", "--actions", folder / "lean.csv", "--json")

    told = json.loads(crsp.stdout)
    assert LEAN == again.stdout
    assert (2, "crsp", "") == (told["factors"], told["form"], told["output"])
    assert [2.5 + 2.5] == pytest.approx([told["rows"][1]["divamt"]])


def test_of_leans_file_days_without_bars_count_too(folder: Path) -> None:
    """Ex-dates before the first and after the last bar stand in the table with the file's reference prices."""
    (folder / "lean.csv").write_text("20010101,0.4,1,1\n20010102,0.4,1,10\n20240604,0.8,1,100\n20300102,0.9,1,7\n")

    done = run("factors", "--bars", folder / "bars.csv", "--actions", folder / "lean.csv")

    assert ["2001-01-03", "2024-06-05", "2030-01-03"] == [one[:10] for one in done.stdout.splitlines()[1:]]
    assert ["10.0", "100.0", "7.0"] == [one.rpartition(",")[2] for one in done.stdout.splitlines()[1:]]


def test_an_ex_date_that_no_bar_precedes_has_no_row(folder: Path) -> None:
    """A split of the first day or earlier changes nothing."""
    (folder / "actions.csv").write_text("ex_date,type,value\n2001-01-02,split,2\n2024-06-03,split,3\n")

    assert "20240603,1,1,1\n20501231,1,1,0\n" == table(folder, "--as", "lean").stdout


def test_symbols_are_kept_apart(folder: Path) -> None:
    """Each has its own closes and actions, and a column in the table."""
    (folder / "bars.csv").write_text(SYMBOLS + "A,2024-06-04,8,8,8,8,1\nB,2024-06-04,4,4,4,4,1\n")
    (folder / "actions.csv").write_text("symbol,ex_date,type,value\nB,2024-06-04,split,2\nA,2024-06-04,dividend,2\n")

    lines = table(folder).stdout.splitlines()[1:]

    assert ["A,2024-06-04,1.0,0.75", "B,2024-06-04,2.0,0.5"] == [",".join(one.split(",")[:4]) for one in lines]


def test_split_adjusted_files_have_factors_of_dividends_alone(folder: Path) -> None:
    """Their splits are in the prices already."""
    done = table(folder, "--basis", "split")

    assert ["2024-06-05,1.0,1.0", "2024-06-06,1.0,0.9"] == [one[:18] for one in done.stdout.splitlines()[1:]]


@pytest.mark.parametrize(("form", "suffix"), [("crsp", "parquet"), ("lean", "csv")])
@pytest.mark.parametrize(
    ("options", "closes", "volume"),
    [
        (["raw"], [80, 100, 50, 45], 10),
        (["split"], [40, 50, 50, 45], 20),
        (["SplitAdjusted"], [40, 50, 50, 45], 20),
        (["total_return"], [36, 45, 45, 45], 20),
        (["Adjusted"], [36, 45, 45, 45], 20),
        (["forward_total_return"], [80, 100, 100, 100], 10),
        (["TotalReturn"], [40, 50, 50, 50], 20),
        (["total_return", "--anchor", "2024-06-05"], [40, 50, 50, 50], 20),
    ],
)
def test_a_table_is_applied(
    folder: Path, form: str, suffix: str, options: list[str], closes: list[float], volume: float
) -> None:
    """In both forms, to CSV and Parquet."""
    table(folder, "--as", form, "-o", folder / "factors.csv")
    out = folder / f"out.{suffix}"

    done = run(
        "adjust", "--bars", folder / "bars.csv", "--factors", folder / "factors.csv", "-o", out, "--mode", *options
    )

    assert (0, "") == (done.exit_code, done.stderr)
    found = pl.read_csv(out) if suffix == "csv" else pl.read_parquet(out)
    values = [float(one) for one in found["close"]]
    assert closes == pytest.approx(values, rel=1e-9)
    assert volume == pytest.approx(float(found["volume"][0]))


def test_parquet_and_packed_tables_are_read_too(folder: Path) -> None:
    """With symbols in both files, and with the closes left out."""
    (folder / "bars.csv").write_text(SYMBOLS)
    pl.DataFrame(
        {"symbol": ["B"], "ex_date": ["2024-06-04"], "share_factor": [1.0], "price_factor": [0.5]}
    ).write_parquet(folder / "factors.parquet")

    done = run(
        *("adjust", "--bars", folder / "bars.csv", "--factors", folder / "factors.parquet"),
        *("--mode", "total_return", "-o", folder / "out.csv", "--json"),
    )

    assert [8.0, 4.0] == pl.read_csv(folder / "out.csv")["close"].to_list()
    assert 1 == json.loads(done.stdout)["factors"]


BAD = [
    pytest.param("factors", ["--as", "csv"], {}, "--as was 'csv'. Choose one of crsp, lean.", id="form"),
    pytest.param("factors", ["--basis", "all"], {}, "--basis was 'all'. Choose one of raw, split.", id="basis"),
    pytest.param("factors", ["--as", "lean", "-o", "f.parquet"], {}, "must end in one of .csv.", id="suffix"),
    pytest.param(
        "factors",
        ["--as", "lean"],
        {"bars.csv": SYMBOLS, "actions.csv": "symbol,ex_date,type,value\n"},
        "'A, B'. A factor file of LEAN's is of one symbol",
        id="one file of two symbols",
    ),
    pytest.param(
        "factors",
        [],
        {"actions.csv": "ex_date,type,value\n2024-06-05,rights,1\n"},
        "actions.csv, line 2, price was ''. Write in the column price",
        id="a right without a price",
    ),
    pytest.param(
        "factors", [], {"actions.csv": "20240603,1,1,1\n20240604,1\n"}, "Its line 2 was '20240604,1'", id="a short line"
    ),
    pytest.param("factors", [], {"actions.csv": "20240603,1,1,1\n\udce4"}, "Save it as UTF-8", id="other bytes"),
    pytest.param(
        "factors",
        [],
        {"actions.csv": "ex_date,type,value\n2024-06-05,special_dividend,110\n"},
        "line 2, value was 110.0. The close before it",
        id="more than the share is worth",
    ),
    pytest.param("adjust", ["--mode", "best"], {}, "--mode was 'best'. Choose one of raw, split", id="mode"),
    pytest.param("adjust", [], {}, "--mode was ''. Choose one of raw", id="no mode"),
    pytest.param("adjust", ["--mode", "raw", "--anchor", "now"], {}, "--anchor was 'now'", id="anchor"),
    pytest.param("adjust", ["--mode", "raw", "--actions", "x.csv"], {}, "does not go with --factors", id="both"),
    pytest.param("adjust", ["--mode", "raw", "--basis", "split"], {}, "does not go with --factors", id="other basis"),
    pytest.param(
        "adjust",
        ["--mode", "raw"],
        {"f.csv": "ex_date,share_factor,price_factor\n2024-06-05,,1\n"},
        "f.csv, line 2, share_factor was ''",
        id="missing",
    ),
    pytest.param(
        "adjust",
        ["--mode", "raw"],
        {"f.csv": "ex_date,share_factor,price_factor\n2024-06-05,1,1\n2024-06-05,2,1\n"},
        "ex_date was '2024-06-05'. Keep one row",
        id="twice",
    ),
    pytest.param(
        "adjust",
        ["--mode", "raw"],
        {"f.csv": "symbol,ex_date,share_factor,price_factor\nA,2024-06-05,1,1\nB,2024-06-05,2,1\n"},
        "was 'A, B'. Add a column symbol to the bars",
        id="whose factors",
    ),
]


@pytest.mark.parametrize(("command", "options", "files", "said"), BAD)
def test_what_is_wrong_is_one_sentence(
    folder: Path, command: str, options: list[str], files: dict[str, str], said: str
) -> None:
    """Exit code 2, on standard error or as JSON; nothing is written."""
    for name, text in {"f.csv": LEAN, **files}.items():
        (folder / name).write_bytes(text.encode(errors="surrogateescape"))
    given = {
        "factors": ["--actions", str(folder / "actions.csv")],
        "adjust": ["--factors", str(folder / "f.csv"), "-o", str(folder / "out.csv")],
    }[command]

    done = run(command, "--bars", folder / "bars.csv", *given, *options)
    as_json = run(command, "--bars", folder / "bars.csv", *given, *options, "--json")

    assert (2, "") == (done.exit_code, done.stdout)
    assert said in done.stderr
    assert said in json.loads(as_json.stdout)["error"]
    assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [([], "--actions was ''. Name a file of actions"), (["--mode", "raw"], "--factors was ''. Name a table")],
)
def test_bars_alone_are_not_enough(folder: Path, options: list[str], said: str) -> None:
    """One of the two ways must be taken."""
    done = run("adjust", "--bars", folder / "bars.csv", "-o", folder / "out.csv", *options)

    assert 2 == done.exit_code
    assert said in done.stderr


def apple(folder: Path, recordings: Path) -> tuple[list[list[str]], Path]:
    """LEAN's daily bars of Apple as the cells of its file, and a file of them as ours."""
    with zipfile.ZipFile(recordings / "lean" / "equity" / "usa" / "daily" / "aapl.zip") as packed:
        cells = [line.split(",") for line in packed.read("aapl.csv").decode().splitlines()]
    lines = [
        f"{day[:4]}-{day[4:6]}-{day[6:8]},{','.join(str(int(one) / 10_000) for one in prices)},{volume}\n"
        for day, *prices, volume in cells
    ]
    (folder / "apple.csv").write_text("date,open,high,low,close,volume\n" + "".join(lines))
    return cells, folder / "apple.csv"


def test_leans_modes_of_apple(tmp_path: Path, recordings: Path) -> None:
    """Raw, SplitAdjusted, Adjusted, ScaledRaw and TotalReturn over 5,849 days, by the factor file, line by line."""
    cells, bars = apple(tmp_path, recordings)
    file = recordings / "lean" / "equity" / "usa" / "factor_files" / "aapl.csv"
    lines = [line.split(",") for line in file.read_text().splitlines()]
    raw: list[float] = []
    price: list[float] = []
    split: list[float] = []
    cash: list[float] = []
    paid, before = 0.0, 0
    for row in cells:
        at = next(number for number, line in enumerate(lines) if line[0] >= row[0][:8])
        if raw and at != before and lines[before][1] != lines[at][1]:
            reference = float(lines[before][3])
            paid += round(reference - reference * float(lines[before][1]) / float(lines[at][1]), 2)
        before = at
        raw.append(int(row[4]) / 10_000)
        price.append(float(lines[at][1]))
        split.append(float(lines[at][2]))
        cash.append(paid)
    expected = {
        "Raw": raw,
        "SplitAdjusted": [one * shares for one, shares in zip(raw, split, strict=True)],
        "Adjusted": [one * shares * kept for one, shares, kept in zip(raw, split, price, strict=True)],
        "TotalReturn": [one * shares + sum_ for one, shares, sum_ in zip(raw, split, cash, strict=True)],
    }
    expected["ScaledRaw"] = expected["Adjusted"]

    for mode, closes in expected.items():
        out = tmp_path / "out.csv"
        assert 0 == run("adjust", "--bars", bars, "--factors", file, "--mode", mode, "-o", out).exit_code
        assert closes == pytest.approx(pl.read_csv(out)["close"].to_list(), rel=1e-12), mode


def test_true_splits_and_dividends_agree_with_leans_file_of_apple(tmp_path: Path, recordings: Path) -> None:
    """Yahoo's cash and ratios on LEAN's own closes: as near as LEAN's rounding of them, line by line."""
    _, bars = apple(tmp_path, recordings)
    text = (recordings / "yahoo" / "chart_v8" / "AAPL_1d_max_1980-2022_div_splits.json").read_text()
    events = json.loads(text)["chart"]["result"][0]["events"]
    days = pl.DataFrame({"at": [int(one) for each in ("dividends", "splits") for one in events[each]]})
    splits = [(int(at), one["numerator"] / one["denominator"]) for at, one in events["splits"].items()]
    rows = [(at, "split", ratio) for at, ratio in splits]
    for at, one in events["dividends"].items():
        later = 1.0
        for when, ratio in splits:
            later *= ratio if when > int(at) else 1.0
        rows.append((int(at), "dividend", one["amount"] * later))
    assert 79 == len(rows) == len(days)
    dated = pl.DataFrame(rows, schema=["at", "type", "value"], orient="row").select(
        pl.from_epoch("at")
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone("America/New_York")
        .dt.date()
        .alias("ex_date"),
        "type",
        "value",
    )
    dated.filter(pl.col("ex_date") <= pl.date(2021, 3, 31)).write_csv(tmp_path / "actions.csv")

    run("factors", "--bars", bars, "--actions", tmp_path / "actions.csv", "--as", "lean", "-o", tmp_path / "made.csv")

    theirs = (recordings / "lean" / "equity" / "usa" / "factor_files" / "aapl.csv").read_text().splitlines()
    ours = (tmp_path / "made.csv").read_text().splitlines()
    assert [line[:8] for line in theirs] == [line[:8] for line in ours]
    for mine, line in zip(ours, theirs, strict=True):
        (_, *found), (_, *wanted) = mine.split(","), line.split(",")
        assert [float(one) for one in wanted] == pytest.approx([float(one) for one in found], rel=4e-6, abs=5e-9), line


def test_forty_years_of_apple_by_a_table_of_factors(tmp_path: Path, recordings: Path) -> None:
    """Yahoo's adjusted closes from 1980 to 2022 to a millionth, in both forms of the table."""
    text = (recordings / "yahoo" / "chart_v8" / "AAPL_1d_max_1980-2022_div_splits.json").read_text()
    chart = json.loads(text)["chart"]["result"][0]
    quote, cash = chart["indicators"]["quote"][0], chart["events"]["dividends"].values()
    stamps = {"at": chart["timestamp"]} | {name: quote[name] for name in ("open", "high", "low", "close", "volume")}
    day = pl.from_epoch("at").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York").dt.date()
    pl.DataFrame(stamps).select(day.alias("date"), *list(stamps)[1:]).write_csv(tmp_path / "bars.csv")
    paid = pl.DataFrame({"at": [one["date"] for one in cash], "value": [one["amount"] for one in cash]})
    paid.select(day.alias("ex_date"), pl.lit("dividend").alias("type"), "value").write_csv(tmp_path / "actions.csv")

    for form in ("crsp", "lean"):
        made = table(tmp_path, "--basis", "split", "--as", form, "-o", tmp_path / "factors.csv")
        files = ("--bars", tmp_path / "bars.csv", "--factors", tmp_path / "factors.csv", "-o", tmp_path / "out.csv")
        done = run("adjust", *files, "--mode", "total_return")
        assert (0, 0) == (made.exit_code, done.exit_code)
        found = pl.read_csv(tmp_path / "out.csv")["close"].to_list()
        assert chart["indicators"]["adjclose"][0]["adjclose"] == pytest.approx(found, rel=1e-6)


def test_five_stocks_of_bokeh_by_one_table(tmp_path: Path) -> None:
    """Raw prices, splits and dividends of 13 years give the sample's own adjusted closes to two parts in 10,000."""
    dataset = bokeh()
    parts = [one.bars.with_columns(pl.lit(symbol).alias("symbol")) for symbol, one in dataset.series.items()]
    prices = ("open", "high", "low", "close", "volume")
    bars = pl.concat(parts).select("symbol", pl.col("ts_event").dt.date().alias("date"), *prices, "adj_close")
    bars.drop("adj_close").write_csv(tmp_path / "bars.csv")
    actions = [one.actions.with_columns(pl.lit(symbol).alias("symbol")) for symbol, one in dataset.series.items()]
    pl.concat(actions).select("symbol", "ex_date", "type", "value").write_csv(tmp_path / "actions.csv")

    table(tmp_path, "-o", tmp_path / "factors.parquet")
    files = ("--bars", tmp_path / "bars.csv", "--factors", tmp_path / "factors.parquet")
    run("adjust", *files, "--mode", "total_return", "-o", tmp_path / "out.csv")

    assert 5 == bars["symbol"].n_unique()
    assert bars["adj_close"].to_list() == pytest.approx(pl.read_csv(tmp_path / "out.csv")["close"].to_list(), rel=2e-4)
