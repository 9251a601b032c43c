"""Kill a process that writes at a thousand seeded moments, and say whether anything acknowledged was lost.

Usage: kill.py [--kills N] [--seed N]. It stops at the first loss and leaves with 1; the seed that it prints
brings the same moments back.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from kill_points import Reckoning, kill_points

OFTEN = 50  # kills from one line to the next


def main(arguments: list[str]) -> int:
    """Return 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = kill_points(Path(folder) / "data", kills=given.kills, seed=given.seed, on_kill=tell)
    print(
        f"Seed {given.seed}: {len(found.opened_s)} kills in {time.monotonic() - begun:.0f} s. "
        f"{found.acknowledged} steps acknowledged, {len(found.losses)} workloads with a loss, "
        f"opened again in {max(found.opened_s, default=0.0):.2f} s at most."
    )
    for loss in found.losses:
        print(loss, file=sys.stderr)
    return 1 if found.losses else 0


def tell(number: int, reckoning: Reckoning) -> None:
    """Say how far it is."""
    if number % OFTEN == 0:
        print(f"{number} kills, {reckoning.acknowledged} steps acknowledged", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
