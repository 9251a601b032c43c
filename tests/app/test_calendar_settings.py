"""The settings [calendars]."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetape.app.calendar_settings import Calendars, calendars

BESIDE = Path("/conf")


def test_the_file_lies_beside_the_settings() -> None:
    """Nothing said is nothing read."""
    problems: list[str] = []

    assert Calendars() == calendars({}, beside=BESIDE, problems=problems)
    assert Calendars(corrections="/conf/own.csv") == calendars(
        {"corrections": "own.csv"}, beside=BESIDE, problems=problems
    )
    assert [] == problems


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("own.csv", "calendars must be a table: write [calendars] before its settings."),
        ({"file": "own.csv"}, "calendars.file is no setting; known are corrections."),
        ({"corrections": 7}, "calendars.corrections was 7; write the path of a CSV or Parquet file, in quotes."),
        ({"corrections": " "}, "calendars.corrections was ' '; write the path of a CSV or Parquet file, in quotes."),
    ],
)
def test_what_is_wrong_is_told_of_calendars(table: object, words: str) -> None:
    """And nothing is read."""
    problems: list[str] = []

    assert Calendars() == calendars(table, beside=BESIDE, problems=problems)
    assert [words] == problems
