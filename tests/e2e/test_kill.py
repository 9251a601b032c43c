"""Kill -9 at any moment, start again, and the store ends the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store_contents import TIMES, contents, differences

CHAINS = 10
KILLS = 5  # in each chain, one after the other on the same folder
LONGEST_S = 120


def command(data: Path) -> list[str]:
    return [sys.executable, "-m", "truetape", "demo", "--data", str(data), "--port", "0", "--exit"]


def finish(data: Path) -> float:
    """Run the demo to its end and return the seconds it took."""
    started = time.monotonic()
    done = subprocess.run(command(data), capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A run that nothing disturbed, and the time it took."""
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    return data, finish(data)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CHAINS))
def test_the_store_survives_kills(seed: int, reference: tuple[Path, float], tmp_path: Path) -> None:
    """Five kills at seeded moments, then a run to the end: same golden rows, claims, actions, factors and quarantine."""
    undisturbed, seconds = reference
    moments = random.Random(seed)
    data = tmp_path / "data"
    for _ in range(KILLS):
        process = subprocess.Popen(command(data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.15, 1.0) * seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    finish(data)

    expected, found = contents(undisturbed, without=TIMES), contents(data, without=TIMES)
    assert {} == differences(expected, found)
