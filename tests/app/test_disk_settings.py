"""The settings of the disk, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from truetape.app.disk_settings import Disk, bytes_of, disk_of


def test_both_can_be_set() -> None:
    """A length of time and a size; what is not set is ten seconds and a gigabyte."""
    problems: list[str] = []

    assert Disk(slow_s=1.5, low_bytes=500_000_000) == disk_of({"slow_commit": "1.5s", "low": "500 MB"}, problems)
    assert Disk(slow_s=10.0, low_bytes=1_000_000_000) == disk_of({}, problems)
    assert [] == problems


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (3, "disk must be a table"),
        ({"slow": "1s"}, "disk.slow is no setting; known are slow_commit, low."),
        ({"slow_commit": 10}, "disk.slow_commit was 10; write a length of time"),
        ({"slow_commit": "soon"}, "disk.slow_commit was 'soon'"),
        ({"low": 5}, "disk.low was 5; write a size such as"),
        ({"low": "much"}, "disk.low was 'much'"),
    ],
)
def test_what_is_wrong_is_named(table: object, words: str) -> None:
    """Each with what would be right; the rest stands as it is by itself."""
    problems: list[str] = []

    assert Disk() == disk_of(table, problems)
    assert [words] == [one[: len(words)] for one in problems]


@pytest.mark.parametrize(
    ("text", "size"),
    [("500 MB", 5 * 10**8), ("2GB", 2 * 10**9), ("0 GB", 0), ("1.5 TB", 15 * 10**11), ("5", None), ("-1 GB", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    """A number and a unit of 1000."""
    assert size == bytes_of(text)
