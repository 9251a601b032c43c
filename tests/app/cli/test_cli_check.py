"""truetape check: what is wrong with a file of prices, where it stands, and what the exit code says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from evidence_doubles import day
from truetape.app.cli import app

CLEAN = [100.0 + (number % 3) for number in range(30)]
HEADER = "Date,Open,High,Low,Close,Volume"


def csv(closes: list[float], *, header: str = HEADER) -> str:
    """Daily bars around `closes`: half a unit above and below."""
    rows = [
        f"{day(number)},{close},{close + 0.5},{close - 0.5},{close},{1000 + number}"
        for number, close in enumerate(closes)
    ]
    return "\n".join([header, *rows]) + "\n"


class Desk:
    """A folder with one file, and the command over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, text: str, *options: str, name: str = "prices.csv") -> Result:
        (self.folder / name).write_text(text)
        return CliRunner().invoke(app, ["check", str(self.folder / name), *options])

    def report(self, text: str, *options: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.run(text, *options, "--json").stdout)
        return report

    def found(self, text: str, *options: str) -> list[tuple[str, str, str]]:
        """Severity, check and place of each finding."""
        return [(one["severity"], one["check"], one["place"]) for one in self.report(text, *options)["findings"]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_clean_file_is_silent(desk: Desk) -> None:
    """One line says what was looked at."""
    result = desk.run(csv(CLEAN))

    assert result.exit_code == 0
    assert result.stdout == (
        f"0 errors, 0 warnings, 0 notes in 30 bars of 1d from 2024-06-03 to 2024-07-12: {desk.folder / 'prices.csv'}\n"
    )


def test_findings_say_what_and_where(desk: Desk) -> None:
    """The third bar has a high that is below its close; stable keys are there for a program."""
    text = csv(CLEAN).replace("2024-06-05,102.0,102.5", "2024-06-05,102.0,101.75")
    result = desk.run(text)
    report = desk.report(text)

    assert result.exit_code == 1
    assert "ohlc_order" in result.stdout
    assert "line 4" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("1 error, 0 warnings, 0 notes in 30 bars of 1d")
    assert report["counts"] == {"error": 1, "warning": 0, "note": 0}
    assert report["findings"] == [
        {
            "severity": "error",
            "check": "ohlc_order",
            "symbol": "",
            "place": "line 4",
            "date": "2024-06-05",
            "column": "High",
            "value": 101.75,
            "expected": [102.0, None],
            "explanation": "the high is 101.75, but the prices of the bar go from 101.5 to 102.0",
            "repair": "set_field",
            "repair_value": 102.0,
        }
    ]
    assert {name: report[name] for name in ("rows", "timeframe", "first", "last")} == {
        "rows": 30,
        "timeframe": "1d",
        "first": "2024-06-03",
        "last": "2024-07-12",
    }


def test_warnings_are_no_failure(desk: Desk) -> None:
    """A row that is there twice, word for word."""
    lines = csv(CLEAN).splitlines()
    result = desk.run("\n".join([*lines[:5], lines[4], *lines[5:]]))

    assert result.exit_code == 0
    assert "duplicate" in result.stdout


def test_many_findings_of_a_kind_are_counted(desk: Desk) -> None:
    """Three are shown, the others are told in JSON."""
    text = csv(CLEAN, header="Date,Open,Low,High,Close,Volume")

    assert "and 27 more of these" in desk.run(text).stdout
    assert len([one for one in desk.found(text) if one[1] == "ohlc_order"]) == 30


def test_the_newest_may_stand_first(desk: Desk) -> None:
    """Places are those of the file."""
    lines = csv([*CLEAN[:10], -1.0, *CLEAN[:10]]).splitlines()
    text = "\n".join([lines[0], *reversed(lines[1:])])

    assert ("error", "not_positive", "line 12") in desk.found(text)
    assert desk.found("\n".join([lines[0], *reversed(csv(CLEAN).splitlines()[1:])])) == []


def test_a_venue_has_a_calendar(desk: Desk) -> None:
    """June 19 and July 4 are holidays in New York; the file has bars on them."""
    extra = [("warning", "outside_session", "line 14"), ("warning", "outside_session", "line 25")]

    assert desk.found(csv(CLEAN), "--venue", "XNYS") == extra
    assert desk.found(csv(CLEAN)) == []


def test_symbols_are_checked_one_by_one(desk: Desk) -> None:
    """The step from one symbol to the next is no jump; a table names the symbol."""
    one = csv(CLEAN).splitlines()[1:]
    two = csv([price * 50 for price in CLEAN[:9]] + [-1.0]).splitlines()[1:]
    rows = [f"A,{line}" for line in one] + [f"B,{line}" for line in two]
    text = "\n".join([f"Symbol,{HEADER}", *rows])
    findings = desk.report(text)["findings"]

    assert {one["symbol"] for one in findings} == {"B"}
    assert {one["place"] for one in findings if one["check"] == "not_positive"} == {"line 41"}
    assert "symbol" in desk.run(text + "\nA,2024-12-30,-1,1,1,1,1").stdout


def test_what_repair_would_mend_is_an_error(desk: Desk) -> None:
    """Ten bars in pence among pounds."""
    flipped = [price * (100 if 10 <= number < 20 else 1) for number, price in enumerate(CLEAN * 2)]
    rows = [f"{day(number)},{close},{close},{close},{close},1000" for number, close in enumerate(flipped)]
    findings = desk.report("\n".join([HEADER, *rows]))["findings"]

    assert ("unit_flip", "line 12") in {(one["check"], one["place"]) for one in findings}


def test_declared_actions_are_looked_at(desk: Desk) -> None:
    """A split of 4 that prices follow, as traded, which repair would adjust; and one that adjusted prices do not."""
    header = f"{HEADER},Stock Splits"
    jump = csv([*CLEAN, *(price / 4 for price in CLEAN)]).splitlines()[1:]
    flat = csv([*CLEAN, *CLEAN]).splitlines()[1:]

    def text(lines: list[str]) -> str:
        return "\n".join([header, *(f"{line},{4 if number == 30 else 0}" for number, line in enumerate(lines))])

    assert [desk.found(text(jump)), desk.found(text(flat))] == [[("error", "split_not_applied", "line 2")], []]
    assert "undeclared_split" in {check for _, check, _ in desk.found("\n".join([HEADER, *jump]))}


def test_parquet_counts_rows(desk: Desk) -> None:
    """And has dates of its own."""
    path = desk.folder / "prices.parquet"
    pl.DataFrame({"date": [day(0), day(1)], "close": [1.0, -1.0]}).write_parquet(path)
    result = CliRunner().invoke(app, ["check", str(path), "--json"])

    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["place"], finding["date"], result.exit_code) == ("row 2", "2024-06-04", 1)


