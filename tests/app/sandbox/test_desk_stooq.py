"""Stooq's desk: fully adjusted bars in Warsaw time, quotes, and refusals with status 200."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from small_tape import SPLIT, small_dataset, weekdays

from truetape.app.conformance.market import market, truth
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.stooq import DESK
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask
from truetape.domain.failures import FailureClass
from truetape.providers import stooq

TODAY = date(2012, 3, 23)
VALUES = ["open", "high", "low", "close", "volume"]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def rows(dataset: Dataset, ask: Ask) -> pl.DataFrame:
    """What the provider reads from the desk's answer."""
    provider = stooq.provider(InMemoryHttp(dataset), base_url=f"{ROOT}/stooq")
    answer = await provider.client.fetch(ask)
    assert provider.classify(answer) is None, answer.body
    return provider.decode[ask.kind](answer.body, ask)


async def test_daily_bars_are_the_truth(dataset: Dataset) -> None:
    """Adjusted for splits and dividends, to the last decimal."""
    frame = await rows(dataset, Ask(kind="bars", symbol="aaa.us", start=weekdays()[0], end=TODAY))
    true = view(dataset.series["AAA"]).full
    assert frame.select("ts_event", *VALUES).equals(true.select("ts_event", *VALUES))
    assert frame.select("symbol", "currency", "basis").unique().rows() == [("aaa.us", "USD", "all")]


async def test_a_week(dataset: Dataset) -> None:
    """The last five sessions, numbers 55 to 59, after every action."""
    ask = Ask(kind="bars", symbol="aaa.us", timeframe="1w", start=date(2012, 3, 19), end=TODAY)
    frame = await rows(dataset, ask)
    assert frame.select(VALUES).rows() == [(40.45, 40.79, 40.25, 40.59, 5285.0)]
    assert frame["ts_event"].dt.date().to_list() == [date(2012, 3, 19)]


async def test_bars_within_a_day_are_scaled_as_their_day_is(dataset: Dataset) -> None:
    """Before the split their opens and closes are those of the adjusted day."""
    day = weekdays()[20]
    assert day < SPLIT
    frame = await rows(dataset, Ask(kind="bars", symbol="aaa.us", timeframe="5m", start=day, end=day))
    true = view(dataset.series["AAA"]).between(day, day)
    raw = true.minutes("5m")
    assert frame["ts_event"].to_list() == raw["ts_event"].to_list()
    assert frame["close"][-1] == pytest.approx(true.full["close"][0], rel=1e-12)
    assert frame["volume"].sum() == pytest.approx(true.full["volume"][0], rel=1e-9)


async def test_a_rate_and_an_index() -> None:
    """Their closes, in names of their own."""
    day = date(2024, 3, 8)
    found = await rows(market(), Ask(kind="fx_rates", symbol="eurusd", start=day, end=day))
    assert found["rate"].to_list() == truth("EUR/USD").between(day, day).raw["close"].to_list()
    levels = await rows(market(), Ask(kind="index_levels", symbol="^spx", start=day, end=day))
    assert levels["level"].to_list() == truth("^GSPC").between(day, day).raw["close"].to_list()
    hours = await rows(market(), Ask(kind="bars", symbol="eurusd", timeframe="1h", start=day, end=day))
    assert len(hours) == 24


async def test_a_quote_is_the_last_close(dataset: Dataset) -> None:
    """16:00 in New York is 20:00 UTC in summer time."""
    frame = await rows(dataset, Ask(kind="quotes", symbol="aaa.us"))
    row = frame.row(0, named=True)
    assert (row["symbol"], row["price"], f"{row['ts_event']:%Y-%m-%dT%H:%M}") == ("aaa.us", 40.59, "2012-03-23T20:00")


@pytest.mark.parametrize(
    ("ask", "failure_class"),
    [
        (Ask(kind="bars", symbol="nope.us"), FailureClass.EMPTY),
        (Ask(kind="quotes", symbol="nope.us"), FailureClass.PERMANENT),
        (Ask(kind="bars", symbol="aaa.us", start=date(2001, 1, 1), end=date(2001, 2, 1)), FailureClass.EMPTY),
    ],
)
async def test_what_is_not_there_is_said(dataset: Dataset, ask: Ask, failure_class: FailureClass) -> None:
    """No data, with status 200."""
    provider = stooq.provider(InMemoryHttp(dataset), base_url=f"{ROOT}/stooq")
    answer = await provider.client.fetch(ask)
    failure = provider.classify(answer)
    assert answer.status == 200
    assert failure is not None
    assert failure.failure_class is failure_class


@pytest.mark.parametrize("params", [{"i": "7"}, {"d1": "soon"}, {"d2": "20120230"}])
def test_wrong_questions_get_no_data(params: dict[str, str]) -> None:
    """Intervals and dates that are none."""
    reply = DESK.refusal(Query(symbol="AAA", today=TODAY, parts={"endpoint": "d"}, params=params))
    assert reply is not None
    assert reply.body == b"No data"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("aapl.us", "AAPL"), ("brk-b.us", "BRK.B"), ("^spx", "^GSPC"), ("eurusd", "EUR/USD"), ("btc.v", "BTC/USD"),
     ("cdr", "CDR")],
)  # fmt: skip
def test_names(theirs: str, ours: str) -> None:
    """The dataset's own spelling."""
    assert DESK.ours(theirs) == ours
