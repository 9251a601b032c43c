"""Financial Modeling Prep's desk: what the client asks is answered with the truth, and what is wrong is refused."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.conformance.market import market
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.fmp import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask
from truetape.providers import fmp

TODAY = date(2012, 3, 23)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def rows(dataset: Dataset, ask: Ask) -> pl.DataFrame:
    """What the provider reads from all pages of the desk's answer."""
    provider = fmp.provider(InMemoryHttp(dataset), base_url=f"{ROOT}/fmp/stable", key="a-long-key")
    frames, following = [], ask
    while True:
        answer = await provider.client.fetch(following)
        assert provider.classify(answer) is None, answer.body
        frames.append(provider.decode[ask.kind](answer.body, following))
        page = provider.follow(answer, following)
        if page is None:
            return pl.concat(frames)
        following = page


def question(endpoint: str, *, symbol: str = "AAA", keyed: bool = True, **params: str) -> Query:
    return Query(symbol=symbol, today=TODAY, parts={"endpoint": endpoint}, params=params, keyed=keyed)


async def test_daily_bars_are_the_truth(dataset: Dataset) -> None:
    """Split-adjusted, to the last decimal."""
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=TODAY))
    names = ["symbol", "ts_event", "open", "high", "low", "close", "volume", "currency", "basis"]
    assert frame.select(names).equals(view(dataset.series["AAA"]).split.select(names))


async def test_minutes_are_the_truth(dataset: Dataset) -> None:
    """As traded; of a long range the latest days."""
    start = date(2012, 3, 21)
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", timeframe="1m", start=weekdays()[0], end=TODAY))
    true = view(dataset.series["AAA"]).between(start, TODAY).minutes()
    names = ["symbol", "timeframe", "ts_event", "open", "high", "low", "close", "volume", "basis"]
    assert 3 * 390 == frame.height
    assert frame.select(names).equals(true.select(names))


async def test_actions_are_the_truth(dataset: Dataset) -> None:
    """Dividends as paid and then splits, of one symbol or of a calendar."""
    names = ("symbol", "ex_date", "type", "value", "basis")
    first = ("AAA", date(2012, 1, 16), "dividend", 0.5, "raw")
    others = [("AAA", date(2012, 3, 5), "dividend", 0.25, "raw"), ("AAA", SPLIT, "split", 2.0, "raw")]
    assert [first, *others] == (await rows(dataset, Ask(kind="actions", symbol="AAA"))).select(names).rows()
    calendar = await rows(dataset, Ask(kind="actions", symbol="", start=SPLIT, end=TODAY))
    assert others == calendar.select(names).rows()


async def test_quotes(dataset: Dataset) -> None:
    """The last close, at 16:00 in New York, of one symbol or of those of several that are known."""
    expected = [("AAA", datetime(2012, 3, 23, 20, tzinfo=UTC), 40.59, 40.58)]
    names = ("symbol", "ts_event", "price", "previous_close")
    assert expected == (await rows(dataset, Ask(kind="quotes", symbol="AAA"))).select(names).rows()
    assert expected == (await rows(dataset, Ask(kind="quotes", symbol="AAA,ZZZ"))).select(names).rows()
    assert (await rows(dataset, Ask(kind="quotes", symbol="ZZZ"))).is_empty()


async def test_lists_and_profiles() -> None:
    """Each symbol is in the list of its class, in the provider's spelling."""
    listed = await rows(market(), Ask(kind="listings", symbol=""))
    assert {
        ("AAA", None),
        ("BRK-B", None),
        ("^GSPC", "index"),
        ("EURUSD", "fx"),
        ("BTCUSD", "crypto"),
        ("ETHUSD", "crypto"),
    } == set(listed.select("symbol", "asset_class").rows())
    profile = await rows(market(), Ask(kind="listings", symbol="BRK-B"))
    assert [("BRK-B", "equity", "USD")] == profile.select("symbol", "asset_class", "currency").rows()
    assert (await rows(market(), Ask(kind="listings", symbol="ZZZ"))).is_empty()


async def test_rates() -> None:
    """The present one is the last close; minutes of a pair never pause."""
    rate = await rows(market(), Ask(kind="fx_rates", symbol="EURUSD"))
    assert [("EUR", "USD")] == rate.select("base", "quote").rows()
    day = date(2024, 3, 7)
    coins = await rows(market(), Ask(kind="bars", symbol="BTCUSD", timeframe="1h", start=day, end=day))
    assert (24, "USD") == (coins.height, coins["currency"][0])


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        (question("quote", keyed=False), 401, "Invalid API KEY"),
        (question("quote", symbol=""), 400, "missing symbol"),
        (question("historical-price-eod", **{"from": "soon"}), 400, "Wrong value for from"),  # type: ignore[arg-type]
        (question("dividends-calendar", symbol="", to="2012-13-01"), 400, "Wrong value for to"),
    ],
)
def test_a_wrong_question_is_refused(query: Query, status: int, said: str) -> None:
    """Each with an error message."""
    reply = DESK.refusal(query)
    assert reply is not None
    assert status == reply.status
    assert said in json.loads(reply.body)["Error Message"]