def test_parquet_of_symbols_counts_rows_of_the_file(desk: Desk) -> None:
    """Rows of another symbol are counted too."""
    path = desk.folder / "prices.parquet"
    pl.DataFrame({"symbol": ["A", "B"], "date": [day(0), day(1)], "close": [1.0, -1.0]}).write_parquet(path)
    result = CliRunner().invoke(app, ["check", str(path), "--json"])

    assert [one["place"] for one in json.loads(result.stdout)["findings"]] == ["row 2"]


def test_odd_decimals_are_told_where_nearly_all_are_cents(desk: Desk) -> None:
    """The increment is what the file keeps; a file without any has no such finding."""
    cents = csv([100.25 + (number % 3) for number in range(2000)])
    wild = csv([price + number / 7 for number, price in enumerate(CLEAN)])

    assert [one for one in desk.found(cents.replace("1005,", "1005,", 1)) if one[1] == "off_tick"] == []
    odd = cents.replace("2024-06-10,102.25,", "2024-06-10,102.2537,")
    assert [one for one in desk.found(odd) if one[1] == "off_tick"] == [("note", "off_tick", "line 7")]
    assert [one for one in desk.found(wild) if one[1] == "off_tick"] == []


def test_checks_of_ones_own_are_run_too(desk: Desk) -> None:
    """A folder of .py files; what does not work is said, and stops nothing."""
    own = desk.folder / "own"
    own.mkdir()
    (own / "broken.py").write_text("import nothing_of_this_name\n")

    findings = desk.report(csv(CLEAN), "--checks", str(own))["findings"]
    assert [(one["check"], one["explanation"]) for one in findings] == [
        ("broken.py", "this check does not work: ModuleNotFoundError: No module named 'nothing_of_this_name'")
    ]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        pytest.param("Date,Price of tea\n2024-06-03,1\n", (), "name one Close", id="no close"),
        pytest.param("Date,Close\n", (), "It has no rows", id="no rows"),
        pytest.param("Symbol,Date,Close\n", (), "It has no rows", id="no rows of any symbol"),
        pytest.param("Date,Close\n2024-06-03,one\n", (), "line 2, Close was 'one'", id="no number"),
        pytest.param(csv(CLEAN), ("--timeframe", "2y"), "Choose one of 1m", id="no timeframe"),
        pytest.param(csv(CLEAN), ("--venue", "XMAS"), "No calendar is known", id="no venue"),
        pytest.param(csv(CLEAN), ("--checks", "nowhere"), "There is no such folder", id="no folder"),
    ],
)
def test_what_cannot_be_read_is_refused(desk: Desk, text: str, options: tuple[str, ...], words: str) -> None:
    """In one sentence, with exit code 2, as JSON too."""
    result = desk.run(text, *options)

    assert result.exit_code == 2
    assert words in result.stderr
    assert desk.report(text, *options)["kind"] == "BadInput"
