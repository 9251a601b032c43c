"""The time of day that a series labels whole days with."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from evidence_doubles import bars, found


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(5, [(5, 5.0, -5.0)]), (-5, [(5, -5.0, 5.0)]), (20, [(5, -4.0, 4.0)]), (1, []), (0, [])],
)
def test_labels_may_not_jump_by_hours(hours: int, expected: list[tuple[int, float, float]]) -> None:
    """From the sixth bar on they are of another zone; a clock change of an hour is none, nor is a weekend."""
    stamps = [datetime(2024, 6, 3) + timedelta(days=n * 2, hours=hours * (n >= 5)) for n in range(10)]  # noqa: DTZ001
    told = found("label_jump", bars([1.0 + n for n in range(10)], ts_event=stamps))

    assert expected == told.select("row", "value", "repair_value").rows()
    assert [f"from here on the labels are {float(value)} hours later than before" for _, value, _ in expected] == (
        told["explanation"].to_list()
    )
