"""truetape quarantine and truetape repair on kept series: lists, evidence, decisions, and words for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import quarantined_market
from truetape.app.cli import app


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quarantined_market.acquired(tmp_path_factory.mktemp("cli"))


def told(data: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*words, "--data", str(data)], env={"TRUETAPE_DATA": ""})
    assert code == result.exit_code, result.output
    return result.output


def asked(data: Path, *words: str, code: int = 0) -> Any:
    return json.loads(told(data, *words, "--json", code=code))


def test_the_quarantine_is_listed_narrowed_and_cut(data: Path) -> None:
    """One line for each claim, the newest first; JSON has everything."""
    every = asked(data, "quarantine", "list")
    lines = told(data, "quarantine", "list", "--reason", "hundredfold", "--limit", "1").splitlines()

    assert ["finnhub"] * 5 + ["yahoo"] * 2 == [one["provider"] for one in every]
    assert ["id", "symbol", "date", "provider", "reason", "close", "state"] == lines[0].split()
    assert [every[5]["id"], "BBB", every[5]["ts_event"][:10], "yahoo", "hundredfold", "2039", "open"] == lines[
        1
    ].split()
    assert "2 in the list; the first 1 are shown." == lines[2]
    assert 2 == len(asked(data, "quarantine", "list", "--instrument", "BBB", "--provider", "yahoo", "--state", "open"))
    assert [] == asked(data, "quarantine", "list", "--instrument", "AAA")
    assert "0 in the list.\n" == told(data, "quarantine", "list", "--instrument", "AAA")


def test_a_claim_goes_its_way(data: Path) -> None:
    """Shown, accepted, corrected, rejected and undone: its state follows, and each step stands in its case."""
    claim = asked(data, "quarantine", "list", "--reason", "hundredfold")[0]["id"]
    true = [word for name in ("open", "high", "low", "close") for word in (f"--{name}", "20.5")]
    steps: list[list[str]] = [["accept"], ["correct", *true, "--volume", "9"], ["reject"], ["undo"]]
    states = []
    for action, *more in steps:
        taken = asked(data, "quarantine", action, claim, "--why", f"to {action}", "--actor", "ann", *more)
        assert (claim, action, "ann") == (taken["target"], taken["action"], taken["actor"])
        states.append(asked(data, "quarantine", "show", claim)["claim"]["state"])

    assert ["accepted", "corrected", "rejected", "open"] == states
    case = told(data, "quarantine", "show", claim)
    assert case.startswith(f"{claim}  open\nBBB ")
    assert [f"{action} by ann: to {action}" for action, *_ in steps] == [
        line.partition("UTC  ")[2] for line in case.splitlines() if "UTC  " in line
    ]


def test_a_repair_goes_its_way(data: Path) -> None:
    """Rejected, applied, and undone, in the name of who works here."""
    first, _ = asked(data, "repair", "list", "--kind", "unit_flip")
    for action in ("reject", "apply", "undo"):
        assert told(data, "repair", action, first["id"], "--why", "w").endswith(f": {action} {first['id']}\n")

    assert "undone" == asked(data, "repair", "list", "--state", "undone", "--provider", "yahoo")[0]["state"]
    assert told(data, "repair", "show", first["id"]).startswith(f"{first['id']}  undone\nBBB ")
    assert ["id", "symbol", "start", "end", "provider", "kind", "rows", "state"] == told(
        data, "repair", "list", "--instrument", "BBB"
    ).splitlines()[0].split()


@pytest.mark.parametrize(
    ("words", "kind", "sentence"),
    [
        (["quarantine", "show", "qua_a_b"], "UnknownTarget", "List what there is with `truetape quarantine list`."),
        (["repair", "show", "rep_a_b"], "UnknownTarget", "List what there is with `truetape repair list`."),
        (["quarantine", "accept", "nothing", "--why", "w"], "BadInput", "Write one of apply, undo, reject."),
        (["quarantine", "reject", "qua_a_b", "--why", "w"], "UnknownTarget", "truetape quarantine list"),
        (["quarantine", "reject", "qua_a_b", "--why", " "], "BadInput", "why was ''"),
        (["quarantine", "correct", "qua_a_b", "--why", "w"], "BadInput", "Give what is true, by column"),
        (["repair", "apply", "rep_a_b", "--why", "w"], "UnknownTarget", "truetape repair list"),
        (["quarantine", "list", "--instrument", "ZZZ"], "UnknownSymbol", "The symbol 'ZZZ' is unknown."),
        (["quarantine", "list", "--state", "gone"], "BadInput", "Choose one of open, accepted, corrected, rejected."),
    ],
)
def test_what_is_wrong_is_told(data: Path, words: list[str], kind: str, sentence: str) -> None:
    """In a sentence, with exit code 2."""
    found = asked(data, *words, code=2)

    assert kind == found["kind"]
    assert sentence in found["error"]


def test_a_decision_needs_a_reason(data: Path) -> None:
    """It stands in the audit for ever."""
    assert "--why" in told(data, "quarantine", "accept", "qua_a_b", code=2)
