"""Whatever bytes come, readers of observations, rates and tables end with a frame, a refusal or a stated defect."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengths import usually
from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, check, empty
from truetape.providers import ecb, files, fred, stooq

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PROVIDERS = {
    "ecb": ecb.provider(None),  # type: ignore[arg-type]
    "files": files.provider(None),  # type: ignore[arg-type]
    "fred": fred.provider(None),  # type: ignore[arg-type]
    "stooq": stooq.provider(None),  # type: ignore[arg-type]
}
SYMBOLS = {"ecb": "EUR/USD", "files": "ACME", "fred": "DEXUSEU", "stooq": "eurusd"}


def parquet() -> bytes:
    packed = io.BytesIO()
    pl.read_csv(GOLDEN / "files" / "yahoo.csv").write_parquet(packed)
    return packed.getvalue()


FIXTURES = [(name, path.read_bytes()) for name in PROVIDERS for path in sorted((GOLDEN / name).iterdir())]
ODD_CELLS = st.sampled_from(
    [
        "",
        "nan",
        "inf",
        "-1",
        "1e400",
        "9" * 400,
        "2024-02-30",
        "9999-12-31",
        "0000-01-01",
        "24:61",
        '"',
        "\ud7ff\x00",
        "&x;",
    ]
) | st.text(max_size=6)


def survives(name: str, body: bytes) -> None:
    """Decode every kind, follow and classify; anything but the three ends fails the test."""
    provider = PROVIDERS[name]
    answer = Answer(url="", status=200, content_type="", headers={}, body=body)
    provider.classify(answer)
    for kind, decode in provider.decode.items():
        for timeframe in ("1d", "5m"):
            ask = Ask(kind=kind, symbol=SYMBOLS[name], timeframe=timeframe)
            provider.follow(answer, ask)
            try:
                frame, words = decode(body, ask), ""
            except (ProviderRefused, UndecodablePayload) as error:
                frame, words = empty(DECODED[kind]), str(error)
            check(frame, DECODED[kind], kind=kind)
            numbers = frame.select(pl.col(pl.Float64))
            assert not any(column.is_nan().any() or column.is_infinite().any() for column in numbers)
            assert len(words) < 2000


@settings(max_examples=usually(60, long=100), deadline=None)
@given(st.sampled_from(sorted(PROVIDERS)), st.binary(max_size=200))
def test_noise(name: str, body: bytes) -> None:
    """Random bytes."""
    survives(name, body)


@settings(max_examples=usually(80, long=200), deadline=None)
@given(st.sampled_from(FIXTURES), st.data())
def test_true_bodies_with_a_piece_replaced(fixture: tuple[str, bytes], data: st.DataObject) -> None:
    """A piece is cut out anywhere, and a few bytes are written over it."""
    name, body = fixture
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    survives(name, body[:start] + data.draw(st.binary(max_size=8)) + body[end:])


@settings(max_examples=usually(80, long=200), deadline=None)
@given(st.sampled_from(FIXTURES), st.data())
def test_true_bodies_with_an_odd_cell(fixture: tuple[str, bytes], data: st.DataObject) -> None:
    """One cell of a table, or one value in quotes, is replaced."""
    name, body = fixture
    separator = b"," if body.count(b",") > body.count(b'"') else b'"'
    parts = body.split(separator)
    parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(ODD_CELLS).encode("utf-8", "replace")
    survives(name, separator.join(parts))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_parquet(data: st.DataObject) -> None:
    """A byte of a true file is another one."""
    body = bytearray(parquet())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    survives("files", bytes(body))


@pytest.mark.parametrize("name", sorted(PROVIDERS))
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b"<a>" * 100_000,
        b"<" * 100_000,
        b"<!DOCTYPE a [" + b"<!ENTITY b 'c'>" * 1000 + b"]><a>&b;</a>",
        b"Date" + b",x" * 100_000,
        b"Date,Open,High,Low,Close\n" + b"," * 10_000,
        b'Date,Open,High,Low,Close\n"' + b"x" * 200_000,
        b"Date,Open,High,Low,Close\r" * 1000,
        b"KEY,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\n\x00,\x00,\x00,\x00,\x00\n",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbfDate,Open,High,Low,Close\n2024-03-08,1,1,1,1\n",
        b"PK\x03\x04" + b"\0" * 100,
        b"PAR1" + b"\xff" * 100 + b"PAR1",
        b"\x1f\x8b\x08" + b"\0" * 100,
        b'{"listings":[{"symbol":"\\ud800","market":"\\ud800"}]}',
        b'{"files":["\\ud800"]}',
        b'{"realtime_end":"\\ud800","observations":[{"date":"","value":"","realtime_start":"","realtime_end":""}]}',
    ],
)
def test_bodies_made_to_hurt(name: str, body: bytes) -> None:
    """Depth, length, entities, NUL bytes, and magic numbers with nothing behind them."""
    survives(name, body)
