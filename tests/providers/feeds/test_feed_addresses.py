"""Where feeds are heard: at the provider itself, or under /stream of what stands in for it; keys stay hidden."""

from __future__ import annotations

from importlib import import_module

import pytest

from truetape.domain.asks import Answer, Request
from truetape.ports.feed import Feed, heard_at
from truetape.providers import NAMES, vendor

STREAMS = {
    "alpaca": "wss://stream.data.alpaca.markets/",
    "binance": "wss://stream.binance.com:9443/",
    "coinbase": "wss://ws-feed.exchange.coinbase.com",
    "finnhub": "wss://ws.finnhub.io",
    "iex_cloud": "https://cloud-sse.iexapis.com/",
    "kraken": "wss://ws.kraken.com/v2",
    "massive": "wss://socket.massive.com/",
    "tiingo": "wss://api.tiingo.com/",
    "yahoo": "wss://streamer.finance.yahoo.com/",
}


class Nowhere:
    """An Http that reaches nothing."""

    async def send(self, request: Request) -> Answer:
        raise AssertionError(request.url)


def feed(name: str, *, base_url: str = "") -> Feed:
    made: Feed = import_module(f"truetape.providers.{name}.feed").make(base_url=base_url, key="k3y", secret="s3cret")
    return made


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("", "wss://ws.example.com"),
        ("https://api.example.com/v1", "wss://ws.example.com"),
        ("https://example.com", "wss://ws.example.com"),
        ("https://notexample.com/", "wss://notexample.com/stream"),
        ("https://example.com.evil.org/a", "wss://example.com.evil.org/a/stream"),
        ("http://localhost:8080/example", "ws://localhost:8080/example/stream"),
        ("ws://localhost:1/x/", "ws://localhost:1/x"),
        ("wss://other.example.com", "wss://other.example.com"),
    ],
)
def test_a_stream_is_heard_beside_its_rest_api(base_url: str, expected: str) -> None:
    """The provider's own hosts mean its own stream; every other host is a stand-in."""
    assert expected == heard_at(base_url, home="example.com", stream="wss://ws.example.com")


@pytest.mark.parametrize(("name", "start"), STREAMS.items())
def test_providers_are_heard_at_their_own_address(name: str, start: str) -> None:
    """With the address of their REST API too; the key is in no address and no visible header."""
    default = vendor(name).client.DEFAULT_URL

    for made in (feed(name), feed(name, base_url=default)):
        endpoint = made.endpoint(["ACME"], ["trades"])
        assert endpoint.url.startswith(start)
        assert "k3y" not in f"{endpoint.url} {endpoint.headers} {endpoint!r} {endpoint.__rich_repr__()}"


@pytest.mark.parametrize("name", STREAMS)
def test_a_key_in_a_frame_is_named_at_the_address(name: str) -> None:
    """What the talk says of the key is hidden where the provider says it back: the endpoint tells what to hide."""
    made = feed(name)
    frames = str([*made.greet(), *made.subscribe(["ACME"], ["trades"])])
    said = {one for one in ("k3y", "s3cret") if one in frames}

    assert said == set(made.endpoint(["ACME"], ["trades"]).said)


@pytest.mark.parametrize("name", STREAMS)
def test_stand_ins_are_heard_under_their_own_address(name: str) -> None:
    """A sandbox serves every stream beside the REST API of its provider."""
    endpoint = feed(name, base_url="http://127.0.0.1:9/x").endpoint(["ACME"], ["trades"])

    assert endpoint.url.partition("://")[2].startswith("127.0.0.1:9/x/stream")
    assert endpoint.url.startswith("http://" if name == "iex_cloud" else "ws://")


@pytest.mark.parametrize("name", NAMES)
def test_every_provider_with_a_stream_makes_its_feed(name: str) -> None:
    """A new conversation each time, and None where there is no stream."""
    made = vendor(name).provider(Nowhere()) if name != "files" else None
    if made is None or name not in STREAMS:
        assert made is None or made.feed is None
        return

    assert made.feed is not None
    one, other = made.feed(), made.feed()
    assert one is not other
    assert one.endpoint(["ACME"], ["trades"]).url.startswith(STREAMS[name])


@pytest.mark.parametrize("name", STREAMS)
def test_manners_can_be_kept(name: str) -> None:
    """Each feed says how it wants to be treated, and cuts its subscriptions accordingly."""
    made = feed(name)
    symbols = [f"S{number}" for number in range(3 * made.manners.symbols_per_frame)]

    assert made.manners.silent_s > 0
    assert made.manners.frames_per_second > 0
    assert bool(made.manners.ping) <= (made.manners.ping_s > 0)
    assert made.manners.at_connect is (not made.subscribe(symbols, ["trades", "quotes"]))
    assert symbols == [symbol for part in made.part(symbols) for symbol in part]
    assert all(len(part) <= (made.manners.symbols or len(part)) for part in made.part(symbols))
