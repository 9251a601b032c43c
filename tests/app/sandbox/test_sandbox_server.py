"""The sandbox over real HTTP: true formats, every fault on the wire, repeatable, and accounted for."""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import polars as pl
import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.faults import Fault, Script
from truetape.app.sandbox.server import Sandbox
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask
from truetape.domain.errors import BadInput, PortInUse

PATHS = {
    "alpha_vantage": "/alpha_vantage/query?function=TIME_SERIES_DAILY_ADJUSTED&symbol={}&outputsize=full&apikey=k3y",
    "finnhub": "/finnhub/api/v1/stock/candle?symbol={}&resolution=D&from=0&to=1893456000&token=k3y",
    "iex_cloud": "/iex_cloud/v1/stock/{}/chart/max?token=k3y",
    "yahoo": "/yahoo/v8/finance/chart/{}?range=max&interval=1d&events=div,splits",
}
BASIS = {"alpha_vantage": "raw", "finnhub": "split", "iex_cloud": "raw", "yahoo": "split"}
PRICES = ("open", "high", "low", "close")


@dataclass
class Line:
    """A connection to a running sandbox."""

    sandbox: Sandbox
    url: str
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        async with self.session.get(self.url + path, headers=headers) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return response.status, await response.read(), headers

    async def ask(self, provider: str, symbol: str = "AAA") -> tuple[int, bytes, dict[str, str]]:
        return await self.get(PATHS[provider].format(symbol))

    async def rows(self, provider: str, symbol: str = "AAA") -> pl.DataFrame:
        return decoded(provider, "bars", (await self.ask(provider, symbol))[1])


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


@asynccontextmanager
async def running(dataset: Dataset, *script: Fault, seed: int = 7) -> AsyncIterator[Line]:
    sandbox = Sandbox(dataset, script, seed=seed)
    url = await sandbox.start()
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            yield Line(sandbox, url, session)
    finally:
        await sandbox.stop()


def decoded(provider: str, kind: str, body: bytes) -> pl.DataFrame:
    """What the provider's own decoder reads."""
    decode = importlib.import_module(f"truetape.providers.{provider}.decode")
    ask = Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=weekdays()[-1])
    frame: pl.DataFrame = getattr(decode, kind)(body, ask)
    return frame


@pytest.mark.parametrize("symbol", ["AAA", "BBB"])
@pytest.mark.parametrize("provider", sorted(PATHS))
async def test_each_provider_tells_the_truth_in_its_own_basis(dataset: Dataset, provider: str, symbol: str) -> None:
    """What a client decodes is the dataset, raw or split-adjusted as the provider has it."""
    async with running(dataset) as line:
        rows = await line.rows(provider, symbol)
    truth = getattr(view(dataset.series[symbol]), BASIS[provider])

    assert [BASIS[provider]] == rows["basis"].unique().to_list()
    assert truth["ts_event"].to_list() == rows["ts_event"].to_list()
    for name in (*PRICES, "volume"):
        assert truth[name].to_list() == pytest.approx(rows[name].to_list(), rel=1e-12), name
    if provider != "finnhub":
        assert truth["adj_close"].to_list() == pytest.approx(rows["adj_close"].to_list(), rel=1e-6)


@pytest.mark.parametrize(("provider", "early_dividend"), [("alpha_vantage", 0.5), ("yahoo", 0.25)])
async def test_actions_are_told_in_the_providers_basis(dataset: Dataset, provider: str, early_dividend: float) -> None:
    """The dividend before the split is 0.50 as paid, and 0.25 per share of today's count."""
    async with running(dataset) as line:
        body = (await line.ask(provider))[1]
    actions = decoded(provider, "actions", body).sort("ex_date")

    assert ["dividend", "split", "dividend"] == actions["type"].to_list()
    assert [early_dividend, 2.0, 0.25] == actions["value"].to_list()
    assert SPLIT == actions["ex_date"][1]


@pytest.mark.parametrize("prefix", ["/finnhub", "/finnhub/api/v1"])
async def test_a_key_may_travel_in_a_header(dataset: Dataset, prefix: str) -> None:
    """Finnhub takes its token in the query or in a header; without one it refuses."""
    async with running(dataset) as line:
        refused, _, _ = await line.get(f"{prefix}/quote?symbol=AAA")
        status, body, _ = await line.get(f"{prefix}/quote?symbol=AAA", **{"X-Finnhub-Token": "k3y"})

    assert (refused, status) == (401, 200)
    assert json.loads(body)["c"] == 40.59


