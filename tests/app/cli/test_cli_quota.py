"""truetape quota: what is left, when it resets, and what it cost."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from truetape.adapters.data_folder import LEDGER, DataFolder
from truetape.adapters.sqlite_ledger import SqliteLedger
from truetape.adapters.system_clock import SystemClock
from truetape.app.cli import app
from truetape.app.cli.quota import when, words
from truetape.domain.plans import Spending, Window
from truetape.ports.ledger import Grant

MONTH = Window(limit=25, period="month", zone="America/New_York")
MINUTE = Window(unit="credits", limit=1000.5, period="minute", every=10, rolling=True)
BYTES = Window(unit="bytes", limit=2e6, period="month")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder whose ledger holds three requests to finnhub and one to a provider that nobody knows."""
    path = tmp_path / "data"
    DataFolder.open(path, simulated=False).close()
    return path


async def ask(ledger: SqliteLedger) -> None:
    for provider, credits_ in (("finnhub", 2.25), ("finnhub", 1.0), ("finnhub", 0.0), ("acme", 1000.5)):
        spending = Spending(provider=provider, account="a1b2c3d4e5f6", credits=credits_, money=0.5)
        assert isinstance(await ledger.reserve(spending, (MONTH, MINUTE, BYTES)), Grant)


def test_quota_as_json_beside_a_running_platform(folder: Path) -> None:
    """A program finds each window by value, while another process of the platform has the ledger open."""
    owner = DataFolder.open(folder, simulated=False)

    async def beside() -> str:
        ledger = SqliteLedger(folder / LEDGER, clock=SystemClock())
        await ask(ledger)
        command = [sys.executable, "-m", "truetape", "quota", "--data", str(folder), "--json"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        await ledger.close()
        assert (0, "") == (done.returncode, done.stderr)
        return str(done.stdout)

    told = json.loads(asyncio.run(beside()))
    owner.close()
    assert [
        {"provider": "acme", "today": 0.5, "month": 0.5, "currency": ""},
        {"provider": "finnhub", "today": 1.5, "month": 1.5, "currency": "USD"},
    ] == told["money"]
    acme, finnhub = told["accounts"]
    assert ("acme", "finnhub", "a1b2c3d4e5f6") == (acme["provider"], finnhub["provider"], finnhub["account"])
    month, minute, _ = finnhub["windows"]
    assert 0 < datetime.fromisoformat(month.pop("resets_at")).timestamp() - time.time() <= 31 * 86_400 + 3600
    assert {
        "window": "calls each month (New York)",
        "unit": "calls",
        "period": "month",
        "every": 1,
        "rolling": False,
        "zone": "America/New_York",
        "endpoint": "",
        "limit": 25.0,
        "used": 3.0,
        "left": 22.0,
    } == month
    assert (3.25, 997.25) == (minute["used"], minute["left"])
    assert 500 < datetime.fromisoformat(minute["resets_at"]).timestamp() - time.time() <= 600


def test_quota_in_words(folder: Path) -> None:
    """A person reads a row for each window, and what the day and the month cost."""

    async def before() -> None:
        ledger = SqliteLedger(folder / LEDGER, clock=SystemClock())
        await ask(ledger)
        await ledger.close()

    asyncio.run(before())
    result = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["quota", "--data", str(folder)])
    assert 0 == result.exit_code
    text = " ".join(result.stdout.split())
    for expected in (
        "provider account window limit used left resets",
        "acme a1b2c3d4e5f6 calls each month (New York) 25 1 24 ",
        "credits in any 10 minutes 1,000.5 1,000.5 0 in ",
        "finnhub a1b2c3d4e5f6 calls each month (New York) 25 3 22 ",
        "bytes each month (UTC) 2 M 3 2 M ",
        "finnhub cost 1.50 today and 1.50 this month USD",
        "acme cost 0.50 today and 0.50 this month",
    ):
        assert expected in text


def test_a_folder_in_which_nothing_was_counted(folder: Path) -> None:
    """It says so, in words and as JSON, and makes no ledger."""
    result = CliRunner().invoke(app, ["quota", "--data", str(folder)])
    assert (0, "No request was counted yet: nothing is used.\n") == (result.exit_code, result.stdout)
    result = CliRunner().invoke(app, ["quota", "--data", str(folder), "--json"])
    assert {"data": str(folder), "accounts": [], "money": []} == json.loads(result.stdout)
    assert not (folder / LEDGER).exists()


def test_a_folder_that_is_no_data_folder(tmp_path: Path) -> None:
    """It is named."""
    result = CliRunner().invoke(app, ["quota", "--data", str(tmp_path), "--json"])
    assert 2 == result.exit_code
    assert str(tmp_path) in json.loads(result.stdout)["error"]


def test_a_damaged_ledger_is_named(folder: Path) -> None:
    """In one sentence, with its path."""
    (folder / LEDGER).write_bytes(b"no database" * 100)
    result = CliRunner().invoke(app, ["quota", "--data", str(folder), "--json"])
    assert (2, "StoreUnavailable") == (result.exit_code, json.loads(result.stdout)["kind"])
    assert str(folder / LEDGER) in json.loads(result.stdout)["error"]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(limit=1, period="second"), "calls each second"),
        (Window(limit=1, period="day"), "calls each day (UTC)"),
        (Window(limit=1, period="day", every=2, zone="Europe/Warsaw"), "calls each 2 days (Warsaw)"),
        (Window(limit=1, period="hour", rolling=True, unit="bytes"), "bytes in any hour"),
        (Window(limit=1, period="minute", endpoint="chain"), "calls each minute, chain"),
    ],
)
def test_windows_in_words(window: Window, expected: str) -> None:
    """As a person says them."""
    assert expected == words(window)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "now"),
        (0, "now"),
        (12, "in 12 s"),
        (59 * 60, "in 59 min"),
        (3600, "today 13:00"),
        (12 * 3600, "tomorrow 00:00"),
        (3 * 86_400, "2026-03-05 12:00"),
    ],
)
def test_times_in_words(seconds: int, expected: str) -> None:
    """At noon of 2026-03-02."""
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert expected == when(noon + timedelta(seconds=seconds), now=noon)
