"""truetape plan and truetape backfill on the command line: tables, JSON, and each wrong word with its fix."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from small_platform import DAYS, tape
from truetape.app.cli import app
from truetape.app.cli.backfill import duration
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read

SETTINGS = """
data = "data"
start = {start}
end = {end}
simulated = true
[[instruments]]
symbol = "AAA"
mic = "XNAS"
[providers.yahoo]
base_url = "{url}/yahoo"
calls_per_second = 200
[providers.alpha_vantage]
base_url = "{url}/alpha_vantage"
plan = "free"
[policies.bars]
name = "failover"
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The address of a sandbox that runs in a thread of its own."""
    found: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        sandbox = Sandbox(read(tape(tmp_path)))
        found.append(await sandbox.start())
        started.set()
        await asyncio.to_thread(stop.wait)
        await sandbox.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(20)
    yield found[0]
    stop.set()
    thread.join(20)


def configured(folder: Path, url: str) -> list[str]:
    path = folder / "truetape.toml"
    path.write_text(SETTINGS.format(start=DAYS[20], end=DAYS[-1], url=url), encoding="utf-8")
    return ["--config", str(path)]


def test_plan_and_backfill(tmp_path: Path, url: str) -> None:
    """What the plan says is done, and afterwards there is nothing to plan."""
    config, history = configured(tmp_path, url), ["AAA,ZZZ", "--from", str(DAYS[0])]

    planned = CliRunner().invoke(app, ["plan", *history, *config])
    done = CliRunner().invoke(app, ["backfill", *history, *config])
    after = CliRunner().invoke(app, ["plan", *history, *config, "--json"])

    assert (0, 0, 0) == (planned.exit_code, done.exit_code, after.exit_code)
    assert f"2 symbols, 1d bars from {DAYS[0]} to {DAYS[-1]}: 1 rounds to run" in planned.output
    assert "alpha_vantage is not asked: failover asks yahoo first." in planned.output
    assert "Unknown: ZZZ; add them under [[instruments]]." in planned.output
    assert "1 of 1 rounds are done. Unknown: ZZZ" in done.output
    assert (0, 1, []) == tuple(json.loads(after.output)[name] for name in ("rounds", "settled", "estimates"))


def test_backfill_as_json(tmp_path: Path, url: str) -> None:
    """One object, and nothing else on standard output."""
    result = CliRunner().invoke(app, ["backfill", "AAA", "--json", *configured(tmp_path, url)])

    told = json.loads(result.stdout)
    assert (1, 1, 0, 0) == tuple(told[name] for name in ("planned", "done", "empty", "waiting"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["AAA", "--from", "2020-13-01"], "--from was '2020-13-01'. Write a date as YYYY-MM-DD"),
        (["AAA", "--from", "2013-01-02", "--to", "2013-01-01"], "It is later than --to, which was 2013-01-01; swap"),
        (["AAA", "--timeframe", "2d"], "--timeframe was '2d'. Write one of 1m"),
        (["@nowhere.txt"], "The file of symbols cannot be read"),
        (["AAA", "--config", "nowhere.toml"], "There is no such file"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "backfill"])
def test_what_is_wrong_is_said(tmp_path: Path, command: str, arguments: list[str], words: str) -> None:
    """With exit code 2, and no traceback."""
    given = [*arguments, *([] if "--config" in arguments else configured(tmp_path, "http://127.0.0.1:9"))]

    result = CliRunner().invoke(app, [command, *given])

    assert 2 == result.exit_code
    assert words in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0 s"), (0.4, "0 s"), (59.6, "1 min"), (3725.0, "1 h 2 min"), (259_200.0, "3 d"), (90_061.0, "1 d 1 h")],
)
def test_durations(seconds: float, expected: str) -> None:
    """The two greatest units are enough."""
    assert expected == duration(seconds)
