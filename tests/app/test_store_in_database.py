"""The whole platform over a store in PostgreSQL, read by commands and by the library; no password is shown."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

import truetape as tt
from database_servers import PASSWORD, Postgres
from small_platform import SESSIONS, acquired, declared_settings, tape
from truetape.adapters.timescale_store import TimescaleStore
from truetape.app.cli import app
from truetape.app.cli.doctor import Sign, _database
from truetape.app.database_settings import Database
from truetape.app.parts import embedded
from truetape.app.run import Platform
from truetape.app.sandbox import Sandbox
from truetape.app.sandbox.dataset import read
from truetape.app.settings import Settings, load
from truetape.app.store_choice import in_database
from truetape.app.tier_settings import Tiering
from truetape.domain.errors import BadInput, StoreUnavailable, WrongFolder

TEXT = 'start = 2020-01-02\n[[instruments]]\nsymbol = "AAPL"\nmic = "XNAS"\n[providers.yahoo]\n'
TABLES = ("bars", "actions", "factors", "listings", "rounds")
DECIDED = ("instrument_id", "timeframe", "ts_event", "open", "high", "low", "close", "volume", "version", "agreed")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> tuple[Path, str]:
    """A data folder whose store is a database of its own."""
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE platform")
    address = postgres.dsn.replace("/postgres", "/platform")
    data = tmp_path_factory.mktemp("database") / "data"
    asyncio.run(fill(data, address))
    return data, address


async def fill(data: Path, address: str) -> None:
    sandbox = Sandbox(read(tape_of(data)))
    settings = declared_settings(data, sandbox_url=await sandbox.start())
    settings = msgspec.structs.replace(settings, database=Database(address=address))
    try:
        async with Platform(settings, command="truetape demo") as platform:
            await platform.declare()
            await platform.acquire()
    finally:
        await sandbox.stop()


def tape_of(data: Path) -> Path:
    data.parent.mkdir(parents=True, exist_ok=True)
    return tape(data.parent)


async def test_the_rows_are_those_of_a_file(filled: tuple[Path, str], tmp_path: Path) -> None:
    """Golden rows are the same wherever they are kept; nothing is kept in the folder."""
    data, address = filled
    other = await acquired(tmp_path / "data")
    from truetape.adapters.duckdb_store import DuckdbStore

    file = DuckdbStore(other / "truetape.duckdb", read_only=True)
    served = in_database(Database(address=address), simulated=True, read_only=True)
    assert not (data / "truetape.duckdb").exists()
    assert 2 * SESSIONS == len(await served.read("bars"))
    assert (await file.read("bars")).select(DECIDED).equals((await served.read("bars")).select(DECIDED))
    for table in TABLES:
        assert len(await file.read(table)) == len(await served.read(table)) > 0
    await file.close()
    await served.close()


def test_commands_and_the_library_read_it(filled: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable set, as the platform had it."""
    data, address = filled
    monkeypatch.setenv("TRUETAPE_STORE", address)
    told = CliRunner().invoke(app, ["status", "--data", str(data), "--json"])
    found = json.loads(told.stdout)
    assert [("AAA", SESSIONS), ("BBB", SESSIONS)] == [(one["symbol"], one["golden"]) for one in found["instruments"]]
    bars = tt.bars("AAA", data=data, adjustment="split")
    assert SESSIONS == len(bars)
    assert bars["close"].dtype == pl.Float64()
    assert PASSWORD not in (data / "truetape.log").read_text()
    assert "store.plain" in (data / "truetape.log").read_text()


def test_doctor_says_what_the_server_lacks(filled: tuple[Path, str]) -> None:
    """Its versions, what is missing without the extension, and what a crash may cost with these settings of a test."""
    data, address = filled
    settings = declared_settings(data, sandbox_url="http://127.0.0.1:9")
    first, *notes = signs(settings, address)
    assert ("database", "ok") == (first.what, first.state)
    assert "PostgreSQL 15." in first.words
    assert "without TimescaleDB; version " in first.words
    assert PASSWORD not in first.words
    assert "missing: compression, continuous aggregates, policies for retention" in notes[0].words
    assert ["fsync is off: a crash can lose rows"] == [one.words for one in notes if "fsync" in one.words]


