"""Whatever bytes come, a decoder ends with a frame, a refusal or a stated defect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengths import usually
from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, check, empty
from truetape.providers import alpha_vantage, finnhub, iex_cloud, yahoo

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PROVIDERS = {
    "yahoo": yahoo.provider(None),  # type: ignore[arg-type]
    "alpha_vantage": alpha_vantage.provider(None),  # type: ignore[arg-type]
    "finnhub": finnhub.provider(None),  # type: ignore[arg-type]
    "iex_cloud": iex_cloud.provider(None),  # type: ignore[arg-type]
}
FIXTURES = [(name, path.read_bytes()) for name in PROVIDERS for path in sorted((GOLDEN / name).iterdir())]
JSON_FIXTURES = [(name, json.loads(body)) for name, body in FIXTURES if body[:1] in b"{["]
ODD = st.sampled_from(
    [None, True, 0, -1, 2**31, 2**63, 2**200, 1e308, -1e-308, "", "None", "Infinity", "NaN", "\x00", "\ud7ff\U0010ffff"]
) | st.recursive(st.none() | st.text(max_size=5) | st.floats(), lambda inner: st.lists(inner, max_size=3))


def survives(name: str, body: bytes) -> None:
    """Decode every kind and classify; anything but the three ends fails the test."""
    provider = PROVIDERS[name]
    provider.classify(Answer(url="", status=200, content_type="", headers={}, body=body))
    for kind, decode in provider.decode.items():
        try:
            frame = decode(body, Ask(kind=kind, symbol="ACME"))
        except (ProviderRefused, UndecodablePayload) as error:
            words = str(error)
            frame = empty(DECODED[kind])
        else:
            words = ""
        check(frame, DECODED[kind], kind=kind)
        assert len(words) < 2000


@settings(max_examples=usually(60, long=150), deadline=None)
@given(st.sampled_from(sorted(PROVIDERS)), st.binary(max_size=200))
def test_random_bytes(name: str, body: bytes) -> None:
    """Noise."""
    survives(name, body)


@settings(max_examples=usually(60, long=150), deadline=None)
@given(st.sampled_from(FIXTURES), st.data())
def test_cut_and_overwritten_fixtures(fixture: tuple[str, Any], data: st.DataObject) -> None:
    """True bodies with a piece cut out and another written over."""
    name, body = fixture
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    survives(name, body[:start] + data.draw(st.binary(max_size=8)) + body[end:])


@settings(max_examples=usually(120, long=400), deadline=None)
@given(st.sampled_from(JSON_FIXTURES), st.data())
def test_mutated_json(fixture: tuple[str, Any], data: st.DataObject) -> None:
    """True bodies with one value, anywhere, replaced by an odd one, or one key dropped."""
    name, tree = fixture
    survives(name, json.dumps(_mutated(tree, data)).encode("utf-8", "surrogatepass"))


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
        b'{"chart":' * 50_000,
        b'{"a":' + b"9" * 100_000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"Meta Data":{"2. Symbol":"\\ud800"},"Time Series (Daily)":{"\\ud800":{"1. open":"1"}}}',
        b'{"chart":{"result":[{"meta":{"symbol":"\\ud800","currency":null}}]}}',
        b'[{"date":"\\ud800","open":1,"high":1,"low":1,"close":1,"volume":1,"symbol":"\\ud800"}]',
        b'[{"date":"2024-03-08","open":1,"high":1,"low":1,"close":1,"volume":1,"symbol":"\\u0000"}]',
        b'{"s":"\\ud800"}',
        b"timestamp,open\x00,high\r\n\x00,1,2\r\n",
        b"timestamp" + b",x" * 100_000,
        b'timestamp,open,high,low,close\r\n"' + b"x" * 200_000 + b'",1,1,1,1\r\n',
        b"\xef\xbb\xbf{}",
        b"<" * 100_000,
    ],
)
def test_bodies_made_to_hurt(name: str, body: bytes) -> None:
    """Depth, length, lone surrogates and NUL bytes."""
    survives(name, body)
