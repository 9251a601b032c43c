"""truetape adjust: by hand arithmetic, against Yahoo's own adjusted close, and on every kind of bad input."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app

BARS = """date,open,high,low,close,volume
2024-06-03,80,88,72,100,100
2024-06-04,80,88,72,100,100
2024-06-05,20,22,18,25,400
"""
SPLIT = "2024-06-05,split,4\n"
DIVIDEND = "2024-06-05,dividend,5\n"


class Desk:
    """A folder with a file of bars and one of actions, and the command over them."""

    def __init__(self, folder: Path, *, bars: str, actions: str) -> None:
        self.folder = folder
        self.bars, self.actions = folder / "bars.csv", folder / "actions.csv"
        self.bars.write_text(bars)
        self.actions.write_text(actions)

    def run(self, *options: str, output: str = "out.csv") -> Result:
        files = ["--bars", str(self.bars), "--actions", str(self.actions), "-o", str(self.folder / output)]
        return CliRunner().invoke(app, ["adjust", *files, *options])

    def rows(self, *options: str) -> list[dict[str, str]]:
        """The rows that were written."""
        result = self.run(*options)
        assert (0, "") == (result.exit_code, result.stderr)
        return list(csv.DictReader((self.folder / "out.csv").read_text().splitlines()))

    def column(self, name: str, *options: str) -> list[float | None]:
        return [float(row[name]) if row[name] else None for row in self.rows(*options)]


def desk(folder: Path, actions: str, *, bars: str = BARS) -> Desk:
    return Desk(folder, bars=bars, actions=f"ex_date,type,value\n{actions}")


@pytest.mark.parametrize(
    ("options", "closes", "volumes"),
    [
        pytest.param(["--adjustment", "split"], [25, 25, 25], [400, 400, 400], id="100 / 4, and four times the shares"),
        pytest.param(["--adjustment", "all"], [20, 20, 25], [400, 400, 400], id="5 of 25 new-share dollars: times 0.8"),
        pytest.param(
            ["--adjustment", "split", "--basis", "split"], [100, 100, 25], [100, 100, 400], id="nothing to do"
        ),
        pytest.param(["--adjustment", "all", "--basis", "split"], [95, 95, 25], [100, 100, 400], id="5 of 100"),
        pytest.param(["--adjustment", "total_return"], [20, 20, 25], [400, 400, 400], id="another name of all"),
        pytest.param(["--adjustment", "Adjusted"], [20, 20, 25], [400, 400, 400], id="LEAN's name of all"),
        pytest.param(["--adjustment", "difference"], [20, 20, 25], [400, 400, 400], id="5 less than 25"),
        pytest.param(["--adjustment", "forward_total_return"], [100, 100, 125], [100, 100, 100], id="25 x 4 / 0.8"),
        pytest.param(
            ["--adjustment", "split", "--anchor", "2024-06-04"], [100, 100, 100], [100, 100, 100], id="in old shares"
        ),
    ],
)
def test_a_dividend_on_the_day_of_a_split(
    tmp_path: Path, options: list[str], closes: list[float], volumes: list[float]
) -> None:
    """The dividend is per share after the split; volumes follow splits only."""
    both = desk(tmp_path, SPLIT + DIVIDEND)

    assert both.column("close", *options) == closes
    assert both.column("volume", *options) == volumes


@pytest.mark.parametrize(
    ("actions", "closes"),
    [
        pytest.param("2024-06-03,split,4\n", [100, 100, 25], id="on the first bar"),
        pytest.param("2001-01-01,split,4\n2001-01-01,dividend,1\n", [100, 100, 25], id="before the first bar"),
        pytest.param("2024-06-06,split,4\n2024-06-07,dividend,1\n", [100, 100, 25], id="after the last bar"),
        pytest.param("", [100, 100, 25], id="no actions"),
        pytest.param("2024-06-05,dividend,0.5\n2024-06-05,Dividend ,4.5\n", [95, 95, 25], id="two dividends add up"),
    ],
)
def test_which_bars_an_action_reaches(tmp_path: Path, actions: str, closes: list[float]) -> None:
    """Only bars before the ex-date change, and only if a bar follows them."""
    assert desk(tmp_path, actions).column("close", "--adjustment", "all") == closes


def test_an_ex_date_between_sessions_works_from_the_next_bar(tmp_path: Path) -> None:
    """A split of Saturday changes Friday and not Monday."""
    bars = "date,open,high,low,close,volume\n2024-06-07,8,8,8,8,10\n2024-06-10,2,2,2,2,40\n"

    assert desk(tmp_path, "2024-06-08,split,4\n", bars=bars).column("close", "--adjustment", "split") == [2, 2]


def test_rows_columns_and_other_values_stay_as_they_were(tmp_path: Path) -> None:
    """Newest first, columns in any order and case, text untouched, missing values missing."""
    bars = (
        "Volume,note,Date,CLOSE,Open,High,Low,code\n"
        '400,"a, b",2024-06-05 00:00:00+00:00,25,20,22,18,007\n'
        "100,,2024-06-04T00:00:00,NaN,80,88,,1e3\n"
        ",x,2024-06-03,100,80,88,72,\n"
    )
    mixed = desk(tmp_path, SPLIT + DIVIDEND, bars=bars)
    mixed.run("--adjustment", "all")

    assert (tmp_path / "out.csv").read_text() == (
        "Volume,note,Date,CLOSE,Open,High,Low,code\n"
        '400.0,"a, b",2024-06-05 00:00:00+00:00,25.0,20.0,22.0,18.0,007\n'
        "400.0,,2024-06-04T00:00:00,,16.0,17.6,,1e3\n"
        ",x,2024-06-03,20.0,16.0,17.6,14.4,\n"
    )


def test_a_split_counts_although_the_last_close_is_missing(tmp_path: Path) -> None:
    """The bar of the ex-date is there, with its open alone."""
    bars = "date,open,high,low,close,volume\n2024-06-03,80,88,72,100,100\n2024-06-05,20,,,,\n"

    assert desk(tmp_path, SPLIT, bars=bars).column("open", "--adjustment", "split") == [20, 20]


def test_every_symbol_has_its_own_actions(tmp_path: Path) -> None:
    """A symbol without actions stays as it is, actions of other symbols change nothing."""
    bars = (
        "symbol,date,open,high,low,close,volume\n"
        "A,2024-06-03,8,8,8,8,10\nB,2024-06-03,8,8,8,8,10\n"
        "B,2024-06-04,8,8,8,8,10\nA,2024-06-04,4,4,4,4,20\n"
    )
    several = Desk(
        tmp_path, bars=bars, actions="ex_date,type,value,Symbol\n2024-06-04,split,2,A\n2024-06-04,split,5,C\n"
    )

    assert several.column("close", "--adjustment", "split") == [4, 8, 8, 4]


def test_one_symbol_needs_no_column_in_the_other_file(tmp_path: Path) -> None:
    """There is nothing to confuse."""
    named = Desk(tmp_path, bars=BARS, actions="symbol,ex_date,type,value\nA,2024-06-05,split,4\n")

    assert named.column("close", "--adjustment", "split") == [25, 25, 25]


def test_json_says_what_was_done(tmp_path: Path) -> None:
    """One object on standard output and nothing else."""
    result = desk(tmp_path, SPLIT + "2024-06-04,dividend,1\n").run("--adjustment", "split", "--json")

    expected = {
        "rows": 3,
        "factors": 1,
        "first": "2024-06-03",
        "last": "2024-06-05",
        "output": str(tmp_path / "out.csv"),
    }
    assert json.loads(result.stdout) == expected


def test_a_person_is_told_in_a_sentence(tmp_path: Path) -> None:
    """How many bars, which range, and where they are."""
    result = desk(tmp_path, SPLIT).run("--adjustment", "split")

    assert f"Adjusted 3 bars from 2024-06-03 to 2024-06-05 by 1 ex-dates: {tmp_path}/out.csv\n" == result.stdout


BAD = [
    pytest.param(
        [], {"actions": "2024-06-05,dividend,25\n" + SPLIT}, "value was 25.0. The close before it", id="whole"
    ),
    pytest.param([], {"actions": "2024-06-05,split,0\n"}, "value was '0'", id="split of nothing"),
    pytest.param([], {"bars": "date,close\n"}, "Add the column open", id="columns missing"),
    pytest.param([], {"bars": ""}, "It is empty", id="no byte"),
    pytest.param(
        [], {"bars": BARS + "2024-06-05,1,1,1,1,1\n"}, "line 5, date was '2024-06-05 as on line 4'", id="twice"
    ),
    pytest.param(
        [],
        {"bars": "symbol,date,open,high,low,close,volume\nA,2024-06-03,1,1,1,1,1\nB,2024-06-03,1,1,1,1,1\n"},
        "was 'A, B'. Add a column symbol to the other file",
        id="whose actions",
    ),
    pytest.param(["--basis", "all"], {}, "--basis was 'all'. Choose one of raw, split.", id="basis"),
    pytest.param(["--adjustment", "raw"], {}, "--adjustment was 'raw'. The bars are as traded", id="as traded"),
    pytest.param(
        ["--adjustment", "some"], {}, "--adjustment was 'some'. Choose one of raw, split, all", id="adjustment"
    ),
    pytest.param(["--anchor", "2024-06-04", "--basis", "split"], {}, "brought to split or all alone", id="anchor"),
    pytest.param(["--adjustment", "scaled_raw", "--anchor", "2024-06-04"], {}, "ask for total_return", id="no place"),
    pytest.param(["-o", "out.txt"], {}, "must end in one of", id="output"),
    pytest.param(["--actions", "none.csv"], {}, "'none.csv'. No such file", id="no file"),
]


@pytest.mark.parametrize(("options", "files", "said"), BAD)
def test_bad_input_is_one_sentence_and_exit_2(
    tmp_path: Path, options: list[str], files: dict[str, Any], said: str
) -> None:
    """The same sentence on standard error, or as JSON on standard output; no file is written."""
    bad = desk(tmp_path, files.get("actions", SPLIT), bars=files.get("bars", BARS))
    given = ["--adjustment", "all", *options]

    spoken, as_json = bad.run(*given), bad.run(*given, "--json")

    assert (2, "") == (spoken.exit_code, spoken.stdout)
    assert said in spoken.stderr
    assert (2, "") == (as_json.exit_code, as_json.stderr)
    assert said in json.loads(as_json.stdout)["error"]
    assert not (tmp_path / "out.csv").exists()


def chart_files(folder: Path, recordings: Path) -> tuple[Desk, list[float]]:
    """Yahoo's chart of AAPL as two CSV files, written without our decoders, and its own adjusted closes."""
    text = (recordings / "yahoo" / "chart_v8" / "AAPL_1d_max_1980-2022_div_splits.json").read_text()
    chart = json.loads(text)["chart"]["result"][0]
    quote, events = chart["indicators"]["quote"][0], chart["events"]

    def day(stamp: int) -> str:
        return datetime.fromtimestamp(stamp, UTC).astimezone(ZoneInfo("America/New_York")).date().isoformat()

    fields = ("open", "high", "low", "close", "volume")
    rows = zip(map(day, chart["timestamp"]), *(quote[name] for name in fields), strict=True)
    bars = "".join(f"{','.join(map(str, row))}\n" for row in rows)
    actions = "".join(f"{day(one['date'])},dividend,{one['amount']}\n" for one in events["dividends"].values())
    actions += "".join(
        f"{day(one['date'])},split,{one['numerator'] / one['denominator']}\n" for one in events["splits"].values()
    )
    made = desk(folder, actions, bars=f"date,{','.join(fields)}\n{bars}")
    return made, chart["indicators"]["adjclose"][0]["adjclose"]


