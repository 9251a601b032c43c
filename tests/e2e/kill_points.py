"""Kill a writing process at seeded moments, again and again on one folder, and look whether anything was lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from kill_workloads import STORE, Ground, Workload, workloads

from truetape.adapters.duckdb_store.compacting import compact

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["kill_workloads"])
TERM = 40  # acknowledgements until a process closes the folder and opens it again
LATEST_S = 30.0
SMALL_LOGS = "200KB"  # so that checkpoints come often


@dataclass
class Reckoning:
    """What has been acknowledged so far, and how the kills went."""

    done: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    more: int = 0  # steps that were done and whose acknowledgement the kill cut off
    opened_s: list[float] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def live(folder: Path, pipe: Connection, done: dict[str, int], seed: int) -> None:
    """Do the steps that follow on `done` until killed, and say each into `pipe` when it is done.

    Every few steps the folder is closed, the store's file compacted where the seed says so, and all opened again.
    """
    asyncio.run(_live(folder, pipe, Counter(done), seed))


async def _live(folder: Path, pipe: Connection, done: Counter[str], seed: int) -> None:
    while True:
        ground = Ground.open(folder)
        if seed % 2:
            assert ground.hot._connection is not None
            ground.hot._connection.execute(f"SET GLOBAL checkpoint_threshold = '{SMALL_LOGS}'")
        left = iter(range(TERM))
        await asyncio.gather(*(_go_on(one, ground, pipe, done, left) for one in workloads()))
        await ground.close()
        if seed % 4 < 2:  # every second process
            compact(folder / STORE, on_progress=lambda _done, _all: None)


async def _go_on(workload: Workload, ground: Ground, pipe: Connection, done: Counter[str], left: Iterator[int]) -> None:
    while next(left, None) is not None:
        number = done[workload.name] + 1
        await workload.step(ground, number)
        done[workload.name] = number
        os.write(pipe.fileno(), f"{workload.name}={number}\n".encode())


def kill(folder: Path, reckoning: Reckoning, moments: random.Random) -> None:
    """Let a process write, and kill it: after some acknowledgements, as it opens the folder, or as it closes it."""
    ours, theirs = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=live, args=(folder, theirs, dict(reckoning.done), moments.getrandbits(16)))
    process.start()
    theirs.close()
    wanted = moments.choice((0, 1, TERM, moments.randrange(20), moments.randrange(2 * TERM)))
    said, end = b"", time.monotonic() + LATEST_S
    while said.count(b"\n") < wanted:
        assert time.monotonic() < end, "the process does not write"
        part = os.read(ours.fileno(), 1 << 16)
        assert part, "the process ended by itself"
        said += part
    time.sleep(moments.uniform(0.0, 0.5 if wanted in {0, TERM} else 0.02))
    process.kill()
    while part := os.read(ours.fileno(), 1 << 16):
        said += part
    ours.close()
    process.join()
    for line in said.decode().splitlines():
        name, _, number = line.partition("=")
        assert int(number) == reckoning.done[name] + 1
        reckoning.done[name] = int(number)
        reckoning.acknowledged += 1


async def look(folder: Path, reckoning: Reckoning, *, read_only: bool) -> None:
    """Open what the kill left, and compare it with what was acknowledged; `read_only` leaves it to the next life."""
    begun = time.perf_counter()
    ground = Ground.open(folder, read_only=read_only)
    reckoning.opened_s.append(time.perf_counter() - begun)
    for workload in workloads():
        done = reckoning.done[workload.name]
        found = await workload.found(ground, done)
        if found == workload.expected(done + 1):
            reckoning.done[workload.name] += 1
            reckoning.more += 1
        elif found != workload.expected(done):
            reckoning.losses.append(f"{workload.name}: not what {done} steps leave, nor {done + 1}")
    await ground.close()


def kill_points(
    folder: Path, *, kills: int, seed: int, on_kill: Callable[[int, Reckoning], None] = lambda *_: None
) -> Reckoning:
    """Kill `kills` times, and return the account; it ends early at a loss."""
    reckoning = Reckoning()
    moments = random.Random(seed)
    for number in range(kills):
        kill(folder, reckoning, moments)
        as_left = (folder / STORE).exists() and moments.random() < 0.5
        asyncio.run(look(folder, reckoning, read_only=as_left))
        on_kill(number + 1, reckoning)
        if reckoning.losses:
            break
    return reckoning
