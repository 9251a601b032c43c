"""The examples of the pages work: each code block that follows `<!-- runnable -->` is run.

A block of Python runs in an interpreter of its own, a block of sh in a shell, each in an empty folder with truetape's
commands on the path. It passes when it exits with 0; a line `# -> text` in it must appear among what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^<!-- runnable -->\n+```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ANSWER = re.compile(r"^# -> (.*)$", re.MULTILINE)
LONGEST_S = 120


@dataclass(frozen=True)
class Example:
    """One runnable block of a page."""

    place: str
    language: str
    code: str


def examples() -> list[Example]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [
        Example(place=f"{page.relative_to(ROOT)}#{number}", language=language, code=code)
        for page in sorted(pages)
        for number, (language, code) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")), start=1)
    ]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.place)
def test_example(example: Example, tmp_path: Path) -> None:
    """The block exits with 0 and prints what it says that it prints."""
    command = [sys.executable, "-c"] if example.language == "python" else ["/bin/sh", "-euc"]
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

    done = subprocess.run(
        [*command, example.code],
        cwd=tmp_path,
        env={**os.environ, "PATH": paths},
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr if done.returncode else "")
    printed = done.stdout.splitlines()
    assert [] == [line for line in ANSWER.findall(example.code) if line not in printed]
