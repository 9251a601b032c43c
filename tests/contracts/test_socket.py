"""What every socket promises, against a server of our own on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from aiohttp import WSMsgType, web

from truetape.adapters.aiohttp_socket import AiohttpSockets
from truetape.domain.asks import SIMULATED_HEADER
from truetape.ports.feed import Endpoint, Frame
from truetape.ports.socket import Disconnected, Socket

SECRET = "s3cr3t/key+of=mine"
SPELLINGS = (SECRET, "s3cr3t%2Fkey%2Bof%3Dmine", "s3cr3t/key%2Bof%3Dmine")
Talk = Callable[[web.WebSocketResponse, web.Request], Awaitable[None]]


@dataclass
class Server:
    """A server whose talk each test chooses: /ws, /sse, and /refuse for whatever it refuses with."""

    port: int
    seen: list[web.Request]
    talk: Talk
    refusal: web.Response
    compress: bool = True
    events: tuple[bytes, ...] = ()
    lasting: bool = False
    sandbox: bool = False

    def url(self, path: str, scheme: str = "ws") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"


async def echo(socket: web.WebSocketResponse, request: web.Request) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async def talk(request: web.Request) -> web.WebSocketResponse:
        running.seen.append(request)
        socket = web.WebSocketResponse(compress=running.compress, timeout=0.1)
        socket.headers.update({SIMULATED_HEADER: "true"} if running.sandbox else {})
        await socket.prepare(request)
        with contextlib.suppress(ConnectionError):
            await running.talk(socket, request)
        return socket

    async def stream(request: web.Request) -> web.StreamResponse:
        running.seen.append(request)
        said = {SIMULATED_HEADER: "true"} if running.sandbox else {}
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **said})
        await response.prepare(request)
        for part in running.events:
            await response.write(part)
        if running.lasting:
            await asyncio.sleep(5)
        return response

    async def refuse(request: web.Request) -> web.Response:
        running.seen.append(request)
        return running.refusal

    app = web.Application()
    app.router.add_get("/ws", talk)
    app.router.add_get("/sse", stream)
    app.router.add_get("/refuse", refuse)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    running = Server(runner.addresses[0][1], [], echo, web.Response())
    yield running
    await runner.cleanup()


@pytest.fixture(params=[AiohttpSockets])
def sockets(request: pytest.FixtureRequest) -> AiohttpSockets:
    made: AiohttpSockets = request.param(timeout_s=1.0)
    return made


@pytest.fixture
async def opened(sockets: AiohttpSockets) -> AsyncIterator[Callable[..., Awaitable[Socket]]]:
    """Open connections that are closed at the end."""
    made: list[Socket] = []

    async def connect(url: str, *, silent_s: float = 1.0, max_frame_bytes: int = 100_000, **given: object) -> Socket:
        endpoint = Endpoint(url=url, **given)  # type: ignore[arg-type]
        made.append(await sockets.connect(endpoint, silent_s=silent_s, max_frame_bytes=max_frame_bytes))
        return made[-1]

    yield connect
    for one in made:
        await one.close()


Open = Callable[..., Awaitable[Socket]]


@contextlib.asynccontextmanager
async def raw(reply: bytes | None) -> AsyncIterator[str]:
    """Serve `reply`, whatever it is, and hang up; None says nothing until the other side hangs up."""
    done = asyncio.Event()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (reader.read() if reply is None else reader.readuntil(b"\r\n\r\n"))
        writer.write(reply or b"")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    async with await asyncio.start_server(respond, "127.0.0.1", 0) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/"
        await done.wait()


@pytest.mark.parametrize("compress", [True, False])
async def test_frames_come_back_as_they_were_said(server: Server, opened: Open, compress: bool) -> None:
    """Text stays text and bytes stay bytes, in order, compressed on the way or not."""
    server.compress = compress
    socket = await opened(server.url("/ws"))
    said: list[Frame] = ["a", b"\x00\xff", "é" * 5000, ""]
    for frame in said:
        await socket.send(frame)

    assert said == [await socket.receive() for _ in said]


@pytest.mark.parametrize("path", ["/ws", "/sse"])
@pytest.mark.parametrize("sandbox", [False, True])
async def test_a_sandbox_is_known(server: Server, opened: Open, path: str, sandbox: bool) -> None:
    """It says what it is when the connection opens."""
    server.sandbox, server.lasting = sandbox, True
    socket = await opened(server.url(path, "ws" if path == "/ws" else "http"))

    assert sandbox == socket.simulated


async def test_a_ping_is_answered_and_is_no_frame(server: Server, opened: Open) -> None:
    """The server hears the pong; the next frame is the one after the ping."""

    async def ping(socket: web.WebSocketResponse, request: web.Request) -> None:
        await socket.ping(b"are you there?")
        await socket.send_str("news")
        assert (await socket.receive()).data == "heard"

    server.talk = ping
    socket = await opened(server.url("/ws"))

    assert "news" == await socket.receive()
    await socket.send("heard")


async def test_secrets_are_sent_and_never_come_back(server: Server, opened: Open) -> None:
    """In query and header they arrive as they are; where the server writes them back, stars stand for them."""

    async def tell(socket: web.WebSocketResponse, request: web.Request) -> None:
        await socket.send_str(" ".join([str(request.rel_url), *SPELLINGS]))
        await socket.send_bytes(SECRET.encode())
        await socket.close(code=4001, message=SECRET.encode())

    server.talk = tell
    given = {"secrets": {"token": SECRET}, "secret_headers": {"X-Token": f"Bearer {SECRET}"}}
    socket = await opened(server.url("/ws"), headers={"X-Plain": "yes"}, **given)
    text, data = await socket.receive(), await socket.receive()
    with pytest.raises(Disconnected) as caught:
        await socket.receive()

    request = server.seen[0]
    assert (SECRET, f"Bearer {SECRET}", "yes") == (
        request.query["token"],
        request.headers["X-Token"],
        request.headers["X-Plain"],
    )
    assert b"***" == data
    assert 4001 == caught.value.code
    shown = f"{text!r} {caught.value.reason}"
    assert all(spelling not in shown for spelling in SPELLINGS)


async def test_what_the_talk_says_is_hidden_too(server: Server, opened: Open) -> None:
    """A secret that only frames carry does not come back, however it is spelled."""
    said = ("plain-and-long", SECRET)
    socket = await opened(server.url("/ws"), said=said)
    for spelling in (*said, *SPELLINGS, json.dumps(SECRET).replace("/", "\\/"), b64encode(SECRET.encode()).decode()):
        await socket.send(f"my key is {spelling}")
        heard = str(await socket.receive())
        await socket.send(spelling.encode())

        assert "my key is ***" == heard.replace('"', "").replace("=", "")
        assert b"***" == bytes(await socket.receive()).replace(b'"', b"").replace(b"=", b"")  # type: ignore[arg-type]


@pytest.mark.parametrize("compress", [True, False], ids=["bomb", "plain"])
async def test_a_frame_beyond_the_limit_ends_the_connection(server: Server, opened: Open, compress: bool) -> None:
    """The limit counts what the frame becomes: 10 MB in 10 kB are refused."""

    async def bomb(socket: web.WebSocketResponse, request: web.Request) -> None:
        await socket.send_bytes(bytes(10_000_000))

    server.compress, server.talk = compress, bomb
    socket = await opened(server.url("/ws"))

    with pytest.raises(Disconnected, match=r"^a frame was larger than 100000 bytes$"):
        await socket.receive()


@pytest.mark.parametrize("path", ["/ws", "/sse"])
async def test_a_mute_connection_has_ended(server: Server, opened: Open, path: str) -> None:
    """Nothing for longer than the silence allowed."""
    server.lasting = True
    socket = await opened(server.url(path, "ws" if path == "/ws" else "http"), silent_s=0.05)

    with pytest.raises(Disconnected, match=r"^nothing came from 127.0.0.1:\d+ within 0.05 s$"):
        await socket.receive()


async def test_a_closing_says_its_code_and_words(server: Server, opened: Open) -> None:
    """Also for the frame after the last one, however often it is asked for."""

    async def end(socket: web.WebSocketResponse, request: web.Request) -> None:
        await socket.close(code=4003, message=b"one connection only")

    server.talk = end
    socket = await opened(server.url("/ws"))
    with pytest.raises(Disconnected, match=r"closed the connection with 4003: one connection only") as caught:
        await socket.receive()
    assert 4003 == caught.value.code
    with pytest.raises(Disconnected):
        await socket.receive()
    with pytest.raises(Disconnected):
        await socket.send("x")


async def test_a_cut_connection_has_ended(server: Server, opened: Open) -> None:
    """The server's end of the line goes away in the middle of everything."""

    async def cut(socket: web.WebSocketResponse, request: web.Request) -> None:
        await socket.send_str("first")
        assert request.transport is not None
        request.transport.abort()

    server.talk = cut
    socket = await opened(server.url("/ws"))

    assert "first" == await socket.receive()
    with pytest.raises(Disconnected):
        await socket.receive()


