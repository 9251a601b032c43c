"""What the ledger in Redis makes of servers that restart, are silent or gone, and of clocks that differ."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from servers import Redis, redis_server
from truetape.adapters.redis_ledger import RedisLedger
from truetape.domain.errors import StoreUnavailable
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Denial, Grant

DAY = Window(limit=1e9, period="day", zone="America/New_York")
SECOND = Window(limit=20, period="second")
ROLLING = Window(limit=20, period="second", rolling=True)
ONE = Spending(provider="acme", account="k", symbols=("A",))

RESERVE_FOR_EVER = """
import asyncio, sys
from truetape.adapters.redis_ledger import RedisLedger
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant

async def main():
    ledger = RedisLedger(sys.argv[1], prefix=sys.argv[2])
    windows = (Window(limit=1e9, period="day", zone="America/New_York"),)
    while True:
        if isinstance(await ledger.reserve(Spending(provider="acme", account="k"), windows), Grant):
            print("granted", flush=True)
asyncio.run(main())
"""


async def test_a_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    """While it is gone nothing is granted, and the error names the place."""
    with redis_server(tmp_path) as first:
        port = first.port
        ledger = RedisLedger(f"redis://127.0.0.1:{port}/0")
        assert isinstance(await ledger.reserve(ONE, (DAY,)), Grant)
    with pytest.raises(StoreUnavailable, match=f"redis://127.0.0.1:{port}/0"):
        await ledger.reserve(ONE, (DAY,))
    with redis_server(tmp_path, port=port):
        assert isinstance(await ledger.reserve(ONE, (DAY,)), Grant)
        await ledger.close()


async def test_a_grant_that_could_not_be_settled_can_be_settled_later(tmp_path: Path) -> None:
    """While the server is gone nothing is given back; afterwards it is tried again, here on a server that forgot."""
    with redis_server(tmp_path) as first:
        port = first.port
        ledger = RedisLedger(first.url)
        grant = await ledger.reserve(ONE, (DAY,))
        assert isinstance(grant, Grant)
    with pytest.raises(StoreUnavailable):
        await ledger.settle(grant, sent=False)
    with redis_server(tmp_path, port=port):
        await ledger.settle(grant, sent=False)
        assert (await ledger.standing("acme", "k", (DAY,)))[0].used == 0.0
        assert await ledger.standing("acme", "k", ()) == ()
        await ledger.close()


async def test_errors_do_not_show_the_password() -> None:
    """Nor the user."""
    ledger = RedisLedger("redis://someone:hunter2@127.0.0.1:1/3", timeout_s=1)
    with pytest.raises(StoreUnavailable) as caught:
        await ledger.reserve(ONE, (DAY,))
    assert caught.value.path == "redis://127.0.0.1:1/3"
    assert "hunter2" not in str(caught.value)
    await ledger.close()


async def test_a_silent_server_is_given_up() -> None:
    """One that takes the connection and answers nothing ends in StoreUnavailable after the time-out."""
    connections: list[asyncio.StreamWriter] = []

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await asyncio.sleep(3600)

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    ledger = RedisLedger(f"redis://127.0.0.1:{port}", timeout_s=0.2)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await ledger.reserve(ONE, (DAY,))
    assert time.monotonic() - started < 5
    await ledger.close()
    for writer in connections:
        writer.close()
    silent.close()


async def test_the_servers_time_decides(redis: Redis) -> None:
    """Clients whose clocks are days and years apart share each second, as the server counts it."""
    prefix = uuid.uuid4().hex
    ledgers = [RedisLedger(redis.url, prefix=prefix) for _ in range(4)]
    for ledger, days in zip(ledgers, (0, 1, -400, 10_000), strict=True):
        ledger._ahead_us += days * 86_400 * 10**6
    granted: list[int] = []

    async def ask(ledger: RedisLedger) -> None:
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            before = time.time_ns()
            answer = await ledger.reserve(ONE, (SECOND, ROLLING, DAY))
            if isinstance(answer, Grant):
                granted.append(ledger._receipts[answer.grant_id].at_us)
            else:
                assert before - 10**9 < answer.until_ns <= time.time_ns() + 2 * 10**9
                await asyncio.sleep(0.01)

    await asyncio.gather(*(ask(ledger) for ledger in ledgers))
    assert all(abs(ledger._ahead_us - ledgers[0]._ahead_us) < 10**6 for ledger in ledgers)
    (day,) = await ledgers[0].standing("acme", "k", (DAY,))
    assert 20 < len(granted) == day.used <= 80
    assert max(sum(at_us - 10**6 < other <= at_us for other in granted) for at_us in granted) <= 20
    for ledger in ledgers:
        await ledger.close()


@pytest.mark.slow
async def test_nothing_granted_is_forgotten_by_a_killed_client(redis: Redis) -> None:
    """Two processes say each grant after they have it and are killed: every grant said is counted."""
    prefix, said = uuid.uuid4().hex, 0
    for moment in (1, 30, 300):
        command = [sys.executable, "-c", RESERVE_FOR_EVER, redis.url, prefix]
        askers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]  # noqa: ASYNC220
        for asker in askers:
            assert asker.stdout is not None
            said += sum(asker.stdout.readline() == b"granted\n" for _ in range(moment))
        for asker in askers:
            asker.kill()
            said += asker.communicate()[0].count(b"granted\n")
    ledger = RedisLedger(redis.url, prefix=prefix)
    (day,) = await ledger.standing("acme", "k", (DAY,))
    await ledger.close()
    assert said >= 2 * 331
    assert said <= day.used <= said + 6


async def test_what_is_kept_is_bounded_and_goes_by_itself(redis: Redis) -> None:
    """Every key of the ledger ends with 400 days of rest, and the account is one key beside its symbols."""
    from redis.asyncio import Redis as Client

    prefix = uuid.uuid4().hex
    ledger = RedisLedger(redis.url, prefix=prefix)
    symbols = Window(unit="symbols", limit=9, period="hour")
    for _ in range(300):
        await ledger.reserve(Spending(provider="acme", account="k", symbols=("A",), money=1.0), (symbols, ROLLING, DAY))
    await ledger.close()
    client = Client.from_url(redis.url)
    keys = sorted([key async for key in client.scan_iter(f"{prefix}*")])
    lives = [await client.ttl(key) for key in keys]
    await client.aclose()
    assert [key.decode().split(":")[2] for key in keys] in (
        ["book", "book", "money"],
        ["book", "book", "money", "money"],
    )
    assert all(399 * 86_400 < life <= 400 * 86_400 for life in lives)


async def test_a_denial_and_a_grant_read_the_same_as_from_a_file(redis: Redis) -> None:
    """A denial names the window itself, and a wait in the future of the server."""
    ledger = RedisLedger(redis.url, prefix=uuid.uuid4().hex)
    one = Window(limit=1, period="hour", rolling=True)
    assert isinstance(await ledger.reserve(ONE, (DAY, one)), Grant)
    answer = await ledger.reserve(ONE, (DAY, one))
    assert isinstance(answer, Denial)
    assert answer.window == one
    assert 3500 < (answer.until_ns - time.time_ns()) / 10**9 <= 3600
    await ledger.close()
