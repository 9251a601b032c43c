"""Planning a day of a million instruments: seconds and memory of a fresh process, beside a loop that plans nothing.

Every instrument was listed for years and is settled up to the day before, as in a running installation. The peer makes
as many of the same small objects, with names that are written and not computed.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from perf.measure import Result, result
from truetape.services.ingestion.intervals import IntervalLedger
from truetape.services.ingestion.rounds import Listed, Round, Wanted, plan

INSTRUMENTS = 1_000_000
SESSIONS = 2_000
TODAY = date(2024, 6, 10)
FIRST = date(2018, 1, 1)
BEFORE = TODAY - timedelta(days=1)
RUNS = 3
BAR = 4.0
TIME_BUDGET_S = 10.0
MEMORY_BUDGET_MIB = 2048.0
KIB_PER_MIB = 1024


class Taken(NamedTuple):
    """What one process took."""

    seconds: float  # CPU
    memory_mib: float  # the most that it held, with the history and all rounds


def measure() -> Iterator[Result]:
    """Yield the time beside the bare loop's, and time and memory against their budgets."""
    runs = [(_in_a_process("ours"), _in_a_process("peer")) for _ in range(RUNS)]
    seconds = statistics.median(ours.seconds for ours, _ in runs)
    yield result(
        "planning",
        unit="s",
        ours=seconds,
        peer=statistics.median(peer.seconds for _, peer in runs),
        peer_name="a loop that makes as many objects",
        bar=BAR,
        better="lower",
    )
    yield result(
        "planning_time",
        unit="s",
        ours=seconds,
        peer=TIME_BUDGET_S,
        peer_name=f"budget of {TIME_BUDGET_S:g} s",
        bar=1.0,
        better="lower",
    )
    yield result(
        "planning_memory",
        unit="MiB",
        ours=max(ours.memory_mib for ours, _ in runs),
        peer=MEMORY_BUDGET_MIB,
        peer_name="budget of 2 GiB",
        bar=1.0,
        better="lower",
    )


def ours() -> float:
    """Return the CPU seconds of planning the day."""
    listed = [Listed(f"ins_{number:012d}", f"S{number}", "XNYS") for number in range(INSTRUMENTS)]
    ledger = IntervalLedger()
    for one in listed:
        ledger.settled[one.instrument_id, "bars", "1d"] = [(FIRST, BEFORE)]
    sessions = {"XNYS": [TODAY - timedelta(days=number) for number in range(SESSIONS - 1, -1, -1)]}
    wanted = Wanted("bars", "1d", FIRST, TODAY)
    seconds, rounds = _timed(lambda: list(plan(listed, ledger, wanted, overlap_days=0, sessions=sessions)))
    assert len(rounds) == INSTRUMENTS
    assert (rounds[-1].start, rounds[-1].end) == (TODAY, TODAY)
    return seconds


def peer() -> float:
    """Return the CPU seconds of making as many rounds by themselves."""
    names = [(f"rnd_{number:012d}", f"ins_{number:012d}", f"S{number}") for number in range(INSTRUMENTS)]
    seconds, _ = _timed(
        lambda: [Round(name, instrument, symbol, "bars", "1d", TODAY, TODAY) for name, instrument, symbol in names]
    )
    return seconds


def _timed(call: Callable[[], list[Round]]) -> tuple[float, list[Round]]:
    started = time.process_time()
    made = call()
    return time.process_time() - started, made


def _in_a_process(which: str) -> Taken:
    command = [sys.executable, "-m", "perf.planning", which]
    told = subprocess.run(command, check=True, capture_output=True).stdout
    return msgspec.json.decode(told, type=Taken)


def _main(which: str) -> None:
    seconds = {"ours": ours, "peer": peer}[which]()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = KIB_PER_MIB * KIB_PER_MIB if sys.platform == "darwin" else KIB_PER_MIB
    sys.stdout.buffer.write(msgspec.json.encode(Taken(seconds, most / unit)))


if __name__ == "__main__":
    _main(sys.argv[1])
