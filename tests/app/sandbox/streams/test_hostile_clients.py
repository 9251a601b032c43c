"""Whatever a client says, a speaker answers in frames that its provider's feed can read, and goes on."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_talk import market, talk

from truetape.app.sandbox.faults import STREAM, Fault
from truetape.app.sandbox.streams import NAMES
from truetape.app.sandbox.streams.speaker import Opening
from truetape.domain.ticks import Told

WORDS = st.sampled_from(
    [
        *(
            "type",
            "subscribe",
            "unsubscribe",
            "product_ids",
            "channels",
            "method",
            "SUBSCRIBE",
            "params",
            "symbol",
            "id",
        ),
        *(
            "channel",
            "action",
            "auth",
            "key",
            "secret",
            "trades",
            "quotes",
            "bars",
            "T.AAA",
            "btcusd@trade",
            "*",
            "AAA",
        ),
        *(
            "eventName",
            "authorization",
            "eventData",
            "tickers",
            "thresholdLevel",
            "aaa",
            "BTC/USD",
            "BTC-USD",
            "matches",
        ),
        *("trade", "book", "depth", "snapshot", "name", "heartbeat", "LIST_SUBSCRIPTIONS", "level2", "", "\x00", "é"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
FRAMES = st.text() | st.binary() | VALUES.map(json.dumps) | VALUES.map(lambda value: json.dumps(value).encode())
PATHS = (
    "",
    "v2/iex",
    "v1beta3/crypto/us",
    "stocks",
    "crypto",
    "fx",
    "iex",
    "forex",
    "stream",
    "ws/btcusd@trade",
    "last",
)
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def feed(name: str, **options: Any) -> Any:
    return import_module(f"truetape.providers.{name}.feed").make(key="k", secret="s", **options)


@pytest.mark.parametrize("name", NAMES)
@RELAXED
@given(path=st.sampled_from(PATHS), frames=st.lists(FRAMES, max_size=3))
def test_nothing_that_a_client_says_breaks_a_speaker(name: str, path: str, frames: list[str | bytes]) -> None:
    """Every answer is a frame, and the feed can read it."""
    playback = market().connect(name, Opening(path=path, params={"token": "k", "symbols": "AAA"}))
    hearing = feed(name)

    said = [*playback.speaker.welcome(), *(answer for frame in frames for answer in playback.hear(frame))]
    step = playback.step()

    told = [tick for frame in (*said, *(step.frames if step else ())) for tick in hearing.receive(frame, 0)]
    assert [] == [tick for tick in told if isinstance(tick, Told) and tick.what == "unreadable"]


@RELAXED
@given(value=VALUES)
def test_msgpack_that_means_nothing_is_refused(value: object) -> None:
    """In msgpack."""
    playback = market().connect("alpaca", Opening(headers={"content-type": "application/msgpack"}))
    try:
        frame = msgspec.msgpack.encode(value)
    except OverflowError:
        frame = b"\xc1"

    for answer in playback.hear(frame):
        assert isinstance(answer, bytes)
        assert "T" in msgspec.msgpack.decode(answer)[0]


FAULTS = st.lists(
    st.builds(
        Fault,
        provider=st.just("*"),
        kind=st.sampled_from(STREAM),
        first=st.integers(1, 30),
        times=st.none() | st.integers(0, 5),
        rows=st.none() | st.integers(1, 9),
        seconds=st.sampled_from([0.0, 1.0]),
    ),
    max_size=6,
).map(tuple)


@pytest.mark.parametrize("name", NAMES)
@settings(RELAXED, max_examples=15)
@given(faults=FAULTS)
def test_no_mixture_of_faults_breaks_a_feed(name: str, faults: tuple[Fault, ...]) -> None:
    """A hundred ticks through whatever they meet; what is unreadable was meant to be."""
    symbols = ["BTC/USD"] if name in ("binance", "coinbase", "kraken") else ["AAA"]
    heard = talk(name, symbols, ["trades", "quotes", "bars", "book"], at=market(*faults)).run(100)

    garbage = any(fault.kind == "garbage_frame" for fault in faults)
    assert garbage or not heard.told("unreadable")
