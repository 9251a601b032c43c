"""What every HTTP client promises, against a server of our own on this machine."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from html import escape

import pytest
from aiohttp import web

from truetape.adapters.aiohttp_http import AiohttpHttp
from truetape.domain.asks import Request
from truetape.ports.http import Unreachable

SECRET = "s3cr3t/key+of=mine"
KEY = "ABCDEFGH12"  # that can be the name of a host
SPELLINGS = (SECRET, "s3cr3t%2Fkey%2Bof%3Dmine", "s3cr3t/key%2Bof%3Dmine")
OTHER_SPELLINGS = (
    "s3cr3t%2fkey%2bof%3dmine",
    "s3cr3t%252Fkey%252Bof%253Dmine",
    json.dumps({"key": SECRET}).replace("/", "\\/").replace("=", "\\u003d"),
    escape(SECRET).replace("/", "&#x2F;"),
    b64encode(SECRET.encode()).decode(),
    b64encode(f"user:{SECRET}".encode()).decode(),
)


@dataclass
class Server:
    """A server whose answer each test chooses; `seen` holds the requests that came."""

    url: str
    seen: list[web.BaseRequest]
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        running.seen.append(request)
        return await running.answer(request)

    async def nothing(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="nothing")

    runner = web.ServerRunner(web.Server(respond))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    running = Server(url=f"http://127.0.0.1:{runner.addresses[0][1]}", seen=[], answer=nothing)
    yield running
    await runner.cleanup()


@pytest.fixture(params=[AiohttpHttp])
async def http(request: pytest.FixtureRequest) -> AsyncIterator[AiohttpHttp]:
    client = request.param(timeout_s=1.0, max_bytes=100_000, max_redirects=3)
    yield client
    await client.close()


@pytest.fixture
async def raw() -> AsyncIterator[Callable[[bytes], Awaitable[str]]]:
    """Start servers that write given bytes, whatever they are, and hang up; gives each one's address."""
    servers = []

    async def start(reply: bytes) -> str:
        async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(respond, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield start
    for one in servers:
        one.close()
        await one.wait_closed()


def answering(**options: object) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(**options)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize("status", [200, 304, 404, 429, 503])
async def test_an_answer_comes_back_whatever_its_status(http: AiohttpHttp, server: Server, status: int) -> None:
    """Status, type, body and headers by their names in lower case."""
    headers = {"Retry-After": "7", "X-Note": "hello", "Set-Cookie": "session=1"}
    body = b"" if status == 304 else b"a,b\n"
    server.answer = answering(status=status, body=body, headers=headers, content_type="text/csv")
    answer = await http.send(Request(url=f"{server.url}/query", params={"symbol": "BRK.B", "from": "2005-02-28"}))
    assert (answer.status, answer.body, answer.content_type) == (status, body, "text/csv")
    assert (answer.headers["retry-after"], answer.headers["x-note"]) == ("7", "hello")
    assert "set-cookie" not in answer.headers
    assert answer.url == f"{server.url}/query?symbol=BRK.B&from=2005-02-28"
    assert answer.elapsed_s > 0


async def test_headers_of_one_name_are_joined(http: AiohttpHttp, server: Server) -> None:
    """Two Warning headers become one with a comma."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response()
        response.headers.add("Warning", "one")
        response.headers.add("Warning", "two")
        return response

    server.answer = answer
    assert (await http.send(Request(url=server.url))).headers["warning"] == "one, two"


async def test_secrets_are_sent_and_never_come_back(http: AiohttpHttp, server: Server) -> None:
    """In query and header they arrive as they are; where the server writes them back, stars stand for them."""

    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        echoed = " ".join([request.query["apikey"], request.headers["X-Token"], str(request.rel_url), *SPELLINGS])
        return web.Response(text=echoed, headers={"X-Echo": echoed})

    server.answer = echo
    request = Request(
        url=f"{server.url}/q",
        params={"symbol": "IBM"},
        secrets={"apikey": SECRET},
        secret_headers={"X-Token": SECRET},
    )
    answer = await http.send(request)
    assert server.seen[0].query["apikey"] == server.seen[0].headers["X-Token"] == SECRET
    assert answer.url == f"{server.url}/q?symbol=IBM"
    assert answer.body.startswith(b"*** *** /q?symbol=IBM&apikey=")
    for spelling in SPELLINGS:
        assert spelling not in str(answer)


@pytest.mark.parametrize("spelling", OTHER_SPELLINGS)
async def test_secrets_are_hidden_however_a_server_spells_them(
    http: AiohttpHttp, server: Server, spelling: str
) -> None:
    """In the body, in values and names of headers, in the type, and in the address that a redirect leads to."""

    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/":
            return web.Response(status=302, headers={"Location": f"/next?said={spelling}"})
        response = web.Response(text=f"<{spelling}>", headers={"X-Echo": f"<{spelling}>"})
        response.headers["Content-Type"] = f"text/plain; said={spelling}"
        return response

    server.answer = echo
    answer = await http.send(Request(url=server.url, secrets={"apikey": SECRET}))
    assert "***" in answer.url
    assert {0} == {str(part).count(spelling) for part in (answer.url, answer.headers, answer.content_type, answer.body)}
    assert 2 == answer.headers["x-echo"].count("<") + answer.body.decode().count("<")


async def test_a_key_said_back_without_its_scheme_is_hidden(http: AiohttpHttp, server: Server) -> None:
    """Of a header "Token KEY" a server may repeat the key alone."""

    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        scheme, key = request.headers["Authorization"].split(" ")
        return web.Response(text=f"{scheme}: the key {key} is not known")

    server.answer = echo
    request = Request(url=server.url, secret_headers={"Authorization": f"Token {SECRET}"})
    assert (await http.send(request)).body == b"Token: the key *** is not known"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "the body ended early"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", "the body ended early"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
            "the compressed body was garbled",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
            + gzip.compress(b"a" * 999, mtime=0)[:20],
            "the compressed body ended early",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2020\r\n\r\n"
            + gzip.compress(b"", mtime=0) * 101,
            "the compressed body had more than 100 parts",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope", "encoded as 'br'"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: " + b"x" * 30 + SECRET.encode() + b"\r\nContent-Length: 1\r\n\r\n.",
            r"encoded as 'x{30}\*\*\*'",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://s3cr3t.key.of.mine/\r\n\r\n",
            r"another place \(s3cr3t.key.of.mine:80",
        ),
        (b"HTTP/1.1 302 Found\r\nLocation: http://x." + KEY.encode() + b"/\r\n\r\n", r"another place \(x.\*\*\*:80"),
        (b"", "closed the connection before it answered"),
        (b"SSH-2.0-OpenSSH_9.7\r\n\r\n", "was not readable as HTTP"),
    ],
    ids=[
        "cut",
        "cut chunks",
        "no gzip",
        "cut gzip",
        "many parts",
        "not asked for",
        "key as encoding",
        "honest host",
        "key as host",
        "hang-up",
        "no HTTP",
    ],
)
async def test_an_incomplete_answer_is_none(
    http: AiohttpHttp, raw: Callable[[bytes], Awaitable[str]], reply: bytes, reason: str
) -> None:
    """Each way of failing has its words, without the secret and without an inner error that carries it."""
    address = await raw(reply)
    with pytest.raises(Unreachable, match=reason) as caught:
        await http.send(Request(url=address, secrets={"token": SECRET, "key": KEY}, secret_headers={"X-Token": SECRET}))
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    assert all(spelling not in caught.value.reason for spelling in SPELLINGS)


async def test_a_compressed_body_comes_back_plain(http: AiohttpHttp, server: Server) -> None:
    """Gzip, also in two members, and deflate are undone; an empty body needs no undoing."""
    plain = b"plain" * 100
    table = [
        ("gzip", gzip.compress(plain), plain),
        ("GZIP", gzip.compress(plain[:70]) + gzip.compress(plain[70:]), plain),
        ("deflate", zlib.compress(plain), plain),
        ("gzip", b"", b""),
    ]
    for encoding, packed, expected in table:
        server.answer = answering(body=packed, headers={"Content-Encoding": encoding})
        assert (await http.send(Request(url=server.url))).body == expected


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip bomb"])
async def test_a_body_beyond_the_limit_is_refused(http: AiohttpHttp, server: Server, packed: bool) -> None:
    """The limit counts what the body becomes: 100 MB in 100 kB are refused as 100,001 bytes are."""
    body = gzip.compress(bytes(100_000_000)) if packed else bytes(100_001)
    server.answer = answering(body=body, headers={"Content-Encoding": "gzip"} if packed else {})
    with pytest.raises(Unreachable, match="the body was larger than 100000 bytes"):
        await http.send(Request(url=server.url))
    server.answer = answering(body=bytes(100_000))
    assert len((await http.send(Request(url=server.url))).body) == 100_000


@pytest.mark.parametrize("part", ["head", "body"])
async def test_a_slow_answer_is_given_up(server: Server, part: str) -> None:
    """Nothing, or a body that drips for ever, ends after the time-out."""
    http = AiohttpHttp(timeout_s=0.1)

    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        if part == "body":
            await response.prepare(request)
        for _ in range(8):
            await asyncio.sleep(0.05)
            if part == "body":
                await response.write(b".")
        return response

    server.answer = slow
    with pytest.raises(Unreachable, match=r"no complete answer from 127\.0\.0\.1:\d+ within 0\.1 s"):
        await http.send(Request(url=server.url))
    await http.close()


async def test_a_redirect_on_the_same_host_is_followed(http: AiohttpHttp, server: Server) -> None:
    """Secrets go along, and the answer's address is the last one."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/old":
            return web.Response(status=301, headers={"Location": "/new?page=2#part"})
        return web.Response(text="here")

    server.answer = answer
    reply = await http.send(Request(url=f"{server.url}/old", secrets={"apikey": SECRET}))
    assert (reply.url, reply.body) == (f"{server.url}/new?page=2", b"here")
    assert server.seen[1].query["apikey"] == SECRET


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://elsewhere.example/", r"redirected to another place \(elsewhere.example:80\), which was not followed"),
        ("http://127.0.0.1:1/", r"redirected to another place \(127.0.0.1:1\)"),
        ("ftp://127.0.0.1/", "redirected to another place"),
        ("http://[broken/", "redirected to an address that is none"),
        ("/again", "redirected more than 3 times"),
    ],
)
async def test_a_redirect_that_leads_away_is_not_followed(
    http: AiohttpHttp, server: Server, location: str, reason: str
) -> None:
    """Another host, another port, another protocol, no address, or a circle."""
    server.answer = answering(status=302, headers={"Location": location})
    with pytest.raises(Unreachable, match=reason):
        await http.send(Request(url=server.url, secrets={"apikey": SECRET}))


