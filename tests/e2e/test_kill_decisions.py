"""Kill -9 while somebody decides: what was said to be taken is never lost, and a replay makes the same store."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import quarantined_market
from lengths import usually
from quarantined_market import contents, listed, table
from truetape.adapters.data_folder import ARCHIVE
from truetape.adapters.file_archive import FileArchive
from truetape.app.run import replay
from truetape.domain.messages import DecisionMade

KILLS = usually(5, long=8)
LONGEST_S = 1.5  # a whole decision takes about a second


@pytest.mark.slow
def test_no_decision_is_lost(tmp_path: Path) -> None:
    """Killed at any moment: what is in the journal is in the store after the next decision, in the same versions."""
    data = quarantined_market.acquired(tmp_path)
    first, second = listed(data, reason="hundredfold")
    moments = random.Random(7)
    for number in range(KILLS):
        action = ("accept", "reject")[number % 2]
        process = _decide(data, action, (first, second)[number % 3 == 0])
        time.sleep(moments.uniform(0.3, LONGEST_S))
        process.kill()
        process.communicate()
    output, _ = _decide(data, "accept", second).communicate(timeout=60)

    archive = FileArchive(data / ARCHIVE, read_only=True)
    journalled = [one.decision_id for one in archive.journal() if isinstance(one, DecisionMade)]
    kept = asyncio.run(table(data, "decisions")).sort("ts_known")
    assert journalled == kept["decision_id"].to_list()
    assert json.loads(output)["decision_id"] == journalled[-1]
    asyncio.run(replay(data, tmp_path / "again"))
    assert asyncio.run(contents(data)) == asyncio.run(contents(tmp_path / "again"))
    shutil.rmtree(tmp_path / "again")


def _decide(data: Path, action: str, claim: str) -> subprocess.Popen[str]:
    words = ["quarantine", action, claim, "--why", "w", "--actor", "ann", "--data", str(data), "--json"]
    command = [sys.executable, "-m", "truetape", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
