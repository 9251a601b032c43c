"""What the data folder promises: one owner, one kind of data, and a way to find who serves it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from truetape.adapters.data_folder import DataFolder, Server, read_marker, read_owner, read_server
from truetape.domain.errors import FolderInUse, StoreUnavailable, WrongFolder

OWNER = """
import sys
from pathlib import Path
from truetape.adapters.data_folder import DataFolder
folder = DataFolder.open(Path(sys.argv[1]), simulated=True, command="truetape demo")
folder.announce("http://127.0.0.1:8000")
print("open", flush=True)
sys.stdin.read()
"""

LOOKER = """
import sys
from pathlib import Path
from truetape.adapters.data_folder import read_owner
print("ready", flush=True)
while True:
    read_owner(Path(sys.argv[1]))
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that owns `path` and serves it, until it is killed or the block ends."""
    command = [sys.executable, "-c", OWNER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    """It gets a marker in plain JSON and tells where the store and the archive are."""
    path = tmp_path / "some" / "data"
    folder = DataFolder.open(path, simulated=True, command="truetape demo")
    assert json.loads((path / "truetape.json").read_text()) == {"format": 1, "simulated": True}
    assert (folder.store, folder.archive, folder.simulated) == (path / "truetape.duckdb", path / "archive", True)
    folder.close()
    DataFolder.open(path, simulated=True).close()


@pytest.mark.parametrize(("holds", "wanted"), [("simulated", "live"), ("live", "simulated")])
def test_simulated_and_live_data_never_mix(tmp_path: Path, holds: str, wanted: str) -> None:
    """A folder of one kind refuses the other with the way out, and stays usable for its own."""
    DataFolder.open(tmp_path, simulated=holds == "simulated").close()
    with pytest.raises(WrongFolder, match=f"it holds {holds} data and {wanted} data were to be written.*--data"):
        DataFolder.open(tmp_path, simulated=wanted == "simulated")
    DataFolder.open(tmp_path, simulated=holds == "simulated").close()


def test_a_second_opening_is_refused_until_the_first_closes(tmp_path: Path) -> None:
    """Also inside one process, and closing twice is fine."""
    first = DataFolder.open(tmp_path, simulated=False, command="truetape up")
    with pytest.raises(FolderInUse, match=rf"process {os.getpid()} \(truetape up\), since 2\d{{3}}-.*Z\. Stop"):
        DataFolder.open(tmp_path, simulated=False)
    first.close()
    first.close()
    DataFolder.open(tmp_path, simulated=False).close()


def test_another_process_is_named_and_its_lock_ends_with_it(tmp_path: Path) -> None:
    """While it runs, its number, command and address are told; after kill -9 the folder is free."""
    with another_process(tmp_path) as process:
        words = rf"process {process.pid} \(truetape demo\), since .*, listening at http://127.0.0.1:8000"
        with pytest.raises(FolderInUse, match=words):
            DataFolder.open(tmp_path, simulated=True)
        assert read_server(tmp_path) == Server(address="http://127.0.0.1:8000", pid=process.pid)
    assert (tmp_path / "server.json").exists()
    assert read_server(tmp_path) is None
    DataFolder.open(tmp_path, simulated=True).close()
    assert not (tmp_path / "server.json").exists()


def test_a_server_is_found_only_while_its_process_owns_the_folder(tmp_path: Path) -> None:
    """A server.json of another process, or a damaged one, is nobody's."""
    assert read_server(tmp_path) is None
    folder = DataFolder.open(tmp_path, simulated=True)
    assert read_server(tmp_path) is None
    folder.announce("http://[::1]:9000")
    assert read_server(tmp_path) == Server(address="http://[::1]:9000", pid=os.getpid())
    for text in ('{"address": "http://127.0.0.1:1", "pid": 1}', "{", '{"pid": "x"}'):
        (tmp_path / "server.json").write_text(text)
        assert read_server(tmp_path) is None
    folder.close()


def test_nobody_owns_a_folder_that_is_none(tmp_path: Path) -> None:
    """Asking about a missing folder gives no owner, no server and no marker."""
    missing = tmp_path / "missing"
    assert (read_owner(missing), read_server(missing), read_marker(missing)) == (None, None, None)


def test_an_owner_that_has_not_said_its_name_still_owns(tmp_path: Path) -> None:
    """Between taking the lock and writing its name, a process is told as another process."""
    folder = DataFolder.open(tmp_path, simulated=True)
    (tmp_path / "lock").write_text("")
    with pytest.raises(FolderInUse, match="in use by another process"):
        DataFolder.open(tmp_path, simulated=True)
    folder.close()


def test_looking_at_the_owner_does_not_disturb_an_opening(tmp_path: Path) -> None:
    """A reader that looks at the lock all the time never makes an opening fail."""
    command = [sys.executable, "-c", LOOKER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as looker:
        assert looker.stdout is not None
        looker.stdout.readline()
        try:
            for _ in range(20):
                DataFolder.open(tmp_path, simulated=True).close()
        finally:
            looker.kill()


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    """It is refused with one of the things in it, and nothing is written."""
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(WrongFolder, match=r"it holds 'thesis\.tex' and no truetape\.json"):
        DataFolder.open(tmp_path, simulated=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_fresh_disk_is_empty_enough(tmp_path: Path) -> None:
    """Hidden files, lost+found and a lock without a marker (from a crash) are no hindrance."""
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".truetape.json.99").write_text("{")
    (tmp_path / "lock").write_text("")
    DataFolder.open(tmp_path, simulated=True).close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "truetape.json is not readable"),
        ('{"format": 1}', "truetape.json is not readable"),
        ('{"format": 2, "simulated": true}', "it has format 2, and this version of truetape reads format 1"),
    ],
)
def test_a_marker_that_is_not_understood_is_named(tmp_path: Path, text: str, words: str) -> None:
    """The folder is refused and stays as it is."""
    (tmp_path / "truetape.json").write_text(text)
    with pytest.raises(WrongFolder, match=words):
        DataFolder.open(tmp_path, simulated=True)
    assert (tmp_path / "truetape.json").read_text() == text


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """A path that is a file, or leads through one, is no folder."""
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "data"):
        with pytest.raises(WrongFolder, match="it is not a folder"):
            DataFolder.open(path, simulated=True)


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """Where the marker cannot be written, nothing is marked and the reason is given."""
    code = """
import resource, sys
from pathlib import Path
from truetape.adapters.data_folder import DataFolder
from truetape.domain.errors import StoreUnavailable
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
try:
    DataFolder.open(Path(sys.argv[1]), simulated=True)
except StoreUnavailable as error:
    print(error.reason)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
DataFolder.open(Path(sys.argv[1]), simulated=True).close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("file too large\n", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_leave_to_write_is_named(tmp_path: Path) -> None:
    """The reason is that this user may not write there."""
    tmp_path.chmod(0o500)
    with pytest.raises((WrongFolder, StoreUnavailable), match="may not write"):
        DataFolder.open(tmp_path / "data", simulated=True)
