"""Hold the tests to their promise: pure code covered whole, and 90 % of all branches.

Usage: coverage_gate.py COVERAGE_JSON. Exits with 1 and names what falls short, and where.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

OVERALL = 90.0  # percent of the branches of everything
PURE_FLOORS = ("src/truetape/domain/", "src/truetape/providers/", "src/truetape/services/")
AT_THE_DOOR = re.compile(r"^\s*(?:from|import) (?:truetape\.ports|asyncio|litestar|granian|aiohttp)\b", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Judge the report that `arguments` name; return the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("usage: coverage_gate.py COVERAGE_JSON (make test writes .coverage.json)", file=sys.stderr)
        return 2
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    complaints = [*partly_covered(report["files"]), *too_little(report["totals"])]
    for complaint in complaints:
        print(complaint)
    share = share_of_branches(report["totals"])
    print(f"coverage: {share:.1f} % of all branches; {'falls short' if complaints else 'holds'}")
    return 1 if complaints else 0


def must_be_whole(path: str) -> bool:
    """Return whether the file at `path` is pure, and so held to every line and branch.

    Pure is what stands in the domain, with a vendor or in a room, and reaches neither a port nor an event loop.
    """
    return path.startswith(PURE_FLOORS) and not AT_THE_DOOR.search(Path(path).read_text(encoding="utf-8"))


def partly_covered(files: dict[str, Any]) -> list[str]:
    """Return one line for each file that must be covered whole and is not."""
    complaints = []
    for path, measured in sorted(files.items()):
        lines, branches = measured["missing_lines"], measured["missing_branches"]
        if must_be_whole(path) and (lines or branches):
            arrows = ", ".join(f"{start}->{'exit' if end < 0 else end}" for start, end in branches)
            missing = "; ".join(f"{what} {where}" for what, where in (("lines", lines), ("branches", arrows)) if where)
            complaints.append(f"{path}: must be covered whole, missing {missing}")
    return complaints


def too_little(totals: dict[str, Any]) -> list[str]:
    """Return a line if the branches of everything together are covered too little."""
    share = share_of_branches(totals)
    return [] if share >= OVERALL else [f"all files: {share:.1f} % of the branches covered, {OVERALL:.0f} % asked"]


def share_of_branches(totals: dict[str, Any]) -> float:
    """Return the percentage of branches that were taken."""
    branches = totals["num_branches"]
    return 100.0 * totals["covered_branches"] / branches if branches else 100.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
