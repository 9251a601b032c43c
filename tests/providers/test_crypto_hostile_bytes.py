"""Whatever bytes come, the crypto exchanges' decoders end with a frame, a refusal or a stated defect."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lengths import usually
from truetape.domain.asks import Answer, Ask
from truetape.domain.errors import ProviderRefused, UndecodablePayload
from truetape.domain.schema import DECODED, check, empty
from truetape.providers import binance, coinbase, kraken

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
PROVIDERS = {
    "coinbase": coinbase.provider(None),  # type: ignore[arg-type]
    "kraken": kraken.provider(None),  # type: ignore[arg-type]
    "binance": binance.provider(None),  # type: ignore[arg-type]
}
FIXTURES = [(name, path.read_bytes()) for name in PROVIDERS for path in sorted((GOLDEN / name).iterdir())]
JSON_FIXTURES = [(name, json.loads(body)) for name, body in FIXTURES]
ODD = st.sampled_from(
    [None, True, 0, -1, 2**31, 2**63, 2**200, 1e308, -1e-308, 1e-320, "", "sNaN", "Infinity", "1e999", "\x00", "\ud7ff"]
) | st.recursive(st.none() | st.text(max_size=5) | st.floats(), lambda inner: st.lists(inner, max_size=3))


def survives(name: str, body: bytes) -> None:
    """Decode every kind, classify and follow; anything but the three ends fails the test."""
    provider = PROVIDERS[name]
    answer = Answer(url="", status=200, content_type="", headers={"cb-after": "5"}, body=body)
    provider.classify(answer)
    for kind, decode in provider.decode.items():
        ask = Ask(kind=kind, symbol="ACME/USD", start=date(2024, 3, 8))
        provider.follow(answer, ask)
        try:
            frame = decode(body, ask)
        except (ProviderRefused, UndecodablePayload) as error:
            words = str(error)
            frame = empty(DECODED[kind])
        else:
            words = ""
        check(frame, DECODED[kind], kind=kind)
        assert len(words) < 2000


@settings(max_examples=usually(60, long=150), deadline=None)
@given(st.sampled_from(sorted(PROVIDERS)), st.binary(max_size=200))
def test_noise(name: str, body: bytes) -> None:
    """Random bytes."""
    survives(name, body)


@settings(max_examples=usually(60, long=150), deadline=None)
@given(st.sampled_from(FIXTURES), st.data())
def test_cut_and_overwritten_bodies(fixture: tuple[str, bytes], data: st.DataObject) -> None:
    """True bodies with a piece cut out and another written over."""
    name, body = fixture
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    survives(name, body[:start] + data.draw(st.binary(max_size=8)) + body[end:])


@settings(max_examples=usually(120, long=400), deadline=None)
@given(st.sampled_from(JSON_FIXTURES), st.data())
def test_one_value_is_odd(fixture: tuple[str, Any], data: st.DataObject) -> None:
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
        b'{"result":' * 50_000,
        b'{"error":[],"result":{"A":[["1","1",' + b"9" * 100_000 + b',"b","m",""]]}}',
        b'{"error":[],"result":{"A":[["1","1",1e-999999,"b","m",""],["1","1",1.' + b"0" * 5000 + b'1,"b","m",""]]}}',
        b'{"error":["\\ud800"]}',
        b'{"message":"\\ud800"}',
        b'{"code":-1003,"msg":"banned until 9999999999999"}',
        b'{"error":[],"result":{"\\ud800":{"altname":"\\ud800","wsname":"///"}}}',
        b'[{"id":"\\ud800","base_currency":"","quote_currency":""}]',
        b'[{"time":"9999-99-99T99:99:99Z","trade_id":1,"price":"1","size":"1","side":"buy"}]',
        b"[[0,1e308,1e308,1e308,1e308,1e308],[0,0,0,0,0,0]]",
        b"\xef\xbb\xbf{}",
        b"<" * 100_000,
    ],
)
def test_bodies_made_to_hurt_an_exchange(name: str, body: bytes) -> None:
    """Depth, length, lone surrogates, numbers of absurd size and times that are none."""
    survives(name, body)
