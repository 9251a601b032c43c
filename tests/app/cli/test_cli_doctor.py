"""truetape doctor: what is configured, reachable and missing, on a machine whose providers are the sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from truetape.adapters.data_folder import DataFolder
from truetape.app.cli import app
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read

KEY = "k3y-that-nobody-may-see"
TAPE = "symbol,date,open,high,low,close,volume\nAAPL,2012-01-03,10,11,9,10,100\nAAPL,2012-01-04,10,12,9,11,200\n"
LISTING = '[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n'


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def settings(folder: Path, text: str, *, port: int = 0) -> Path:
    path = folder / "truetape.toml"
    path.write_text(f"start = 2012-01-03\nport = {port}\n{LISTING}{text}")
    return path


async def examined(config: Path, **environ: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """The exit code, what was found by its name, and standard error, of a doctor in a process of its own."""
    command = [sys.executable, "-m", "truetape", "doctor", "--config", str(config), "--json"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **environ}
    )
    out, err = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode is not None
    return process.returncode, {one.pop("what"): one for one in json.loads(out)}, err.decode()


async def with_sandbox(folder: Path, text: str, **environ: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """As `examined`, with SANDBOX in `text` being the address of one."""
    (folder / "tape.csv").write_text(TAPE)
    sandbox = Sandbox(read(folder / "tape.csv"), (), seed=7)
    address = await sandbox.start()
    try:
        return await examined(settings(folder, text.replace("SANDBOX", address), port=free_port()), **environ)
    finally:
        await sandbox.stop()


async def test_a_healthy_platform(tmp_path: Path) -> None:
    """With a key, a free port and providers that answer, all signs are good and the exit code is 0."""
    text = '[providers.yahoo]\nbase_url = "SANDBOX/yahoo"\n[providers.finnhub]\nbase_url = "SANDBOX/finnhub"\n'

    code, signs, errors = await with_sandbox(tmp_path, text, FINNHUB_API_KEY=KEY)

    assert {
        "installation": "ok",
        "settings": "ok",
        "data folder": "ok",
        "disk": signs["disk"]["state"],
        "port": "ok",
        "key of finnhub": "ok",
        "provider yahoo": "ok",
        "provider finnhub": "ok",
    } == {name: sign["state"] for name, sign in signs.items()}
    assert (0, "") == (code, errors)
    assert "FINNHUB_API_KEY is set" == signs["key of finnhub"]["words"]
    assert f"{tmp_path / 'data'} will be made" == signs["data folder"]["words"]
    assert KEY not in json.dumps(signs)


async def test_findings(tmp_path: Path) -> None:
    """A missing key and a provider that cannot be reached are findings: exit code 1, each with its reason."""
    text = (
        f'[providers.yahoo]\nbase_url = "http://127.0.0.1:{free_port()}"\n'
        '[providers.finnhub]\nkey_variable = "MY_OWN"\nbase_url = "SANDBOX/finnhub"\n'
    )

    code, signs, _ = await with_sandbox(tmp_path, text, FINNHUB_API_KEY=KEY, MY_OWN="")

    assert (1, "bad", "bad") == (code, signs["provider yahoo"]["state"], signs["key of finnhub"]["state"])
    assert "missing: set MY_OWN, or disable finnhub" == signs["key of finnhub"]["words"]
    assert "127.0.0.1" in signs["provider yahoo"]["words"]


def look(config: Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["doctor", "--config", str(config), "--json"])
    return result.exit_code, {one["what"]: (one["state"], one["words"]) for one in json.loads(result.stdout)}


def test_settings_that_do_not_load(tmp_path: Path) -> None:
    """Without settings the doctor says what is wrong with them, beside what is installed."""
    code, signs = look(settings(tmp_path, "[providers.yaho]\n"))

    assert (1, ["installation", "settings"]) == (code, list(signs))
    assert "providers.yaho is no provider; did you mean yahoo?" in signs["settings"][1]


def offline(folder: Path, *, port: int = 0) -> Path:
    """Settings whose only provider refuses connections at once."""
    text = f'[providers.yahoo]\nbase_url = "http://127.0.0.1:{free_port()}"\n'
    return settings(folder, text, port=port)


def test_a_folder_of_the_other_kind(tmp_path: Path) -> None:
    """Simulated and live data never meet: the doctor says so before `up` refuses."""
    DataFolder.open(tmp_path / "data", simulated=True).close()

    code, signs = look(offline(tmp_path))

    words = f"{tmp_path / 'data'} holds simulated data; choose another folder for live data"
    assert (1, ("bad", words)) == (code, signs["data folder"])


def test_a_folder_in_use_and_a_busy_port(tmp_path: Path) -> None:
    """What another process holds is noted, with its name."""
    folder = DataFolder.open(tmp_path / "data", simulated=False, command="truetape up")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _, signs = look(offline(tmp_path, port=taken.getsockname()[1]))
    folder.close()

    assert "note" == signs["data folder"][0]
    assert f"is in use by process {os.getpid()} (truetape up)" in signs["data folder"][1]
    assert ("note", f"127.0.0.1:{taken_port(signs)} cannot be used now: Address already in use") == signs["port"]


def taken_port(signs: dict[str, Any]) -> str:
    return str(signs["port"][1]).partition(" ")[0].rpartition(":")[2]


@pytest.mark.parametrize("content", ["{", '{"format": 99, "simulated": false}'])
def test_a_folder_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    """A damaged data folder is told with the way out."""
    DataFolder.open(tmp_path / "data", simulated=False).close()
    (tmp_path / "data" / "truetape.json").write_text(content)

    code, signs = look(offline(tmp_path))

    assert (1, "bad") == (code, signs["data folder"][0])
    assert f"The data folder {tmp_path / 'data'} cannot be used: " in signs["data folder"][1]


def test_words_for_a_person(tmp_path: Path) -> None:
    """On a terminal each sign is a line: state, what, words."""
    result = CliRunner().invoke(app, ["doctor", "--config", str(offline(tmp_path))])

    lines = [line.split(": ")[0].split(maxsplit=1) for line in result.stdout.splitlines()]
    assert ["ok", "installation"] in lines
    assert ["bad", "provider yahoo"] in lines
    assert 1 == result.exit_code
