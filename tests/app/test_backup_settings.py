"""The settings [backup]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truetape.app.backup_settings import Backing, Keep, backing

FILE = Path("/conf/truetape.toml")
RECIPIENT = "age18wl4v4l6c7rv25eg27ne2red5p9s70j64q4thwvxukylumjwv5eqyqnj7p"


def test_places_lie_beside_the_file_and_times_are_seconds() -> None:
    """A bucket stays what it is; what is not said has its default; the file is backed up too."""
    assert backing({}, file=FILE, problems=[]) == Backing()
    table = {"to": "kept", "every": "6h", "verify_every": "2d", "recipient": RECIPIENT, "identity": "key"}
    assert backing(table, file=FILE, problems=[]) == Backing(
        to="/conf/kept",
        every_s=21_600.0,
        verify_every_s=172_800.0,
        recipient=RECIPIENT,
        identity="/conf/key",
        config="/conf/truetape.toml",
    )
    bucket = backing({"to": "s3://bucket/tape", "scratch": "/large", "keep": {"daily": 7}}, file=FILE, problems=[])
    assert (bucket.to, bucket.scratch, bucket.keep) == ("s3://bucket/tape", "/large", Keep(daily=7))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ([], "backup must be a table: write [backup] before its settings."),
        ({"to": "a", "often": "1d"}, "backup.often is no setting; known are to, every, "),
        ({"to": 5}, "backup.to was 5; write a folder, or a bucket"),
        ({"to": "a", "identity": "s3://b"}, "backup.identity was 's3://b'; write a path"),
        ({"to": "a", "every": "often"}, "backup.every was 'often'; write a length of time"),
        ({"to": "a", "verify_every": 7}, "backup.verify_every was 7; write a length of time"),
        ({"to": "a", "recipient": "bob"}, "backup.recipient was 'bob'; Write an age recipient, age1..."),
        ({"to": "a", "recipient": 1}, "backup.recipient was 1; Write an age recipient, age1..."),
        ({"to": "a", "keep": 7}, "backup.keep was 7; write numbers such as {daily = 30, monthly = 12}"),
        ({"to": "a", "keep": {"daily": -1}}, "backup.keep was {'daily': -1}; write numbers"),
        ({"to": "a", "keep": {"daily": 0}}, "backup.keep was {'daily': 0}; write numbers"),
        ({"to": "a", "keep": {"yearly": 1}}, "backup.keep was {'yearly': 1}; write numbers"),
        ({"every": "1d"}, "backup.to is missing; write a folder"),
    ],
)
def test_what_is_wrong_is_told(table: Any, problem: str) -> None:
    """With the value, and what to write."""
    problems: list[str] = []
    backing(table, file=FILE, problems=problems)
    assert [one for one in problems if one.startswith(problem)]
