"""What the ledger in a file makes of kills, full disks, damage and other processes."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import Account, SqliteLedger
from truetape.domain.errors import StoreUnavailable
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant

NOON = 1_772_452_800 * 10**9
DAY = Window(limit=1e9, period="day")
MINUTE = Window(limit=1e9, period="minute", rolling=True)
ONE = Spending(provider="acme", account="k", symbols=("A",))

SCRIPT = """
import asyncio, sys
from pathlib import Path
from truetape.adapters.set_clock import SetClock
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.domain.errors import StoreUnavailable
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant

WINDOWS = (Window(limit=1e9, period="day"), Window(limit=1e9, period="minute", rolling=True))
ONE = Spending(provider="acme", account="k", money=0.5)

async def main():
    ledger = SqliteLedger(Path(sys.argv[1]), clock=SetClock(1_772_452_800 * 10**9))
"""
RESERVE_FOR_EVER = """
    async def ask():
        while True:
            if isinstance(await ledger.reserve(ONE, WINDOWS), Grant):
                print("granted", flush=True)
    await asyncio.gather(*(ask() for _ in range(int(sys.argv[2]))))
asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("side_by_side", [1, 20])
async def test_nothing_granted_is_forgotten_by_a_killed_process(tmp_path: Path, side_by_side: int) -> None:
    """Two processes say each grant after they have it and are killed: every grant said is counted, with its money."""
    path = tmp_path / "ledger"
    said = 0
    for moment in (1, 5, 40, 200):
        command = [sys.executable, "-c", SCRIPT + RESERVE_FOR_EVER, str(path), str(side_by_side)]
        askers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]  # noqa: ASYNC220
        for asker in askers:
            assert asker.stdout is not None
            said += sum(asker.stdout.readline() == b"granted\n" for _ in range(moment))
        for asker in askers:
            asker.kill()
            said += asker.communicate()[0].count(b"granted\n")
    ledger = SqliteLedger(path, clock=SetClock(NOON))
    day, minute = await ledger.standing("acme", "k", (DAY, MINUTE))
    money = await ledger.money("acme", since_ns=0)
    await ledger.close()
    assert said >= 2 * 246
    assert said <= day.used <= said + 8 * side_by_side
    assert (day.used, day.used / 2) == (minute.used, money)


