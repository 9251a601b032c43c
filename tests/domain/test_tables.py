"""Comma-separated text, read cell by cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.tables import MOST_COLUMNS, ends_whole, rows


def payload(body: bytes, limit: int = 100_000) -> Payload:
    return Payload(provider="p", kind="k", body=body, limit=limit)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a,b\n1,2\n", [("1", "2")]),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4", [("1", "2"), ("3", "4")]),
        (b'a ,"b"\n 1 ,"2, and ""3"""\n', [("1", '2, and "3"')]),
        (b"a,b,\n1,2,\n", [("1", "2")]),
        (b"a,b\n1\n\n,\n,2\n", [("1", None), (None, "2")]),
        (b'a,b\n"1\n2",3\n', [("1\n2", "3")]),
        (b"a,b", []),
        (b"a,b\n", []),
    ],
)
def test_cells(body: bytes, expected: list[tuple[str | None, ...]]) -> None:
    """Blanks around cells go, empty cells and missing ends are null, and empty lines are no rows."""
    frame = rows(payload(body))
    assert (frame.columns, frame.rows()) == (["a", "b"], expected)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "its header was ''"),
        (b"\n1\n", "its header was ''"),
        (b"a,,b\n", "its header was 'a,,b'"),
        (b"a,a\n", "its header was 'a,a'"),
        (b",".join(b"c%d" % number for number in range(MOST_COLUMNS + 1)), "its header was 'c0,"),
        (b"a,b\n1,2,3\n", "no CSV: found more fields"),
        (b"a,b\n\xff,2\n", "no CSV: invalid utf-8"),
        (b"a," + b"x" * 70_000 + b"\n1,2\n", "more than 65536 bytes"),
        (b"a,\xff\n", "no header"),
        (b'"a,b\n1,2\n', "no header"),
        (b"a,b\n" + b"1,2\n" * 30_000, "its size was"),
    ],
)
def test_other_bodies_are_refused(body: bytes, named: str) -> None:
    """The reason says what is wrong."""
    with pytest.raises(UndecodablePayload) as caught:
        rows(payload(body))
    assert named in caught.value.reason


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (b"a,b\n1,2\n", True),
        (b"a,b,\n1,2,", True),
        (b"a,b,\n1,2", False),
        (b'a,b\n1,"2', False),
        (b'a,b\n1,"2,3"', True),
        (b"a,b\n1,\xff", False),
        (b"a,b", False),
        (b"", True),
    ],
)
def test_ends(body: bytes, whole: bool) -> None:
    """A line that is cut lacks its end and some of its cells."""
    assert ends_whole(body) is whole


@given(st.binary(max_size=60) | st.text(alphabet='a,"\n\r 1', max_size=40).map(str.encode))
def test_any_bytes(body: bytes) -> None:
    """Noise ends as rows of texts or as a stated defect."""
    try:
        frame = rows(payload(body))
    except UndecodablePayload:
        return
    assert all(name for name in frame.columns)
