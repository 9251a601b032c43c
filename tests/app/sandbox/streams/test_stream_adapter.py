"""The platform's own sockets and feeds at the sandbox, for every provider: the first hundred ticks as they happened."""

from __future__ import annotations

from importlib import import_module

import pytest
from stream_talk import dataset, spell, truth

from truetape.adapters.aiohttp_socket import AiohttpSockets
from truetape.app.sandbox.server import Sandbox
from truetape.app.sandbox.streams import NAMES, speaker_of
from truetape.domain.ticks import Quote, Tick, Trade
from truetape.ports.feed import Feed

MANY = 100
KINDS = {"yahoo": Quote}  # others tell trades
CHANNELS = {"yahoo": "quotes"}


@pytest.mark.parametrize("name", NAMES)
async def test_a_feed_hears_the_day_through_the_platforms_sockets(name: str) -> None:
    """Prices in their order; those of Yahoo are quotes."""
    sandbox = Sandbox(dataset())
    address = await sandbox.start()
    try:
        ticks = await _heard(name, address)
    finally:
        await sandbox.stop()

    prices = [tick.price for tick in ticks if isinstance(tick, Trade | Quote) and type(tick) is KINDS.get(name, Trade)]
    happened = truth("AAA", CHANNELS.get(name, "trades"), hours=speaker_of(name).hours)
    assert [event.news.price for event in happened if isinstance(event.news, Trade | Quote)][:MANY] == prices[:MANY]


async def _heard(name: str, address: str) -> list[Tick]:
    feed: Feed = import_module(f"truetape.providers.{name}.feed").make(
        base_url=f"{address}/{name}", key="k3y-of-nobody", secret="s3cret-of-nobody"
    )
    symbols, channels = [spell(name, "AAA")], [CHANNELS.get(name, "trades")]
    socket = await AiohttpSockets(timeout_s=5.0).connect(
        feed.endpoint(symbols, channels), silent_s=5.0, max_frame_bytes=feed.manners.max_frame_bytes
    )
    ticks: list[Tick] = []
    try:
        for frame in feed.greet():
            await socket.send(frame)
        while not feed.ready:
            ticks += feed.receive(await socket.receive(), 0)
        for frame in feed.subscribe(symbols, channels):
            await socket.send(frame)
        while len([tick for tick in ticks if type(tick) is KINDS.get(name, Trade)]) < MANY:
            ticks += feed.receive(await socket.receive(), 0)
    finally:
        await socket.close()
    return ticks
