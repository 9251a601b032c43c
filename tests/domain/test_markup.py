"""XML read by its attributes, and what is refused in it."""

from __future__ import annotations

import pytest

from truetape.domain.decoding import Payload
from truetape.domain.errors import UndecodablePayload
from truetape.domain.markup import DEEPEST, elements

BOMB = b'<!DOCTYPE z [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><z x="1">&b;</z>'
ELSEWHERE = b'<!DOCTYPE z SYSTEM "file:///etc/passwd"><z/>'


def read(body: bytes, limit: int = 1000) -> list[tuple[str, dict[str, str]]]:
    return elements(Payload(provider="p", kind="k", body=body, limit=limit), names=("a", "b"))


def test_elements_come_in_order_with_local_names() -> None:
    """A prefix does not matter, other elements are passed over, and entities of XML itself are read."""
    body = b"<?xml version='1.0'?><n:c xmlns:n='u'><n:a x='1'><b y='&lt;&#50;'/></n:a><d/><a/></n:c>"
    assert read(body) == [("a", {"x": "1"}), ("b", {"y": "<2"}), ("a", {})]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (BOMB, "document type"),
        (ELSEWHERE, "document type"),
        (b"<a>" * (DEEPEST + 1), "nested too deeply"),
        (b"<a>&b;</a>", "no XML: undefined entity"),
        (b"<a", "no XML"),
        (b"", "no XML"),
        (b"\xff\xfe\x00", "no XML"),
        (b"<?xml version='1.0' encoding='klingon'?><a/>", "no XML"),
        (b"<a>" + b"x" * 1000, "its size was"),
    ],
)
def test_other_bodies_are_refused(body: bytes, named: str) -> None:
    """No entity is ever expanded, and depth and size are bounded."""
    with pytest.raises(UndecodablePayload) as caught:
        read(body)
    assert named in caught.value.reason


def test_the_deepest_is_allowed() -> None:
    """The bound is inclusive."""
    assert len(read(b"<a>" * DEEPEST + b"</a>" * DEEPEST)) == DEEPEST
