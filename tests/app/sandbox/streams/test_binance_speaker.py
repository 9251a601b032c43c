"""Binance in the sandbox: what its feed hears is what happened, and its books join a snapshot that REST gives."""

from __future__ import annotations

import json

import pytest
from stream_talk import MIDNIGHT, ROOT, market, milliseconds, said, talk

from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.streams.speaker import Opening
from truetape.app.sandbox.streams.tape import Event
from truetape.domain.ticks import Bar, Depth, Quote, Trade

MINUTE = 60_000_000_000
FIRST = MIDNIGHT // MINUTE * 4
METHODS = "SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY, GET_PROPERTY"
VARIANT = f"Invalid request: unknown variant DANCE, expected one of {METHODS}"


def ask(method: str, *params: str) -> str:
    return json.dumps({"method": method, "params": params, "id": 5})


def said_ms(event: Event) -> int:
    return event.at // 1_000_000 * 1_000_000


def test_everything_is_heard_as_it_happened() -> None:
    """Times are cut to milliseconds; best prices have none, nor a last price."""
    heard = talk("binance", ["BTC/USD"], ["trades", "quotes", "bars"]).run()

    plain = {"conditions": "", "venue": "", "channel": "trade", "ts_event": milliseconds}
    assert said("binance", "BTC/USD", "trades", **plain) == heard.of(Trade)
    assert said("binance", "BTC/USD", "quotes", channel="bookTicker", price=None, volume=None) == heard.of(Quote)
    assert said("binance", "BTC/USD", "bars", channel="kline_1m") == heard.of(Bar)
    assert ("BTCUSD", MIDNIGHT, str(FIRST)) == (
        heard.of(Trade)[0].symbol,
        heard.of(Trade)[0].ts_event,
        heard.of(Trade)[0].trade_id,
    )
    assert ([], []) == (heard.gaps, heard.told("unreadable"))


def test_a_book_is_joined_once() -> None:
    """Its snapshot holds the first update, and the rest follows; at the end it is the venue's own."""
    made = talk("binance", ["BTC/USD"], ["book"])
    heard = made.run()

    first, *changes = heard.of(Depth)
    assert first.snapshot
    assert said("binance", "BTC/USD", "book", channel="depth", ts_event=said_ms)[1:] == changes
    assert [f"{ROOT}/binance/api/v3/depth?symbol=BTCUSD&limit=1000"] == heard.asked
    book = made.feed.tracks["depth", "BTCUSD"].book
    assert book is not None
    bids, asks = made.playback.standing("BTC/USD").best()
    assert (bids, asks) == tuple(
        [(float(price), float(size)) for price, size in side.best(99)] for side in (book.bids, book.asks)
    )


@pytest.mark.parametrize("kind", ["gap", "reordered"])
def test_a_book_with_a_hole_is_joined_again(kind: str) -> None:
    """The feed asks for another snapshot, which is that of now."""
    fault = Fault(provider="binance", kind=kind, first=3)  # type: ignore[arg-type]
    made = talk("binance", ["BTC/USD"], ["book"], at=market(fault))
    heard = made.run()

    (gap,) = heard.gaps
    assert f"update {FIRST + 2} was expected and {FIRST + 3} came" == gap.words
    assert 2 == len(heard.asked)
    assert [True, False, True, False] == [one.snapshot for one in heard.of(Depth)[:4]]
    assert 1 == len(heard.gaps)


def test_repeated_updates_of_a_book_are_stale() -> None:
    """They change nothing."""
    fault = Fault(provider="binance", kind="repeated", first=4, times=2)
    made = talk("binance", ["BTC/USD"], ["book"], at=market(fault))
    made.run(20)

    assert 2 == made.feed.tracks["depth", "BTCUSD"].stale - 1  # the snapshot held the first update


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        ("{", 3, "Invalid JSON: expected value at line 1 column 1"),
        ("[]", 2, "Invalid request: Expected `object`, got `array`"),
        (
            ask("DANCE"),
            2,
            VARIANT,
        ),
        (ask("SUBSCRIBE", "btcusd"), 2, "Invalid request: invalid stream"),
        (ask("SUBSCRIBE", *(f"s{number}@trade" for number in range(1025))), 2, "Invalid request: too many parameters"),
    ],
)
def test_what_cannot_be_is_refused(frame: str, code: int, words: str) -> None:
    """With the exchange's codes."""
    (answer,) = market().connect("binance").hear(frame)

    assert {"code": code, "msg": words} == json.loads(answer)["error"]


def test_unknown_names_are_taken_and_nothing_is_said_of_them() -> None:
    """As the exchange does it."""
    playback = market().connect("binance")

    assert [{"result": None, "id": 5}] == [json.loads(one) for one in playback.hear(ask("SUBSCRIBE", "nousd@trade"))]
    assert [{"result": ["nousd@trade"], "id": 5}] == [
        json.loads(one) for one in playback.hear(ask("LIST_SUBSCRIPTIONS"))
    ]
    assert playback.step() is None


def test_streams_may_be_named_by_the_address() -> None:
    """Under /stream in envelopes, under /ws bare."""
    on = market()
    combined = on.connect("binance", Opening(path="stream", params={"streams": "btcusd@aggTrade/btcusd@depth"}))
    raw = on.connect("binance", Opening(path="ws/btcusd@trade"))
    combined.join()
    raw.join()

    first, bare = (json.loads(one.step().frames[0]) for one in (combined, raw))  # type: ignore[union-attr]
    assert ("btcusd@aggTrade", "aggTrade", FIRST) == (first["stream"], first["data"]["e"], first["data"]["a"])
    assert ("trade", FIRST) == (bare["e"], bare["t"])


def test_streams_may_be_left() -> None:
    """One of two that tell the same may go, and the other goes on."""
    playback = market().connect("binance")
    playback.hear(ask("SUBSCRIBE", "btcusd@trade", "btcusd@aggTrade"))
    playback.hear(ask("UNSUBSCRIBE", "btcusd@trade"))

    step = playback.step()

    assert step is not None
    assert ["btcusd@aggTrade"] == [json.loads(frame)["stream"] for frame in step.frames]
    playback.hear(ask("UNSUBSCRIBE", "btcusd@aggTrade"))
    assert [] == [frame for step in iter(playback.step, None) for frame in step.frames]


def test_a_snapshot_is_given_to_who_listens_to_nothing() -> None:
    """The book before the day, and a refusal for what nobody knows."""
    on = market()

    status, body = on.answer("binance", {"symbol": "BTCUSD"})

    assert (200, FIRST - 1) == (status, json.loads(body)["lastUpdateId"])
    assert ["59999.99000000", "100.00000000"] == json.loads(body)["bids"][0]
    assert (400, {"code": -1121, "msg": "Invalid symbol."}) == (
        on.answer("binance", {"symbol": "NO"})[0],
        json.loads(on.answer("binance", {})[1]),
    )
