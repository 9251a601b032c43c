"""Whatever bytes come from Tiingo, Alpaca or Massive, reading ends with a frame, a refusal or a stated defect."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengths import usually
from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, check, empty
from truetape.providers import alpaca, massive, tiingo

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PROVIDERS = {
    "tiingo": tiingo.provider(None),  # type: ignore[arg-type]
    "alpaca": alpaca.provider(None),  # type: ignore[arg-type]
    "massive": massive.provider(None),  # type: ignore[arg-type]
}
SYMBOLS = {"tiingo": ("ACME", "eurusd", ""), "alpaca": ("ACME", "BTC/USD", ""), "massive": ("ACME", "C:EURUSD", "")}
FIXTURES = [(name, path.read_bytes()) for name in PROVIDERS for path in sorted((GOLDEN / name).iterdir())]
JSON_FIXTURES = [(name, json.loads(body)) for name, body in FIXTURES if body[:1] in b"{["]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**31, 2**63, 2**200, 1e308, -1e-308, "", "None", "Infinity", "NaN", "\x00", "\ud7ff\U0010ffff",
     "2024-03-08", "9999-12-31T23:59:59Z", "2024-03-08T00:00:60+99:99", [], {}]
) | st.recursive(st.none() | st.text(max_size=5) | st.floats(), lambda inner: st.lists(inner, max_size=3))  # fmt: skip


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("supported_tickers.csv", (GOLDEN / "tiingo" / "supported_tickers.csv").read_bytes())
    return buffer.getvalue()


FIXTURES.append(("tiingo", archive()))


def survives(name: str, body: bytes, *, symbol: str = "ACME", timeframe: str = "1d") -> None:
    """Decode every kind, classify and look for the next page; anything but the three ends fails the test."""
    provider = PROVIDERS[name]
    answer = Answer(url="", status=200, content_type="", headers={}, body=body)
    provider.classify(answer)
    for kind, decode in provider.decode.items():
        ask = Ask(kind=kind, symbol=symbol, timeframe=timeframe)
        following = provider.follow(answer, ask)
        assert following is None or 0 < len(following.page) < 70_000
        try:
            frame = decode(body, ask)
        except (ProviderRefused, UndecodablePayload) as error:
            words = str(error)
            frame = empty(DECODED[kind])
        else:
            words = ""
        check(frame, DECODED[kind], kind=kind)
        assert all(column.is_finite().all() for column in frame if column.dtype.is_float())
        assert len(words) < 2000


@settings(max_examples=usually(60, long=150), deadline=None)
@given(st.sampled_from(sorted(PROVIDERS)), st.binary(max_size=200))
def test_random_bytes(name: str, body: bytes) -> None:
    """Noise."""
    survives(name, body)


@settings(max_examples=usually(60, long=150), deadline=None)
@given(st.sampled_from(FIXTURES), st.data())
def test_cut_and_overwritten_fixtures(fixture: tuple[str, bytes], data: st.DataObject) -> None:
    """True bodies with a piece cut out and another written over."""
    name, body = fixture
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 40)))
    survives(name, body[:start] + data.draw(st.binary(max_size=8)) + body[end:])


@settings(max_examples=usually(120, long=400), deadline=None)
@given(st.sampled_from(JSON_FIXTURES), st.sampled_from(["1m", "1d", "1w", "1mo", "?"]), st.data())
def test_mutated_json(fixture: tuple[str, Any], timeframe: str, data: st.DataObject) -> None:
    """True bodies with one value, anywhere, replaced by an odd one, or one key dropped."""
    name, tree = fixture
    body = json.dumps(_mutated(tree, data)).encode("utf-8", "surrogatepass")
    survives(name, body, symbol=data.draw(st.sampled_from(SYMBOLS[name])), timeframe=timeframe)


def _mutated(tree: object, data: st.DataObject) -> object:
    """A copy of `tree` changed in one place."""
    if not isinstance(tree, dict | list) or not tree or data.draw(st.integers(0, 5)) == 0:
        return data.draw(ODD)
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    chosen = data.draw(st.sampled_from(keys))
    if isinstance(tree, dict):
        if data.draw(st.integers(0, 9)) == 0:
            return {key: value for key, value in tree.items() if key != chosen}
        return {key: _mutated(value, data) if key == chosen else value for key, value in tree.items()}
    return [_mutated(value, data) if index == chosen else value for index, value in enumerate(tree)]


@pytest.mark.parametrize("name", sorted(PROVIDERS))
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"bars":' * 50_000,
        b'{"status":"OK","results":' + b"[" * 50_000,
        b'{"detail":"\\ud800"}',
        b'{"message":"\\ud800"}',
        b'{"status":"\\ud800","next_url":"https://[::1/?cursor=\\ud800"}',
        b'{"bars":{"\\ud800":[{"t":"2024-03-08T00:00:00Z","o":1e999,"h":1,"l":1,"c":1}]}}',
        b'{"bars":null,"next_page_token":"' + b"x" * 100_000 + b'"}',
        b'{"status":"OK","results":[],"next_url":"?cursor=' + b"x" * 100_000 + b'"}',
        b"date,open\x00,high\r\n\x00,1,2\r\n",
        b"date" + b",x" * 100_000,
        b'date,open,high,low,close\r\n"' + b"x" * 200_000 + b'",1,1,1,1\r\n',
        b"ticker,ticker\n1,2\n",
        b"PK\x05\x06" + b"\x00" * 18,
        b"PK\x03\x04" + b"\xff" * 500,
        b"\xef\xbb\xbf{}",
        b"<" * 100_000,
    ],
    ids=range(17),
)
def test_bodies_made_to_hurt(name: str, body: bytes) -> None:
    """Depth, length, lone surrogates, NUL bytes and archives of nothing."""
    survives(name, body)
