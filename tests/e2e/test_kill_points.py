"""Kill -9 while rows, payloads and quotas are written side by side: what was acknowledged is there, whole and once."""

from __future__ import annotations

from pathlib import Path

import pytest
from kill_points import kill_points

KILLS = 6  # `make soak` has a thousand, with ever new seeds


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """After each kill every caller finds its acknowledged steps, and of the one that it was in all or nothing."""
    found = kill_points(tmp_path / "data", kills=KILLS, seed=20)

    assert [] == found.losses
    assert len(found.opened_s) == KILLS
    assert found.acknowledged > KILLS
