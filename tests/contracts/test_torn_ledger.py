"""What the ledger in a file makes of a log whose end was being written when the machine stopped."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant

NOON = 1_772_452_800 * 10**9
DAY = Window(limit=1e9, period="day")
ONE = Spending(provider="acme", account="k")
GRANTS = 12


@pytest.mark.parametrize("seed", range(3))
async def test_every_acknowledged_grant_is_counted_whatever_became_of_the_rest(seed: int, tmp_path: Path) -> None:
    """Behind what the disk had when a grant was acknowledged the log is cut, empty or garbage: none before is lost."""
    moments, path = random.Random(seed), tmp_path / "ledger"
    log = path.with_name("ledger-wal")
    ledger = SqliteLedger(path, clock=SetClock(NOON))
    ends = []
    for _ in range(GRANTS):
        assert isinstance(await ledger.reserve(ONE, (DAY,)), Grant)
        ends.append(log.stat().st_size)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(path, copy / "ledger")
    content = log.read_bytes()
    await ledger.close()
    kept = moments.randrange(1, GRANTS)
    lost = len(content) - ends[kept - 1]
    tail = (b"", bytes(lost), moments.randbytes(lost))[seed % 3]
    (copy / "ledger-wal").write_bytes(content[: ends[kept - 1]] + tail)
    again = SqliteLedger(copy / "ledger", clock=SetClock(NOON))
    (day,) = await again.standing("acme", "k", (DAY,))
    await again.reserve(ONE, (DAY,))
    (after,) = await again.standing("acme", "k", (DAY,))
    await again.close()

    assert kept <= day.used <= GRANTS
    assert after.used == day.used + 1
