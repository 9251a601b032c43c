"""Backfills from outside the room: here, or by the platform that runs already; and what they would take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from small_platform import DAYS, declared_settings, tape
from truetape.adapters.data_folder import LEDGER, STORE, read_owner
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.system_clock import SystemClock
from truetape.app.backfilling import Progress, fetch_history
from truetape.app.budgets import budgets
from truetape.app.library import bars
from truetape.app.planning import forecast, read_symbols
from truetape.app.run import up
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read
from truetape.app.settings import Settings
from truetape.domain.errors import BadInput, StoreUnavailable
from truetape.domain.plans import Spending
from truetape.ports.store import Selection
from truetape.services.ingestion.rounds import Wanted
from truetape.services.ingestion.routing import Policy

HALF = DAYS[29]
EVERYTHING = Wanted("bars", "1d", DAYS[0], DAYS[-1])


@contextlib.asynccontextmanager
async def sandbox(folder: Path) -> AsyncIterator[Sandbox]:
    one = Sandbox(read(tape(folder)))
    try:
        yield one
    finally:
        await one.stop()


async def settled(folder: Path, one: Sandbox, *, start: date = HALF) -> Settings:
    """Return settings for the second half of the tape, over a sandbox that listens."""
    settings = declared_settings(folder / "data", sandbox_url=await one.start())
    return msgspec.structs.replace(settings, start=start)


async def days_of(data: Path, symbol: str) -> list[date]:
    store = DuckdbStore(data / STORE, read_only=True)
    try:
        listings = await store.read("listings", Selection(equal={"symbol": (symbol,)}))
        bars = await store.read("bars", Selection(equal={"instrument_id": (listings["instrument_id"][0],)}))
    finally:
        await store.close()
    days: list[date] = bars["ts_event"].dt.date().to_list()
    return days


async def test_history_is_fetched_here(tmp_path: Path) -> None:
    """Without a running platform: the tail as the settings say, the history of the named symbol before it."""
    told: list[Progress] = []
    async with sandbox(tmp_path) as one:
        settings = await settled(tmp_path, one)
        done = await fetch_history(settings, ("AAA", "ZZZ"), EVERYTHING, on_progress=told.append)
        again = await fetch_history(settings, ("AAA", "ZZZ"), EVERYTHING, on_progress=told.append)

    assert (1, 1, 0, ("ZZZ",)) == (done.planned, done.done, done.waiting, done.unknown)
    assert (0, 0) == (again.planned, again.done)
    assert told[0].job_id == done.job_id
    assert await days_of(settings.data, "AAA") == DAYS
    assert await days_of(settings.data, "BBB") == DAYS[29:]


async def test_history_is_fetched_by_the_platform_that_runs(tmp_path: Path) -> None:
    """It goes on serving, and is asked over its API; its progress is followed to the end."""
    told: list[Progress] = []
    async with sandbox(tmp_path) as one:
        settings = await settled(tmp_path, one)
        running = asyncio.create_task(up(settings))
        try:
            async with asyncio.timeout(30):
                while not ((owner := read_owner(settings.data)) and owner.address):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                done = await fetch_history(settings, ("AAA",), EVERYTHING, on_progress=told.append)
                while len(await asyncio.to_thread(bars, "AAA", data=owner.address)) < len(DAYS):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)  # what has been acquired is graded and stored a moment later
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    assert (1, 1) == (done.planned, done.done)
    assert told[-1] == done
    assert await days_of(settings.data, "AAA") == DAYS


async def test_a_platform_that_does_not_answer(tmp_path: Path) -> None:
    """Is named with its address."""
    async with sandbox(tmp_path) as one:
        settings = await settled(tmp_path, one)
    from truetape.adapters.data_folder import DataFolder

    folder = DataFolder.open(settings.data, simulated=True)
    folder.announce("http://127.0.0.1:9")
    try:
        with pytest.raises(StoreUnavailable, match="no answer came"):
            await fetch_history(settings, ("AAA",), EVERYTHING, on_progress=lambda _: None)
    finally:
        folder.close()


async def test_a_wrong_order_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """With the value that was wrong."""
    settings = declared_settings(tmp_path / "data", sandbox_url="http://127.0.0.1:9")

    with pytest.raises(BadInput, match="symbols was"):
        await fetch_history(settings, ("A" * 41,), EVERYTHING, on_progress=lambda _: None)


async def test_a_plan_asks_nobody_and_says_what_is_missing(tmp_path: Path) -> None:
    """Before anything is there: two rounds at each of four providers; afterwards none for what is settled."""
    async with sandbox(tmp_path) as one:
        settings = await settled(tmp_path, one)
        before = await forecast(settings, ("AAA", "BBB", "ZZZ"), EVERYTHING)
        asked = len(one.served)
        await fetch_history(settings, ("AAA",), EVERYTHING, on_progress=lambda _: None)
        after = await forecast(settings, ("AAA", "BBB"), EVERYTHING)

    assert 0 == asked
    assert (3, ("ZZZ",), 2, 0) == (before.symbols, before.unknown, before.rounds, before.settled)
    assert {"alpha_vantage": 2, "yahoo": 2, "finnhub": 2, "iex_cloud": 2} == {
        one.provider: one.requests for one in before.estimates
    }
    assert (1, 1) == (after.rounds, after.settled)


async def test_a_plan_knows_what_is_spent(tmp_path: Path) -> None:
    """Of 25 calls a day 24 are gone: two more take until tomorrow."""
    settings = declared_settings(tmp_path / "data", sandbox_url="http://127.0.0.1:9")
    chosen = msgspec.structs.replace(settings.providers["alpha_vantage"], plan="free")
    settings = msgspec.structs.replace(
        settings, providers={"alpha_vantage": chosen}, policies={"bars": Policy(name="failover")}
    )
    settings.data.mkdir()
    budget = budgets(settings)["alpha_vantage"]
    ledger = SqliteLedger(settings.data / LEDGER, clock=SystemClock())
    for _ in range(24):
        spent = Spending(provider="alpha_vantage", account=budget.account)
        await ledger.reserve(spent, [one for one in budget.plan.windows if one.period == "day"])
    await ledger.close()

    found = await forecast(settings, ("AAA", "BBB"), EVERYTHING)

    (estimate,) = found.estimates
    assert (2, "25 calls a day") == (estimate.requests, estimate.bound_by)
    assert 0 < estimate.seconds <= 86_400


@pytest.mark.parametrize(
    ("text", "expected"),
    [("AAPL", ("AAPL",)), (" AAPL, MSFT ,AAPL,", ("AAPL", "MSFT"))],
)
def test_symbols_of_the_command_line(text: str, expected: tuple[str, ...]) -> None:
    """Commas separate them; each counts once."""
    assert expected == read_symbols(text)


def test_symbols_of_a_file(tmp_path: Path) -> None:
    """One on each line; what stands behind a # is a remark."""
    path = tmp_path / "list.txt"
    path.write_text("\ufeffAAPL\n\n# banks\nJPM  # the largest\nAAPL\n", encoding="utf-8")

    assert ("AAPL", "JPM") == read_symbols(f"@{path}")