def signs(settings: Settings, address: str) -> list[Sign]:
    return list(_database(msgspec.structs.replace(settings, database=Database(address=address))))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://truetape:pa55word@127.0.0.1:9/none", "could not be used: "),
        ("mysql://truetape:pa55word@127.0.0.1/none", "Write the address of a PostgreSQL server"),
        ("postgresql://truetape:pa55word@127.0.0.1:x/none", "could not be used|Write the address"),
    ],
)
def test_an_address_of_nothing(tmp_path: Path, address: str, words: str) -> None:
    """It is refused with words, and not repeated: it holds a password."""
    (sign,) = signs(declared_settings(tmp_path / "data", sandbox_url="http://127.0.0.1:9"), address)
    assert "bad" == sign.state
    assert "pa55word" not in sign.words
    with pytest.raises((BadInput, StoreUnavailable), match=words) as caught:
        in_database(Database(address=address), simulated=True)
    assert "pa55word" not in str(caught.value)


def test_no_store_is_made_by_reading(postgres: Postgres) -> None:
    """A database without one is named."""
    with pytest.raises(WrongFolder, match="holds no store yet"):
        in_database(Database(address=postgres.dsn), simulated=False, read_only=True)


def test_cold_files_are_not_for_a_database(tmp_path: Path, postgres: Postgres) -> None:
    """The settings contradict each other, and the folder is free again."""
    settings = declared_settings(tmp_path / "data", sandbox_url="http://127.0.0.1:9")
    both = msgspec.structs.replace(settings, database=Database(address=postgres.dsn), tiers=Tiering(warm="cold"))
    for _ in range(2):
        with pytest.raises(BadInput, match=r"tiers\.warm was 'cold'\. Rows of a database"):
            embedded(both, command="test")


def test_the_settings(tmp_path: Path) -> None:
    """The address comes from the environment and is not shown; ages stand in the file, and wrong ones are named."""
    path = tmp_path / "truetape.toml"
    path.write_text(
        f'{TEXT}[timescale]\ncompress_after = "8w"\nchunk = {{ bars = "26w" }}\nkeep = {{ quotes = "90d" }}\n'
    )
    found = load(path, {"TRUETAPE_STORE": " postgresql://u:pa55word@h/d "})
    expected = Database(
        address="postgresql://u:pa55word@h/d",
        compress_after_days=56,
        chunk_days={"bars": 182},
        keep_days={"quotes": 90},
    )
    assert expected == found.database
    assert "pa55word" not in repr(found)
    assert ("postgresql://u:pa55word@h/d", "pa55word") == found.database.secrets
    path.write_text(f'{TEXT}[timescale]\ncompress_after = 8\naddress = "x"\nchunk = {{ bar = "1d" }}\nkeep = 3\n')
    with pytest.raises(BadInput) as caught:
        load(path, {})
    for words in (
        "timescale.compress_after was 8; write an age",
        "timescale.address is no setting",
        "timescale.chunk.bar is no table; known are bars",
        "timescale.keep must be a table",
    ):
        assert words in str(caught.value)
    path.write_text(f"timescale = 3\n{TEXT}")
    with pytest.raises(BadInput, match="timescale must be a table"):
        load(path, {})


async def test_a_database_that_is_a_store_has_the_type_of_one(postgres: Postgres) -> None:
    """Live and simulated rows never share a schema."""
    store = in_database(Database(address=postgres.dsn), simulated=True)
    assert isinstance(store, TimescaleStore)
    await store.close()
    with pytest.raises(WrongFolder, match="no store yet"):
        in_database(Database(address=postgres.dsn), simulated=False, read_only=True)
