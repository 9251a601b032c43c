"""EODHD's desk: what the client asks is answered with the truth, and what is wrong is refused in plain text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.conformance.market import market
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.eodhd import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask, Request
from truetape.domain.failures import FailureClass
from truetape.providers import eodhd
from truetape.providers.eodhd.classify import classify

TODAY = date(2012, 3, 23)
URL = f"{ROOT}/eodhd/api"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def rows(dataset: Dataset, ask: Ask) -> pl.DataFrame:
    """What the provider reads from all pages of the desk's answer."""
    provider = eodhd.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    frames, following = [], ask
    while True:
        answer = await provider.client.fetch(following)
        assert provider.classify(answer) is None, answer.body
        frames.append(provider.decode[ask.kind](answer.body, following))
        page = provider.follow(answer, following)
        if page is None:
            return pl.concat(frames)
        following = page


def question(endpoint: str, *, keyed: bool = True, **params: str) -> Query:
    named = {name.rstrip("_"): value for name, value in params.items()}
    return Query(symbol="AAA", today=TODAY, parts={"endpoint": endpoint}, params=named, keyed=keyed)


async def test_daily_bars_are_the_truth(dataset: Dataset) -> None:
    """As traded, to the last decimal; volumes only since the last action, where they are surely as traded."""
    true = view(dataset.series["AAA"]).raw
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA.US", start=weekdays()[0], end=TODAY))
    names = ["ts_event", "open", "high", "low", "close", "adj_close", "currency", "basis"]
    assert frame.select(names).equals(true.select(names))
    since = pl.col("ts_event").dt.date() >= date(2012, 3, 5)
    assert frame.filter(since)["volume"].equals(true.filter(since)["volume"])
    assert frame.filter(~since)["volume"].null_count() == frame.filter(~since).height


async def test_minutes_are_the_truth(dataset: Dataset) -> None:
    """Two sessions in full, and nothing of their neighbours."""
    start = date(2012, 3, 20)
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA.US", timeframe="5m", start=start, end=date(2012, 3, 21)))
    true = view(dataset.series["AAA"]).between(start, date(2012, 3, 21)).minutes("5m")
    names = ["timeframe", "ts_event", "open", "high", "low", "close", "volume", "basis"]
    assert 2 * 78 == frame.height
    assert frame.select(names).equals(true.select(names))


async def test_actions_are_the_truth(dataset: Dataset) -> None:
    """Dividends as paid, and then splits."""
    frame = await rows(dataset, Ask(kind="actions", symbol="AAA.US"))
    assert frame.select("ex_date", "type", "value", "currency", "basis").rows() == [
        (date(2012, 1, 16), "dividend", 0.5, "USD", "raw"),
        (date(2012, 3, 5), "dividend", 0.25, "USD", "raw"),
        (SPLIT, "split", 2.0, "USD", "raw"),
    ]


async def test_quotes(dataset: Dataset) -> None:
    """The last close, at 16:00 in New York, of one symbol or of those of several that are known."""
    expected = [("AAA.US", datetime(2012, 3, 23, 20, tzinfo=UTC), 40.59, 40.58)]
    names = ("symbol", "ts_event", "price", "previous_close")
    assert expected == (await rows(dataset, Ask(kind="quotes", symbol="AAA.US"))).select(names).rows()
    assert expected == (await rows(dataset, Ask(kind="quotes", symbol="AAA.US,ZZZ.US"))).select(names).rows()


async def test_lists_and_rates() -> None:
    """Each symbol is in the list of its exchange; the present rate is the last close; coins never pause."""
    listed = await rows(market(), Ask(kind="listings", symbol=""))
    assert {
        ("AAA.US", "equity"),
        ("BRK-B.US", "equity"),
        ("GSPC.INDX", "index"),
        ("EURUSD.FOREX", "fx"),
        ("BTC-USD.CC", "crypto"),
        ("ETH-USD.CC", "crypto"),
    } == set(listed.select("symbol", "asset_class").rows())
    rate = await rows(market(), Ask(kind="fx_rates", symbol="EURUSD.FOREX"))
    assert [("EUR", "USD")] == rate.select("base", "quote").rows()
    day = date(2024, 3, 7)
    coins = await rows(market(), Ask(kind="bars", symbol="BTC-USD.CC", timeframe="1h", start=day, end=day))
    assert (24, "USD") == (coins.height, coins["currency"][0])


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        (question("eod", keyed=False), 401, "Unauthenticated"),
        (question("eod", from_="soon"), 422, "Wrong value for from"),
        (question("eod", period="w"), 422, "days (d) only"),
        (question("intraday", interval="2m"), 422, "Wrong interval"),
        (question("intraday", to="2012-03-05"), 422, "Wrong value for to"),
    ],
)
def test_a_wrong_question_is_refused(query: Query, status: int, said: str) -> None:
    """In plain text."""
    reply = DESK.refusal(query)
    assert reply is not None
    assert status == reply.status
    assert said in reply.body.decode()


@pytest.mark.parametrize(
    ("path", "params", "start"),
    [
        ("eod/AAA.US", {"from": "2012-03-22"}, b"date,open,high,low,close,adjusted_close,volume\n2012-03-22,40."),
        ("intraday/AAA.US", {"fmt": "json"}, b'[{"timestamp":'),
        ("real-time/ZZZ.US", {"fmt": "json"}, b'{"code":"ZZZ.US","gmtoffset":0,"timestamp":"NA"'),
        ("eod/ZZZ.US", {}, b"Ticker Not Found."),
        ("exchange-symbol-list/MARS", {}, b"Exchange Not Found."),
    ],
)
async def test_other_answers(dataset: Dataset, path: str, params: dict[str, str], start: bytes) -> None:
    """Prices without fmt=json are CSV; what is not known is said so."""
    request = Request(url=f"{URL}/{path}", params=params, secrets={"api_token": "a-long-key"})
    answer = await InMemoryHttp(dataset).send(request)
    assert answer.body.startswith(start)


async def test_an_unknown_symbol_is_permanent(dataset: Dataset) -> None:
    """Never to be asked again."""
    request = Request(url=f"{URL}/eod/ZZZ.US", params={"fmt": "json"}, secrets={"api_token": "a-long-key"})
    failure = classify(await InMemoryHttp(dataset).send(request))
    assert failure is not None
    assert FailureClass.PERMANENT is failure.failure_class