async def test_unknown_symbols_and_paths(dataset: Dataset) -> None:
    """They are answered, and do not count as requests of a known symbol."""
    async with running(dataset, Fault(provider="*", kind="rate_limit")) as line:
        unknown = [(await line.ask(provider, "ZZZ"))[0] for provider in sorted(PATHS)]
        elsewhere = (await line.get("/bloomberg"))[0]
        served = line.sandbox.served

    assert [200, 200, 404, 404] == unknown
    assert elsewhere == 404
    assert [("ZZZ", 0, "")] * 4 == [(one.symbol, one.request, one.fault) for one in served]


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("alpha_vantage", b'"Note"'),
        ("finnhub", b'{"error":"API limit reached'),
        ("iex_cloud", b"Too many requests"),
        ("yahoo", b"Too Many Requests\r\n"),
    ],
)
async def test_rate_limits_pass(dataset: Dataset, provider: str, body: bytes) -> None:
    """Two requests get status 429 with Retry-After, the third gets the data."""
    fault = Fault(provider="*", kind="rate_limit", times=2, retry_after_s=7)
    async with running(dataset, fault) as line:
        answers = [await line.ask(provider) for _ in range(3)]

    assert [429, 429, 200] == [status for status, _, _ in answers]
    assert body in answers[0][1]
    assert answers[0][2]["retry-after"] == "7"
    assert ("x-ratelimit-reset" in answers[0][2]) is (provider == "finnhub")


@pytest.mark.parametrize(
    ("provider", "quota", "body"),
    [
        ("alpha_vantage", False, b'{"Note":"'),
        ("alpha_vantage", True, b'{"Information":"'),
        ("finnhub", False, b'{"error":"'),
        ("iex_cloud", False, b"Too many"),
        ("yahoo", False, b"<html>"),
    ],
)
async def test_errors_with_status_200(dataset: Dataset, provider: str, quota: bool, body: bytes) -> None:
    """The status says nothing; the body does."""
    async with running(dataset, Fault(provider="*", kind="note", quota=quota)) as line:
        first, second = await line.ask(provider), await line.ask(provider)

    assert (200, 200) == (first[0], second[0])
    assert first[1].startswith(body)
    assert len(second[1]) > 2_000


async def test_server_errors(dataset: Dataset) -> None:
    """The gateway's page has the fault's status."""
    async with running(dataset, Fault(provider="yahoo", kind="server_error", status=502, times=0)) as line:
        answers = [await line.ask("yahoo") for _ in range(3)]
        other = await line.ask("finnhub")

    assert [(502, "text/html")] * 3 == [(one[0], one[2]["content-type"]) for one in answers]
    assert answers[0][1].startswith(b"<html>")
    assert other[0] == 200


async def test_time_outs(dataset: Dataset) -> None:
    """Nothing comes while the client's patience lasts, and the next request is answered."""
    async with running(dataset, Fault(provider="yahoo", kind="time_out", seconds=60)) as line:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await line.ask("yahoo")
        status, _, _ = await line.ask("yahoo")
        served = line.sandbox.served

    assert status == 200
    assert [("time_out", 0, 0), ("", 200, 1)] == [(one.fault, one.status, one.size and 1) for one in served]


