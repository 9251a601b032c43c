"""What every archive promises."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_entries import ABC_KEY, ENTRIES, captured
from hypothesis import given, settings
from hypothesis import strategies as st

from truetape.adapters.file_archive import FileArchive
from truetape.domain.errors import BadInput, CorruptArchive, StoreUnavailable, WrongFolder
from truetape.domain.messages import RawCaptured
from truetape.ports.archive import Entry

Build = Callable[..., FileArchive]


@pytest.fixture(params=[FileArchive])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Build:
    """Open the one archive of this test, as often as wanted."""
    return lambda **options: request.param(tmp_path / "archive", **options)


@pytest.mark.parametrize("body", [b"", b"abc", bytes(range(256)) * 5000], ids=["empty", "abc", "1.28 MB"])
def test_bytes_come_back_as_they_were_put(build: Build, body: bytes) -> None:
    """Also from a second archive object over the same place."""
    archive = build()
    key = archive.put(body)
    assert archive.get(key) == build(read_only=True).get(key) == body


def test_the_key_is_the_sha256(build: Build) -> None:
    """The key of b"abc" is the one in the standard."""
    assert build().put(b"abc") == ABC_KEY


def test_the_same_bytes_are_kept_once(build: Build, tmp_path: Path) -> None:
    """Three puts leave one file, and nothing half-done beside it."""
    archive = build()
    assert {archive.put(b"abc") for _ in range(3)} == {ABC_KEY}
    files = [path for path in (tmp_path / "archive").rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    assert [path.name for path in files] == [f"{ABC_KEY[2:]}.zst"]


def test_the_journal_keeps_the_order_over_restarts(build: Build) -> None:
    """Entries of every kind come back equal and in order, from this process and the next."""
    first = build()
    for entry in ENTRIES[:2]:
        first.record(entry)
    first.close()
    second = build()
    for entry in ENTRIES[2:]:
        second.record(entry)
    assert list(second.journal()) == list(build(read_only=True).journal()) == ENTRIES


def test_an_entry_cut_short_was_never_recorded(build: Build, tmp_path: Path) -> None:
    """Cut at every byte of the last entry, a reader sees the others, and the next writer goes on behind them."""
    archive = build()
    for entry in ENTRIES:
        archive.record(entry)
    archive.close()
    journal = tmp_path / "archive" / "journal.jsonl"
    whole = journal.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(start, len(whole)):
        journal.write_bytes(whole[:cut])
        assert list(build(read_only=True).journal()) == ENTRIES[:-1]
        again = build()
        again.record(ENTRIES[-1])
        again.close()
        assert journal.read_bytes() == whole


def test_pages_that_were_never_written_count_as_cut_short(build: Build, tmp_path: Path) -> None:
    """After a crash of the machine a file may end in zeroes, even before the last line feed."""
    archive = build()
    archive.record(ENTRIES[0])
    archive.record(ENTRIES[1])
    journal = tmp_path / "archive" / "journal.jsonl"
    whole = journal.read_bytes()
    first = whole.index(b"\n") + 1
    for tail in (bytes(4096), bytes(100) + whole[first + 100 :]):
        journal.write_bytes(whole[:first] + tail)
        assert list(build(read_only=True).journal()) == ENTRIES[:1]
        build().close()
        assert journal.read_bytes() == whole[:first]


@pytest.mark.parametrize("line", [1, 2, 4])
def test_damage_in_the_journal_is_named(build: Build, tmp_path: Path, line: int) -> None:
    """A flipped bit raises CorruptArchive with file and line, to readers and to the next writer."""
    archive = build()
    for entry in ENTRIES:
        archive.record(entry)
    archive.close()
    journal = tmp_path / "archive" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    damaged = bytearray(lines[line - 1])
    damaged[20] ^= 1
    lines[line - 1] = bytes(damaged)
    journal.write_bytes(b"".join(lines))
    reader = build(read_only=True)
    seen: list[Entry] = []
    with pytest.raises(CorruptArchive, match=rf"journal\.jsonl is damaged: line {line} does not match its checksum"):
        seen.extend(reader.journal())  # keeps what came before the damage
    assert seen == ENTRIES[: line - 1]
    with pytest.raises(CorruptArchive):
        build()


def test_an_entry_of_another_version_is_named(build: Build, tmp_path: Path) -> None:
    """A line with a right checksum and an unknown type is damage that this version cannot read."""
    build().close()
    (tmp_path / "archive" / "journal.jsonl").write_bytes(_line(b'{"type":"Unheard"}'))
    with pytest.raises(CorruptArchive, match="line 1 is no entry that this version knows"):
        list(build(read_only=True).journal())


def _line(data: bytes) -> bytes:
    return f"{zlib.crc32(data):08x} ".encode() + data + b"\n"


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_of_a_payload_is_noticed(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    """Wherever it is, get raises CorruptArchive, and putting the bytes again heals it."""
    archive = FileArchive(tmp_path_factory.mktemp("archive"))
    body = b"2005-02-28,44.68,45.14,43.96,44.86,162902100\n" * 20
    key = archive.put(body)
    path = _payload(archive)
    kept = bytearray(path.read_bytes())
    kept[place % len(kept)] ^= 1 << bit
    path.write_bytes(kept)
    try:
        assert archive.get(key) == body  # a bit that zstd does not use
    except CorruptArchive:
        assert archive.put(body) == key
        assert archive.get(key) == body
    archive.close()


def _payload(archive: FileArchive) -> Path:
    return next(archive._payloads.glob("??/*.zst"))


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        (None, "it is missing"),
        (b"", "it is cut short at 0 bytes"),
        (b"PK\x03\x04" + bytes(20), "its first bytes are not those of a payload"),
        (b"TTP1" + b"\xff" * 8 + bytes(20), "its first bytes are not those of a payload"),
        (b"TTP1" + bytes(8) + b"no zstd", "it cannot be decompressed"),
    ],
    ids=["missing", "empty", "foreign", "length of a bomb", "no zstd"],
)
def test_a_payload_that_is_not_what_was_put(build: Build, kept: bytes | None, reason: str) -> None:
    """The reason names what is wrong."""
    archive = build()
    archive.put(b"abc")
    path = _payload(archive)
    path.unlink()
    if kept is not None:
        path.write_bytes(kept)
    with pytest.raises(CorruptArchive, match=reason):
        archive.get(ABC_KEY)


def test_a_payload_that_cannot_be_read_now_is_unavailable(build: Build) -> None:
    """A folder in the place of the file is a trouble of the disk, not of the bytes."""
    archive = build()
    archive.put(b"abc")
    path = _payload(archive)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreUnavailable, match="is a directory"):
        archive.get(ABC_KEY)


def test_an_entry_beyond_64_mebibytes_is_refused(build: Build) -> None:
    """A line that readers would not accept is not written."""
    archive = build()
    with pytest.raises(BadInput, match="67108864 bytes"):
        archive.record(captured(1, key="x" * (1 << 26)))
    assert list(archive.journal()) == []


def test_a_payload_under_a_wrong_name_is_noticed(build: Build) -> None:
    """Sound bytes of another payload raise CorruptArchive."""
    archive = build()
    other = archive.put(b"other")
    path = _payload(archive)
    wrong = path.parent.parent / ABC_KEY[:2] / path.with_stem(ABC_KEY[2:]).name
    wrong.parent.mkdir(exist_ok=True)
    path.rename(wrong)
    with pytest.raises(CorruptArchive, match="its bytes are not those that were put"):
        archive.get(ABC_KEY)
    assert other != ABC_KEY


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, ABC_KEY + "0", "/" * 64])
def test_a_key_is_never_a_way_out_of_the_folder(build: Build, key: str) -> None:
    """Whatever is no sha256 in lower case is no payload."""
    with pytest.raises(CorruptArchive, match="is not the name of a payload"):
        build().get(key)


def test_a_payload_beyond_a_gibibyte_is_refused(build: Build) -> None:
    """Its length is checked before anything is done with it."""

    class Vast(bytes):
        def __len__(self) -> int:
            return (1 << 30) + 1

    with pytest.raises(BadInput, match="1073741825 bytes"):
        build().put(Vast())


def test_scrub_names_every_problem(build: Build) -> None:
    """A damaged payload and one that the journal names but nobody has are yielded; a sound one is not."""
    archive = build()
    damaged = archive.put(b"damaged")
    _payload(archive).write_bytes(b"TTP1")
    archive.put(b"sound")
    archive.record(captured(1, key=damaged))
    archive.record(captured(2, key=ABC_KEY))
    archive.record(ENTRIES[2])  # an attempt without a body
    found = {Path(problem.path).parent.name + Path(problem.path).stem: problem.reason for problem in archive.scrub()}
    assert found == {damaged: "it is cut short at 4 bytes", ABC_KEY: "it is missing"}


def test_scrub_goes_on_after_a_damaged_journal(build: Build, tmp_path: Path) -> None:
    """The journal's damage is one problem among others."""
    archive = build()
    archive.put(b"abc")
    _payload(archive).write_bytes(b"")
    archive.record(captured(1))
    (tmp_path / "archive" / "journal.jsonl").write_bytes(b"nonsense\n")
    assert [problem.reason for problem in archive.scrub()] == [
        "line 1 does not match its checksum",
        "it is cut short at 0 bytes",
    ]


