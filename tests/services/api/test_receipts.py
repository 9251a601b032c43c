"""Receipts come back as they went, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from truetape.domain.errors import BadInput
from truetape.services.api.receipts import (
    LONGEST_ID,
    GoneAnswer,
    Question,
    Slip,
    decode_slip,
    digest_of,
    encode_slip,
    gone,
)

QUESTION = Question("bars", {}, {"symbols": "AAPL", "limit": "10000"}, "json")
SLIP = Slip(question=QUESTION, version=2, as_of=None, told=1_705_276_800_000_000_000, snapshot="", digest=b"8 bytes!")
INSTANTS = some.integers(-(2**63), 2**63 - 1)


@given(
    words=some.dictionaries(some.text(max_size=9), some.text(max_size=40), max_size=5),
    version=some.integers(0, 2**63 - 1),
    as_of=some.none() | INSTANTS,
    told=INSTANTS,
)
def test_a_receipt_comes_back(words: dict[str, str], version: int, as_of: int | None, told: int) -> None:
    """Whatever the question, its text is safe in a URL, of bounded length, and reads back as it was."""
    slip = Slip(
        question=Question("bars", {}, words, "csv"), version=version, as_of=as_of, told=told, snapshot="s", digest=b""
    )
    text = encode_slip(slip)

    assert text is not None
    assert slip == decode_slip(text)
    assert len(text) <= LONGEST_ID
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_usual_receipt_is_short() -> None:
    """It fits in a line."""
    assert len(encode_slip(SLIP) or "") <= 120


def test_a_long_question_has_no_receipt() -> None:
    """Where its text would be longer than the bound, there is none; repeated words cost little."""
    noise = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(60))

    assert encode_slip(msgspec.structs.replace(SLIP, question=Question("bars", {}, {"symbols": noise}, "csv"))) is None
    assert encode_slip(msgspec.structs.replace(SLIP, question=Question("bars", {}, {"symbols": "A," * 2000}, "csv")))


@given(place=some.integers(0, len(encode_slip(SLIP) or "") - 1), letter=some.sampled_from("AZaz09-_=+é "))
def test_a_changed_receipt_is_refused(place: int, letter: str) -> None:
    """One other letter, wherever it is, is noticed."""
    text = encode_slip(SLIP) or ""
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(BadInput, match="receipt was"):
            decode_slip(changed)


def forged(payload: bytes) -> str:
    """A receipt of our own making, with a right checksum."""
    checksum = hashlib.blake2b(payload, digest_size=6, person=b"truetape-receipt").digest()
    return base64.urlsafe_b64encode(checksum + payload).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "x" * 100_000,
        "AAAAAAAAAAAAAAAA",
        forged(b""),
        forged(b"\x03" + msgspec.msgpack.encode(SLIP)),
        forged(b"\x01" + b"\xc1"),
        forged(b"\x01" + msgspec.msgpack.encode(["bars"])),
        forged(b"\x02" + b"no deflate"),
        forged(b"\x02" + zlib.compress(b"0" * 10_000_000, 9, wbits=-15)[:1000]),
        forged(b"\x02" + zlib.compress(b"0" * 1_000_000, 9, wbits=-15)),
        forged(b"\x01" + msgspec.msgpack.encode([["bars", {}, {}, "csv"], -1, None, 0, "", b""])),
        forged(b"\x01" + msgspec.msgpack.encode([["bars", {}, {}, "csv"], 2**64 - 1, None, 0, "", b""])),
        forged(b"\x01" + msgspec.msgpack.encode([["bars", {}, {}, "csv"], 1, None, 0, "", b"9 bytes.."])),
        forged(b"\x01" + msgspec.msgpack.encode(SLIP) + b"\x00"),
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    """Short, long and invented texts are refused in words, without being shown or unpacked at length."""
    with pytest.raises(BadInput, match="no receipt, or not all of it") as refused:
        decode_slip(text)

    assert len(str(refused.value)) < 300


def test_digests_tell_rows_apart() -> None:
    """Eight bytes of BLAKE2b; that of nothing is known from its reference implementation."""
    assert "e4a6a0577479b2b4" == digest_of(b"").hex()
    assert digest_of(b"a") != digest_of(b"b")


def test_a_gone_answer_names_the_nearest_question() -> None:
    """The same endpoint, path and parameters, as known when the answer was given."""
    question = Question("explanation", {"symbol": "BRK/B", "ts": "2005-02-28"}, {"snapshot": "eod"}, "json")
    slip = msgspec.structs.replace(SLIP, question=question)
    error = gone("abc", slip, path="/v1/explain/{symbol}/{ts}", why="It was rebuilt.")

    assert isinstance(error, GoneAnswer)
    nearest = "/v1/explain/BRK%2FB/2005-02-28?as_of=2024-01-15T00%3A00%3A00Z"
    assert f"It was rebuilt. The question that comes nearest is {nearest}" == error.fix
