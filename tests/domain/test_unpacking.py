"""Packed bodies: undone up to a bound, and every damage is stated."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.unpacking import MEMBERS, members, unpacked

LIMIT = 1000
TEXT = b"a,b\n1,2\n"


def payload(body: bytes, limit: int = LIMIT) -> Payload:
    return Payload(provider="p", kind="k", body=body, limit=limit)


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, body in files:
            archive.writestr(name, body)
    return packed.getvalue()


def encrypted(packed: bytes) -> bytes:
    """The bytes of a zip whose only file claims to be encrypted."""
    flagged = bytearray(packed)
    flagged[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(flagged)


def changed(packed: bytes, place: int) -> bytes:
    """The bytes with another one at `place`."""
    other = bytearray(packed)
    other[place] ^= 0xFF
    return bytes(other)


def moved(packed: bytes, offset: int) -> bytes:
    """The bytes of a zip whose only file claims to begin at `offset`."""
    at = packed.index(b"PK\x01\x02") + 42
    return packed[:at] + offset.to_bytes(4, "little") + packed[at + 4 :]


@pytest.mark.parametrize(
    "body",
    [
        TEXT,
        gzip.compress(TEXT, mtime=0),
        gzip.compress(TEXT[:3], mtime=0) + gzip.compress(TEXT[3:], mtime=0),
        gzip.compress(TEXT, mtime=0) + b"\0" * 20,
        zipped(("x.csv", TEXT)),
        zipped(("folder/", b""), ("folder/x.csv", TEXT)),
        zipped(("x.csv", TEXT), method=zipfile.ZIP_STORED),
    ],
)
def test_what_is_packed_is_unpacked(body: bytes) -> None:
    """Gzip in one part or several, a zip of one file, and a body that is not packed at all."""
    assert unpacked(payload(body)).body == TEXT


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_of_a_zip(changes: list[tuple[int, int]]) -> None:
    """Whichever bytes are others, the end is the text or a stated defect."""
    packed = bytearray(zipped(("x.csv", TEXT)))
    for place, other in changes:
        packed[place % len(packed)] = other
    try:
        found = unpacked(payload(bytes(packed))).body
    except UndecodablePayload:
        return
    assert found in (TEXT, bytes(packed))


@pytest.mark.parametrize("pack", [gzip.compress, lambda body: zipped(("x", body))])
def test_the_bound_counts_what_is_unpacked(pack: type[bytes]) -> None:
    """A small body may not become a large one; the bound is inclusive."""
    assert len(unpacked(payload(pack(b"x" * LIMIT))).body) == LIMIT
    with pytest.raises(UndecodablePayload, match="more than 1000 bytes when unpacked"):
        unpacked(payload(pack(b"x" * (LIMIT + 1))))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"x" * (LIMIT + 1), "its size was 1001 bytes"),
        (gzip.compress(TEXT, mtime=0)[:-4], "gzip data ended early"),
        (b"\x1f\x8b" + b"x" * 50, "gzip data was damaged"),
        (gzip.compress(TEXT, mtime=0) + b"rest", "gzip data was damaged"),
        (gzip.compress(b"", mtime=0) * (MEMBERS + 1), f"more than {MEMBERS} parts"),
        (b"PK", "zip data was damaged"),
        (zipped(("x", TEXT))[:-5], "zip data was damaged"),
        (zipped(("x", TEXT)).replace(b"PK\x03\x04", b"PK\x03\x05"), "zip data was damaged"),
        (changed(zipped(("x", TEXT)), 31), "zip data was damaged"),
        (changed(zipped(("x", TEXT), method=zipfile.ZIP_STORED), 32), "zip data was damaged"),
        (moved(zipped(("x", TEXT)), 0xFFFFFF), "zip data was damaged"),
        (moved(zipped(("x", TEXT)), 5), "zip data was damaged"),
        (zipped(), "held 0 files"),
        (zipped(("x", TEXT), ("y", TEXT)), "held 2 files"),
        (zipped(("x", TEXT), method=zipfile.ZIP_BZIP2), "packed in another way"),
        (encrypted(zipped(("x", TEXT))), "was encrypted"),
    ],
)
def test_damage_is_named(body: bytes, named: str) -> None:
    """Whatever is wrong with a packed body is a stated defect."""
    with pytest.raises(UndecodablePayload) as caught:
        unpacked(payload(body, 10_000 if b"x" * 1001 != body else LIMIT))
    assert named in caught.value.reason


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_zip_of_several_files(method: int) -> None:
    """Each by its name, folders left out."""
    packed = zipped(("b.csv", TEXT), ("folder/", b""), ("folder/a.csv", b"x"), method=method)

    assert members(payload(packed), most=2) == {"b.csv": TEXT, "folder/a.csv": b"x"}


def repeated(times: int) -> bytes:
    """A zip whose list names its only file of 400 bytes several times."""
    packed = zipped(("x", b"y" * 400), method=zipfile.ZIP_STORED)
    at, end = packed.index(b"PK\x01\x02"), packed.index(b"PK\x05\x06")
    entries = b"".join(packed[at:end].replace(b"x", bytes([97 + number]), 1) for number in range(times))
    head = packed[end : end + 8] + times.to_bytes(2, "little") * 2 + len(entries).to_bytes(4, "little")
    return packed[:at] + entries + head + packed[end + 16 :]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (TEXT, "its zip data was damaged"),
        (zipped(*((f"{number}.csv", b"") for number in range(4))), "its zip held 4 files, the most is 3"),
        (zipped(("a", b"x" * 600), ("b", b"x" * 600)), f"it held more than {LIMIT} bytes when unpacked"),
        (b"x" * (LIMIT + 1), "its size was"),
    ],
)
def test_a_zip_of_several_files_is_bounded(body: bytes, named: str) -> None:
    """In the number of files, and in what all of them hold together."""
    with pytest.raises(UndecodablePayload, match=named):
        members(payload(body), most=3)


def test_files_that_share_their_bytes_are_bounded_too() -> None:
    """A list may name the same bytes again and again."""
    with pytest.raises(UndecodablePayload):
        members(payload(repeated(3)), most=3)