@pytest.mark.parametrize("scheme", ["ws", "http"])
@pytest.mark.parametrize(("status", "headers"), [(401, {}), (429, {"Retry-After": "7"}), (302, {"Location": "/ws"})])
async def test_a_refused_connection_says_with_what(
    server: Server, opened: Open, scheme: str, status: int, headers: dict[str, str]
) -> None:
    """Status, headers and words, without secrets; a redirect is not followed."""
    server.refusal = web.Response(status=status, text=f"no, {SECRET}", headers=headers)
    with pytest.raises(Disconnected, match=f"answered with HTTP {status} instead of a stream") as caught:
        await opened(server.url("/refuse", scheme), secrets={"token": SECRET})

    answer = caught.value.answer
    assert answer is not None
    assert (status, b"no, ***") == (answer.status, answer.body)
    assert headers.get("Retry-After") == answer.headers.get("retry-after")
    assert all(spelling not in str(answer) for spelling in SPELLINGS)
    assert 1 == len(server.seen)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ws://127.0.0.1:1/x", "^no connection to 127.0.0.1:1: refused$"),
        ("http://127.0.0.1:1/x", "^no connection to 127.0.0.1:1: refused$"),
        ("ftp://127.0.0.1/", "^the address is not a valid ws, wss, http or https URL$"),
        ("ws://user:pass@127.0.0.1/", "^the address is not a valid"),
        ("ws://", "^the address is not a valid"),
    ],
)
async def test_no_connection_has_its_reason(opened: Open, url: str, reason: str) -> None:
    """Words that hold the host and no secret."""
    with pytest.raises(Disconnected, match=reason) as caught:
        await opened(url, secrets={"token": SECRET})

    assert (None, None) == (caught.value.__cause__, caught.value.__context__)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"", "closed the connection before it answered"),
        (b"SSH-2.0-OpenSSH_9.7\r\n\r\n", "was not readable as HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "answered, and not as a WebSocket does"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", "answered, and not"),
    ],
    ids=["hang-up", "no HTTP", "no upgrade", "no key"],
)
async def test_what_is_no_websocket_is_none(opened: Open, reply: bytes, reason: str) -> None:
    """A server that speaks something else."""
    async with raw(reply) as url:
        with pytest.raises(Disconnected, match=reason):
            await opened(url, secrets={"token": SECRET})


