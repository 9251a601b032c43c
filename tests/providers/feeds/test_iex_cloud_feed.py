"""IEX Cloud's events: last trades, best prices, and refusals in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint, Feed
from truetape.providers.iex_cloud.feed import make

LAST = {"symbol": "ACME", "price": 185.835, "size": 100, "time": 1_709_911_800_123, "seq": 2926}
TOPS = {
    "symbol": "ACME",
    "sector": "technology",
    "bidPrice": 185.59,
    "bidSize": 200,
    "askPrice": 185.64,
    "askSize": 300,
    "lastUpdated": 1_709_911_800_123,
    "lastSalePrice": 185.63,
    "lastSaleSize": 100,
    "lastSaleTime": 1_709_911_800_100,
    "volume": 312_038,
    "seq": 7,
}
SOLD = Trade(symbol="ACME", ts_event=1_709_911_800_100_000_000, price=185.63, size=100.0, venue="IEX", channel="tops")


def hear(*rows: object, feed: Feed | None = None) -> list[Tick]:
    return (feed or make(key="k")).receive(json.dumps(rows), 77)


def test_last_trades_are_trades() -> None:
    """Each row is one; without a time, the moment of hearing stands."""
    expected = Trade(
        symbol="ACME", ts_event=1_709_911_800_123_000_000, price=185.835, size=100.0, venue="IEX", channel="last"
    )

    assert [expected] == hear(LAST)
    (timeless,) = hear(LAST | {"time": -1})
    assert isinstance(timeless, Trade)
    assert 77 == timeless.ts_event


def test_best_prices_are_quotes_with_the_last_trade() -> None:
    """The trade is told once, however often the row repeats it."""
    feed = make()
    quote = Quote(
        symbol="ACME",
        ts_event=1_709_911_800_123_000_000,
        bid=185.59,
        bid_size=200.0,
        ask=185.64,
        ask_size=300.0,
        price=185.63,
        volume=312_038.0,
        channel="tops",
    )

    assert [quote, SOLD] == hear(TOPS, feed=feed)
    assert [quote] == hear(TOPS, feed=feed)
    assert 2 == len(hear(TOPS | {"lastSaleTime": 1_709_911_800_200}, feed=feed))


def test_before_the_open_there_is_nothing() -> None:
    """Zeros are no prices, and a time of -1 is no time."""
    row = dict.fromkeys(("bidPrice", "askPrice", "lastSalePrice", "lastSaleSize"), 0)

    (quote,) = hear(TOPS | row | {"lastUpdated": -1, "lastSaleTime": -1})

    assert isinstance(quote, Quote)
    assert (None, None, None, 77) == (quote.bid, quote.ask, quote.price, quote.ts_event)
    assert [Quote] == [type(tick) for tick in hear(TOPS | {"lastSaleTime": -1})]


def test_the_address_says_what_is_told() -> None:
    """Trades alone, or best prices; the token is not shown, and other symbols take another connection."""
    feed = make(key="k")

    assert Endpoint(
        url="https://cloud-sse.iexapis.com/stable/last?symbols=ACME,BRK.B", secrets={"token": "k"}
    ) == feed.endpoint(["ACME", "BRK.B"], ["trades"])
    assert feed.endpoint(["ACME"], ["quotes"]).url.endswith("/tops?symbols=ACME")
    assert [Quote] == [type(tick) for tick in hear(TOPS, feed=feed)]
    assert ([], True, True) == (feed.subscribe(["ACME"], ["trades"]), feed.ready, feed.manners.at_connect)
    assert [50, 1] == [len(part) for part in feed.part([str(number) for number in range(51)])]


def test_a_stand_in_is_heard_over_http() -> None:
    """Server-sent events have no scheme of their own."""
    assert (
        "http://localhost:8/iex/stream/last?symbols=A"
        == make(base_url="http://localhost:8/iex").endpoint(["A"], ["trades"]).url
    )
    assert (
        make(base_url="https://example.com/")
        .endpoint(["A"], ["trades"])
        .url.startswith("https://example.com/stream/last")
    )


@pytest.mark.parametrize(
    ("words", "failure"),
    [
        ("Unknown symbol", FailureClass.PERMANENT),
        ("You have exceeded your allotted message quota", FailureClass.QUOTA),
        ("An API key is required", FailureClass.AUTH),
    ],
)
def test_plain_words_are_refusals(words: str, failure: FailureClass) -> None:
    """What is no array of rows says why there is none."""
    (told,) = make().receive(words, 0)

    assert isinstance(told, Told)
    assert ("refused", words, failure) == (told.what, told.words, told.failure and told.failure.failure_class)


@pytest.mark.parametrize("frame", ["", "{}", "[{}]", '[{"symbol":"A","time":-2}]', b"\xff", "gibberish"])
def test_what_cannot_be_read_is_told(frame: str | bytes) -> None:
    """An event that is neither rows nor known words is unreadable."""
    (told,) = make().receive(frame, 0)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_recorded_messages_are_read(recordings: Path) -> None:
    """The shapes that clients of IEX recorded."""
    folder = recordings / "iex_cloud" / "iextrading4j" / "socket" / "marketdata"
    feed = make()

    (last,) = feed.receive(f"[{(folder / 'LastTradeAsyncResponse.json').read_text()}]", 0)
    tops = feed.receive(f"[{(folder / 'TopsAsyncResponse.json').read_text()}]", 0)

    assert isinstance(last, Trade)
    assert ("AAPL", 185.835, 100.0) == (last.symbol, last.price, last.size)
    assert [Quote, Trade] == [type(tick) for tick in tops]
