"""truetape get and truetape explain: the market's answers on the terminal, as JSON, and in files."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from small_market import filled_folder, serving
from truetape.app.cli import app

SPAN = ["--start", "2005-02-25", "--end", "2005-02-28"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(filled_folder(tmp_path_factory.mktemp("answers") / "data"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_bars_as_json(folder: Path) -> None:
    """Standard output holds one array of rows and nothing else; the split of two for one halves the day before it."""
    result = run("get", "AAPL", *SPAN, "--adjustment", "split", "--json", "--data", str(folder))

    rows = json.loads(result.stdout)
    assert (0, "") == (result.exit_code, result.stderr)
    assert [("2005-02-25T00:00:00Z", 45.0, 220.0), ("2005-02-28T00:00:00Z", 44.0, 240.0)] == [
        (row["ts_event"], row["close"], row["volume"]) for row in rows
    ]
    assert {"symbol": "AAPL", "currency": "USD", "basis": "split"}.items() <= rows[0].items()


def test_bars_as_a_table(folder: Path) -> None:
    """A person sees dates, prices and what they are adjusted for."""
    result = run("get", "AAPL", *SPAN, "--data", str(folder))

    assert 0 == result.exit_code
    assert "2005-02-25" in result.stdout
    assert "2 bars (raw, USD)" in result.stdout


def test_bars_as_known_before_a_correction(folder: Path) -> None:
    """The bar that was corrected a day later is shown as it was known then."""
    day = ["--start", "2005-03-01", "--end", "2005-03-01"]
    closes = {}
    for as_of in ("2024-01-10", "2024-01-11"):
        result = run("get", "AAPL", *day, "--as-of", as_of, "--json", "--data", str(folder))
        closes[as_of] = [row["close"] for row in json.loads(result.stdout)]

    assert {"2024-01-10": [46.0], "2024-01-11": [46.5]} == closes


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".csv", ".json"])
def test_bars_in_a_file(folder: Path, tmp_path: Path, suffix: str) -> None:
    """Every form holds the same closes: both factors, 2 and 0.99, are applied before their ex-dates."""
    path = tmp_path / f"aapl{suffix}"
    readers: dict[str, Callable[..., pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".arrow": pl.read_ipc,
        ".csv": pl.read_csv,
        ".json": pl.read_json,
    }

    result = run("get", "AAPL", *SPAN, "--adjustment", "all", "-o", str(path), "--data", str(folder))

    frame = readers[suffix](io.BytesIO(path.read_bytes()))
    assert (0, "") == (result.exit_code, result.stdout)
    assert [90 / 2 * 0.99, 44 * 0.99] == pytest.approx(frame["close"].to_list(), rel=1e-15)
    assert ["aapl" + suffix] == [one.name for one in tmp_path.iterdir()]


def test_a_running_api_is_asked(tmp_path: Path) -> None:
    """By its address, or by the folder that it serves, a server gives the same rows."""
    path = asyncio.run(filled_folder(tmp_path / "data"))
    with serving(path) as address:
        asked = [run("get", "AAPL", "--json", *where) for where in (["--url", address], ["--data", str(path)])]

    rows = [json.loads(one.stdout) for one in asked]
    assert [88.0, 90.0, 44.0, 46.5, 50.0, 49.0] == [row["close"] for row in rows[0]]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["get", "APPL"], "The symbol 'APPL' is unknown. Known symbols: AAPL"),
        (["get", "AAPL", "--start", "2005-13-01"], "start was '2005-13-01'. Write a date as YYYY-MM-DD"),
        (
            ["get", "AAPL", "--start", "2005-03-02", "--end", "2005-03-01"],
            "start was '2005-03-02'. It is later than end",
        ),
        (
            ["get", "AAPL", "-o", "aapl.xls"],
            "-o was 'aapl.xls'. End the name with one of .parquet, .csv, .arrow, .json.",
        ),
        (["get", "AAPL", "-o", "nowhere/a.csv"], "-o was 'nowhere/a.csv'. It cannot be written: No such file"),
        (["explain", "APPL", "2005-02-25"], "The symbol 'APPL' is unknown."),
        (["explain", "AAPL", "yesterday"], "ts was 'yesterday'. Write a date as YYYY-MM-DD"),
    ],
)
def test_questions_that_cannot_be_answered(folder: Path, arguments: list[str], words: str) -> None:
    """A wrong question ends with 2 and one sentence; with --json the sentence stands in an object."""
    result = run(*arguments, "--data", str(folder))
    as_json = run(*arguments, "--json", "--data", str(folder))

    assert (2, "") == (result.exit_code, result.stdout)
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert (2, "") == (as_json.exit_code, as_json.stderr)
    assert words in json.loads(as_json.stdout)["error"]


def test_a_folder_without_data(tmp_path: Path) -> None:
    """A folder that holds nothing is named, and stays empty."""
    result = run("get", "AAPL", "--data", str(tmp_path))

    assert 2 == result.exit_code
    assert str(tmp_path) in result.stderr
    assert [] == list(tmp_path.iterdir())


def test_explain_in_words(folder: Path) -> None:
    """The explanation names who said what, and who was not believed."""
    result = run("explain", "AAPL", "2005-02-25", "--data", str(folder))

    assert 0 == result.exit_code
    for word in ("AAPL", "2005-02-25", "yahoo", "iex_cloud", "finnhub", "hundredfold"):
        assert word in result.stdout


def test_explain_as_json(folder: Path) -> None:
    """A program finds the same: the golden price, each claim with its outcome, and the later factors."""
    result = run("explain", "AAPL", "2005-02-25", "--json", "--data", str(folder))

    told = json.loads(result.stdout)
    assert (0, "") == (result.exit_code, result.stderr)
    assert 90.0 == told["prices"]["raw"]["close"]
    assert {"iex_cloud": "agreed", "yahoo": "taken", "finnhub": "quarantined"} == {
        one["provider"]: one["outcome"] for one in told["claims"]
    }
    assert [("2005-02-28", 2.0, 1.0), ("2005-03-03", 1.0, 0.99)] == [
        (one["ex_date"], one["split"], one["dividend"]) for one in told["effects"]
    ]