@pytest.mark.parametrize(
    ("text", "body", "words"),
    [
        (",", None, "Name symbols such as AAPL,MSFT, or @FILE."),
        ("@{}", None, "cannot be read: No such file or directory"),
        ("@{}", b"\xff\xfe\x00", "cannot be read: it is no UTF-8 text"),
        ("@{}", b"# nothing\n", "Name symbols such as"),
    ],
)
def test_a_list_that_cannot_be_used(tmp_path: Path, text: str, body: bytes | None, words: str) -> None:
    """The file and the reason are named."""
    path = tmp_path / "list.txt"
    if body is not None:
        path.write_bytes(body)

    with pytest.raises(BadInput) as caught:
        read_symbols(text.format(path))

    assert words in str(caught.value)


async def test_budgets_of_live_platforms_are_the_providers_own(tmp_path: Path) -> None:
    """A simulated one has none but those it names; a plan that is not there is refused with those that are."""
    simulated = declared_settings(tmp_path, sandbox_url="http://127.0.0.1:9")
    live = msgspec.structs.replace(simulated, simulated=False)
    finnhub = msgspec.structs.replace(simulated.providers["finnhub"], plan="platinum")
    wrong = msgspec.structs.replace(simulated, providers={"finnhub": finnhub})

    assert {} == budgets(simulated)
    assert {"alpha_vantage", "yahoo", "finnhub", "iex_cloud"} == set(budgets(live))
    assert "sandbox" not in str(budgets(live))
    with pytest.raises(BadInput, match="finnhub has the plans free"):
        budgets(wrong)
