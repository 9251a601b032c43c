"""Kraken in the sandbox: what its feed hears is what happened, with checksums that agree, and refusals in its words."""

from __future__ import annotations

import json
from zlib import crc32

import pytest
from stream_talk import MIDNIGHT, market, said, talk

from truetape.app.sandbox.faults import Fault
from truetape.domain.ticks import Bar, Depth, Gap, Quote, Told, Trade

MINUTE = 60_000_000_000


def ask(method: str, *symbols: str, **params: object) -> str:
    return json.dumps({"method": method, "params": {"symbol": symbols, **params}, "req_id": 3})


def test_everything_is_heard_as_it_happened() -> None:
    """Trades with their numbers, tickers and closed minutes of two pairs."""
    heard = talk("kraken", ["BTC/USD", "EUR/USD"], ["trades", "quotes", "bars"]).run()

    for symbol in ("BTC/USD", "EUR/USD"):
        assert said("kraken", symbol, "trades", conditions="", venue="", channel="trade") == heard.of(Trade, symbol)
        assert said("kraken", symbol, "quotes", channel="ticker") == heard.of(Quote, symbol)
        assert said("kraken", symbol, "bars", channel="ohlc") == heard.of(Bar, symbol)
    first = heard.of(Trade, "BTC/USD")[0]
    assert (MIDNIGHT, 60_000.0, str(MIDNIGHT // MINUTE * 4)) == (first.ts_event, first.price, first.trade_id)
    assert ([], []) == (heard.gaps, heard.told("unreadable"))


def test_every_checksum_agrees() -> None:
    """Of the snapshot and of every change."""
    made = talk("kraken", ["BTC/USD"], ["book"])
    heard = made.run()

    first, *changes = heard.of(Depth)
    assert first.snapshot
    assert said("kraken", "BTC/USD", "book") == changes
    track = made.feed.tracks["book", "BTC/USD"]
    assert (len(changes) + 1, 0) == (track.right, track.wrong)


def test_a_checksum_counts_the_digits_that_are_sent() -> None:
    """Asks upwards, then bids downwards, each price and quantity without its point and the zeros before it."""
    playback = market().connect("kraken")

    _, snapshot = playback.hear(ask("subscribe", "EUR/USD", channel="book"))

    assert isinstance(snapshot, str)
    (book,) = json.loads(snapshot, parse_float=str)["data"]
    texts = [text for side in (book["asks"], book["bids"]) for level in side for text in (level["price"], level["qty"])]
    assert crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode()) == book["checksum"]
    assert ("1.09000000", "200.00000000") == (book["asks"][0]["price"], book["asks"][0]["qty"])


def test_a_wrong_checksum_is_a_gap_that_heals() -> None:
    """The feed asks for the book again, gets it whole, and ends with the venue's own."""
    fault = Fault(provider="kraken", kind="wrong_checksum", first=3)
    made = talk("kraken", ["BTC/USD"], ["book"], at=market(fault))
    heard = made.run()

    (gap,) = heard.gaps
    assert ("BTC/USD", "book") == (gap.symbol, gap.channel)
    assert "checksum" in gap.words
    assert [True, False, False, True, False] == [one.snapshot for one in heard.of(Depth)[:5]]
    book = made.feed.tracks["book", "BTC/USD"].book
    assert book is not None
    assert made.playback.standing("BTC/USD").best()[0] == [
        (float(price), float(size)) for price, size in book.bids.best(99)
    ]


def test_a_lost_change_shows_in_the_next_checksum() -> None:
    """Nothing else numbers Kraken's books."""
    heard = talk("kraken", ["BTC/USD"], ["book"], at=market(Fault(provider="kraken", kind="gap", first=3))).run(9)

    assert [Depth, Depth, Depth, Gap, Depth] == [type(tick) for tick in heard.ticks if not isinstance(tick, Told)][:5]


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("{", {"error": "Malformed request", "success": False}),
        ('{"method":"ping","req_id":9}', {"method": "pong", "req_id": 9}),
        (ask("dance"), {"method": "dance", "success": False, "error": "Method not supported", "req_id": 3}),
        (
            ask("subscribe", "NO/USD", channel="trade"),
            {
                "method": "subscribe",
                "success": False,
                "error": "Currency pair not supported NO/USD",
                "symbol": "NO/USD",
                "req_id": 3,
            },
        ),
        (
            ask("subscribe", "AAA", channel="candy"),
            {
                "method": "subscribe",
                "success": False,
                "error": "Subscription candy not supported",
                "symbol": "AAA",
                "req_id": 3,
            },
        ),
        (
            ask("subscribe", "AAA", channel="book", depth=11),
            {
                "method": "subscribe",
                "success": False,
                "error": "Subscription depth not supported",
                "symbol": "AAA",
                "req_id": 3,
            },
        ),
        (
            ask("subscribe", "AAA", channel="ohlc", interval=7),
            {
                "method": "subscribe",
                "success": False,
                "error": "Subscription ohlc interval not supported",
                "symbol": "AAA",
                "req_id": 3,
            },
        ),
        (
            ask("unsubscribe", "AAA", channel="trade"),
            {
                "method": "unsubscribe",
                "success": False,
                "error": "Subscription Not Found",
                "symbol": "AAA",
                "req_id": 3,
            },
        ),
    ],
)
def test_what_cannot_be_is_refused(frame: str, expected: dict[str, object]) -> None:
    """With success false and the exchange's words; a ping is answered."""
    assert [expected] == [json.loads(answer) for answer in market().connect("kraken").hear(frame)]


def test_one_wrong_pair_spoils_no_other() -> None:
    """Each pair has an answer of its own, a second time too, and may be left again."""
    playback = market().connect("kraken")

    answers = playback.hear(ask("subscribe", "AAA", "NO/USD", "AAA", channel="trade"))
    left = playback.hear(ask("unsubscribe", "AAA", channel="trade"))

    assert [None, "Currency pair not supported NO/USD", "Already subscribed"] == [
        json.loads(answer).get("error") for answer in answers
    ]
    assert [True] == [json.loads(answer)["success"] for answer in left]
    assert {b"heartbeat"} == {
        json.loads(frame)["channel"].encode() for step in iter(playback.step, None) for frame in step.frames
    }


def test_who_comes_later_is_told_how_things_stand() -> None:
    """The last trade and the last ticker come as snapshots; who wants none gets none."""
    shared = market()
    before = talk("kraken", ["BTC/USD"], ["trades", "quotes"], at=shared).run(40)
    heard = talk("kraken", ["BTC/USD"], ["trades", "quotes"], at=shared).heard
    bare = shared.connect("kraken").hear(ask("subscribe", "BTC/USD", channel="trade", snapshot=False))

    assert (before.of(Trade)[-1:], before.of(Quote)[-1:]) == (heard.of(Trade), heard.of(Quote))
    assert 1 == len(bare)