async def test_a_slow_handshake_is_given_up() -> None:
    """A server that takes the connection and says nothing."""
    async with raw(None) as url:
        with pytest.raises(Disconnected, match=r"no connection to 127\.0\.0\.1:\d+ within 0\.05 s"):
            await AiohttpSockets(timeout_s=0.05).connect(Endpoint(url=url), silent_s=1, max_frame_bytes=1000)


async def test_events_are_frames(server: Server, opened: Open) -> None:
    """The data of each event, of several lines too; comments and other fields are none, and the end says so."""
    server.events = (b": hello\n\ndata: [1", b",2]\n\nevent: x\r\ndata:a\r\ndata: b\r\n\r\n", b"data: cut")
    socket = await opened(server.url("/sse", "http"), headers={"X-Plain": "yes"})
    await socket.send("nobody listens")

    assert ["[1,2]", "a\nb"] == [await socket.receive(), await socket.receive()]
    with pytest.raises(Disconnected, match="ended the stream"):
        await socket.receive()
    assert "text/event-stream" == server.seen[0].headers["Accept"]


@pytest.mark.parametrize("event", [b"data: " + b"x" * 100_001, b"data: xxxxxxxxx\n" * 20_000], ids=["line", "lines"])
async def test_an_event_beyond_the_limit_ends_the_connection(server: Server, opened: Open, event: bytes) -> None:
    """One line of it, or all of them together."""
    server.events = (event,)
    socket = await opened(server.url("/sse", "http"))

    with pytest.raises(Disconnected, match="a frame was larger than 100000 bytes"):
        await socket.receive()


async def test_a_reader_that_is_slow_holds_the_server_back(server: Server, opened: Open) -> None:
    """The server has not said everything before the first frame is received."""
    said: list[int] = []

    async def flood(socket: web.WebSocketResponse, request: web.Request) -> None:
        for number in range(2000):
            await socket.send_bytes(bytes(50_000))
            said.append(number)

    server.compress, server.talk = False, flood
    socket = await opened(server.url("/ws"))
    await asyncio.sleep(0.3)
    held = len(said)

    assert held < 1000
    assert [50_000] * 2000 == [len(await socket.receive()) for _ in range(2000)]
