"""Yahoo in the sandbox: prices are heard with their decimals through floats of 32 bits, in an envelope or bare."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from stream_talk import OPENS, market, milliseconds, said, spell, talk

from truetape.app.sandbox.streams.speaker import Opening
from truetape.domain.ticks import Quote, Told, Trade


@pytest.mark.parametrize("symbol", ["AAA", "BRK.B", "BTC/USD", "EUR/USD", "^GSPC"])
def test_quotes_are_heard_as_they_happened(symbol: str) -> None:
    """Cut to milliseconds."""
    heard = talk("yahoo", [symbol], ["quotes"]).run()

    assert said("yahoo", symbol, "quotes", channel="pricing", ts_event=milliseconds) == heard.of(Quote)
    assert {"heartbeat"} == {one.what for one in heard.of(Told)}
    assert [] == heard.of(Trade)


def test_old_clients_hear_it_bare() -> None:
    """The version in the address decides; the bytes begin with the symbol."""
    playback = market().connect("yahoo", Opening())
    playback.hear('{"subscribe":["AAA","NOPE"]}')
    made = talk("yahoo", ["AAA"], ["quotes"])

    (frame,) = next(step.frames for step in iter(playback.step, None) if step.frames)
    assert isinstance(frame, str)
    assert b"\x0a\x03AAA" == b64decode(frame)[:5]
    (quote,) = made.feed.receive(frame, 0)
    assert isinstance(quote, Quote)
    assert (OPENS + 1_000_000, 100.0) == (quote.ts_event, quote.price)


def test_subscriptions_are_repeated_left_and_never_confirmed() -> None:
    """What cannot be read is passed over."""
    playback = market().connect("yahoo")

    said_back = [
        playback.hear(frame)
        for frame in ('{"subscribe":["AAA"]}', '{"subscribe":["AAA","BRK-B"]}', "{", '{"unsubscribe":["AAA","X"]}')
    ]

    assert [[], [], [], []] == said_back
    assert (["BRK.B"], "BRK-B") == (playback.speaker.symbols, spell("yahoo", "BRK.B"))


def test_decimals_are_as_many_as_it_takes() -> None:
    """Four for a pair of currencies, two for a share."""
    playback = market().connect("yahoo", Opening(params={"version": "2"}))
    playback.hear('{"subscribe":["EURUSD=X","AAA"]}')

    frames = [json.loads(step.frames[0]) for step in iter(playback.step, None) if step.frames]

    assert {"pricing"} == {frame["type"] for frame in frames}
    messages = [b64decode(frame["message"]) for frame in frames]
    hints = {message[-3:] for message in messages if message != b"\x30\x07"}
    assert {b"\xd8\x01\x04", b"\xd8\x01\x08"} == hints