async def test_a_redirect_without_an_address_is_an_answer(http: AiohttpHttp, server: Server) -> None:
    """Its status tells the client what it is."""
    server.answer = answering(status=302)
    assert (await http.send(Request(url=server.url))).status == 302


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/x", "^no connection to 127.0.0.1:1: refused$"),
        ("http://no-such-host.invalid/x", "^the name of no-such-host.invalid:80 was not resolved$"),
        ("ftp://127.0.0.1/x", "^the address is not a valid http or https URL$"),
        ("http://user:password@127.0.0.1/x", "^the address is not a valid http or https URL$"),
        ("nonsense", "^the address is not a valid http or https URL$"),
        ("http://[broken/", "^the address is not a valid http or https URL$"),
    ],
)
async def test_a_place_that_cannot_be_reached_is_named(http: AiohttpHttp, url: str, reason: str) -> None:
    """The reason names the host and never the rest of the address."""
    with pytest.raises(Unreachable, match=reason):
        await http.send(Request(url=url, secrets={"apikey": SECRET}))


async def test_a_server_without_tls_gives_no_secure_connection(http: AiohttpHttp, server: Server) -> None:
    """Asking a plain server for https says so."""
    with pytest.raises(Unreachable, match=r"no secure connection to 127\.0\.0\.1"):
        await http.send(Request(url=server.url.replace("http:", "https:")))


async def test_a_header_that_cannot_be_sent_is_refused_without_showing_it(http: AiohttpHttp, server: Server) -> None:
    """A key pasted with a line feed is not sent, and not shown."""
    with pytest.raises(Unreachable, match=r"^the request has a header or parameter that cannot be sent$"):
        await http.send(Request(url=server.url, secret_headers={"X-Token": f"{SECRET}\nX-Evil: 1"}))


async def test_cookies_are_not_kept(http: AiohttpHttp, server: Server) -> None:
    """A second request carries none of the first answer's cookies."""
    server.answer = answering(headers={"Set-Cookie": "session=1"})
    for _ in range(2):
        await http.send(Request(url=server.url))
    assert "Cookie" not in server.seen[1].headers


async def test_closing_twice_is_fine(http: AiohttpHttp) -> None:
    """Also without a request ever sent."""
    await http.close()
    await http.close()