def test_a_full_disk_refuses_and_forgets_nothing(tmp_path: Path) -> None:
    """While nothing can be written nothing is granted; afterwards all is there and goes on."""
    script = """
    import resource
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    for _ in range(3):
        assert isinstance(await ledger.reserve(ONE, WINDOWS), Grant)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    for _ in range(2):
        try:
            await ledger.reserve(ONE, WINDOWS)
        except StoreUnavailable as error:
            print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert isinstance(await ledger.reserve(ONE, WINDOWS), Grant)
    print([one.used for one in await ledger.standing("acme", "k", WINDOWS)], await ledger.money("acme", since_ns=0))
    await ledger.close()
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + script, str(tmp_path / "ledger")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    *refused, counted = done.stdout.splitlines()
    assert len(refused) == 2
    assert all(f"The store at {tmp_path / 'ledger'} could not be used: " in words for words in refused)
    assert counted == "[4.0, 4.0] 2.0"


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """To begin a new one would forget what was asked."""
    path = tmp_path / "ledger"
    path.write_bytes(content)
    ledger = SqliteLedger(path, clock=SetClock(NOON))
    with pytest.raises(StoreUnavailable, match=str(path)):
        await ledger.reserve(ONE, (DAY,))
    await ledger.close()
    assert path.read_bytes() == content


async def test_a_damaged_book_is_refused(tmp_path: Path) -> None:
    """A book that cannot be read stops its account, until it is mended; a newer format stops everything."""
    path = tmp_path / "ledger"
    ledger = SqliteLedger(path, clock=SetClock(NOON))
    await ledger.reserve(ONE, (DAY,))
    await ledger.close()
    changes = {
        "a book in it is damaged": "UPDATE books SET book = x'ff'",
        "it has format 9, and this version of truetape reads format 1": "PRAGMA user_version = 9",
    }
    for words, change in changes.items():
        _change(path, change)
        again = SqliteLedger(path, clock=SetClock(NOON))
        with pytest.raises(StoreUnavailable, match=words):
            await again.reserve(ONE, (DAY,))
        await again.close()


async def test_a_folder_that_is_missing_is_named_and_may_come_later(tmp_path: Path) -> None:
    """The same ledger goes on once the folder is there."""
    ledger = SqliteLedger(tmp_path / "later" / "ledger", clock=SetClock(NOON))
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        await ledger.reserve(ONE, (DAY,))
    (tmp_path / "later").mkdir()
    assert isinstance(await ledger.reserve(ONE, (DAY,)), Grant)
    await ledger.close()


async def test_a_reader_sees_what_a_writer_counts(tmp_path: Path) -> None:
    """Also while the writer has the file open; it lists the accounts with their windows, and may not write."""
    path = tmp_path / "ledger"
    writer = SqliteLedger(path, clock=SetClock(NOON))
    await writer.reserve(ONE, (DAY, MINUTE))
    reader = SqliteLedger(path, clock=SetClock(NOON), read_only=True)
    assert await reader.accounts() == (Account("acme", "k", (DAY, MINUTE)),)
    await writer.reserve(ONE, (DAY, MINUTE))
    assert [one.used for one in await reader.standing("acme", "k", (DAY, MINUTE))] == [2.0, 2.0]
    with pytest.raises(StoreUnavailable, match="readonly"):
        await reader.reserve(ONE, (DAY,))
    await reader.close()
    await writer.close()


async def test_a_reader_makes_no_file(tmp_path: Path) -> None:
    """To look is not to begin."""
    reader = SqliteLedger(tmp_path / "ledger", clock=SetClock(NOON), read_only=True)
    with pytest.raises(StoreUnavailable, match="unable to open"):
        await reader.accounts()
    await reader.close()
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_old_windows_symbols_and_money_are_forgotten(tmp_path: Path) -> None:
    """A year of new plans, symbols and paid minutes leaves the windows in use, their symbols, and 400 days of money."""
    path = tmp_path / "ledger"
    clock = SetClock(NOON)
    ledger = SqliteLedger(path, clock=clock)
    hour = Window(unit="symbols", limit=9, period="hour")
    for turn in range(500):
        old = Window(unit="symbols", limit=9, period="minute", every=turn + 1)
        spending = Spending(provider="acme", account="k", symbols=(f"S{turn}",), money=1.0)
        await ledger.reserve(spending, (hour, old, MINUTE))
        clock.advance(86_400)
    assert await ledger.money("acme", since_ns=0) == 401.0
    await ledger.close()
    connection = sqlite3.connect(path)
    counted = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("symbols", "money")]
    connection.close()
    assert counted == [2, 401]
    assert path.stat().st_size < 100_000


async def test_a_cancelled_request_stays_counted(tmp_path: Path) -> None:
    """Nobody knows whether its asker saw the grant; the others of its transaction are answered."""
    ledger = SqliteLedger(tmp_path / "ledger", clock=SetClock(NOON))
    tasks = [asyncio.create_task(ledger.reserve(ONE, (DAY,))) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, Grant) for answer in answers] == [True, False, True]
    assert (await ledger.standing("acme", "k", (DAY,)))[0].used == 3.0
    await ledger.close()


async def test_a_fault_of_our_own_leaves_nobody_waiting(tmp_path: Path) -> None:
    """Text that cannot be stored fails its request; the ledger goes on."""
    ledger = SqliteLedger(tmp_path / "ledger", clock=SetClock(NOON))
    window = Window(unit="symbols", limit=5, period="day")
    with pytest.raises(ValueError):
        await ledger.reserve(Spending(provider="acme", account="k", symbols=("\udc80",)), (window,))
    assert isinstance(await ledger.reserve(ONE, (window,)), Grant)
    assert (await ledger.standing("acme", "k", (window,)))[0].used == 1.0
    await ledger.close()


async def test_many_symbols_in_one_request(tmp_path: Path) -> None:
    """A hundred thousand are counted at once."""
    ledger = SqliteLedger(tmp_path / "ledger", clock=SetClock(NOON))
    window = Window(unit="symbols", limit=1e6, period="day")
    many = Spending(provider="acme", account="k", symbols=tuple(f"S{number}" for number in range(100_000)))
    for _ in range(2):
        assert isinstance(await ledger.reserve(many, (window,)), Grant)
    assert (await ledger.standing("acme", "k", (window,)))[0].used == 100_000.0
    await ledger.close()


async def test_another_program_that_holds_the_file_is_waited_for(tmp_path: Path) -> None:
    """A request asked while another writes goes once that is done."""
    path = tmp_path / "ledger"
    ledger = SqliteLedger(path, clock=SetClock(NOON))
    await ledger.reserve(ONE, (DAY,))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(ledger.reserve(ONE, (DAY,)))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(await waiting, Grant)
    await ledger.close()


async def test_a_grant_that_could_not_be_settled_can_be_settled_later(tmp_path: Path) -> None:
    """While the file is damaged nothing is given back; afterwards it is."""
    path = tmp_path / "ledger"
    ledger = SqliteLedger(path, clock=SetClock(NOON))
    grant = await ledger.reserve(ONE, (DAY,))
    assert isinstance(grant, Grant)
    book = _change(path, "SELECT hex(book) FROM books")[0][0]
    _change(path, "UPDATE books SET book = x'ff'")
    with pytest.raises(StoreUnavailable):
        await ledger.settle(grant, sent=False)
    _change(path, f"UPDATE books SET book = x'{book}'")
    await ledger.settle(grant, sent=False)
    assert (await ledger.standing("acme", "k", (DAY,)))[0].used == 0.0
    await ledger.close()


def _change(path: Path, statement: str) -> list[tuple[str]]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()
