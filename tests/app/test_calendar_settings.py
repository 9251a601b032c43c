"""The settings [calendars]."""

from __future__ import annotations

from datetime import date
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
    assert Calendars(venues=("XTKS", "IEXG")) == calendars(
        {"venues": ["XTKS", "IEXG"]}, beside=BESIDE, problems=problems
    )
    assert [] == problems


def test_sessions_are_kept_until_the_end_of_next_year() -> None:
    """Unless the settings say when all ends."""
    now = 1_700_000_000_000_000_000  # 2023-11-14

    assert (date(2024, 12, 31), None) == tuple(Calendars().until(end, now_ns=now) for end in (None, date(2023, 1, 1)))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("own.csv", "calendars must be a table: write [calendars] before its settings."),
        ({"file": "own.csv"}, "calendars.file is no setting; known are corrections, venues."),
        ({"venues": "XNYS"}, 'calendars.venues was \'XNYS\'; write MICs in a list such as ["XNYS", "XTKS"].'),
        ({"venues": ["XLOM"]}, "calendars.venues names 'XLOM', which has no calendar."),
        ({"corrections": 7}, "calendars.corrections was 7; write the path of a CSV or Parquet file, in quotes."),
        ({"corrections": " "}, "calendars.corrections was ' '; write the path of a CSV or Parquet file, in quotes."),
    ],
)
def test_what_is_wrong_is_told_of_calendars(table: object, words: str) -> None:
    """And nothing is read."""
    problems: list[str] = []

    assert Calendars() == calendars(table, beside=BESIDE, problems=problems)
    assert [words] == problems