def test_many_threads_write_and_read_at_once(build: Build) -> None:
    """Four threads record and put 25 times each while two others read: each reads a beginning of the journal."""
    archive = build()
    problems: list[Exception] = []

    def write(thread: int) -> None:
        for number in range(25):
            archive.record(captured(thread * 100 + number, key=archive.put(b"%d" % number)))

    def read() -> None:
        reader = build(read_only=True)
        for _ in range(20):
            try:
                for entry in reader.journal():
                    assert isinstance(entry, RawCaptured)
                    assert reader.get(entry.key) == b"%d" % (entry.ts_known % 100)
            except Exception as error:  # noqa: BLE001  a thread's failure is judged below
                problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = [entry.ts_known for entry in archive.journal() if isinstance(entry, RawCaptured)]
    assert problems == []
    assert sorted(known) == [writer * 100 + number for writer in range(4) for number in range(25)]
    for writer in range(4):
        assert [one % 100 for one in known if one // 100 == writer] == list(range(25))


def test_an_archive_opened_for_reading_writes_nothing(build: Build, tmp_path: Path) -> None:
    """Put and record are refused, a missing folder is named, a missing journal is empty."""
    with pytest.raises(WrongFolder, match="it holds no archive"):
        build(read_only=True)
    (tmp_path / "archive").mkdir()
    reader = build(read_only=True)
    assert list(reader.journal()) == []
    for call in (lambda: reader.put(b"abc"), lambda: reader.record(ENTRIES[0])):
        with pytest.raises(StoreUnavailable, match="for reading only"):
            call()
    assert list((tmp_path / "archive").iterdir()) == []


def test_a_closed_archive_records_nothing(build: Build) -> None:
    """Recording after close is refused; closing twice is fine."""
    archive = build()
    archive.close()
    archive.close()
    with pytest.raises(StoreUnavailable, match="not open for writing"):
        archive.record(ENTRIES[0])
