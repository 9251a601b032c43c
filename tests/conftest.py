"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded provider answers, which is not part of the project; a test that needs it skips without."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings at {RECORDINGS}: the small fixtures of the project's own stand in for them")
    return RECORDINGS