def test_forty_years_of_apple_equal_yahoos_adjusted_close(tmp_path: Path, recordings: Path) -> None:
    """74 dividends over 10,395 bars, to a millionth; Parquet in and out gives the very numbers of CSV."""
    apple, expected = chart_files(tmp_path, recordings)

    closes = apple.column("close", "--basis", "split", "--adjustment", "all")

    assert closes == pytest.approx(expected, rel=1e-6)
    for name in ("bars", "actions"):
        pl.read_csv(tmp_path / f"{name}.csv", try_parse_dates=True).write_parquet(tmp_path / f"{name}.parquet")
    apple.bars, apple.actions = tmp_path / "bars.parquet", tmp_path / "actions.parquet"
    assert apple.run("--basis", "split", "--adjustment", "all", output="out.parquet").exit_code == 0
    assert pl.read_parquet(tmp_path / "out.parquet")["close"].to_list() == closes


@pytest.mark.parametrize(
    ("symbol", "splits", "actions"), [("AAPL", 1, 11), ("MSFT", 0, 12)], ids=["seven for one in 2014", "no split"]
)
def test_raw_and_split_adjusted_files_of_one_history_agree(
    tmp_path: Path, recordings: Path, symbol: str, splits: int, actions: int
) -> None:
    """As-traded bars and cash, made from the sample by its own split column, give what the sample itself gives."""
    sample = recordings / "history_csv" / "zipline" / "csvdir_samples" / f"{symbol}.csv.gz"
    rows = list(csv.DictReader(gzip.decompress(sample.read_bytes()).decode().splitlines()))
    later = 1.0
    shares: list[float] = []
    for row in reversed(rows):
        shares.insert(0, later)
        later *= float(row["split"])
    found: dict[bool, list[float | None]] = {}
    for raw in (True, False):
        bars, lines = "date,open,high,low,close,volume\n", ""
        for row, count in zip(rows, shares, strict=True):
            scale = count if raw else 1.0
            prices = ",".join(str(float(row[name]) * scale) for name in ("open", "high", "low", "close"))
            bars += f"{row['date']},{prices},{float(row['volume']) / scale}\n"
            lines += f"{row['date']},split,{row['split']}\n" if float(row["split"]) != 1 else ""
            lines += f"{row['date']},dividend,{float(row['dividend']) * scale}\n" if float(row["dividend"]) else ""
        basis = "raw" if raw else "split"
        found[raw] = desk(tmp_path, lines, bars=bars).column("close", "--adjustment", "all", "--basis", basis)
        assert (lines.count("split"), lines.count("\n")) == (splits, actions)

    assert found[True] == pytest.approx(found[False], rel=1e-12)
    assert found[False][-1] == float(rows[-1]["close"])
    assert found[False][0] < float(rows[0]["close"])  # type: ignore[operator]  # no close of the sample is missing
