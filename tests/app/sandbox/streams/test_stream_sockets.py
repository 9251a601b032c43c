"""Through real sockets: a client of the sandbox hears the tape, its pings are answered, and faults arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from typing import Any

import aiohttp
import msgspec
import pytest
from stream_talk import dataset, said, truth

from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.server import Sandbox
from truetape.app.sandbox.streams.coinbase import CoinbaseSpeaker
from truetape.domain.asks import SIMULATED_HEADER
from truetape.domain.ticks import Trade
from truetape.ports.feed import Feed
from truetape.providers.coinbase.feed import make

Start = Callable[..., Awaitable[tuple[Sandbox, str]]]
MATCHES = '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches"]}'


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start sandboxes, which stop when the test is over."""
    started: list[Sandbox] = []

    async def begin(*faults: Fault, **options: Any) -> tuple[Sandbox, str]:
        sandbox = Sandbox(dataset(), faults, **options)
        started.append(sandbox)
        return sandbox, await sandbox.start()

    yield begin
    for sandbox in started:
        await sandbox.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as made:
        yield made


async def numbers(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    """The numbers of the next `count` matches; fewer if the connection ends."""
    found: list[int] = []
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            break
        said = json.loads(message.data)
        if said["type"] == "match":
            found.append(said["trade_id"])
        if len(found) == count:
            break
    return found


async def test_a_feed_hears_the_day_through_a_socket(start: Start, session: aiohttp.ClientSession) -> None:
    """At the address that the feed itself asks for."""
    _, address = await start()
    feed = make(base_url=f"{address}/coinbase")
    endpoint = feed.endpoint(["BTC-USD"], ["trades"])
    trades: list[Trade] = []

    async with session.ws_connect(endpoint.url) as socket:
        for frame in feed.subscribe(["BTC-USD"], ["trades"]):
            assert isinstance(frame, str)
            await socket.send_str(frame)
        while len(trades) < 200:
            trades += [tick for tick in feed.receive((await socket.receive()).data, 0) if isinstance(tick, Trade)]

    expected = [event.news for event in truth("BTC/USD", "trades", hours=CoinbaseSpeaker.hours)[:200]]
    assert [(one.ts_event, one.price, one.size) for one in expected if isinstance(one, Trade)] == [
        (one.ts_event, one.price, one.size) for one in trades[:200]
    ]


async def test_a_connection_that_was_reset_goes_on_behind_what_was_said(
    start: Start, session: aiohttp.ClientSession
) -> None:
    """The tick in whose place it was reset is lost; the fault is counted in the report."""
    sandbox, address = await start(Fault(provider="coinbase", symbol="BTC/USD", kind="disconnect", first=5))
    heard = []

    for count in (99, 3):
        async with session.ws_connect(f"{address}/coinbase/stream") as socket:
            await socket.send_str(MATCHES)
            heard.append(await numbers(socket, count))

    assert [11521, 11522, 11523, 11524] == heard[0]
    assert [11526, 11527, 11528] == heard[1]
    assert [1] == [hits for _, hits in sandbox.met]
    async with session.get(f"{address}/faults") as report:
        assert 1 == (await report.json())["faults"][0]["answers"]


async def test_silence_answers_no_ping(start: Start, session: aiohttp.ClientSession) -> None:
    """Before it a pong comes at once; in it nothing does, and the socket stays open."""
    _, address = await start(Fault(provider="coinbase", kind="silence", seconds=0, first=3))

    async with session.ws_connect(f"{address}/coinbase/stream", autoping=False) as socket:
        await socket.ping(b"1")
        pong = await socket.receive()
        await socket.send_str(MATCHES)
        assert [11521, 11522] == await numbers(socket, 2)
        await socket.ping(b"2")
        while await _answered(socket):
            await socket.ping(b"2")
        assert not socket.closed

    assert (aiohttp.WSMsgType.PONG, b"1") == (pong.type, bytes(pong.data))


async def test_silence_ends_and_what_happened_in_it_is_lost(start: Start, session: aiohttp.ClientSession) -> None:
    """A tenth of a second at the thousandfold speed is a hundred seconds of the tape."""
    _, address = await start(Fault(provider="coinbase", kind="silence", seconds=0.1, first=2), speed=1000.0)

    async with session.ws_connect(f"{address}/coinbase/stream") as socket:
        await socket.send_str(MATCHES)
        first, second = await numbers(socket, 2)

    assert 11521 == first
    assert 11527 <= second <= 11529


async def test_the_tape_is_as_fast_as_asked(start: Start, session: aiohttp.ClientSession) -> None:
    """At the hundredfold speed a minute takes 0.6 seconds: the fifth trade is the first of the second minute."""
    _, address = await start(speed=100.0)
    loop = asyncio.get_running_loop()

    async with session.ws_connect(f"{address}/coinbase/stream") as socket:
        await socket.send_str(MATCHES)
        await numbers(socket, 1)
        began = loop.time()
        await numbers(socket, 4)

    assert loop.time() - began > 0.55


async def test_who_asks_later_joins_the_tape_where_it_stands(start: Start, session: aiohttp.ClientSession) -> None:
    """A second client of the same product does not hear the morning again."""
    _, address = await start(speed=1000.0)
    url = f"{address}/coinbase/stream"

    async with session.ws_connect(url) as one, session.ws_connect(url) as other:
        await one.send_str(MATCHES)
        await numbers(one, 20)
        await other.send_str(MATCHES)
        (joined,) = await numbers(other, 1)

    assert joined >= 11540


async def test_a_day_that_is_over_goes_on_beating(start: Start, session: aiohttp.ClientSession) -> None:
    """Heartbeats come on; the next who asks hears the day anew."""
    _, address = await start()

    async with session.ws_connect(f"{address}/coinbase/stream") as socket:
        await socket.send_str(MATCHES.replace('"matches"', '"matches","heartbeat"'))
        assert 5760 == len(await numbers(socket, 5760))
        while (beat := json.loads((await socket.receive()).data))["type"] != "heartbeat":
            pass
        assert 17280 == beat["last_trade_id"]
    async with session.ws_connect(f"{address}/coinbase/stream") as socket:
        await socket.send_str(MATCHES)
        assert [11521] == await numbers(socket, 1)


async def test_a_stream_says_that_its_data_are_simulated(start: Start) -> None:
    """In a header of the handshake, and of an event stream."""
    _, address = await start()
    seen: list[str | None] = []

    async def note(_: object, __: object, params: aiohttp.TraceRequestEndParams) -> None:
        seen.append(params.response.headers.get(SIMULATED_HEADER))

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        async with session.ws_connect(f"{address}/coinbase/stream"):
            pass
        async with session.get(f"{address}/iex_cloud/stream/last?symbols=AAA&token=k"):
            pass

    assert ["true", "true"] == seen


async def test_a_stream_wants_a_websocket(start: Start, session: aiohttp.ClientSession) -> None:
    """A plain request is told so; the HTTP side is as it was."""
    _, address = await start()

    async with session.get(f"{address}/coinbase/stream") as answer:
        assert (426, "websocket") == (answer.status, answer.headers["Upgrade"])
    async with session.get(f"{address}/coinbase/products") as answer:
        assert 200 == answer.status


async def test_a_sandbox_that_stops_closes_its_sockets(start: Start, session: aiohttp.ClientSession) -> None:
    """Its clients are told that it goes away."""
    sandbox, address = await start(speed=1.0)

    async with session.ws_connect(f"{address}/coinbase/stream") as socket:
        await socket.send_str(MATCHES)
        await numbers(socket, 1)
        await asyncio.gather(sandbox.stop(), _closed(socket))

    assert 1001 == socket.close_code


async def test_a_book_is_asked_for_beside_its_stream(start: Start, session: aiohttp.ClientSession) -> None:
    """Where the feed of Binance asks for it, and as the stream has it."""
    _, address = await start()

    async with session.ws_connect(f"{address}/binance/stream/stream") as socket:
        await socket.send_str('{"method":"SUBSCRIBE","params":["btcusd@depth@100ms"],"id":1}')
        await socket.receive()
        first = json.loads((await socket.receive()).data)["data"]["u"]
        async with session.get(f"{address}/binance/api/v3/depth?symbol=BTCUSD&limit=1000") as answer:
            assert first <= (await answer.json())["lastUpdateId"]


async def test_events_are_told_over_http(start: Start, session: aiohttp.ClientSession) -> None:
    """As server-sent events, reset where a fault wants it."""
    _, address = await start(Fault(provider="iex_cloud", kind="disconnect", first=4))
    feed = import_module("truetape.providers.iex_cloud.feed").make(base_url=f"{address}/iex_cloud", key="k")
    endpoint = feed.endpoint(["AAA"], ["trades"])
    trades: list[Trade] = []

    async with session.get(endpoint.url, params=endpoint.secrets) as answer:
        assert "text/event-stream" == answer.content_type
        with pytest.raises(aiohttp.ClientError):
            await _heard(answer, feed, trades)

    expected = said("iex_cloud", "AAA", "trades")[:3]
    assert [(one.symbol, one.price) for one in expected] == [(one.symbol, one.price) for one in trades]


@pytest.mark.parametrize(
    ("path", "status"), [("iex_cloud/stream/last?symbols=AAA", 401), ("finnhub/stream?token=wrong", 401)]
)
async def test_a_wrong_key_is_turned_away_at_the_door(
    start: Start, session: aiohttp.ClientSession, path: str, status: int
) -> None:
    """Before anything is said."""
    _, address = await start()

    async with session.get(f"{address}/{path}") as answer:
        assert status == answer.status


async def test_a_refused_client_is_let_go(start: Start, session: aiohttp.ClientSession) -> None:
    """Behind the words that say why."""
    _, address = await start()

    async with session.ws_connect(f"{address}/alpaca/stream/v2/iex") as socket:
        await socket.send_str('{"action":"auth","key":"wrong","secret":"s"}')
        words = [json.loads(message.data)[0]["msg"] async for message in socket]

    assert ["connected", "auth failed"] == words
    assert socket.closed


async def test_msgpack_comes_in_binary_frames(start: Start, session: aiohttp.ClientSession) -> None:
    """Where the header asks for it."""
    _, address = await start()

    async with session.ws_connect(
        f"{address}/alpaca/stream/v2/iex", headers={"Content-Type": "application/msgpack"}
    ) as socket:
        message = await socket.receive()

    assert aiohttp.WSMsgType.BINARY == message.type
    assert [{"T": "success", "msg": "connected"}] == msgspec.msgpack.decode(message.data)


async def test_a_stream_is_heard_below_the_root_of_the_rest_api(start: Start, session: aiohttp.ClientSession) -> None:
    """Where a provider's root has a path of its own."""
    _, address = await start()

    async with session.ws_connect(f"{address}/finnhub/api/v1/stream?token=k") as socket:
        await socket.send_str('{"type":"subscribe","symbol":"AAA"}')
        assert "trade" == json.loads((await socket.receive()).data)["type"]


async def _heard(answer: aiohttp.ClientResponse, feed: Feed, trades: list[Trade]) -> None:
    async for line in answer.content:
        if line.startswith(b"data: "):
            ticks = feed.receive(line.removeprefix(b"data: "), 0)
            trades += [tick for tick in ticks if isinstance(tick, Trade)]


async def _answered(socket: aiohttp.ClientWebSocketResponse) -> bool:
    try:
        return (await asyncio.wait_for(socket.receive(), 0.2)).type is aiohttp.WSMsgType.PONG
    except TimeoutError:
        return False


async def _closed(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass
