"""Massive's stream: batches of trades, quotes, bars and levels, and what it says of the connection."""

from __future__ import annotations

import json

import pytest

from truetape.domain.failures import FailureClass
from truetape.domain.ticks import Bar, Quote, Tick, Told, Trade
from truetape.ports.feed import Endpoint
from truetape.providers.massive.feed import MassiveFeed, make
from truetape.providers.massive.pairs import hyphened, joined

TRADE = {"ev": "T", "sym": "ACME", "x": 4, "i": "52983525029461", "z": 3, "p": 10.25, "s": 100, "t": 1_709_911_800_123}
BEFORE_SHARES = 1_709_911_800_000  # 2024
SINCE_SHARES = 1_762_270_200_000  # 2025-11-04


def hear(*events: object) -> list[Tick]:
    return make(key="k").receive(json.dumps(events), 0)


def test_a_batch_is_told_in_its_order() -> None:
    """Each trade of a frame becomes one, with its conditions, exchange and fraction of a share."""
    first = TRADE | {"c": [12, 37], "q": 3_681_328}
    second = TRADE | {"i": "2", "s": 0, "ds": "0.25"}

    expected = Trade(
        symbol="ACME",
        ts_event=1_709_911_800_123_000_000,
        price=10.25,
        size=100.0,
        trade_id="52983525029461",
        conditions="12,37",
        venue="4",
        channel="T",
    )
    fraction = Trade(
        symbol="ACME",
        ts_event=1_709_911_800_123_000_000,
        price=10.25,
        size=0.25,
        trade_id="2",
        venue="4",
        channel="T",
    )
    assert [expected, fraction] == hear(first, second)


@pytest.mark.parametrize(("at", "lot"), [(BEFORE_SHARES, 100.0), (SINCE_SHARES, 1.0)])
def test_sizes_of_quotes_are_in_shares(at: int, lot: float) -> None:
    """Until November 2025 the sizes of stocks were sent in lots of a hundred."""
    quote = {"ev": "Q", "sym": "ACME", "bp": 10.0, "bs": 3, "ap": 10.5, "as": 2, "t": at, "c": 1}

    expected = Quote(
        symbol="ACME", ts_event=at * 1_000_000, bid=10.0, bid_size=3 * lot, ask=10.5, ask_size=2 * lot, channel="Q"
    )
    assert [expected] == hear(quote)


def test_one_side_of_a_quote_may_be_missing() -> None:
    """Null and absent are the same: not known."""
    quote = {"ev": "Q", "sym": "ACME", "bp": None, "t": SINCE_SHARES}

    assert [Quote(symbol="ACME", ts_event=SINCE_SHARES * 1_000_000, channel="Q")] == hear(quote)


def bar(symbol: str, channel: str, *, timeframe: str = "1m", volume: float = 200.0) -> Bar:
    return Bar(
        symbol=symbol,
        timeframe=timeframe,
        ts_event=BEFORE_SHARES * 1_000_000,
        open=1.0,
        high=4.0,
        low=0.5,
        close=2.0,
        volume=volume,
        channel=channel,
    )


SPAN = {"o": 1, "h": 4, "l": 0.5, "c": 2, "v": 200, "s": BEFORE_SHARES, "e": BEFORE_SHARES + 60_000, "vw": 1.5}


@pytest.mark.parametrize(
    ("event", "tick"),
    [
        ({"ev": "AM", "sym": "ACME"} | SPAN, bar("ACME", "AM")),
        ({"ev": "A", "sym": "ACME"} | SPAN, bar("ACME", "A", timeframe="1s")),
        ({"ev": "XA", "pair": "BTC-USD"} | SPAN, bar("X:BTCUSD", "XA")),
        ({"ev": "CA", "pair": "EUR/USD"} | SPAN | {"v": 7}, bar("C:EURUSD", "CA", volume=7.0)),
        (
            {"ev": "XT", "pair": "BTC-USD", "p": 33.5, "s": 0.5, "t": 1_000, "c": [2], "i": "9", "x": 1, "r": 1_001},
            Trade(
                symbol="X:BTCUSD",
                ts_event=1_000_000_000,
                price=33.5,
                size=0.5,
                trade_id="9",
                conditions="2",
                side="buy",
                venue="1",
                channel="XT",
            ),
        ),
        (
            {"ev": "XT", "pair": "BTC-USD", "p": 33.5, "s": 0.5, "t": 1_000},
            Trade(symbol="X:BTCUSD", ts_event=1_000_000_000, price=33.5, size=0.5, venue="0", channel="XT"),
        ),
        (
            {"ev": "XQ", "pair": "BTC-USD", "bp": 33.5, "bs": 1, "ap": 34.5, "as": 2, "t": 1_000},
            Quote(
                symbol="X:BTCUSD",
                ts_event=1_000_000_000,
                bid=33.5,
                bid_size=1.0,
                ask=34.5,
                ask_size=2.0,
                channel="XQ",
            ),
        ),
        (
            {"ev": "C", "p": "EUR/USD", "x": 44, "a": 1.1875, "b": 1.125, "t": 1_000},
            Quote(symbol="C:EURUSD", ts_event=1_000_000_000, bid=1.125, ask=1.1875, channel="C"),
        ),
        (
            {"ev": "V", "T": "I:SPX", "val": 3988.5, "t": 1_000},
            Quote(symbol="I:SPX", ts_event=1_000_000_000, price=3988.5, channel="V"),
        ),
    ],
)
def test_every_kind_of_event_is_read(event: dict[str, object], tick: Tick) -> None:
    """Bars carry the start of their span; pairs get the spelling that requests use."""
    assert [tick] == hear(event)


@pytest.mark.parametrize(
    ("status", "message", "what", "failure"),
    [
        ("connected", "Connected Successfully", "welcome", None),
        ("auth_success", "authenticated", "authenticated", None),
        ("success", "subscribed to: T.ACME", "subscribed", None),
        ("auth_failed", "authentication failed", "refused", FailureClass.AUTH),
        ("auth_timeout", "no authentication", "refused", FailureClass.TRANSIENT),
        ("max_connections", "Maximum number of connections exceeded", "refused", FailureClass.CONFLICT),
        ("slow_consumer", "too slow", "refused", FailureClass.TRANSIENT),
        ("force_disconnect", "bye", "refused", FailureClass.TRANSIENT),
        ("error", "not authorized", "refused", FailureClass.ENTITLEMENT),
        ("error", "You are not entitled to this data.", "refused", FailureClass.ENTITLEMENT),
        ("error", "invalid params", "refused", FailureClass.PERMANENT),
    ],
)
def test_words_about_the_connection_are_told(
    status: str, message: str, what: str, failure: FailureClass | None
) -> None:
    """Every status has its meaning, and every refusal its class."""
    (told,) = hear({"ev": "status", "status": status, "message": message})

    assert isinstance(told, Told)
    assert (what, failure) == (told.what, told.failure.failure_class if told.failure else None)
    assert message in told.words


def test_it_is_ready_once_it_is_let_in() -> None:
    """Only after the key was accepted may anything be subscribed to."""
    feed = make(key="k")
    assert ['{"action":"auth","params":"k"}'] == feed.greet()
    assert not feed.ready

    feed.receive('[{"ev":"status","status":"auth_success","message":"authenticated"}]', 0)

    assert feed.ready


def test_other_events_do_not_hide_those_that_are_read() -> None:
    """Limits and imbalances are passed over; an event that is not whole is told, and its neighbours stand."""
    limits = {"ev": "LULD", "T": "ACME", "h": 11, "l": 9, "t": 1}
    broken = {"ev": "T", "sym": "ACME", "p": "ten", "s": 1, "t": 1}

    ticks = hear(limits, TRADE, broken)

    assert [Trade, Told] == [type(tick) for tick in ticks]
    assert isinstance(ticks[1], Told)
    assert "unreadable" == ticks[1].what


@pytest.mark.parametrize("frame", ["{}", "[1]", "[", b"[\xff]", '[{"ev":1}]', "[" * 5_000])
def test_what_is_no_batch_is_unreadable(frame: str | bytes) -> None:
    """It is told and breaks nothing."""
    (told,) = make().receive(frame, 0)

    assert isinstance(told, Told)
    assert "unreadable" == told.what


def test_subscriptions_name_what_each_asset_class_has() -> None:
    """Stocks, coins, currencies and indices have letters of their own; what a class lacks is not asked for."""
    feed = make()

    assert ['{"action":"subscribe","params":"T.ACME,Q.ACME,AM.ACME"}'] == feed.subscribe(
        ["ACME"], ["trades", "quotes", "bars", "book"]
    )
    assert ['{"action":"subscribe","params":"XT.X:BTC-USD"}'] == feed.subscribe(["X:BTCUSD"], ["trades"])
    assert ['{"action":"subscribe","params":"C.C:EUR-USD"}'] == feed.subscribe(["C:EURUSD"], ["trades", "quotes"])
    assert ['{"action":"subscribe","params":"V.I:SPX,AM.I:SPX"}'] == feed.subscribe(["I:SPX"], ["quotes", "bars"])
    assert [] == feed.subscribe(["I:SPX"], ["trades"])


def test_long_subscriptions_are_cut() -> None:
    """A frame holds at most 500 topics."""
    frames = make().subscribe([f"S{number}" for number in range(501)], ["trades"])

    assert [500, 1] == [str(frame).count("T.S") for frame in frames]


def test_each_asset_class_has_its_address() -> None:
    """Symbols of different classes do not share a connection."""
    feed = MassiveFeed(key="k")

    assert [["ACME", "ACME.B"], ["X:BTCUSD"], ["C:EURUSD"], ["I:SPX"]] == feed.part(
        ["ACME", "X:BTCUSD", "C:EURUSD", "I:SPX", "ACME.B"]
    )
    assert Endpoint(url="wss://socket.massive.com/crypto", said=("k",)) == feed.endpoint(["X:BTCUSD"], ["trades"])
    assert Endpoint(url="wss://socket.massive.com/stocks", said=("k",)) == feed.endpoint([], [])


@pytest.mark.parametrize(
    ("symbol", "streamed"),
    [
        ("X:BTCUSD", "X:BTC-USD"),
        ("X:ETHBTC", "X:ETH-BTC"),
        ("X:BTCUSDT", "X:BTC-USDT"),
        ("X:WHAT", "X:WHAT"),
        ("X:BTC-USD", "X:BTC-USD"),
        ("C:EURUSD", "C:EUR-USD"),
        ("ACME", "ACME"),
    ],
)
def test_pairs_are_written_with_a_hyphen(symbol: str, streamed: str) -> None:
    """The stream wants both halves of a pair apart."""
    assert streamed == hyphened(symbol)


@pytest.mark.parametrize("pair", ["EUR/USD", "EUR-USD", "C:EUR-USD"])
def test_pairs_are_joined_again(pair: str) -> None:
    """However the stream writes a pair, its symbol is that of requests."""
    assert "C:EURUSD" == joined("C:", pair)
