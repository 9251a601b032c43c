"""A payload that has changed: each field is named, with what was expected, what was found, and the nearest name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from truetape.domain.decoding import Payload
from truetape.domain.drift import MISSING, MOST_BYTES, Difference, changed, differences, drifted, names_differ, words
from truetape.domain.errors import SchemaMismatch, UndecodablePayload
from truetape.domain.schema import DECODED, check, empty


class Bar(msgspec.Struct, rename="camel"):
    time_stamp: int
    open: float
    close: float | None
    volume: float | None = None


class Line(msgspec.Struct, array_like=True):
    when: int
    price: float
    size: float = 0.0


class Body(msgspec.Struct):
    symbol: str
    bars: list[Bar]
    lines: list[Line] = []
    notes: dict[str, float] = {}
    pair: tuple[int, str] | None = None
    every: tuple[int, ...] = ()
    raw: Any = None
    live: bool = False


GOOD: dict[str, Any] = {"symbol": "A", "bars": [{"timeStamp": 1, "open": 1, "close": None}]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"new": 1, "raw": [1, {}]}, []),  # a field that nobody reads is no defect while none is missing
        ({"symbol": 7}, [("symbol", "a text", "a number", "")]),
        ({"bars": None}, [("bars", "an array", "null", "")]),
        ({"bars": [{"timestamp": 1, "open": 1, "close": 1}]},
         [("bars[].timeStamp", "a number", MISSING, "timestamp"), ("bars[].timestamp", MISSING, "a number", "")]),
        ({"bars": [{"timeStamp": 1, "o": 1, "close": "1"}, {"timeStamp": 1, "o": 1, "close": "2"}]},
         [("bars[].open", "a number", MISSING, ""), ("bars[].close", "a number or null", "a text", ""),
          ("bars[].o", MISSING, "a number", "")]),
        ({"bars": [{"timeStamp": 1, "open": 1, "close": 1, "volumes": 2}]},
         [("bars[].volume", "a number or null", MISSING, "volumes")]),
        ({"lines": [[1, 2.0], [1, "x", 3]]}, [("lines[][1]", "a number", "a text", "")]),
        ({"lines": [[1]]}, [("lines[][1]", "a number", MISSING, "")]),
        ({"lines": [{"when": 1}]}, [("lines[]", "an array", "an object", "")]),
        ({"notes": {"a": 1, "b": []}}, [("notes{}", "a number", "an array", "")]),
        ({"pair": [1]}, [("pair[1]", "a text", MISSING, "")]),
        ({"pair": [1, "x"], "every": [1, 2]}, []),
        ({"every": [True]}, [("every[]", "a number", "a truth value", "")]),
        ({"live": 1}, [("live", "a truth value", "a number", "")]),
    ],
)  # fmt: skip
def test_every_field_that_differs_is_named(changes: dict[str, Any], expected: list[tuple[str, str, str, str]]) -> None:
    """Once, however often it stands in the body."""
    found = differences(Body, msgspec.json.encode({**GOOD, **changes}))

    assert [Difference(*one) for one in expected] == list(found)


def test_what_is_no_json_has_no_fields() -> None:
    """Garbled, too deep and very large bodies are not looked through."""
    assert () == differences(Body, b"<html>")
    assert () == differences(Body, b"[" * 100_000)
    assert () == differences(Body, b" " * (MOST_BYTES + 1))
    assert "" == drifted(lambda body: body, b"{}")


def test_a_union_is_judged_by_its_alternative_of_the_same_kind() -> None:
    """A list of bars, or one bar: what is a list is told as such; types without a kind take everything."""
    body = msgspec.json.encode([{"timeStamp": 1, "open": 1}])

    assert ["[].close"] == [one.field for one in differences(list[Bar] | Bar, body)]  # type: ignore[arg-type]
    assert [Difference("", "an array or an object", "a text")] == list(differences(list[Bar] | Bar, b'"x"'))  # type: ignore[arg-type]
    assert () == differences(list[msgspec.Raw], b"[1]")
    assert [Difference("[]", "a number", "a text")] == list(differences(list[int], b'["2024"]'))


def test_the_reason_of_a_rejected_payload_lists_the_fields() -> None:
    """After the decoder's own words, and at most twenty."""
    payload = Payload(provider="p", kind="bars", body=b'{"symbol":"A","bars":[{"timestamp":1,"open":"1","close":1}]}')

    with pytest.raises(UndecodablePayload) as caught:
        payload.parse(msgspec.json.Decoder(Body))

    assert caught.value.reason.endswith(
        "; fields: bars[].timeStamp should be a number and was nothing, timestamp has the nearest name; "
        "bars[].open should be a number and was a text; bars[].timestamp is unknown, with a number"
    )
    many = words([Difference(f"f{number}", "a text", "null") for number in range(25)])
    assert many.endswith("f19 should be a text and was null; and 5 more")
    assert "" == words([])
    assert "; fields: the whole should be a text and was null" == words([Difference("", "a text", "null")])


def test_columns_of_a_table_are_named_too() -> None:
    """Those that are missing with the nearest name; those that are unknown only where one is missing."""
    assert () == names_differ(["date", "close"], ["close", "date", "more"])
    assert (
        Difference("adj_close", "a column", MISSING, "Adj Close"),
        Difference("Adj Close", MISSING, "a column"),
        Difference("x", MISSING, "a column"),
    ) == names_differ(["date", "adj_close"], ["date", "Adj Close", "x"])


def test_a_frame_of_another_schema_is_told_whole() -> None:
    """What is missing and what is there instead."""
    frame = empty({**DECODED["index_levels"]}).rename({"level": "value"})

    with pytest.raises(SchemaMismatch) as caught:
        check(frame, DECODED["index_levels"], kind="index_levels")

    assert "missing columns ['level'] and unexpected columns {'value': Float64}" == caught.value.found


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (b'{"s":[{"o":1,"vol":2}],"2024-06-03":1}', b'{"s":[{"o":1,"volume":2}],"2024-06-04":1}',
         [("s[].vol", "a number", MISSING, "s[].volume"), ("s[].volume", MISSING, "a number", "")]),
        (b'{"a":{"b":1,"c":2},"x":1}', b'{"x":"1","y":[[1]]}',
         [("a", "an object", MISSING, ""), ("x", "a number", "a text", ""), ("y", MISSING, "an array", "")]),
        (b'[{"o":1},{"o":null}]', b'[{"o":1},{"o":null}]', []),
        (b"Date,Close,Volume\n1,2,3\n", b'"Date";"Close";"Vol."\n',
         [("Volume", "a column", MISSING, "Vol."), ("Vol.", MISSING, "a column", "")]),
        (b" " * (MOST_BYTES + 1), b"[]", []),
    ],
)  # fmt: skip
def test_two_payloads_are_compared_field_by_field(
    before: bytes, now: bytes, expected: list[tuple[str, str, str, str]]
) -> None:
    """Names that are data count for nothing, and what lies within a field that is gone goes with it."""
    assert [Difference(*one) for one in expected] == list(changed(before, now))
