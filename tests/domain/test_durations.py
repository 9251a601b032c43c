"""Lengths of time are read strictly and spoken shortly."""

from __future__ import annotations

import pytest

from truetape.domain.durations import seconds_of, spoken


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800), (" 1.5 h ", 5400), ("0s", None), ("5", None),
        ("-5m", None), ("1w", None), ("", None), ("40000d", None), ("9999999s", None), ("2h 5m", None),
    ],
)  # fmt: skip
def test_lengths_are_read(text: str, expected: float | None) -> None:
    """A number and a unit, above nought and up to a century."""
    assert expected == seconds_of(text)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (7200, "2 h"), (7201, "2 h"),
        (90_000, "1 d 1 h"), (86_460, "1 d"), (61, "1 min 1 s"),
    ],
)  # fmt: skip
def test_lengths_are_spoken(seconds: float, expected: str) -> None:
    """The two greatest units; what follows a gap is cut."""
    assert expected == spoken(seconds)
