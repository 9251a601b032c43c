"""Alpaca in the sandbox: what its feed hears is what happened, in either codec, with corrections and cancels."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from stream_talk import OPENS, dataset, market, said, talk

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.streams.market import Market
from truetape.app.sandbox.streams.playback import Playback
from truetape.app.sandbox.streams.speaker import Opening
from truetape.app.sandbox.streams.tape import Tape
from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Bar, Depth, Quote, Told, Trade

AUTH = '{"action":"auth","key":"k","secret":"s"}'
UNSAID: dict[str, Any] = {"price": None, "volume": None}


def let_in(path: str = "v2/iex") -> Playback:
    playback = market().connect("alpaca", Opening(path=path))
    playback.hear(AUTH)
    return playback


def answers(playback: Playback, frame: str) -> list[dict[str, Any]]:
    return [one for answer in playback.hear(frame) for one in json.loads(answer)]


@pytest.mark.parametrize("codec", ["json", "msgpack"])
def test_stocks_are_heard_as_they_happened(codec: str) -> None:
    """To the nanosecond; sizes of quotes, sent in lots then, are in shares."""
    heard = talk("alpaca", ["AAA", "BRK.B"], ["trades", "quotes", "bars"], codec=codec).run()

    for symbol in ("AAA", "BRK.B"):
        assert said("alpaca", symbol, "trades", side="") == heard.of(Trade, symbol)
        assert said("alpaca", symbol, "quotes", **UNSAID) == heard.of(Quote, symbol)
        assert said("alpaca", symbol, "bars") == heard.of(Bar, symbol)
    assert (OPENS, 100.0, 390) == (
        heard.of(Trade)[0].ts_event,
        heard.of(Trade)[0].price,
        len(heard.of(Bar, "AAA")),
    )
    assert ["welcome", "authenticated", "subscribed"] == [one.what for one in heard.of(Told)]


def test_coins_are_heard_with_their_books_and_takers() -> None:
    """At an address of their own; the book is whole first."""
    heard = talk("alpaca", ["BTC/USD"], ["trades", "quotes", "bars", "book"]).run()

    assert said("alpaca", "BTC/USD", "trades", conditions="", venue="") == heard.of(Trade)
    assert said("alpaca", "BTC/USD", "quotes", **UNSAID) == heard.of(Quote)
    first, *changes = heard.of(Depth)
    assert (True, 10, 10) == (first.snapshot, len(first.bids), len(first.asks))
    assert said("alpaca", "BTC/USD", "book", channel="orderbooks") == changes


def test_a_correction_says_what_the_trade_was() -> None:
    """The price was a quarter too high; the correction names the trade by its id."""
    fault = Fault(provider="alpaca", kind="correction", first=3)
    heard = talk("alpaca", ["AAA"], ["trades"], at=market(fault)).run(10)

    _, _, right, *_ = said("alpaca", "AAA", "trades", side="")
    wrong, corrected = heard.of(Trade)[2:4]
    assert (right.trade_id, round(right.price * 1.25, 4), "") == (wrong.trade_id, wrong.price, wrong.correction)
    assert (right.trade_id, right.price, right.size, right.ts_event + 1, "correct") == (
        corrected.trade_id,
        corrected.price,
        corrected.size,
        corrected.ts_event,
        corrected.correction,
    )


def test_a_cancel_takes_back_a_trade_that_never_was() -> None:
    """Its id is no other trade's, and what was is told behind it."""
    fault = Fault(provider="alpaca", kind="cancel", first=2)
    heard = talk("alpaca", ["AAA"], ["trades"], at=market(fault)).run(5)

    never, cancel, was = heard.of(Trade)[1:4]
    assert (never.trade_id, "", "cancel") == (cancel.trade_id, never.correction, cancel.correction)
    assert said("alpaca", "AAA", "trades", side="")[1] == was
    assert 1 == [one.trade_id for one in [*said("alpaca", "AAA", "trades"), never]].count(never.trade_id)


def test_a_minute_is_told_again_for_a_trade_that_came_late() -> None:
    """Where updated bars are wanted, as the feed does for every bar."""
    fault = Fault(provider="alpaca", kind="late_trade", first=2)
    heard = talk("alpaca", ["AAA"], ["trades", "bars"], at=market(fault)).run(40)

    (again,) = [one for one in heard.of(Bar) if one.channel == "updatedBars"]
    assert said("alpaca", "AAA", "bars", channel="updatedBars")[0] == again


