"""The real clients at the sandbox: each failure is understood as what it is, and the truth outnumbers them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import polars as pl
import pytest
from small_tape import small_dataset, weekdays

from truetape.adapters.aiohttp_http import AiohttpHttp
from truetape.app.sandbox.compose import all_faults
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.faults import Fault, Script
from truetape.app.sandbox.server import Sandbox
from truetape.domain.adjust import unsplit
from truetape.domain.asks import Ask
from truetape.domain.errors import UndecodablePayload
from truetape.domain.failures import FailureClass
from truetape.ports.http import Unreachable
from truetape.ports.provider import Provider
from truetape.providers import alpha_vantage, finnhub, iex_cloud, yahoo

MAKERS: dict[str, Callable[..., Provider]] = {
    "alpha_vantage": alpha_vantage.provider,
    "finnhub": finnhub.provider,
    "iex_cloud": iex_cloud.provider,
    "yahoo": yahoo.provider,
}
THROTTLED, TRANSIENT, QUOTA = FailureClass.THROTTLED, FailureClass.TRANSIENT, FailureClass.QUOTA
ATTEMPTS = 4


@pytest.fixture
async def http() -> AsyncIterator[AiohttpHttp]:
    http = AiohttpHttp(timeout_s=0.3)
    yield http
    await http.close()


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def ask(provider: Provider, symbol: str) -> tuple[FailureClass | None, bytes]:
    """Ask once; the failure as a client sees it, and the body."""
    question = Ask(kind="bars", symbol=provider.spell(symbol), start=weekdays()[0], end=weekdays()[-1])
    try:
        answer = await provider.client.fetch(question)
    except Unreachable:
        return TRANSIENT, b""
    failure = provider.classify(answer)
    return (failure.failure_class if failure else None), answer.body


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(provider="*", kind="rate_limit"), THROTTLED),
        (Fault(provider="*", kind="server_error"), TRANSIENT),
        (Fault(provider="*", kind="time_out", seconds=30), TRANSIENT),
        (Fault(provider="*", kind="truncated"), TRANSIENT),
        (Fault(provider="*", kind="truncated", length="long"), TRANSIENT),
        (Fault(provider="alpha_vantage", kind="note"), THROTTLED),
        (Fault(provider="alpha_vantage", kind="note", quota=True), QUOTA),
        (Fault(provider="finnhub", kind="note"), THROTTLED),
        (Fault(provider="iex_cloud", kind="note"), THROTTLED),
        (Fault(provider="yahoo", kind="note"), TRANSIENT),
    ],
    ids=lambda value: f"{value.kind}-{value.provider}-{value.length}" if isinstance(value, Fault) else None,
)
async def test_each_failure_is_understood_and_passes(
    dataset: Dataset, http: AiohttpHttp, name: str, fault: Fault, expected: FailureClass
) -> None:
    """The first answer fails as its kind, and the second is data; a provider that is not concerned never fails."""
    sandbox = Sandbox(dataset, (fault,))
    url = await sandbox.start()
    try:
        provider = MAKERS[name](http, base_url=f"{url}/{name}", key="sandbox")
        first, _ = await ask(provider, "AAA")
        second, _ = await ask(provider, "AAA")
    finally:
        await sandbox.stop()

    assert (expected if fault.concerns(name, "AAA") else None) is first
    assert second is None


async def claims(dataset: Dataset, http: AiohttpHttp, script: Script, symbol: str) -> dict[str, pl.DataFrame]:
    """What each provider says of `symbol` in the end, as traded; nothing of those that do not deliver."""
    sandbox = Sandbox(dataset, script)
    url = await sandbox.start()
    splits = dataset.series[symbol].actions.filter(pl.col("type") == "split").select("ex_date", "value")
    said = {}
    try:
        for name, make in MAKERS.items():
            provider = make(http, base_url=f"{url}/{name}", key="sandbox")
            for _ in range(ATTEMPTS):
                failure, body = await ask(provider, symbol)
                if failure is None:
                    break
            else:
                continue
            try:
                bars = provider.decode["bars"](body, Ask(kind="bars", symbol=symbol))
            except UndecodablePayload:
                continue
            said[name] = bars if bars["basis"][0] == "raw" else unsplit(bars, splits)
    finally:
        await sandbox.stop()
    return said


@pytest.mark.parametrize("seed", [1, 2, 7])
@pytest.mark.parametrize("symbol", ["AAA", "BBB"])
async def test_the_truth_outnumbers_every_fault(dataset: Dataset, http: AiohttpHttp, symbol: str, seed: int) -> None:
    """With all faults on, at least two providers say exactly the truth about each symbol, and one at most is wrong."""
    script = all_faults(dataset.symbols, tuple(MAKERS), seed=seed, with_splits=dataset.with_splits)
    columns = ["ts_event", "open", "high", "low", "close", "volume"]
    truth = dataset.series[symbol].bars.select(columns)
    said = await claims(dataset, http, script, symbol)
    honest = [name for name, bars in said.items() if bars.select(columns).equals(truth)]

    assert len(honest) >= 2
    assert len(said) - len(honest) == 1
