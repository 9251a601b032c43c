"""Kill -9 at any moment, start again, and the store ends the same."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from demo_job import run
from store_contents import TIMES, contents, differences

from lengths import IS_LONG, usually
from small_platform import tape
from truetape.app.sandbox import bokeh
from truetape.app.sandbox.dataset import Dataset, read

CHAINS = usually(1, long=10)  # long: with the demo's five stocks, else with two of sixty days
KILLS = 5  # in each chain, one after the other on the same folder
LONGEST_S = 120
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["demo_job", "warm_forks"])


def start(data: Path, dataset: Dataset) -> ForkServerProcess:
    process = FORKS.Process(target=run, args=(data, dataset))
    process.start()
    return process


def finish(data: Path, dataset: Dataset) -> float:
    """Run the job to its end and return the seconds it took."""
    started = time.monotonic()
    process = start(data, dataset)
    process.join(LONGEST_S)
    assert process.exitcode == 0
    return time.monotonic() - started


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return bokeh() if IS_LONG else read(tape(tmp_path_factory.mktemp("tape")))


@pytest.fixture(scope="module")
def undisturbed(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A run that nothing disturbed, and the time it took."""
    warm = FORKS.Process(target=os.getpid)  # imports what the later ones share
    warm.start()
    warm.join(LONGEST_S)
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    return data, finish(data, dataset)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CHAINS))
def test_the_store_survives_kills(seed: int, dataset: Dataset, undisturbed: tuple[Path, float], tmp_path: Path) -> None:
    """Five kills at seeded moments, then a run to the end: every table has the same rows, times apart."""
    expected, seconds = undisturbed
    moments = random.Random(seed)
    data = tmp_path / "data"
    for _ in range(KILLS):
        process = start(data, dataset)
        time.sleep(moments.uniform(0.02, 1.0) * seconds)
        process.kill()
        process.join()
    finish(data, dataset)

    assert {} == differences(contents(expected, without=TIMES), contents(data, without=TIMES))
