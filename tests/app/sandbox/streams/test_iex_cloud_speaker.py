"""IEX Cloud in the sandbox: events are heard as they happened, and a wrong address is turned away."""

from __future__ import annotations

import pytest
from stream_talk import OPENS, market, milliseconds, said, talk

from truetape.app.sandbox.streams.speaker import Opening
from truetape.domain.ticks import Quote, Trade

PLAIN = {"trade_id": "", "conditions": "", "side": "", "venue": "IEX", "ts_event": milliseconds}


def test_last_trades_are_heard_as_they_happened() -> None:
    """Cut to milliseconds."""
    heard = talk("iex_cloud", ["AAA", "BRK.B"], ["trades"]).run()

    for symbol in ("AAA", "BRK.B"):
        assert said("iex_cloud", symbol, "trades", channel="last", **PLAIN) == heard.of(Trade, symbol)
    assert (OPENS, 100.0) == (heard.of(Trade)[0].ts_event, heard.of(Trade)[0].price)
    assert [] == heard.of(Quote)


def test_best_prices_come_with_the_last_trade() -> None:
    """Both are wanted, one address tells both."""
    heard = talk("iex_cloud", ["AAA"], ["trades", "quotes"]).run()

    assert said("iex_cloud", "AAA", "quotes", channel="tops", ts_event=milliseconds) == heard.of(Quote)
    assert said("iex_cloud", "AAA", "trades", channel="tops", **PLAIN) == heard.of(Trade)


def test_the_first_event_tells_how_things_stand() -> None:
    """Unless the client wants to know only what follows; before the day there is nothing to tell."""
    shared = market()
    before = talk("iex_cloud", ["AAA"], ["trades"], at=shared)
    assert [] == before.heard.ticks
    before.run(9)

    after = talk("iex_cloud", ["AAA"], ["trades"], at=shared)
    params = {"symbols": "AAA", "token": "k", "nosnapshot": "true"}
    bare = shared.connect("iex_cloud", Opening(path="last", params=params))

    assert before.heard.of(Trade)[-1:] == after.heard.of(Trade)
    assert [] == bare.speaker.welcome()


@pytest.mark.parametrize(
    ("path", "symbols", "token", "expected"),
    [
        ("last", "AAA", "k", None),
        ("tops", "aaa,NOPE", "k", None),
        ("last", "AAA", "", 401),
        ("last", "AAA", "wrong", 401),
        ("candy", "AAA", "k", 404),
        ("last", "", "k", 400),
        ("last", ",".join(f"S{number}" for number in range(51)), "k", 400),
        ("last", "NOPE", "k", 404),
    ],
)
def test_a_wrong_address_is_turned_away(path: str, symbols: str, token: str, expected: int | None) -> None:
    """With a status; unknown symbols beside a known one are passed over."""
    opening = Opening(path=path, params={"symbols": symbols, "token": token})
    away = market().connect("iex_cloud", opening).speaker.turned_away()

    assert expected == (away and away[0])


def test_a_client_cannot_speak() -> None:
    """Events go one way."""
    assert [] == market().connect("iex_cloud").hear("hello")
