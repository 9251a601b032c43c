"""What the archive in a folder makes of full disks, kills and what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from truetape.adapters.file_archive import FileArchive
from truetape.domain.errors import StoreUnavailable
from truetape.domain.messages import RawCaptured

FULL_DISK = """
import resource, sys
from pathlib import Path
from archive_entries import ENTRIES
from truetape.adapters.file_archive import FileArchive
from truetape.domain.errors import StoreUnavailable

archive = FileArchive(Path(sys.argv[1]))
archive.record(ENTRIES[0])
size = (Path(sys.argv[1]) / "journal.jsonl").stat().st_size
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
"""


def _limited(folder: Path, script: str) -> str:
    """Run `script` in a process whose files may not grow beyond what it sets, and return what it prints."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n" + FULL_DISK
    done = subprocess.run(
        [sys.executable, "-c", code + script, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


def test_a_full_disk_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    """An entry that does not fit raises StoreUnavailable; what was there stays readable, and later entries follow."""
    printed = _limited(
        tmp_path / "archive",
        """
for room in (0, 1, 100):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
    try:
        archive.record(ENTRIES[1])
    except StoreUnavailable as error:
        print(error.reason, Path(error.path).name, (Path(sys.argv[1]) / "journal.jsonl").stat().st_size == size)
    assert list(archive.journal()) == ENTRIES[:1]
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
archive.record(ENTRIES[1])
assert list(archive.journal()) == ENTRIES[:2]
""",
    )
    assert printed.splitlines() == ["file too large journal.jsonl True"] * 3


def test_a_full_disk_leaves_no_half_payload(tmp_path: Path) -> None:
    """A payload that does not fit raises StoreUnavailable and leaves nothing behind; it fits when there is room."""
    printed = _limited(
        tmp_path / "archive",
        """
import os
body = os.urandom(100_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
try:
    archive.put(body)
except StoreUnavailable as error:
    print(error.reason)
print([path.name for path in Path(sys.argv[1]).rglob("*") if path.is_file()])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
print(archive.get(archive.put(body)) == body)
""",
    )
    assert printed.splitlines() == ["file too large", "['journal.jsonl']", "True"]


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_recorded(tmp_path: Path) -> None:
    """A process says each number after recording it and is killed: the journal has every number said, in order."""
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from archive_entries import captured
from truetape.adapters.file_archive import FileArchive
archive = FileArchive(Path(sys.argv[1]))
for number in range(10**9):
    archive.record(captured(number, key=archive.put(b"%d" % number)))
    print(number, flush=True)
"""
    for moment in (1, 7, 30):
        folder = tmp_path / str(moment)
        with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(moment):
                writer.stdout.readline()
            writer.kill()
            rest = writer.stdout.read().split()
        last = int(rest[-1]) if rest else moment - 1
        archive = FileArchive(folder)
        known = [entry.ts_known for entry in archive.journal() if isinstance(entry, RawCaptured)]
        assert known == list(range(len(known)))
        assert len(known) > last
        assert list(archive.scrub()) == []
        archive.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    """The archive says which path and why."""
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailable, match="permission denied"):
        FileArchive(tmp_path / "archive")


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """An archive whose folder is a file says so."""
    (tmp_path / "archive").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="not a directory"):
        FileArchive(tmp_path / "archive")


def test_leftovers_of_a_crash_are_cleared_away(tmp_path: Path) -> None:
    """A draft that was being written is gone after the next start, and was never a payload."""
    FileArchive(tmp_path / "archive").close()
    draft = tmp_path / "archive" / "incoming" / "4711-0"
    draft.write_bytes(b"half")
    FileArchive(tmp_path / "archive").close()
    assert not draft.exists()
