"""truetape decode: recorded answers of every provider as rows, and their errors as words."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from truetape.app.cli import app
from truetape.domain.schema import DECODED

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
CHART = str(GOLDEN / "yahoo" / "chart_null_and_live.json")
CANDLES = str(GOLDEN / "finnhub" / "candle_daily.json")
YAHOO = ("--provider", "yahoo")


def run(*arguments: str, body: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["decode", *arguments], input=body)


def rows(*arguments: str, body: bytes = b"") -> Any:
    result = run(*arguments, "--json", body=body)
    assert (0, "") == (result.exit_code, result.stderr)
    return json.loads(result.stdout)


def test_bars_are_an_array_of_objects() -> None:
    """Every column in its order, instants in UTC, 32-bit artefacts gone; the bar without prices is left out."""
    first, *others = rows(*YAHOO, CHART)

    assert first == {
        "symbol": "ACME",
        "timeframe": "1d",
        "ts_event": "2024-03-08T00:00:00Z",
        "open": 187.15,
        "high": 188.0,
        "low": 186.5,
        "close": 187.5,
        "volume": 1000.0,
        "adj_close": 187.25,
        "currency": "USD",
        "basis": "split",
        "running": False,
    }
    assert list(first) == list(DECODED["bars"])
    assert {row["ts_event"] for row in others} == {"2024-03-12T00:00:00Z"}


def test_actions_have_their_ex_date_as_text() -> None:
    """Three new shares for two old ones, and a quarter of a dollar."""
    found = rows(*YAHOO, "--kind", "actions", CHART)

    assert [list(row) for row in found] == [list(DECODED["actions"])] * 2
    assert [(row["ex_date"], row["type"], row["value"]) for row in found] == [
        ("2024-03-08", "split", 1.5),
        ("2024-03-11", "dividend", 0.25),
    ]


def test_a_quote_takes_the_symbol_that_was_asked_for() -> None:
    """Finnhub's body does not name it; 1709931600 is 21:00 UTC."""
    quote = rows(
        "--provider", "finnhub", "--kind", "quotes", "--symbol", "ACME", str(GOLDEN / "finnhub" / "quote.json")
    )

    assert [("ACME", "2024-03-08T21:00:00Z", 187.5)] == [
        (one["symbol"], one["ts_event"], one["price"]) for one in quote
    ]


@pytest.mark.parametrize(
    ("provider", "file", "expected"),
    [
        ("alpha_vantage", "daily_adjusted.json", ["2024-03-11", "2024-03-12"]),
        ("finnhub", "candle_daily.json", ["2024-03-08", "2024-03-12"]),
        ("iex_cloud", "chart_three_bases.json", ["2024-03-08", "2024-03-11"]),
    ],
)
def test_every_provider_is_read(provider: str, file: str, expected: list[str]) -> None:
    """The name of the provider picks its decoder."""
    found = rows("--provider", provider, "--symbol", "ACME", str(GOLDEN / provider / file))

    assert all(list(row) == list(DECODED["bars"]) for row in found)
    assert [row["ts_event"][:10] for row in found] == expected


def test_an_answer_may_come_packed_or_through_a_pipe(tmp_path: Path) -> None:
    """Three ways to the same rows."""
    body = Path(CHART).read_bytes()
    (tmp_path / "answer.json.gz").write_bytes(gzip.compress(body))

    plain = rows(*YAHOO, CHART)

    assert plain == rows(*YAHOO, str(tmp_path / "answer.json.gz"))
    assert plain == rows(*YAHOO, "-", body=body)


NOTHING_THEN = (
    b'{"chart":{"result":null,"error":{"code":"Bad Request","description":'
    b'"Data doesn\'t exist for startDate = 1, endDate = 2"}}}'
)


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("finnhub", b'{"s":"no_data"}'),
        ("iex_cloud", b"[]"),
        ("yahoo", NOTHING_THEN),
    ],
)
def test_a_valid_answer_without_rows_is_an_empty_array(provider: str, body: bytes) -> None:
    """Nothing was traded; that is no error."""
    assert rows("--provider", provider, "-", body=body) == []
    assert f"{provider} bars: 0 rows\n" == run("--provider", provider, "-", body=body).stdout


NOTE = b'{"Note":"Please consider spreading out your free API requests more sparingly (1 request per second)."}'
ERRORS = [
    pytest.param("alpha_vantage", NOTE, 200, "throttled", "Please consider spreading out", id="words"),
    pytest.param("yahoo", b"Too Many Requests\r\n", 429, "throttled", "Too Many Requests", id="plain text"),
    pytest.param("finnhub", b'{"error":"Invalid API key"}', 401, "auth", "Invalid API key", id="status"),
    pytest.param("iex_cloud", b"Unknown symbol", 404, "permanent", "Unknown symbol", id="unknown symbol"),
    pytest.param("finnhub", b"{}", 503, "transient", "HTTP 503", id="server error"),
    pytest.param("yahoo", b'{"chart":{"result":[{"meta"', 200, "transient", "was cut", id="cut"),
    pytest.param("alpha_vantage", b'{"a":1}', 200, "undecodable", "no time series among the fields a", id="another"),
    pytest.param("iex_cloud", b'[{"date":1}]', 200, "undecodable", "$[0].date", id="another type"),
]


