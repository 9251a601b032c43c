"""truetape export: what a person and a program are told, and what is refused."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from exported_market import market
from truetape.app.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(market(tmp_path_factory.mktemp("cli_exported") / "data"))


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", *arguments, "--data", str(folder)])


def test_a_person_is_told_what_was_written(folder: Path, tmp_path: Path) -> None:
    """A table on standard output, and what the format could not hold on standard error."""
    result = run(folder, "AAPL", "META", "-o", str(tmp_path / "bars.dbn"))

    assert 0 == result.exit_code
    assert "ins_apple" in result.stdout
    assert "8 bars (1d, raw, as known at" in result.stdout
    assert "Note: Volumes that are not known and stand as 0: 1.\n" == result.stderr


def test_a_program_is_told_in_json(folder: Path, tmp_path: Path) -> None:
    """Standard output holds one object; symbols may stand apart or between commas."""
    result = run(
        folder, "AAPL,META", "BTC/USD", "--json", "-o", str(tmp_path / "bars.parquet"), "--as-of", "2024-01-11"
    )

    told = json.loads(result.stdout)
    assert ("parquet", 9, 1, "2024-01-11T00:00:00Z") == (
        told["form"],
        told["rows"],
        told["files"],
        told["origin"]["as_of"],
    )
    assert ["AAPL", "META", "BTC/USD"] == [one["symbol"] for one in told["instruments"]]


def test_everything_that_is_listed(folder: Path, tmp_path: Path) -> None:
    """--all takes every instrument, also those without bars; a long table is cut."""
    result = run(folder, "--all", "-o", str(tmp_path / "bars.csv"), "--json")

    assert 6 == len(json.loads(result.stdout)["instruments"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "bars.csv"], "SYMBOLS was ''. Name symbols, or say --all."),
        (["AAPL", "--all", "-o", "bars.csv"], "SYMBOLS was 'AAPL'. Name symbols, or say --all."),
        (["AAPL", "-o", "bars.xlsx"], "Its name tells no format."),
        (["NOPE", "-o", "bars.csv"], "The symbol 'NOPE' is unknown."),
        (["AAPL", "-o", "bars.csv", "--as-of", "yesterday"], "Write an instant as"),
    ],
)
def test_what_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    """In one sentence, with exit code 2 and nothing written."""
    monkeypatch.chdir(tmp_path)

    result = run(folder, *arguments)

    assert (2, "") == (result.exit_code, result.stdout)
    assert words in result.stderr
    assert [] == list(tmp_path.iterdir())


def test_what_is_there_stays_without_force(folder: Path, tmp_path: Path) -> None:
    """The second time it is refused; with --force it is replaced."""
    place = str(tmp_path / "bars.csv")

    assert [0, 2, 0] == [run(folder, "AAPL", "-o", place, *more).exit_code for more in ([], [], ["--force"])]
