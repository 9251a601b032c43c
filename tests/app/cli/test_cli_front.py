"""The front of the command line: help, versions, exit codes, and how it ends when it is stopped or at fault."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from truetape.app.cli import app, main

COMMAND = [sys.executable, "-m", "truetape"]
TAPE = "symbol,date,open,high,low,close,volume\nAAA,2012-01-03,10,11,9,10,100\nAAA,2012-01-04,10,12,9,11,200\n"


def at_fault() -> None:
    raise KeyError("ledger")


def test_help_names_every_command_in_its_group() -> None:
    """Commands stand in groups, each with one line of what it does."""
    text = CliRunner().invoke(app, ["--help"]).stdout
    groups: dict[str, list[str]] = {}
    for line in text[text.index("Run:") :].splitlines():
        if line.endswith(":") and not line.startswith(" "):
            groups[line[:-1]] = []
        elif line.startswith("  ") and line[2] != " ":
            groups[list(groups)[-1]].append(line.split()[0])

    assert {
        "Run": "demo up sandbox init plan backfill import reference",
        "Ask": "get explain resolve calendar venues receipt fx export timeframes instruments actions classify",
        "Look after": "status quality late correct trust quota replay doctor quarantine backup snapshot store",
        "Work on plain files": "decode adjust check factors resample holdings listings provider repair stream",
    } == {name: " ".join(commands) for name, commands in groups.items()}


def test_help_loads_nothing_heavy() -> None:
    """Help comes at once: no frames, no store, no server are loaded for it."""
    heavy = ("polars", "duckdb", "pyarrow", "numpy", "litestar", "aiohttp", "exchange_calendars", "rich.console")
    code = (
        "import sys\nfrom truetape.app.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(name for name in {heavy!r} if name in sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert "" == done.stderr
    assert done.stdout.startswith("Usage: ")


def test_version() -> None:
    """`python -m truetape --version` says which version is installed."""
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=False, timeout=60)

    assert (0, f"truetape {version('truetape')}\n", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["get"], ["explain", "AAPL"], ["replay"]])
def test_wrong_usage(arguments: list[str]) -> None:
    """A command line that makes no sense ends with 2 and says why on standard error alone."""
    result = CliRunner().invoke(app, arguments)

    assert (2, "") == (result.exit_code, result.stdout)
    assert "Error: " in result.stderr


def test_a_fault_of_our_own_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody foresaw is told without a traceback, and how to see where it happened."""
    with pytest.raises(SystemExit) as ended:
        main(at_fault)

    wanted = "truetape failed by a fault of its own, KeyError: 'ledger'. Please report it; "
    assert 2 == ended.value.code
    assert ("", f"{wanted}TRUETAPE_TRACEBACK=1 shows where it happened.\n") == capsys.readouterr()


def test_a_fault_is_json_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that reads standard output always finds an object there."""
    monkeypatch.setattr(sys, "argv", ["truetape", "status", "--json"])
    with pytest.raises(SystemExit):
        main(at_fault)

    told = json.loads(capsys.readouterr().out)
    assert {"error": "truetape failed by a fault of its own, KeyError: 'ledger'", "kind": "KeyError"} == told


def test_a_traceback_for_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """With TRUETAPE_TRACEBACK the fault is raised as it is."""
    monkeypatch.setenv("TRUETAPE_TRACEBACK", "1")

    with pytest.raises(KeyError, match="ledger"):
        main(at_fault)


def test_ctrl_c_outside_of_any_work() -> None:
    """Ctrl-C ends quietly with the code that shells know, wherever it falls."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        main(interrupted)

    assert 130 == ended.value.code


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_server_stops_quietly(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """Ctrl-C and a supervisor's SIGTERM stop what serves, without a word of complaint."""
    tape = tmp_path / "tape.csv"
    tape.write_text(TAPE)
    with subprocess.Popen(
        [*COMMAND, "sandbox", "--data", str(tape), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as server:
        assert server.stdout is not None
        assert "The sandbox listens at http://127.0.0.1:" in server.stdout.readline()
        for line in server.stdout:
            if line.startswith("No faults"):
                break
        server.send_signal(sent)
        _, errors = server.communicate(timeout=30)

    assert (code, "") == (server.returncode, errors)


def test_a_busy_port(tmp_path: Path) -> None:
    """An address that is taken is named with the way out, and nothing else is said."""
    tape = tmp_path / "tape.csv"
    tape.write_text(TAPE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["sandbox", "--data", str(tape), "--port", str(port)])

    assert (2, "") == (result.exit_code, result.stdout)
    assert (
        f"PortInUse: The address 127.0.0.1:{port} is in use. "
        "Choose another with --port, or stop the program that uses it.\n"
    ) == result.stderr


def test_up_needs_its_settings(tmp_path: Path) -> None:
    """Without a settings file `up` names the command that writes one."""
    missing = tmp_path / "none.toml"

    result = CliRunner().invoke(app, ["up", "--config", str(missing)])

    assert (2, "") == (result.exit_code, result.stdout)
    assert (
        f"BadInput: The configuration was '{missing}'. There is no such file; write one with: truetape init {missing}\n"
    ) == result.stderr


def test_up_says_who_failed_and_goes_on(tmp_path: Path) -> None:
    """Without a network the address, the plan and each failure are told once, and the platform serves on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = probe.getsockname()[1]
    config = tmp_path / "truetape.toml"
    config.write_text(
        "start = 2024-01-02\nend = 2024-01-31\nport = 0\nattempts = 1\n"
        '[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n'
        f'[providers.yahoo]\nbase_url = "http://127.0.0.1:{nobody}"\n'
    )
    with subprocess.Popen(
        [*COMMAND, "up", "--config", str(config)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        told = [server.stderr.readline() for _ in range(3)]
        is_running = server.poll() is None
        server.send_signal(signal.SIGTERM)
        answers, _ = server.communicate(timeout=30)

    assert (True, 143, "") == (is_running, server.returncode, answers)
    assert told[0].startswith("Listening at http://127.0.0.1:")
    assert told[1].startswith("1 series to acquire.")
    assert told[2].startswith(f"yahoo failed: no connection to 127.0.0.1:{nobody}: refused.")
