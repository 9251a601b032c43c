"""The addresses and frames that the sandbox shows: each of them is answered with what happens."""

from __future__ import annotations

import io

import aiohttp
import pytest
from rich.console import Console
from stream_talk import dataset, market

from truetape.app.sandbox.run import show
from truetape.app.sandbox.server import Sandbox
from truetape.app.sandbox.streams import NAMES
from truetape.app.sandbox.streams.examples import examples
from truetape.domain.errors import BadInput


@pytest.mark.parametrize("name", NAMES)
async def test_every_example_is_answered_with_trades(name: str) -> None:
    """By the price of the first."""
    sandbox = Sandbox(dataset())
    address = await sandbox.start()
    try:
        url, frames = dict(zip(NAMES, examples(address, "AAA"), strict=True))[name]
        async with aiohttp.ClientSession() as session:
            heard = await (_events(session, url) if url.startswith("http") else _socket(session, url, frames))
    finally:
        await sandbox.stop()

    if name == "yahoo":
        assert '{"type":"pricing"' == heard[:17]
    else:
        assert "100.0" in heard or ":100," in heard


async def _socket(session: aiohttp.ClientSession, url: str, frames: list[str]) -> str:
    async with session.ws_connect(url) as socket:
        for frame in frames:
            await socket.send_str(frame)
        heard = ""
        while not any(word in heard for word in ("100.0", ":100,", "pricing")):
            heard = (await socket.receive()).data
        return heard


async def _events(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as answer:
        return (await answer.content.readline()).decode()


@pytest.mark.parametrize(("speed", "words"), [(0.0, "as fast as possible"), (60.0, "60 times as fast as life")])
def test_the_command_lists_them(speed: float, words: str) -> None:
    """One line for each provider."""
    page = io.StringIO()

    show(Sandbox(dataset(), speed=speed), "http://127.0.0.1:8100", Console(file=page, width=200))

    assert f"Streams play 2024-03-08, {words}; say there what stands behind the arrows:" in page.getvalue()
    line = '  ws://127.0.0.1:8100/finnhub/stream?token=any <- {"type":"subscribe","symbol":"AAA"}\n'
    assert line in page.getvalue()
    assert "http://127.0.0.1:8100/iex_cloud/stream/last?symbols=AAA&token=any\n" in page.getvalue()
    assert 8 == page.getvalue().count("  ws://127.0.0.1:8100/")


@pytest.mark.parametrize("speed", [-1.0, float("nan"), float("inf"), 1e7])
def test_a_speed_that_cannot_be_kept_is_refused(speed: float) -> None:
    """It says which can."""
    with pytest.raises(BadInput, match="from 0, as fast as possible, to 1e"):
        market(speed=speed)
