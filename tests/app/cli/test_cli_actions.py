"""truetape actions: list, show, add, amend, elect and decide, from the outside."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from small_platform import acquired
from truetape.app.cli import app


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(acquired(tmp_path_factory.mktemp("actions") / "data"))


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["actions", *words, "--data", str(data)])


def found(data: Path, *words: str) -> list[dict[str, str]]:
    told = json.loads(run(data, *words, "--json").stdout)
    return told if isinstance(told, list) else next(iter(told.values()))


def test_actions_are_listed_shown_and_spoken_of(data: Path, tmp_path: Path) -> None:
    """A symbol lists; what was added from a file is amended and elected, and its story is told in words."""
    assert "2012-01-18      dividend  0.5    USD       effective  alpha_vantage,yahoo" in run(data, "AAA").stdout

    file = tmp_path / "own.csv"
    options = '"[{""label"": ""cash"", ""value"": ""0.5""}, {""label"": ""none""}]"'
    file.write_text(f"symbol,type,ex_date,currency,options\nBBB,dividend,2012-02-01,USD,{options}\n")
    refused = run(data, "add", "--file", str(file))
    file.write_text(file.read_text().replace('{""label"": ""none""}', '{""label"": ""euro"", ""value"": ""0.4""}'))
    added = run(data, "add", "--file", str(file), "--why", "the notice", "--actor", "ann")
    (one,) = found(data, "list", "BBB")
    identity = one["announcement_id"]
    chosen = run(data, "elect", identity, "euro", "--actor", "ann")
    amended = run(data, "amend", identity, "--set", "pay_date=2012-03-01", "--why", "later")
    story = run(data, "show", identity).stdout

    assert (2, True) == (refused.exit_code, "why was" in refused.output)
    assert f"{identity}: announced type dividend" in added.stdout
    assert f"{identity}: elected account main, option euro" in chosen.stdout
    assert f"{identity}: amended pay_date 2012-03-01" in amended.stdout
    assert "BBB: dividend of 2012-02-01, effective" in story
    assert "announced by ann: the notice" in story
    assert ["BBB"] == [row["symbol"] for row in found(data, "upcoming", "--start", "2012-02-20", "--by", "pay_date")]


def test_what_cannot_be_said_is_one_sentence(data: Path) -> None:
    """Exit code 2, on standard error, without a traceback."""
    for words, said in (
        (("amend", "ann_x_1", "--why", "w", "--set", "value=2"), "ann_x_1"),
        (("amend", "ann_x_1", "--why", "w", "--set", "value"), "FIELD=VALUE"),
        (("add", "NOP", "--type", "split", "--date", "2012-02-01", "--why", "w"), "NOP"),
        (("show", "ann_x_1"), "ann_x_1"),
    ):
        result = run(data, *words)
        assert (2, True) == (result.exit_code, said in result.output), words
    assert "0 in the list" in run(data, "proposals").output
