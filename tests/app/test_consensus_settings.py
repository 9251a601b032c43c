"""The settings of the vote, and what is told of those that are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truetape.app.consensus_settings import Consensus, consensus
from truetape.app.settings import load
from truetape.domain.errors import BadInput


def test_every_setting_can_be_set() -> None:
    """What is not set stays as the quality room has it."""
    table = {
        "increment": 0.05,
        "relative": 0,
        "increments": {"JPY": 1.0},
        "quorum": 2,
        "quorum_weight": 1.5,
        "below_quorum": "withhold",
    }
    problems: list[str] = []

    assert Consensus(
        increment=0.05, relative=0.0, increments={"JPY": 1.0}, quorum=2, quorum_weight=1.5, below_quorum="withhold"
    ) == consensus(table, problems)
    assert Consensus() == consensus({}, problems)
    assert [] == problems


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"quorum": 0}, "quality.consensus.quorum was 0; write a whole number from 1 to 20."),
        ({"quorum_weight": -1}, "quality.consensus.quorum_weight was -1; write a number from 0 to 100."),
        ({"increment": 0}, "quality.consensus.increment was 0; write a price increment above 0, such as 0.01."),
        ({"relative": 1}, "quality.consensus.relative was 1; write a share of the price from 0 to 0.1."),
        (
            {"increments": {"JPY": 0}},
            "quality.consensus.increments was {'JPY': 0}; write increments above 0 by currency, such as { JPY = 1.0 }.",
        ),
        ({"below_quorum": "hide"}, 'quality.consensus.below_quorum was \'hide\'; write "flag" or "withhold".'),
        (
            {"quorums": 2},
            f"quality.consensus.quorums is no setting; known are {', '.join(Consensus.__struct_fields__)}.",
        ),
        (["quorum"], "quality.consensus must be a table: write [quality.consensus] before its settings."),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(table: Any, problem: str) -> None:
    """It names the value and what to write."""
    problems: list[str] = []

    assert Consensus() == consensus(table, problems)
    assert [problem] == problems


def test_they_stand_in_the_settings_file_beside_fixed_trust(tmp_path: Path) -> None:
    """Under [quality.consensus] and [providers.NAME]; a weight must be above 0."""
    path = tmp_path / "truetape.toml"
    text = (
        'start = 2024-01-02\n[[instruments]]\nsymbol = "A"\nmic = "XNYS"\n'
        "[quality.consensus]\nquorum = 2\n[providers.yahoo]\ntrust = 2.5\n"
    )
    path.write_text(text)

    settings = load(path, {})

    assert (2, 2.5) == (settings.consensus.quorum, settings.providers["yahoo"].trust)
    path.write_text(text.replace("2.5", "0"))
    with pytest.raises(BadInput, match=r"providers.yahoo.trust was 0; write a number above 0 and up to 100"):
        load(path, {})
