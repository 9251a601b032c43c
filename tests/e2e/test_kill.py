"""Kill -9 at any moment, start again, and the store ends the same."""

from __future__ import annotations

import multiprocessing
import random
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from demo_job import run
from store_contents import TIMES, contents, differences

CHAINS = 10
KILLS = 5  # in each chain, one after the other on the same folder
LONGEST_S = 120
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["demo_job", "exchange_calendars"])


def start(data: Path) -> ForkServerProcess:
    process = FORKS.Process(target=run, args=(data,))
    process.start()
    return process


def finish(data: Path) -> float:
    """Run the job to its end and return the seconds it took."""
    started = time.monotonic()
    process = start(data)
    process.join(LONGEST_S)
    assert process.exitcode == 0
    return time.monotonic() - started


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A run that nothing disturbed, and the time it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(folder / "first")  # imports and compiles what the later ones share
    return folder / "data", finish(folder / "data")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CHAINS))
def test_the_store_survives_kills(seed: int, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    """Five kills at seeded moments, then a run to the end: every table has the same rows, times apart."""
    expected, seconds = undisturbed
    moments = random.Random(seed)
    data = tmp_path / "data"
    for _ in range(KILLS):
        process = start(data)
        time.sleep(moments.uniform(0.02, 1.0) * seconds)
        process.kill()
        process.join()
    finish(data)

    assert {} == differences(contents(expected, without=TIMES), contents(data, without=TIMES))
