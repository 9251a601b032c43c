"""The search for leaks finds a key wherever one may stand, however spelled: else its silence would mean nothing."""

from __future__ import annotations

import gzip
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import structlog
from leak_search import Places, forms, leaks, raw_files, spellings, told, unpacked_files

from truetape.adapters.file_archive import FileArchive
from truetape.ports.archive import Attempted

KEYS = ("abcdefgh0123456789", 'abcdefghi+/=%2F jklmnopqr&"stuvwxyz0')
Plant = Callable[[Path, str], Places]


def payload(folder: Path, text: str) -> Places:
    with closing(FileArchive(folder)) as archive:
        archive.put(f"<html>{text}</html>".encode())
    return unpacked_files(folder)


def journal(folder: Path, text: str) -> Places:
    attempted = Attempted(
        provider="yahoo",
        kind="bars",
        round_id="r",
        instrument_id="i",
        symbol="AAA",
        ts_known=1,
        failure_class="auth",
        words=text,
        status=401,
        attempt=1,
        key="",
        simulated=False,
    )
    with closing(FileArchive(folder)) as archive:
        archive.record(attempted)
    return raw_files(folder)


def table(folder: Path, text: str) -> Places:
    with duckdb.connect(str(folder / "truetape.duckdb")) as store:
        store.execute("CREATE TABLE t (number INTEGER, words VARCHAR)")
        store.execute("INSERT INTO t SELECT 1, ? FROM range(3000)", [text])
    return unpacked_files(folder)


def nested_cell(folder: Path, text: str) -> Places:
    with duckdb.connect(str(folder / "truetape.duckdb")) as store:
        store.execute("CREATE TABLE t (words BLOB)")
        store.execute("INSERT INTO t VALUES (?)", [text.encode()])
    return unpacked_files(folder)


def ledger(folder: Path, text: str) -> Places:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as opened:
        opened.execute("CREATE TABLE t (words TEXT)")
        opened.execute("INSERT INTO t VALUES (?)", [text])
        opened.commit()
    return unpacked_files(folder)


def ledgers_wal(folder: Path, text: str) -> Places:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as opened:
        opened.execute("PRAGMA journal_mode = wal")
        opened.execute("CREATE TABLE t (words TEXT)")
        opened.execute("INSERT INTO t VALUES (?)", [text])
        opened.commit()
        return {place: found for place, found in raw_files(folder).items() if place.endswith("-wal")}


def log(folder: Path, text: str) -> Places:
    from truetape.app.telemetry import log_to_file

    log_to_file(folder / "truetape.log")
    structlog.get_logger().error("bus.buried", reason=text)
    structlog.reset_defaults()
    return raw_files(folder)


def old_log(folder: Path, text: str) -> Places:
    (folder / "truetape.log.1.gz").write_bytes(gzip.compress(text.encode()))
    return unpacked_files(folder)


def unfinished_file(folder: Path, text: str) -> Places:
    (folder / "truetape.duckdb.tmp").mkdir()
    (folder / "truetape.duckdb.tmp" / "duckdb_temp_block-1.block").write_bytes(b"\0" * 9 + text.encode() + b"\0")
    return raw_files(folder)


def name_of_a_file(folder: Path, text: str) -> Places:
    (folder / f"x{text.replace('/', '%2F')}").touch()
    return raw_files(folder)


def words_of_an_error(folder: Path, text: str) -> Places:
    return _caught(lambda: _raise(ValueError(text)))


def cause(folder: Path, text: str) -> Places:
    def fail() -> None:
        try:
            int(text)
        except ValueError as error:
            raise RuntimeError("something else") from error

    return _caught(fail)


def hidden_context(folder: Path, text: str) -> Places:
    def fail() -> None:
        try:
            int(text)
        except ValueError:
            raise RuntimeError("something else") from None

    return _caught(fail)


def attribute(folder: Path, text: str) -> Places:
    class Failed(Exception):
        def __init__(self) -> None:
            super().__init__("no words")
            self.url = text

    return _caught(lambda: _raise(Failed()))


def variable(folder: Path, text: str) -> Places:
    def fail(url: str) -> None:
        raise RuntimeError(f"{len(url)} letters")

    return _caught(lambda: fail(text))


def group(folder: Path, text: str) -> Places:
    return _caught(lambda: _raise(ExceptionGroup("several", [KeyError(1), ValueError(text)])))


def note(folder: Path, text: str) -> Places:
    error = RuntimeError("no words")
    error.add_note(text)
    return _caught(lambda: _raise(error))


def _raise(error: Exception) -> None:
    raise error


def _caught(fail: Callable[[], None]) -> Places:
    try:
        fail()
    except Exception as error:  # noqa: BLE001  whatever was planted
        return {"error": told(error)}
    raise AssertionError("nothing was raised")


PLANTS: tuple[Plant, ...] = (
    payload,
    journal,
    table,
    nested_cell,
    ledger,
    ledgers_wal,
    log,
    old_log,
    unfinished_file,
    words_of_an_error,
    cause,
    hidden_context,
    attribute,
    variable,
    group,
    note,
)


@pytest.mark.parametrize("key", KEYS, ids=["plain", "hard"])
@pytest.mark.parametrize("spelling", spellings(""))
def test_a_key_is_found_in_every_spelling(spelling: str, key: str) -> None:
    """Alone, and quoted once more by JSON or by Python; among others' spellings nothing is found."""
    form = spellings(key)[spelling]

    for said in (form, json.dumps(form), repr(form), repr(form.encode()), json.dumps([json.dumps(form)])):
        assert leaks([key], {"here": f"<{said}>".encode()}), said
    assert [] == leaks([key], {"here": repr(spellings(key[::-1])).encode()})


@pytest.mark.parametrize("key", KEYS, ids=["plain", "hard"])
@pytest.mark.parametrize("plant", PLANTS)
def test_a_key_is_found_wherever_it_stands(plant: Plant, key: str, tmp_path: Path) -> None:
    """In all spellings; and nothing is found where something else stands."""
    places = {"one": " ".join(forms(key).values()), "other": "abcdefgh and others"}
    for name in places:
        (tmp_path / name).mkdir()
    one, other = (leaks([key], plant(tmp_path / name, text)) for name, text in places.items())

    assert set(forms(key)) == {found.partition(" (")[2].partition(") in ")[0] for found in one}
    assert [] == other


@pytest.mark.parametrize("key", KEYS, ids=["plain", "hard"])
def test_a_key_is_found_in_the_name_of_a_file(key: str, tmp_path: Path) -> None:
    """As far as a file can be called so."""
    assert leaks([key.partition("/")[0]], name_of_a_file(tmp_path, key))


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_key_is_found_in_the_words_of_a_command(stream: str) -> None:
    """On standard output and on standard error."""
    command = [sys.executable, "-c", f"import sys; print({KEYS[1]!r}, file=sys.{stream})"]
    done = subprocess.run(command, capture_output=True, check=True)

    assert f"{KEYS[1]!r} (raw) in words" in leaks(KEYS, {"words": done.stdout + done.stderr})
