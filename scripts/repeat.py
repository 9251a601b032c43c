"""Run chosen tests again and again, each time with another seed, until time is up or one fails.

Usage: repeat.py --seconds N PYTEST_ARGUMENTS... The seed of a failing run is printed; pytest's option
--hypothesis-seed brings it back.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import secrets
import signal
import subprocess
import sys
import time

SEEDS = 1 << 31
NO_TESTS = 5  # pytest's exit status when its arguments choose nothing


def main(arguments: list[str]) -> int:
    """Repeat until the time that `arguments` give is up; return the status of the first failure, else 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True)
    chosen, pytest_arguments = parser.parse_known_args(arguments)
    end = time.monotonic() + chosen.seconds
    for number in itertools.count(1):
        seed = secrets.randbelow(SEEDS)
        status = once(pytest_arguments, seed=seed, seconds=end - time.monotonic())
        if status is None:
            print(f"Time is up: {number - 1} runs passed whole and one was cut short; nothing failed.")
            return 0
        if status:
            what = "No test was chosen." if status == NO_TESTS else f"Run {number} failed; its seed was {seed}."
            print(what, file=sys.stderr)
            return status
    return 0


def once(pytest_arguments: list[str], *, seed: int, seconds: float) -> int | None:
    """Return the exit status of one run of pytest; None if it was stopped because its `seconds` were over."""
    command = [sys.executable, "-m", "pytest", "-q", f"--hypothesis-seed={seed}", *pytest_arguments]
    environment = {**os.environ, "TRUETAPE_LONG_TESTS": "1"}
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return process.wait(timeout=max(seconds, 0.0))
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # the run, and the programs that its tests started
        process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
