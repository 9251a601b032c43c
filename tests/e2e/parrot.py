"""A server between us and a sandbox that says back every key that it is told, in every spelling and everywhere."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Self
from urllib.parse import quote, quote_plus

import aiohttp
from aiohttp import WSMsgType, web
from leak_search import spellings
from yarl import URL

FAITHFUL, MIXED, KILL = "faithful", "mixed", "kill"
NOTHING = ["no key"] * 2


class Parrot:
    """Answers at /{manner}/{provider}/...: a manner of ALL_MANNERS, or FAITHFUL, or MIXED for bad ones by turns.

    `heard` holds the secrets that came, by provider.
    """

    def __init__(self, sandbox: str, secrets: Iterable[str]) -> None:
        self._sandbox = sandbox
        self._secrets = tuple(secrets)
        self._turns: Counter[str] = Counter()
        self.heard: dict[str, set[str]] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        application = web.Application()
        application.router.add_route("*", "/{manner}/{provider}/{tail:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        manner, provider = request.match_info["manner"], request.match_info["provider"]
        came = "\n".join([*request.query.values(), *request.headers.values()])
        said = self._hear(provider, came)
        if request.headers.get("Upgrade", "").lower() == "websocket" or "/stream" in request.path:
            return await self._talk(request, provider, said)
        if manner == MIXED:
            turn = self._turns[provider]
            self._turns[provider] += 1
            bad = ALL_MANNERS[(turn // 2 + sum(provider.encode())) % len(ALL_MANNERS)]
            manner = bad if turn % 2 else FAITHFUL
        if manner == FAITHFUL:
            return await self._faithful(request, provider, said)
        return await _killed(request, said) if manner == KILL else MANNERS[manner](request, said or NOTHING)

    def _hear(self, provider: str, came: str) -> list[str]:
        said = [one for one in self._secrets if one in came]
        self.heard.setdefault(provider, set()).update(said)
        return [form for one in said for form in spellings(one).values()]

    async def _faithful(self, request: web.Request, provider: str, said: list[str]) -> web.Response:
        """Answer as the sandbox does, with a header and a field that say the key back."""
        asked = request.rel_url.without_query_params("said", "raw", "again")
        tail = asked.raw_path_qs.split(provider, 1)[1]
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        url = URL(f"{self._sandbox}/{provider}{tail}", encoded=True)
        async with self._session.request(request.method, url, headers=headers, data=await request.read()) as answer:
            body = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower().startswith(("x-", "retry"))}
            if body.startswith(b"{") and body != b"{}":
                body = b'{"said_back":' + json.dumps(said).encode() + b"," + body[1:]
            echoed = {**kept, "X-Echo": " ".join(said), "Content-Type": answer.headers["Content-Type"]}
            return web.Response(status=answer.status, body=body, headers=echoed)

    async def _talk(self, request: web.Request, provider: str, said: list[str]) -> web.StreamResponse:
        """Say back in frames, of both kinds, what came with the request and in each frame; then close with words."""
        if "text/event-stream" in request.headers.get("Accept", ""):
            events = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await events.prepare(request)
            for frame in _frames(said):
                await events.write(b"data: " + frame.encode() + b"\n\n")
            return events
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        for frame in _frames(said):
            await socket.send_str(frame)
        async for message in socket:
            text = message.data if message.type is WSMsgType.TEXT else message.data.decode(errors="replace")
            said += self._hear(provider, text.replace("\\", ""))
            for frame in (text, *_frames(said)):
                await socket.send_str(frame)
                await socket.send_bytes(frame.encode())
            if said:
                await socket.close(code=4001, message=said[0].encode()[:120])
        return socket


def _frames(said: list[str]) -> list[str]:
    """Return refusals in the manner of every provider, with each spelling in the place of its words."""
    words = [f"no such key: {one}" for one in said]
    shapes: list[Callable[[str], object]] = [
        lambda text: {"type": "error", "msg": text, "message": text},
        lambda text: [{"T": "error", "code": 402, "msg": text}],
        lambda text: [{"ev": "status", "status": "auth_failed", "message": text}],
        lambda text: {"messageType": "E", "response": {"code": 401, "message": text}},
        lambda text: {"messageType": "I", "response": {"code": 200, "message": text}},
        lambda text: text,
    ]
    return [json.dumps(shape(text)) for shape in shapes for text in words] + words


def _json(said: list[str]) -> bytes:
    text = "your key is " + " ".join(said)
    names = ("error", "message", "Error Message", "Information", "Note", "detail", "error_message", "status")
    return json.dumps(dict.fromkeys(names, text) | {"code": 401, "s": text}).encode()


def _refusing(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(status=401, body=_json(said), content_type="application/json")


def _pressed(request: web.Request, said: list[str]) -> web.Response:
    headers = {"Retry-After": "0", "X-RateLimit-Remaining": " ".join(said), "WWW-Authenticate": said[0] if said else ""}
    return web.Response(status=429, text=" ".join(said), headers=headers)


def _page(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(text=f"<html><title>{' '.join(said)}</title><body>{request.rel_url}</body></html>")


def _around(request: web.Request, said: list[str]) -> web.Response:
    if "said" in request.query:
        return web.Response(status=404, body=_json(said), content_type="application/json")
    told = "&".join(f"said={quote(one, safe='')}&raw={one}" for one in said)
    return web.Response(status=302, headers={"Location": f"{request.rel_url}?said=1&{told}"})


def _circle(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{request.rel_url.raw_path}?again={quote_plus(said[0])}"})


def _away(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(status=302, headers={"Location": f"http://{_host(said)}.invalid/?key={said[1]}"})


def _nowhere(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(status=302, headers={"Location": f"http://[{said[0]}/?key={said[0]}"})


def _host(said: list[str]) -> str:
    return "".join(one for one in said[0] if one.isalnum())


def _garbage(request: web.Request, said: list[str]) -> web.Response:
    body = b"\xff\x00{[" + b"\x00\xfe".join(one.encode() for one in said)
    return web.Response(body=body, content_type="application/json")


def _zipped(request: web.Request, said: list[str]) -> web.Response:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(status=500, body=gzip.compress(_json(said)), headers=headers)


def _encoded(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(body=b"x", headers={"Content-Encoding": said[0], "Content-Type": said[1]})


def _listed(request: web.Request, said: list[str]) -> web.Response:
    return web.Response(body=json.dumps([{"symbol": one, "error": one} for one in said]).encode())


def _table(request: web.Request, said: list[str]) -> web.Response:
    rows = "".join(f'"{one}",{one},1\n' for one in said)
    return web.Response(text=f"timestamp,open,{said[0]}\n{rows}", content_type="text/csv")


async def _killed(request: web.Request, said: list[str]) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = 1_000_000
    await response.prepare(request)
    await response.write(_json(said))
    assert request.transport is not None
    request.transport.abort()
    return response


MANNERS: dict[str, Callable[[web.Request, list[str]], web.Response]] = {
    "refusing": _refusing,
    "pressed": _pressed,
    "page": _page,
    "around": _around,
    "circle": _circle,
    "away": _away,
    "nowhere": _nowhere,
    "garbage": _garbage,
    "zipped": _zipped,
    "encoded": _encoded,
    "listed": _listed,
    "table": _table,
}
ALL_MANNERS = (*MANNERS, KILL)
