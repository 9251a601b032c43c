"""The lines in which live feeds are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetape.domain.captures import Heard, answered, frame_of, heard, opened, received

AT = 1_717_977_600_000_000_007


def test_lines_are_as_captures_have_them() -> None:
    """Unix seconds with nine decimals before what was received, opened and answered."""
    assert b'1717977600.000000007: [{"T":"t"}]\n' == received('[{"T":"t"}]', AT)
    assert b"wss://host/v2 <-> 1717977600.000000007\n" == opened("wss://host/v2", AT)
    assert b"https://host/depth?s=A -> 1717977600.000000007: {}\n" == answered("https://host/depth?s=A", b"{}", AT)


@pytest.mark.parametrize(
    ("frame", "body"),
    [
        (b"\x81\xa1T", b"\x81\xa1T"),
        (b"{}", b"data:;base64,e30="),
        ("a\nb", b"data:;base64,YQpi"),
        (" a", b"data:;base64,IGE="),
        ("data:;base64,", b"data:;base64,ZGF0YTo7YmFzZTY0LA=="),
        (b"\xff\n", b"data:;base64,/wo="),
    ],
)
def test_what_no_line_can_hold_is_packed(frame: str | bytes, body: bytes) -> None:
    """Line ends, blanks at an end, bytes that would be taken for text, and text that looks packed."""
    assert b"1717977600.000000007: " + body + b"\n" == received(frame, AT)


def test_what_only_looks_packed_stays_as_it_is() -> None:
    """Bytes that are no base64."""
    assert b"data:;base64,###" == frame_of(b"data:;base64,###")


@given(frames=st.lists(st.text(st.characters(exclude_categories=["Cs"])) | st.binary(), max_size=5))
def test_frames_come_back_in_their_order(frames: list[str | bytes]) -> None:
    """The same bytes, whatever they are; other lines among them are passed over."""
    lines = opened("wss://h", AT) + b"".join(received(frame, AT + number) for number, frame in enumerate(frames))
    lines += answered("https://h/d", b"a\nb", AT)
    found = list(heard(lines))

    assert [raw(frame) for frame in frames] == [raw(one.frame) for one in found[:-1]]
    assert [AT + number for number in range(len(frames))] == [one.ts_known for one in found[:-1]]
    assert Heard(AT, b"a\nb", "https://h/d") == found[-1]


def raw(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame
