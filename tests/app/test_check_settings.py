"""Settings of checks: read strictly, and every problem named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from truetape.app.check_settings import Checking, checking, tuned
from truetape.app.settings import load
from truetape.domain.errors import BadInput
from truetape.domain.identity import instrument_id
from truetape.domain.messages import DeclaredListing
from truetape.services.quality.checks import CheckSetting, Scoped

WHOLE = """
[checks.stale]
severity = "note"
limits = { bars = 4 }

[[checks.stale.where]]
venue = "XLON"
limits = { bars = 6.5 }

[[checks.stale.where]]
instrument = "AAPL"
enabled = false

[checks.ohlc_order]
enabled = false
"""
STALE = CheckSetting(
    severity="note",
    limits={"bars": 4.0},
    scoped=(Scoped(venue="XLON", limits={"bars": 6.5}), Scoped(instrument="AAPL", enabled=False)),
)


def read(text: str) -> tuple[Checking, list[str]]:
    table = tomllib.loads(text)
    problems: list[str] = []
    found = checking(
        checks=table.get("checks", {}), folder=table.get("user_checks"), beside=Path("etc"), problems=problems
    )
    return found, problems


def test_everything_that_can_be_set() -> None:
    """A check for all rows, and for a venue and an instrument."""
    settings = {"stale": STALE, "ohlc_order": CheckSetting(enabled=False)}

    assert read(WHOLE) == (Checking(settings=settings), [])
    assert read("") == (Checking(), [])


def test_a_folder_is_meant_relative_to_the_file() -> None:
    """With it, a name that nobody knows may be one of the user's."""
    found, problems = read('user_checks = "own"\n[checks.mine]\nlimits = { most = 1 }')

    assert (found.folder, problems) == (Path("etc/own"), [])
    assert found.settings == {"mine": CheckSetting(limits={"most": 1.0})}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("checks = 1", "quality.checks must be tables: write [quality.checks.NAME] before the settings of each."),
        ("user_checks = 1", "quality.user_checks was 1; write the path of a folder, in quotes."),
        ("[checks.stael]", "quality.checks.stael is no check; did you mean stale?"),
        ("[checks.stale]\nenable = true", "quality.checks.stale.enable is no setting; did you mean enabled?"),
        (
            "[checks.stale]\nenabled = 1",
            "quality.checks.stale.enabled was 1; write true or false, without quotes.",
        ),
        (
            '[checks.stale]\nseverity = "grave"',
            "quality.checks.stale.severity was 'grave'; write one of note, warning, error.",
        ),
        ("[checks.stale]\nlimits = 3", "quality.checks.stale.limits was 3; write a table such as { times = 50 }."),
        (
            "[checks.stale]\nlimits = { days = 3 }",
            "quality.checks.stale.limits.days is no limit of stale; known are bars.",
        ),
        (
            "[checks.crossed]\nlimits = { x = 3 }",
            "quality.checks.crossed.limits.x is no limit of crossed; known are none.",
        ),
        ("[checks.stale]\nlimits = { bars = true }", "quality.checks.stale.limits.bars was True; write a number."),
        (
            "[checks.stale]\nwhere = 1",
            "quality.checks.stale.where must be tables: write [[quality.checks.stale.where]] before each.",
        ),
        (
            "[[checks.stale.where]]\nenabled = false",
            "quality.checks.stale.where[0] says not where; write kind, venue or instrument.",
        ),
        ("[[checks.stale.where]]\nvenue = 1", "quality.checks.stale.where[0].venue was 1; write it in quotes."),
        (
            '[[checks.stale.where]]\nkind = "prices"',
            "quality.checks.stale.where[0].kind was 'prices'; write one of bars, quotes, trades, actions.",
        ),
        (
            '[[checks.stale.where]]\nkind = "bars"\nvenues = 1',
            "quality.checks.stale.where[0].venues is no setting; did you mean venue?",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    """With the value, and what to write."""
    assert read(text)[1] == [problem]


def test_instruments_are_set_by_their_symbols() -> None:
    """A symbol that was used twice means both; the venue's setting stays."""
    first = DeclaredListing(symbol="AAPL", mic="XNAS")
    second = DeclaredListing(symbol="AAPL", mic="XNYS", instrument_id="ins_other")
    ids = (instrument_id(mic="XNAS", symbol="AAPL", valid_from=None), "ins_other")

    settings = tuned(Checking(settings={"stale": STALE}), [first, second], [])

    venue, *instruments = settings["stale"].scoped
    assert (venue, [one.instrument for one in instruments]) == (STALE.scoped[0], list(ids))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mine": CheckSetting()}, "quality.checks.mine is no check"),
        ({"stale": STALE}, "AAPL is no declared symbol; known are none"),
    ],
)
def test_what_nobody_has_is_refused(settings: dict[str, CheckSetting], words: str) -> None:
    """When the user's checks are loaded it is known."""
    with pytest.raises(BadInput, match=words):
        tuned(Checking(settings=settings), [], [])


def test_they_stand_in_the_settings_file(tmp_path: Path) -> None:
    """Under quality, beside the instruments and providers."""
    path = tmp_path / "truetape.toml"
    path.write_text(
        'start = 2024-01-02\n[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n[providers.yahoo]\n'
        '[quality]\nuser_checks = "own"\n[quality.checks.mine]\nenabled = false\n'
    )

    assert load(path, {}).checking == Checking(settings={"mine": CheckSetting(enabled=False)}, folder=tmp_path / "own")