def test_coins_know_no_corrections() -> None:
    """The faults are not met."""
    on = market(*(Fault(provider="alpaca", kind=kind) for kind in ("correction", "cancel", "wrong_checksum")))

    talk("alpaca", ["BTC/USD"], ["trades", "book"], at=on).run(10)

    assert {} == on.trouble.hits


@pytest.mark.parametrize(
    ("frame", "code", "words"),
    [
        ("{", 400, "invalid syntax"),
        ("[]", 400, "invalid syntax"),
        ('{"action":"subscribe","trades":"AAA"}', 400, "invalid syntax"),
        ('{"action":"subscribe","trades":[7]}', 400, "invalid syntax"),
        (AUTH, 403, "already authenticated"),
        ('{"action":"dance"}', 410, "invalid subscribe action for this feed"),
        ('{"action":"subscribe","candy":["AAA"]}', 410, "invalid subscribe action for this feed"),
        ('{"action":"subscribe","orderbooks":["AAA"]}', 410, "invalid subscribe action for this feed"),
    ],
)
def test_what_cannot_be_is_refused(frame: str, code: int, words: str) -> None:
    """With the provider's codes."""
    assert [{"T": "error", "code": code, "msg": words}] == answers(let_in(), frame)


def test_a_wrong_key_is_refused_and_the_connection_closed() -> None:
    """And nothing can be subscribed to before."""
    made = talk("alpaca", ["AAA"], ["trades"], key="wrong")

    (told,) = made.heard.told("refused")
    assert FailureClass.AUTH == (told.failure and told.failure.failure_class)
    assert "402: auth failed" == told.words
    assert (True, False) == (made.playback.speaker.closing, made.feed.ready)
    early = market().connect("alpaca", Opening(path="v2/iex"))
    assert [401] == [one["code"] for one in answers(early, '{"action":"subscribe","trades":["AAA"]}')]


def test_keys_may_stand_in_headers() -> None:
    """Then the client is let in at once."""
    playback = market().connect("alpaca", Opening(path="v2/iex", headers={"apca-api-key-id": "k"}))

    assert ["connected", "authenticated"] == [json.loads(one)[0]["msg"] for one in playback.speaker.welcome()]


def test_the_free_tape_has_thirty_symbols() -> None:
    """Of trades and of quotes; one more is too many."""
    names = [f"S{number:02}" for number in range(31)]
    many = Dataset(name="many", series=dict.fromkeys(names, dataset().series["AAA"]))
    playback = Market(Tape(many, seed=7)).connect("alpaca", Opening(path="v2/iex"))
    playback.speaker.hear(AUTH)

    fits, exceeds = (
        json.loads(playback.speaker.hear(json.dumps({"action": "subscribe", "quotes": names[:count]}))[0])[0]
        for count in (30, 31)
    )
    assert (30, 405) == (len(fits["quotes"]), exceeds["code"])


def test_a_star_means_everything_and_may_be_left() -> None:
    """The answer is the whole state; neither pairs nor indices are stocks."""
    playback = let_in("v2/sip")

    (everything,) = answers(playback, '{"action":"subscribe","trades":["*"],"dailyBars":["AAA"]}')
    (left,) = answers(playback, '{"action":"unsubscribe","trades":["AAA","GONE"],"quotes":["AAA"]}')

    assert (["AAA", "BRK.B", "GONE"], ["AAA"], []) == (
        everything["trades"],
        everything["dailyBars"],
        everything["quotes"],
    )
    assert (["BRK.B"], ["BRK.B"]) == (left["trades"], left["corrections"])


def test_msgpack_is_spoken_both_ways() -> None:
    """JSON is no msgpack."""
    playback = market().connect("alpaca", Opening(headers={"content-type": "application/msgpack"}))

    frames = [*playback.speaker.welcome(), *playback.hear(AUTH), *playback.hear(msgspec.msgpack.encode({"action": 7}))]
    assert ["connected", "invalid syntax", "invalid syntax"] == [
        msgspec.msgpack.decode(frame)[0]["msg"] for frame in frames if isinstance(frame, bytes)
    ]
