"""Twelve Data's desk: what the client asks is answered with the truth, and what is wrong is refused in its words."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.twelve_data import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask, Request
from truetape.domain.failures import FailureClass
from truetape.providers import twelve_data
from truetape.providers.twelve_data.classify import classify

TODAY = date(2012, 3, 23)
URL = f"{ROOT}/twelve_data"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def rows(dataset: Dataset, ask: Ask) -> pl.DataFrame:
    """What the provider reads from all pages of the desk's answer."""
    provider = twelve_data.provider(InMemoryHttp(dataset), base_url=URL, key="a-long-key")
    frames, following = [], ask
    while True:
        answer = await provider.client.fetch(following)
        assert provider.classify(answer) is None, answer.body
        frames.append(provider.decode[ask.kind](answer.body, following))
        page = provider.follow(answer, following)
        if page is None:
            return pl.concat(frames)
        following = page


def question(endpoint: str = "time_series", *, symbol: str = "AAA", keyed: bool = True, **params: str) -> Query:
    return Query(symbol=symbol, today=TODAY, parts={"endpoint": endpoint}, params=params, keyed=keyed)


async def test_daily_bars_are_the_truth(dataset: Dataset) -> None:
    """As traded, to the last decimal, before and after the split."""
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", start=weekdays()[0], end=TODAY))
    names = ["symbol", "ts_event", "open", "high", "low", "close", "volume", "currency", "basis"]
    assert frame.select(names).equals(view(dataset.series["AAA"]).raw.select(names))


async def test_minutes_are_the_truth_page_by_page(dataset: Dataset) -> None:
    """Fourteen sessions of 390 minutes are two pages, the newer first."""
    start = weekdays()[-14]
    frame = await rows(dataset, Ask(kind="bars", symbol="AAA", timeframe="1m", start=start, end=TODAY))
    true = view(dataset.series["AAA"]).between(start, TODAY).minutes()
    names = ["ts_event", "open", "high", "low", "close", "volume"]
    assert 14 * 390 == frame.height
    assert frame.sort("ts_event").select(names).equals(true.select(names))


async def test_actions_are_the_truth(dataset: Dataset) -> None:
    """Splits and then dividends, as paid."""
    frame = await rows(dataset, Ask(kind="actions", symbol="AAA"))
    assert frame.select("ex_date", "type", "value", "basis").rows() == [
        (SPLIT, "split", 2.0, "raw"),
        (date(2012, 1, 16), "dividend", 0.5, "raw"),
        (date(2012, 3, 5), "dividend", 0.25, "raw"),
    ]
    some = await rows(dataset, Ask(kind="actions", symbol="AAA", start=date(2012, 3, 5), end=TODAY))
    assert [0.25] == some["value"].to_list()


async def test_quotes_rates_and_lists(dataset: Dataset) -> None:
    """The last close, at 16:00 in New York, and two shares among five lists."""
    quote = await rows(dataset, Ask(kind="quotes", symbol="AAA"))
    closed = datetime(2012, 3, 23, 20, tzinfo=UTC)
    assert [(closed, 40.59, 40.58)] == quote.select("ts_event", "price", "previous_close").rows()
    listed = await rows(dataset, Ask(kind="listings", symbol=""))
    assert [("AAA", "equity", "active"), ("BBB", "equity", "active")] == listed.select(
        "symbol", "asset_class", "status"
    ).rows()
    assert ["BBB"] == (await rows(dataset, Ask(kind="listings", symbol="BBB")))["symbol"].to_list()


@pytest.mark.parametrize(
    ("interval", "params", "bars", "first", "close"),
    [
        ("1day", {}, 30, date(2012, 2, 13), 40.59),  # thirty where nothing else is said
        ("1day", {"outputsize": "3"}, 3, date(2012, 3, 21), 40.59),
        ("1day", {"adjust": "all", "start_date": "2012-03-22"}, 2, date(2012, 3, 22), 40.59),
        ("1day", {"start_date": "2012-03-20", "end_date": "2012-03-21"}, 2, date(2012, 3, 20), 40.57),
        ("1week", {"outputsize": "2"}, 2, date(2012, 3, 12), 40.59),
        ("1month", {}, 3, date(2012, 1, 1), 40.59),
    ],
)
def test_series(dataset: Dataset, interval: str, params: dict[str, str], bars: int, first: date, close: float) -> None:
    """Newest first; weeks begin on Monday, months on their first day."""
    asked = {"symbol": "AAA", "interval": interval, "adjust": "none"} | params
    query = Query(symbol="AAA", today=TODAY, parts={"endpoint": "time_series"}, params=asked, keyed=True)
    assert DESK.refusal(query) is None
    values = json.loads(DESK.data(view(dataset.series["AAA"]), query).body)["values"]
    assert (bars, first.isoformat(), close) == (len(values), values[-1]["datetime"], float(values[0]["close"]))


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        (question(keyed=False), 401, "**apikey** parameter is incorrect"),
        (question(symbol=""), 400, "**symbol** parameter is missing"),
        (question(interval="2h"), 400, "Invalid **interval** provided: 2h"),
        (question(interval="1day", adjust="some"), 400, "Invalid **adjust** provided"),
        (question(interval="1day", start_date="soon"), 400, "Invalid **start_date** provided: soon"),
        (question(interval="1day", end_date="9999-12-31"), 400, "Invalid **end_date** provided"),
    ],
)
def test_a_wrong_question_is_refused(query: Query, status: int, said: str) -> None:
    """Each in the provider's own form."""
    reply = DESK.refusal(query)
    assert reply is not None
    assert (status, status) == (reply.status, json.loads(reply.body)["code"])
    assert said in json.loads(reply.body)["message"]


@pytest.mark.parametrize(
    ("path", "params", "failure_class"),
    [
        ("time_series", {"symbol": "ZZZ", "interval": "1day"}, FailureClass.PERMANENT),
        ("time_series", {"symbol": "AAA", "interval": "1day", "start_date": "2020-01-01"}, FailureClass.EMPTY),
        ("time_series", {"symbol": "AAA", "interval": "1min", "end_date": "2001-01-01"}, FailureClass.EMPTY),
    ],
)
async def test_nothing_to_be_had(
    dataset: Dataset, path: str, params: dict[str, str], failure_class: FailureClass
) -> None:
    """A symbol that is not known, and dates without bars."""
    headers = {"Authorization": "apikey a-long-key"}
    answer = await InMemoryHttp(dataset).send(Request(url=f"{URL}/{path}", params=params, secret_headers=headers))
    failure = classify(answer)
    assert failure is not None
    assert failure_class is failure.failure_class


def test_spent_credits_come_back() -> None:
    """The desk's two limits are the minute's and the day's."""
    minute, day = json.loads(DESK.soft.body)["message"], json.loads(DESK.spent.body)["message"]
    assert ("current minute" in minute, "for the day" in day) == (True, True)
