"""`truetape reference`: lists loaded from files and fetched from the sandbox, with what they changed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from small_platform import tape
from truetape.adapters.file_archive import FileArchive
from truetape.app.cli.commands import app
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read

HEAD = "CIK,Ticker,Name,Exchange\n"
ROWS = [f"{number},S{number:02},Name {number},NYSE\n" for number in range(1, 41)]


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


def answer(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["reference", *words], env={"COLUMNS": "140"})
    assert code == done.exit_code, done.output
    return done.stdout


def written(folder: Path, name: str, rows: list[str]) -> str:
    (folder / name).write_text(HEAD + "".join(rows), encoding="utf-8")
    return str(folder / name)


def told(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["listings", "events", *words], env={"COLUMNS": "140"})
    assert code == done.exit_code, done.output
    return done.stdout


def test_lists_are_loaded_one_after_the_other(tmp_path: Path) -> None:
    """The second tells a rename, a third that lacks half is held back; what they told is kept, and their bytes are."""
    data, config = ("--data", str(tmp_path / "data")), ("--config", str(tmp_path / "none.toml"))
    renamed = written(tmp_path, "2", [*ROWS[1:], "1,NEW,Name 1,NYSE\n"])

    first = answer("load", "sec", written(tmp_path, "1", ROWS), *data, *config)
    after: dict[str, Any] = json.loads(answer("load", "sec", renamed, *data, *config, "--json"))
    cut = answer("load", "sec", written(tmp_path, "3", [*ROWS[1:20], "1,NEW,Name 1,NYSE\n"]), *data, *config)
    shown = told(*data)
    held = told(*data, "--held", "--kind", "delisting")

    assert "40 listings of sec." in first
    assert (40, {"rename": 1}, 0) == (after["rows"], after["counts"], after["held"])
    assert "changes are held back, since the list seems not to be whole: mass_disappearance: 20 of 40" in cut
    assert "S01 > NEW" in shown
    assert "the same CIK, and one ticker of the class went and one came" in shown
    assert "20 events." in held
    assert [("rename", "S01", "NEW")] == [
        (one["kind"], one["old_symbol"], one["symbol"])
        for one in json.loads(told(*data, "--symbol", "S02", "--json"))
        + json.loads(
            told(*data, "--symbol", "S01", "--kind", "rename", "--provider", "sec", "--since", "2020-01-01", "--json")
        )
    ]
    assert "Choose one of listing" in json.loads(told(*data, "--kind", "x", "--json", code=2))["error"]
    assert 3 == len(list(FileArchive(tmp_path / "data" / "archive", read_only=True).journal()))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("load", "nobody", "x"), "'nobody' is no provider"),
        (("load", "sec", "missing.csv"), "No such file"),
        (("load", "sec", "LIST", "--kind", "issuers"), "It is no readable list"),
        (("load", "iso4217", "LIST"), "It is no list of iso4217"),
        (("fetch", "sec"), "There is no such file"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """In a sentence, before anything is kept."""
    file = written(tmp_path, "list", ROWS[:1])
    chosen = [file if word == "LIST" else word for word in words]
    data = ("--data", str(tmp_path / "data")) if words[0] == "load" else ()

    assert (
        said in json.loads(answer(*chosen, *data, "--config", str(tmp_path / "none.toml"), "--json", code=2))["error"]
    )


def settings(folder: Path, url: str) -> str:
    instrument = '[[instruments]]\nsymbol = "AAA"\nmic = "XNAS"\n'
    providers = f'[providers.sec]\nbase_url = "{url}/sec"\n[providers.gleif]\nbase_url = "{url}/nowhere"\n'
    text = f"start = 2012-03-01\nsimulated = true\n{instrument}{providers}"
    (folder / "truetape.toml").write_text(text, encoding="utf-8")
    return str(folder / "truetape.toml")


def test_a_list_is_fetched_when_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The provider must be enabled, and what it does not deliver is told in its words."""
    monkeypatch.setenv("SEC_USER_AGENT", "Acme a@b.example")
    config = ("--config", settings(tmp_path, url))

    assert "listings of sec." in answer("fetch", "sec", *config)
    assert (
        "It did not deliver (permanent)"
        in json.loads(answer("fetch", "gleif", "--symbol", "L", *config, "--json", code=2))["error"]
    )
    assert "[providers.openfigi]" in json.loads(answer("fetch", "openfigi", *config, "--json", code=2))["error"]
