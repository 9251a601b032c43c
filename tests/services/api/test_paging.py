"""Cursors come back as they went, and nothing else does."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from truetape.domain.errors import BadInput
from truetape.services.api.paging import Cursor, Position, decode_cursor, encode_cursor, fingerprint
from truetape.services.api.query import BarsQuery, InstrumentsQuery

CURSOR = Cursor(question="q", told=5, version=7, position=Position(place=1, start=date(2005, 2, 28)))


@given(
    told=some.integers(-(2**63), 2**63 - 1),
    version=some.integers(0, 2**63 - 1),
    place=some.integers(0, 10**6),
    start=some.none() | some.dates(),
)
def test_a_cursor_comes_back(told: int, version: int, place: int, start: date | None) -> None:
    """Whatever the position, its text is safe in a URL and reads back as it was."""
    cursor = Cursor(question="q", told=told, version=version, position=Position(place=place, start=start))
    text = encode_cursor(cursor)

    assert cursor == decode_cursor(text, question="q")
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(place=some.integers(0, len(encode_cursor(CURSOR)) - 1), letter=some.sampled_from("AZaz09-_=+é "))
def test_a_changed_cursor_is_refused(place: int, letter: str) -> None:
    """One other letter, wherever it is, is noticed."""
    text = encode_cursor(CURSOR)
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(BadInput, match="cursor was"):
            decode_cursor(changed, question="q")


@pytest.mark.parametrize("text", ["", "A", "x" * 100_000, "AAAAAAAAAAAAAAAA"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Short, long and invented texts are refused without being shown at length."""
    with pytest.raises(BadInput) as refused:
        decode_cursor(text, question="q")

    assert len(str(refused.value)) < 300


def test_questions_have_names_of_their_own() -> None:
    """Any difference in a question gives another name; equal questions share one."""
    questions: list[BarsQuery | InstrumentsQuery] = [
        BarsQuery(symbols=("A", "B")),
        BarsQuery(symbols=("A,B",)),
        BarsQuery(symbols=("A", "B"), start=date(2005, 1, 1)),
        BarsQuery(symbols=("A", "B"), end=date(2005, 1, 1)),
        BarsQuery(symbols=("A", "B"), as_of=1),
        BarsQuery(symbols=("A", "B"), adjustment="all"),
        InstrumentsQuery(symbols=("A", "B")),
        InstrumentsQuery(q="A"),
    ]

    assert len(questions) == len({fingerprint(question) for question in questions})
    assert fingerprint(BarsQuery(symbols=("A",))) == fingerprint(BarsQuery(symbols=("A",)))
