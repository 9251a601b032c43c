"""truetape backup: what it says, and how it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from servers import S3Server
from truetape.adapters.data_folder import STORE, DataFolder
from truetape.adapters.duckdb_store import DuckdbStore
from truetape.adapters.file_archive import FileArchive
from truetape.app.cli import app


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    """An empty data folder that nobody uses."""
    folder = DataFolder.open(tmp_path / "data", simulated=False)
    store = DuckdbStore(folder.path / STORE)
    await store.close()
    FileArchive(folder.archive).close()
    folder.close()
    return folder.path


def said(*arguments: object, code: int = 0) -> str:
    """Run the command, and return what it says on both outputs."""
    done = CliRunner().invoke(app, ["backup", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def told(*arguments: object, code: int = 0) -> object:
    """Run the command with --json, and return what it says."""
    done = CliRunner().invoke(app, ["backup", *map(str, arguments), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_a_backup_is_made_listed_verified_and_restored(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people: sizes, a table, and a sentence at the end of each."""
    monkeypatch.setenv("COLUMNS", "150")
    place = tmp_path / "place"
    assert "holds no backups." in said("list", place)
    assert "store version 0." in said("create", place, "--data", data, "--label", "the first")
    listed = said("list", place)
    assert "the first" in listed
    assert " no " in listed
    verified = said("verify", place, "--against", data, "--scratch", tmp_path)
    assert "every table, row by row" in verified
    assert "is whole: restored and compared." in verified
    restored = said("restore", place, "--into", tmp_path / "back")
    assert "3 files and 0 payloads of " in restored
    assert "restored into" in restored
    assert "BadInput: --into was" in said("restore", place, "--into", data, code=2)
    assert "0 backups removed with 0 objects (0 B); 1 are kept." in said("prune", place, "--keep", 1)
    assert "0 backups would go with 0 objects" in said("prune", place, "--keep", 1, "--dry-run")
    assert "BadInput: --keep was 0." in said("prune", place, code=2)


def test_programs_are_answered_in_json(data: Path, tmp_path: Path) -> None:
    """Each command with one object or list; an error too."""
    place, key = tmp_path / "place", tmp_path / "key"
    made = told("key", key)
    assert isinstance(made, dict)
    assert key.stat().st_mode & 0o777 == 0o600
    assert isinstance(told("key", key, code=2), dict)
    created = told("create", place, "--data", data, "--recipient", made["recipient"])
    assert told("list", place) == [created]
    assert isinstance(created, dict)
    found = told("verify", place)
    assert isinstance(found, dict)
    assert (found["whole"], found["opened"]) == (True, False)
    assert told("restore", place, "--into", tmp_path / "back", code=2) == {
        "error": "--identity was ''. The backup is sealed; name the file with the identity that opens it.",
        "kind": "BadInput",
    }
    restored = told("restore", place, "--into", tmp_path / "back", "--identity", key)
    assert isinstance(restored, dict)
    assert restored["backup_id"] == created["backup_id"]
    pruned = told("prune", place, "--daily", 1)
    assert pruned == {"kept": [created["backup_id"]], "removed": [], "objects": 0, "bytes": 0}


def test_a_backup_that_is_not_whole_is_told_and_left_with_1(data: Path, tmp_path: Path) -> None:
    """With the name of the object that is missing."""
    place = tmp_path / "place"
    created = told("create", place, "--data", data)
    assert isinstance(created, dict)
    lost = max((place / "objects").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    lost.unlink()
    words = said("verify", place, "--backup", created["backup_id"], code=1)
    assert "is not whole" in words
    assert lost.name[:8] in words.replace("\n", "")
    assert "DamagedBackup" in said("restore", place, "--into", tmp_path / "back", code=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "gs://bucket"), "Name a folder, such as"),
        (("restore", "place", "--into", "back", "--at", "yesterday"), "--at was 'yesterday'"),
        (("restore", "place", "--into", "back"), "It holds no backups"),
        (("verify", "place", "--identity", "nothing"), "AGE-SECRET-KEY-1"),
        (("create", "place", "--data", "nothing"), "it is no data folder"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    """And with exit code 2."""
    monkeypatch.chdir(tmp_path)
    assert words in said(*arguments, code=2)


def test_a_service_that_speaks_s3_keeps_backups(
    data: Path, tmp_path: Path, versitygw: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the variables that other tools read too say; a wrong key is told in words, and not shown."""
    place = f"s3://{versitygw.bucket}/cli/{tmp_path.name}"
    for name, value in (
        ("AWS_ENDPOINT_URL", versitygw.endpoint),
        ("AWS_ACCESS_KEY_ID", versitygw.key),
        ("AWS_SECRET_ACCESS_KEY", versitygw.secret),
    ):
        monkeypatch.setenv(name, value)
    said("create", place, "--data", data)
    assert "is whole" in said("verify", place)
    said("restore", place, "--into", tmp_path / "back")
    assert (tmp_path / "back" / "truetape.json").read_bytes() == (data / "truetape.json").read_bytes()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    refused = said("create", place, "--data", data, code=2)
    assert "Check AWS_SECRET_ACCESS_KEY" in refused
    assert "not-the-secret" not in refused
