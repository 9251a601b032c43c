"""truetape instruments: found, shown, merged and taken apart on the terminal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from room_doubles import rows
from small_market import APPLE, KNOWN, META, SHOP_CA, SHOP_US, filled_folder, serving
from truetape.adapters.data_folder import STORE
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.app.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return asyncio.run(filled_folder(tmp_path / "data"))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(filled_folder(tmp_path_factory.mktemp("untouched") / "data"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["instruments", *arguments])


def test_instruments_are_found_and_shown(untouched: Path) -> None:
    """As a table and in words for people, as JSON for programs."""
    found = run("search", "shop", "--data", str(untouched))
    as_json = json.loads(run("search", "facebook", "meta", "--json", "--data", str(untouched)).stdout)
    few = json.loads(run("search", "shop", "--limit", "1", "--json", "--data", str(untouched)).stdout)
    shown = run("show", "META", "--data", str(untouched))
    case = json.loads(run("show", META, "--json", "--data", str(untouched)).stdout)

    assert ["SHOP", "SHOP"] == [word for word in found.stdout.split() if word == "SHOP"]
    assert [] == as_json
    assert [SHOP_US] == [row["instrument_id"] for row in few]
    assert "FB on XNAS from 2012-05-18 until 2022-06-09" in shown.stdout
    assert (META, ["FB", "META"]) == (case["instrument_id"], [one["symbol"] for one in case["listings"]])


def test_what_is_not_found_is_said(untouched: Path) -> None:
    """A search that finds nothing is no error; an instrument that there is not is one."""
    nothing = run("search", "nothing", "--data", str(untouched))
    none = run("show", "NONE", "--data", str(untouched))

    assert (0, "", "Nothing is found. Write a ticker, an identifier, or words of a name.\n") == (
        nothing.exit_code, nothing.stdout, nothing.stderr
    )  # fmt: skip
    assert (2, True) == (none.exit_code, "Find it with /v1/instruments/search?q=NONE" in none.stderr)


def test_records_are_merged_and_taken_apart_in_a_folder_that_nobody_runs(folder: Path) -> None:
    """Each in the journal, with who and why; in between both tickers are one instrument's."""
    merged = run("merge", SHOP_CA, SHOP_US, "--why", "one share", "--actor", "ann", "--data", str(folder))
    together = json.loads(run("show", SHOP_CA, "--json", "--data", str(folder)).stdout)
    resolved = CliRunner().invoke(app, ["resolve", SHOP_CA, "--json", "--data", str(folder)])
    again = run("merge", SHOP_CA, APPLE, "--why", "w", "--data", str(folder))
    apart = run("unmerge", SHOP_CA, "--why", "two", "--actor", "bob", "--json", "--data", str(folder))
    after = json.loads(run("show", SHOP_CA, "--json", "--data", str(folder)).stdout)

    assert (0, True) == (merged.exit_code, f"{SHOP_US} stands for {SHOP_CA} from" in merged.stdout)
    assert (SHOP_US, [SHOP_US, SHOP_CA]) == (together["instrument_id"], together["records"])
    assert SHOP_US == json.loads(resolved.stdout)["instrument_id"]
    assert (2, True) == (again.exit_code, "merged into ins_shop_us already" in again.stderr)
    assert (False, "bob") == (json.loads(apart.stdout)["stands"], json.loads(apart.stdout)["actor"])
    assert [("ann", True), ("bob", False)] == [(one["actor"], one["stands"]) for one in after["merges"]]


def test_records_are_merged_by_the_server_that_runs(folder: Path) -> None:
    """By its address, or as the folder tells it."""
    with serving(folder) as address:
        merged = run("merge", SHOP_CA, SHOP_US, "--why", "one share", "--url", address)
        apart = run("unmerge", SHOP_CA, "--why", "two", "--data", str(folder))
        shown = json.loads(run("show", SHOP_CA, "--json", "--url", address).stdout)

    assert (0, 0) == (merged.exit_code, apart.exit_code)
    assert "stands for itself again" in apart.stdout
    assert [True, False] == [one["stands"] for one in shown["merges"]]


def test_open_questions_are_listed(folder: Path) -> None:
    """The newest first, in words, with the instruments that may be meant."""
    asked = rows("master_questions", question_id=["que_a"], kind="maybe_renamed", provider="p", symbol="X", mic="",
                 instruments=META, words="p lists X, which may be new", payload="", ts_known=KNOWN)  # fmt: skip

    async def ask() -> None:
        store = DuckdbStore(folder / STORE)
        await store.commit({"master_questions": asked})
        await store.close()

    asyncio.run(ask())
    told = run("questions", "--data", str(folder))
    other = run("questions", "--kind", "twice", "--json", "--data", str(folder))

    assert f"2024-01-10 maybe_renamed: p lists X, which may be new [{META}]\n" == told.stdout
    assert ("1 questions.\n", []) == (told.stderr, json.loads(other.stdout))
