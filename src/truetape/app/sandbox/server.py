"""The sandbox's server: the providers' URL spaces under one port, and a report of the faults that were met."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from truetape.app.sandbox.answers import Answers, Plan, Served
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query, query
from truetape.app.sandbox.desks import NAMES, desk
from truetape.app.sandbox.faults import Fault, Script, unmet
from truetape.app.sandbox.nonsense import CIRCLE
from truetape.app.sandbox.streams.market import Market
from truetape.app.sandbox.streams.sockets import Sockets
from truetape.app.sandbox.streams.tape import Tape
from truetape.domain.asks import SIMULATED_HEADER
from truetape.domain.errors import BadInput, PortInUse

_LAST_SERVED: Final = 200
_STOP_WITHIN_S: Final = 0.1
_DRIPS: Final = 50  # pieces of a body that comes slowly
_LONGEST_LINE: Final = 4096  # bytes of a request's first line


class Sandbox:
    """Serve a dataset as its providers would, with faults.

    Args:
        dataset: The truth.
        script: The faults, in the order in which they are looked up.
        seed: Chooses the rows that data faults hit, where answers are cut, and what stands in order books.
        speed: How many times faster than life streams play the dataset's last day; 0 as fast as possible.

    Raises:
        BadInput: A fault names a symbol that the dataset has not, or the speed cannot be kept.
    """

    def __init__(self, dataset: Dataset, script: Script = (), *, seed: int = 7, speed: float = 0.0) -> None:
        lost = unmet(script, dataset.symbols)
        if lost:
            fix = f"The dataset has {', '.join(dataset.symbols[:20])}; name one of them, or * for all."
            raise BadInput(parameter="--faults", value=lost[0].symbol, fix=fix)
        self.dataset = dataset
        self.script = script
        self.seed = seed
        self.speed = speed
        self._answers = Answers(dataset, script, seed=seed)
        self._market = Market(Tape(dataset, seed=seed), script, speed=speed)
        self._today = dataset.end
        self._runner: web.AppRunner | None = None

    @property
    def served(self) -> list[Served]:
        """What was asked and which faults were injected, oldest first; the last 10,000 requests."""
        return list(self._answers.served)

    @property
    def met(self) -> tuple[tuple[Fault, int], ...]:
        """Every fault of the script, in its order, with the number of answers or ticks that it hit."""
        times, hits = self._answers.times, self._market.trouble.hits
        return tuple((fault, times[place] + hits[place]) for place, fault in enumerate(self.script))

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen, and return the base URL; port 0 takes a free one.

        Raises:
            PortInUse: Another program listens there.
            BadInput: The host is no address of this machine, or the port cannot be opened.
        """
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_STOP_WITHIN_S,
            max_line_size=_LONGEST_LINE,
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
        except OSError as error:
            await runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(address=f"{host}:{port}") from None
            fix = f"The sandbox cannot listen there: {error.strerror}. Choose another --host or --port."
            raise BadInput(parameter="--host", value=f"{host}:{port}", fix=fix) from None
        self._runner = runner
        listening = runner.addresses[0][1]
        return f"http://[{host}]:{listening}" if ":" in host else f"http://{host}:{listening}"

    async def stop(self) -> None:
        """Close the port and drop every connection; may be called twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application()
        for provider in NAMES:
            for path in desk(provider).routes:
                method = "POST" if desk(provider).posted else "GET"
                application.router.add_route(method, f"/{provider}{path}", self._serving(provider))
        application.router.add_get("/faults", self._report, allow_head=False)
        Sockets(self._market).add_to(application)
        application.router.add_get(CIRCLE, _around, allow_head=False)
        return application

    def _serving(self, provider: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            asked = _query(provider, request, today=self._today, body=await request.read())
            plan = self._answers.plan(provider, asked, now_s=int(time.time()))
            self._answers.record(provider, asked, plan, question=_question(request, asked))
            if plan.hang_s:
                await asyncio.sleep(plan.hang_s)
            return await _send(request, plan)

        return serve

    async def _report(self, _request: web.Request) -> web.Response:
        answers = self._answers
        report = {
            "seed": self.seed,
            "dataset": self.dataset.name,
            "symbols": self.dataset.symbols,
            "requests": answers.total,
            "faults": [{**msgspec.to_builtins(fault), "answers": times} for fault, times in self.met],
            "served": [
                {**msgspec.to_builtins(one), "fault": one.fault} for one in list(answers.served)[-_LAST_SERVED:]
            ],
        }
        return web.Response(body=msgspec.json.encode(report), content_type="application/json")


def _query(provider: str, request: web.Request, *, today: date, body: bytes) -> Query:
    told = {"parts": request.match_info, "params": request.query, "headers": request.headers}
    return query(desk(provider), **told, today=today, body=body)


def _question(request: web.Request, asked: Query) -> str:
    return f"{request.path}?{urlencode(asked.params)}" if asked.params else request.path


async def _around(_request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": CIRCLE, SIMULATED_HEADER: "true"})


async def _send(request: web.Request, plan: Plan) -> web.StreamResponse:
    reply = plan.reply
    if not reply.status:
        return _dropped(request)
    headers = {**reply.headers, SIMULATED_HEADER: "true"}
    if plan.promised is None and not plan.drip_s:
        return web.Response(body=reply.body, status=reply.status, content_type=reply.content_type, headers=headers)
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_type = reply.content_type
    response.content_length = plan.promised if plan.promised is not None else len(reply.body)
    await response.prepare(request)
    for piece in _pieces(reply.body, plan):
        await response.write(piece)
        await asyncio.sleep(plan.drip_s / _DRIPS)
    if request.transport is not None:
        (request.transport.abort if plan.reset else request.transport.close)()
    return response


def _pieces(body: bytes, plan: Plan) -> list[bytes]:
    size = -(-len(body) // _DRIPS) if plan.drip_s else len(body)
    return [body[start : start + size] for start in range(0, len(body), max(size, 1))]


def _dropped(request: web.Request) -> web.StreamResponse:
    """Close the connection; the response returned is never sent."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
