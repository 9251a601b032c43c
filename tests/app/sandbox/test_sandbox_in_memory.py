"""A provider driven without a socket: the same routes and answers as over one, and the same silence about secrets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from small_tape import small_dataset

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Reply
from truetape.app.sandbox.desks import NAMES, desk
from truetape.app.sandbox.faults import Fault, Kind
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp, routed
from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Unreachable
from truetape.providers import vendor

SECRET = "s3cr3t/key+of=mine"
PATHS = (
    "/stock/candle",
    "/api/v1/quote",
    "/query",
    "/v8/finance/chart/BRK-B",
    "/v8/finance/chart/%5EGSPC",
    "/v8/finance/chart/BTC%2FUSD",
    "/v8/finance/chart/",
    "/stable/stock/AAPL/chart/1m",
    "/stock/AAPL/chart/1m/2",
    "/../../etc",
    "/",
)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def ask_finnhub(http: InMemoryHttp, *, key: str = SECRET, symbol: str = "AAA") -> Answer:
    provider = vendor("finnhub").provider(http, base_url=f"{ROOT}/finnhub", key=key)
    ask = Ask(kind="bars", symbol=symbol, start=date(2012, 3, 1), end=date(2012, 3, 2))
    answer: Answer = await provider.client.fetch(ask)
    return answer


async def nothing(_request: web.Request) -> web.Response:
    return web.Response()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", PATHS)
async def test_paths_are_routed_as_by_the_server(name: str, path: str) -> None:
    """A path finds the same variables, or nothing, as in the server's router."""
    application = web.Application()
    for route in desk(name).routes:
        application.router.add_get(route, nothing)
    found = await application.router.resolve(make_mocked_request("GET", path))

    assert (None if found.http_exception else dict(found)) == routed(desk(name).routes, path)


async def test_a_desk_answers_in_process(dataset: Dataset) -> None:
    """The provider's own decoder reads the rows asked for; the answer is marked as simulated and dated."""
    answer = await ask_finnhub(InMemoryHttp(dataset))
    rows = vendor("finnhub").decode.bars(answer.body, Ask(kind="bars", symbol="AAA"))

    assert [date(2012, 3, 1), date(2012, 3, 2)] == rows["ts_event"].dt.date().to_list()[-2:]
    assert [40.43, 40.44] == rows["close"].to_list()[-2:]
    assert ("true", "Sat, 24 Mar 2012 00:00:00 GMT") == (answer.headers["x-truetape-simulated"], answer.headers["date"])


async def test_a_key_opens_the_desk_and_is_not_shown(dataset: Dataset) -> None:
    """The key reaches the desk and is hidden where it comes back; without one the desk refuses."""
    told: list[Reply] = []

    def echo(request: Request, reply: Reply) -> Reply:
        told.append(reply)
        key = request.secret_headers["X-Finnhub-Token"]
        return Reply(reply.status, f"your key is {key}".encode(), reply.content_type, {"X-Key": key})

    answer = await ask_finnhub(InMemoryHttp(dataset, tamper=echo))
    refused = await ask_finnhub(InMemoryHttp(dataset), key="")

    assert (200, 401) == (told[0].status, refused.status)
    assert (b"your key is ***", "***") == (answer.body, answer.headers["x-key"])
    assert SECRET not in repr(answer)


async def test_faults_of_the_script_are_met(dataset: Dataset) -> None:
    """Scripted faults are answered as over a socket; an answer that would never be whole is none."""
    script = (
        Fault(provider="finnhub", kind="rate_limit", retry_after_s=7, first=1),
        Fault(provider="finnhub", kind="time_out", first=2),
        Fault(provider="finnhub", kind="truncated", length="long", first=3),
    )
    http = InMemoryHttp(dataset, script=script)
    throttled = await ask_finnhub(http)

    assert (429, "7", "1332547207") == (
        throttled.status,
        throttled.headers["retry-after"],
        throttled.headers["x-ratelimit-reset"],
    )
    with pytest.raises(Unreachable, match="no complete answer about 'AAA' within 3 s"):
        await ask_finnhub(http)
    with pytest.raises(Unreachable, match="the body ended early"):
        await ask_finnhub(http)
    assert ["rate_limit", "time_out", "truncated"] == [one.fault for one in http.served]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("kill", "the body ended early"),
        ("mute", "no complete answer about 'AAA'"),
        ("slow", "no complete answer about 'AAA'"),
        ("redirect_loop", "redirected in a circle"),
        ("bomb", "larger than could be unfolded"),
    ],
)
async def test_what_a_socket_would_break_is_unreachable(dataset: Dataset, kind: Kind, words: str) -> None:
    """Faults that no whole answer comes of are told as over a socket; the next answer is sound."""
    http = InMemoryHttp(dataset, script=(Fault(provider="finnhub", kind=kind),))

    with pytest.raises(Unreachable, match=words):
        await ask_finnhub(http)
    assert 200 == (await ask_finnhub(http)).status


async def test_what_no_desk_answers_is_refused(dataset: Dataset) -> None:
    """An unknown provider cannot be reached, an unknown path is not found, an oversized body is not read."""
    http = InMemoryHttp(dataset, max_bytes=20)

    with pytest.raises(Unreachable, match="no desk is called 'nobody'"):
        await http.send(Request(url=f"{ROOT}/nobody/x"))
    lost = await http.send(Request(url=f"{ROOT}/yahoo/x"))
    assert (404, b"404: Not Found") == (lost.status, lost.body)
    with pytest.raises(Unreachable, match="larger than 20 bytes"):
        await ask_finnhub(http)