@pytest.mark.parametrize(("provider", "body", "status", "failure_class", "words"), ERRORS)
def test_an_error_is_told_with_its_class_and_words(
    provider: str, body: bytes, status: int, failure_class: str, words: str
) -> None:
    """One object and exit 2; without --json one sentence on standard error."""
    arguments = ("--provider", provider, "--status", str(status), "-")

    as_json, spoken = run(*arguments, "--json", body=body), run(*arguments, body=body)
    told = json.loads(as_json.stdout)

    assert (2, "") == (as_json.exit_code, as_json.stderr)
    assert (failure_class, provider, "bars") == (told["failure_class"], told["provider"], told["kind"])
    assert words in told["words"]
    assert told["error"] == f"{failure_class}: {told['words']}"
    assert (2, "") == (spoken.exit_code, spoken.stdout)
    assert words in spoken.stderr
    assert spoken.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--provider", "bloomberg", CHART], "--provider was 'bloomberg'. Choose one of alpaca, alpha_vantage"),
        (["--provider", "yahoo", "--kind", "trades", CHART], "--kind was 'trades'. Choose one of bars, actions"),
        (["--provider", "finnhub", "--timeframe", "2d", CANDLES], "--timeframe was '2d'. Choose one of 1m"),
        (["--provider", "yahoo", "none.json"], "'none.json'. No such file"),
        (["--provider", "yahoo", CHART, "-o", "rows.xlsx"], "must end in one of .json, .csv"),
    ],
)
def test_an_impossible_question_is_told(arguments: list[str], said: str) -> None:
    """Which option, which value, what is possible."""
    spoken, as_json = run(*arguments), run(*arguments, "--json")

    assert (2, "", 2, "") == (spoken.exit_code, spoken.stdout, as_json.exit_code, as_json.stderr)
    assert said in spoken.stderr
    assert said in json.loads(as_json.stdout)["error"]


@pytest.mark.parametrize("name", ["rows.json", "rows.csv", "rows.csv.gz", "rows.parquet"])
def test_rows_are_written_by_suffix(tmp_path: Path, name: str) -> None:
    """Each format holds what --json prints; Parquet has true types."""
    file = tmp_path / name

    result = run(*YAHOO, CHART, "-o", str(file))
    expected = rows(*YAHOO, CHART)

    assert f"Wrote {len(expected)} rows to {file}.\n" == result.stdout
    if name == "rows.json":
        assert json.loads(file.read_bytes()) == expected
    elif name == "rows.parquet":
        assert dict(pl.read_parquet(file).schema) == DECODED["bars"]
    else:
        text = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
        found = list(csv.DictReader(text.decode().splitlines()))
        assert [row["ts_event"] for row in found] == [row["ts_event"] for row in expected]
        assert [float(row["open"]) for row in found] == [row["open"] for row in expected]


def test_a_person_sees_both_ends_of_a_long_table() -> None:
    """Five rows from either end; what is the same in all of them is said once."""
    days = [86_400 * (19_723 + number) for number in range(30)]
    body = json.dumps({"s": "ok", "t": days, **{letter: [1.5] * 30 for letter in "ohlcv"}}).encode()

    result = run("--provider", "finnhub", "--symbol", "ACME", "-", body=body)

    dates = [line.split()[0] for line in result.stdout.splitlines() if line.strip()[:3] in ("202", "...")]
    january = [f"2024-01-{day:02}" for day in range(1, 31)]
    assert dates == [*january[:5], "...", *january[-5:]]
    assert result.stdout.splitlines()[-1] == (
        "finnhub bars: 30 rows, from 2024-01-01 to 2024-01-30, symbol ACME, timeframe 1d, currency USD, basis split"
    )


def test_a_short_table_is_shown_whole() -> None:
    """Actions are listed by ex-date."""
    shown = run(*YAHOO, "--kind", "actions", CHART).stdout

    assert ("...", 1, 1) == ("..." if "..." not in shown else "cut", shown.count("1.5"), shown.count("0.25"))
    assert "yahoo actions: 2 rows, from 2024-03-08 to 2024-03-11" in shown


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_decoded_files_can_be_adjusted(tmp_path: Path, suffix: str) -> None:
    """A quarter of a dollar off a close of 187.50 gives the adjusted close that the answer itself has.

    The answer says that it was paid in Canada's dollars, which is refused until somebody writes what it was worth.
    """
    bars, actions, out = (str(tmp_path / f"{name}.{suffix}") for name in ("bars", "actions", "out"))
    run(*YAHOO, CHART, "-o", bars)
    run(*YAHOO, "--kind", "actions", CHART, "-o", actions)

    given = ["--bars", bars, "--actions", actions, "--adjustment", "all", "--basis", "split", "-o", out]
    foreign = CliRunner().invoke(app, ["adjust", *given])
    paid = pl.read_csv(actions) if suffix == "csv" else pl.read_parquet(actions)
    paid = paid.with_columns(currency=pl.lit("USD"))
    _ = paid.write_csv(actions) if suffix == "csv" else paid.write_parquet(actions)
    result = CliRunner().invoke(app, ["adjust", *given])

    assert (2, True) == (foreign.exit_code, "'CAD'" in foreign.stderr)
    assert (0, "") == (result.exit_code, result.stderr)
    frame = pl.read_csv(out) if suffix == "csv" else pl.read_parquet(out)
    assert frame["close"][0] == pytest.approx(187.25, rel=1e-15)
    assert frame["adj_close"][0] == 187.25


def test_a_list_is_of_no_time(tmp_path: Path) -> None:
    """Its rows are shown without a range of days."""
    file = tmp_path / "list.csv"
    file.write_text("CIK,Ticker,Name,Exchange\n320193,AAPL,Apple Inc.,Nasdaq\n", encoding="utf-8")
    result = run("--provider", "sec", "--kind", "listings", str(file))

    assert (0, True) == (result.exit_code, "AAPL" in result.stdout or "symbol AAPL" in result.stdout)
    assert "sec listings: 1 rows" in result.stdout