async def test_a_patient_client_is_dropped(dataset: Dataset) -> None:
    """When the time is up the connection is closed, and not a byte has come."""
    async with running(dataset, Fault(provider="yahoo", kind="time_out", seconds=0.1)) as line:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(line.url.rpartition(":")[2]))
        writer.write(b"GET /yahoo/v8/finance/chart/AAA HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        received = await asyncio.wait_for(reader.read(), timeout=3)
        writer.close()
        await writer.wait_closed()

    assert received == b""


async def test_stopping_does_not_wait_for_what_hangs(dataset: Dataset) -> None:
    """A server that hangs for a minute still stops at once, and may be stopped twice."""
    async with running(dataset, Fault(provider="yahoo", kind="time_out", seconds=60)) as line:
        hanging = asyncio.ensure_future(line.ask("yahoo"))
        await asyncio.sleep(0.1)
        begun = asyncio.get_running_loop().time()
        await line.sandbox.stop()
        await line.sandbox.stop()
        took = asyncio.get_running_loop().time() - begun
        with pytest.raises(aiohttp.ClientError):
            await hanging

    assert took < 3


@pytest.mark.parametrize("provider", sorted(PATHS))
async def test_truncated_bodies(dataset: Dataset, provider: str) -> None:
    """A part of the JSON arrives: whole by its Content-Length, or cut off in the middle of a longer one."""
    right = Fault(provider="*", kind="truncated")
    long = Fault(provider="*", kind="truncated", first=2, length="long")
    async with running(dataset, right, long) as line:
        status, part, headers = await line.ask(provider)
        with pytest.raises(aiohttp.ClientPayloadError):
            await line.ask(provider)
        _, whole, _ = await line.ask(provider)

    assert status == 200
    assert len(part) == int(headers["content-length"])
    assert whole.startswith(part)
    assert len(whole) > len(part)


@pytest.mark.parametrize("change", ["rename", "type"])
@pytest.mark.parametrize("provider", sorted(PATHS))
async def test_drifted_schemas_cannot_be_decoded(dataset: Dataset, provider: str, change: str) -> None:
    """The body is sound JSON of status 200, and no longer what the decoder expects."""
    from truetape.domain.errors import UndecodablePayload

    fault = Fault(provider="*", kind="drift", change=change)  # type: ignore[arg-type]
    async with running(dataset, fault) as line:
        status, body, _ = await line.ask(provider)

    assert status == 200
    assert json.loads(body)
    with pytest.raises(UndecodablePayload):
        decoded(provider, "bars", body)


@pytest.mark.parametrize("provider", sorted(PATHS))
async def test_spoiled_rows_can_be_decoded(dataset: Dataset, provider: str) -> None:
    """Rows are missing, or 100 times too high, or stale; what else is told stays true, and the count is on record."""
    faults: Script = (
        Fault(provider="*", kind="missing_rows", times=1),
        Fault(provider="*", kind="hundredfold", first=2, times=1),
        Fault(provider="*", kind="stale", first=3, times=1, sessions=4),
    )
    async with running(dataset, *faults) as line:
        missing, hundredfold, stale, good = [await line.rows(provider) for _ in range(4)]
        served = line.sandbox.served
    ratio = hundredfold["close"] / good["close"]

    assert len(good) - len(missing) == 3
    assert [100.0, 100.0] == pytest.approx(ratio.filter(ratio > 1.5).to_list())
    assert stale["close"].tail(5).n_unique() == 1
    assert stale.head(56).equals(good.head(56))
    assert [3, 2, 4] == [one.injected[0].rows for one in served[:3]]
    assert served[3].fault == ""


@pytest.mark.parametrize(
    ("provider", "how", "ratio"),
    [
        ("yahoo", "missed", 2.0),
        ("yahoo", "twice", 0.5),
        ("finnhub", "missed", 2.0),
        ("alpha_vantage", "missed", 0.5),
        ("iex_cloud", "twice", 0.5),
    ],
)
async def test_a_missed_split_on_the_wire(dataset: Dataset, provider: str, how: str, ratio: float) -> None:
    """All 30 sessions before the split are off by its ratio; a symbol without a split is left alone."""
    fault = Fault(provider="*", kind="missed_split", how=how, times=1)  # type: ignore[arg-type]
    async with running(dataset, fault) as line:
        spoilt, good = await line.rows(provider), await line.rows(provider)
        await line.ask(provider, "BBB")
        served = line.sandbox.served

    assert [ratio] * 30 + [1.0] * 30 == pytest.approx((spoilt["close"] / good["close"]).to_list())
    assert ["missed_split", "", ""] == [one.fault for one in served]


async def test_the_same_seed_and_questions_give_the_same_bytes(dataset: Dataset) -> None:
    """Two sandboxes of one seed cannot be told apart; another seed hits other rows."""
    script = (
        Fault(provider="yahoo", kind="truncated"),
        Fault(provider="*", kind="hundredfold"),
        Fault(provider="*", kind="missing_rows"),
    )

    async def bodies(seed: int) -> list[bytes]:
        async with running(dataset, *script, seed=seed) as line:
            return [(await line.ask(provider))[1] for _ in range(2) for provider in sorted(PATHS)]

    first, again, other = [await bodies(seed) for seed in (7, 7, 8)]

    assert first == again
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


async def test_every_fault_is_accounted_for(dataset: Dataset) -> None:
    """The report says how often each fault was met and what was asked, and never a key."""
    script = (Fault(provider="yahoo", symbol="AAA", kind="rate_limit", times=2), Fault(provider="yahoo", kind="stale"))
    async with running(dataset, *script) as line:
        for _ in range(3):
            await line.ask("yahoo")
        await line.ask("alpha_vantage")
        report = json.loads((await line.get("/faults"))[1])

        met = line.sandbox.met

    assert ((script[0], 2), (script[1], 1)) == met
    assert [("rate_limit", 2), ("stale", 1)] == [(one["kind"], one["answers"]) for one in report["faults"]]
    assert (4, 7, ["AAA", "BBB"]) == (report["requests"], report["seed"], report["symbols"])
    assert ["rate_limit", "rate_limit", "stale", ""] == [one["fault"] for one in report["served"]]
    assert [429, 429, 200, 200] == [one["status"] for one in report["served"]]
    assert report["served"][3]["question"].startswith("/alpha_vantage/query?function=TIME_SERIES_DAILY_ADJUSTED")
    assert "k3y" not in json.dumps(report)


async def test_a_busy_port_says_so(dataset: Dataset) -> None:
    """A port that another program holds is named, and nothing is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{port} is in use"):
            await Sandbox(dataset).start(port=port)


async def test_an_impossible_host_says_so(dataset: Dataset) -> None:
    """An address that is not this machine's is bad input."""
    with pytest.raises(BadInput, match="cannot listen there"):
        await Sandbox(dataset).start("192.0.2.1")


def test_a_script_for_other_symbols_is_refused(dataset: Dataset) -> None:
    """A fault that could never be met is a mistake; the error names the symbols that there are."""
    with pytest.raises(BadInput, match="The dataset has AAA, BBB"):
        Sandbox(dataset, (Fault(provider="yahoo", symbol="AAPL", kind="stale"),))
