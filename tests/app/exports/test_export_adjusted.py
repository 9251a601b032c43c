"""Ways of adjusting in exports and on the command line: by their names, with an anchor, or refused in words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import truetape as tt
from small_market import filled_folder
from truetape.app.cli import app
from truetape.app.cli.ask import Adjusted
from truetape.app.exports import Order
from truetape.domain.adjustments import ANY_ADJUSTMENT
from truetape.domain.errors import BadInput

AS_TRADED = [88, 90, 44, 46.5, 50, 49]  # two for one after the second day, and 0.5 paid after the fifth
FORWARD = [88, 90, 88, 93, 100, 99]  # in money of the first day's share


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(filled_folder(tmp_path_factory.mktemp("adjusted") / "data"))


def test_the_command_line_knows_every_way() -> None:
    """Its choices are those of the library."""
    assert ANY_ADJUSTMENT == tuple(one.value for one in Adjusted)


def test_one_question_in_three_ways_has_one_answer(folder: Path, tmp_path: Path) -> None:
    """The library, truetape get and truetape export agree, and the file says what its prices are."""
    table = tmp_path / "aapl.csv"
    asked = ["AAPL", "--adjustment", "difference", "--anchor", "2005-02-25", "--data", str(folder)]

    frame = tt.bars("AAPL", adjustment="difference", anchor="2005-02-25", data=folder)
    got = CliRunner().invoke(app, ["get", *asked, "--json"])
    exported = CliRunner().invoke(app, ["export", *asked, "-o", str(table)])

    assert FORWARD == frame["close"].to_list()
    assert FORWARD == [row["close"] for row in json.loads(got.stdout)]
    assert (0, FORWARD) == (exported.exit_code, pl.read_csv(table)["close"].to_list())
    assert "difference@2005-02-25" == json.loads((tmp_path / "aapl.csv.json").read_text())["basis"]
    assert AS_TRADED == tt.bars("AAPL", data=folder)["close"].to_list()


def test_truetape_factors_shows_what_adjusts_stored_bars(folder: Path, tmp_path: Path) -> None:
    """On the terminal, as JSON, and in a file; files of one's own do not go with a symbol."""
    asked = ["factors", "AAPL", "--data", str(folder)]
    runs = [CliRunner().invoke(app, [*asked, *more]) for more in ([], ["--json"], ["-o", str(tmp_path / "f.csv")])]
    refused = CliRunner().invoke(app, [*asked, "--bars", "x.csv"])
    missing = CliRunner().invoke(app, ["factors", "--bars", "x.csv"])

    assert [0, 0, 0] == [one.exit_code for one in runs]
    assert "0.495000" in runs[0].stdout
    assert [2.0, 1.0] == [row["split"] for row in json.loads(runs[1].stdout)]
    assert [0.495, 0.99] == pl.read_csv(tmp_path / "f.csv")["price_multiplier"].to_list()
    assert (2, 2) == (refused.exit_code, missing.exit_code)
    assert "does not go with --bars" in refused.stderr
    assert "--actions was ''" in missing.stderr


@pytest.mark.parametrize(
    ("form", "asked", "words"),
    [
        ("csv", {"anchor": "2005-02-25"}, "Raw prices are as traded on every day"),
        ("csv", {"adjustment": "split", "anchor": "soon"}, "--anchor was 'soon'"),
        ("csv", {"adjustment": "forwards"}, "Choose one of raw, split, all, total_return"),
        ("dbn", {"adjustment": "difference"}, "no place for its name"),
        ("dbn", {"adjustment": "split", "anchor": "2005-02-25"}, "and no anchor"),
        ("lean", {"adjustment": "forward_split"}, "lean takes prices as traded"),
    ],
)
def test_what_does_not_go_together_is_refused(form: str, asked: dict[str, Any], words: str) -> None:
    """The words name the option, its value, and what to do."""
    with pytest.raises(BadInput, match=words):
        Order(symbols=("AAPL",), form=form, output=Path("out"), **asked)
