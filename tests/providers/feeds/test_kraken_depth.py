"""How deep Kraken's books are kept: as deep as was subscribed to, since levels beyond that go stale."""

from __future__ import annotations

import json
from zlib import crc32

from truetape.domain.ticks import Depth
from truetape.providers.kraken.checked import MOST_BOOKS
from truetape.providers.kraken.feed import make

CONFIRMED = '{"method":"subscribe","success":true,"result":{"channel":"book","symbol":"%s","depth":%d}}'


def frame(kind: str, bids: list[str], checksum: int) -> str:
    levels = ",".join(f'{{"price":{price},"qty":{quantity}}}' for price, quantity in (bid.split() for bid in bids))
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"A/B","bids":[{levels}],'
        f'"asks":[],"checksum":{checksum}}}]}}'
    )


def test_a_level_that_fell_out_of_the_subscription_does_not_return() -> None:
    """Two levels were subscribed to: the third is gone, though the best is then taken away."""
    feed = make()
    feed.receive(CONFIRMED % ("A/B", 2), 1)

    kinds = [
        type(tick)
        for text in (
            frame("snapshot", ["3 1", "2 1"], crc32(b"3121")),
            frame("update", ["4 1"], crc32(b"4131")),
            frame("update", ["4 0", "1.5 7"], crc32(b"31157")),
        )
        for tick in feed.receive(text, 1)
    ]

    assert [Depth] * 3 == kinds
    assert (3, 0) == (feed.tracks["book", "A/B"].right, feed.tracks["book", "A/B"].wrong)


def test_a_wrong_book_is_asked_for_with_its_depth() -> None:
    """As it was subscribed to."""
    feed = make()
    feed.receive(CONFIRMED % ("A/B", 25), 1)

    feed.receive(frame("snapshot", ["3 1"], 7), 1)

    assert [25, 25] == [json.loads(said)["params"]["depth"] for said in feed.replies()]


def test_confirmed_depths_are_bounded() -> None:
    """A server that confirms what nobody asked for does not fill the memory: later ones are not noted."""
    feed = make()
    for number in range(MOST_BOOKS):
        feed.receive(CONFIRMED % (f"P{number}", 10), 1)
    feed.receive(CONFIRMED % ("A/B", 25), 1)

    feed.receive(frame("snapshot", ["3 1"], 7), 1)

    assert [100, 100] == [json.loads(said)["params"]["depth"] for said in feed.replies()]
