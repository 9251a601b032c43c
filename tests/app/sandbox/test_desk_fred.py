"""FRED's desk: closes as observations with vintages, page by page, and what it refuses."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from small_tape import raw_rows, small_dataset

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.desks.fred import DESK, observations
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.app.sandbox.truth import view
from truetape.domain.asks import Ask
from truetape.domain.failures import FailureClass
from truetape.providers import fred

TODAY = date(2012, 3, 23)
CLOSES = {row["date"]: row["close"] for row in raw_rows().filter(pl.col("symbol") == "BBB").iter_rows(named=True)}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


async def rows(dataset: Dataset, ask: Ask) -> tuple[pl.DataFrame, int]:
    """What the provider reads from all pages of the desk's answer, and how many there were."""
    provider = fred.provider(InMemoryHttp(dataset), base_url=f"{ROOT}/fred", key="a-long-key")
    frames: list[pl.DataFrame] = []
    following: Ask | None = ask
    while following is not None:
        answer = await provider.client.fetch(following)
        assert provider.classify(answer) is None, answer.body
        frames.append(provider.decode[ask.kind](answer.body, following))
        following = provider.follow(answer, following)
    return pl.concat(frames), len(frames)


def question(**params: str) -> Query:
    return Query(symbol="BBB", today=TODAY, params={"file_type": "json", **params}, keyed=True)


async def test_levels_are_the_closes_that_stand(dataset: Dataset) -> None:
    """As they are known on the dataset's last day."""
    frame, _pages = await rows(dataset, Ask(kind="index_levels", symbol="BBB"))
    read = dict(zip(frame["ts_event"].dt.date(), frame["level"], strict=True))
    withdrawn = {day for day in CLOSES if day.toordinal() % 10 == 0 and (TODAY - day).days in (1, 2)}
    assert read == {day: close for day, close in CLOSES.items() if day not in withdrawn}


async def test_vintages_come_in_pages(dataset: Dataset) -> None:
    """Every tenth day was withdrawn for two days: three vintages, of which the last still stands."""
    ask = Ask(kind="observations", symbol="BBB", start=date(2012, 1, 2), end=TODAY)
    frame, pages = await rows(dataset, ask)
    corrected = [day for day in CLOSES if day.toordinal() % 10 == 0]
    assert corrected
    assert (frame.height, pages) == (len(CLOSES) + 2 * len(corrected), 1)
    one = corrected[0]
    told = frame.filter(pl.col("period") == one).select("value", "known_from", "known_to").rows()
    days = [date.fromordinal(one.toordinal() + number) for number in range(4)]
    assert told == [(CLOSES[one], one, one), (None, days[1], days[2]), (CLOSES[one], days[3], None)]


async def test_pages_follow_each_other(dataset: Dataset) -> None:
    """An offset and a limit choose the page; the header tells how many there are."""
    every, _pages = await rows(dataset, Ask(kind="observations", symbol="BBB"))
    answer = DESK.data(view(dataset.series["BBB"]), question(limit="3", offset="2", realtime_start="1776-07-04"))
    provider = fred.provider(InMemoryHttp(dataset))
    frame = provider.decode["observations"](answer.body, Ask(kind="observations", symbol="BBB"))
    assert frame["period"].to_list() == every["period"].to_list()[2:5]


async def test_a_day_before_a_vintage_does_not_know_it(dataset: Dataset) -> None:
    """What was known on a day is what had been published and not been withdrawn."""
    bars = dataset.series["BBB"].bars.head(10)
    known: list[dict[str, Any]] = observations(bars, start=date(2012, 1, 6), end=date(2012, 1, 6))
    assert [one["date"] for one in known] == [day for day in CLOSES if day <= date(2012, 1, 6)]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(symbol="BBB", today=TODAY), "api_key is not set"),
        (Query(symbol="BBB", today=TODAY, keyed=True), "file_type json only"),
        (question(observation_start="soon"), "observation_start is not valid"),
        (question(realtime_end="2012-02-30"), "realtime_end is not valid"),
        (question(limit="-1"), "limit is not valid"),
        (question(offset="many"), "offset is not valid"),
    ],
)
def test_wrong_questions_are_refused(query: Query, words: str) -> None:
    """Status 400 with FRED's words."""
    reply = DESK.refusal(query)
    assert reply is not None
    assert reply.status == 400
    assert words in reply.body.decode()


def test_sound_questions_are_not_refused() -> None:
    """Dates and numbers that are some."""
    assert DESK.refusal(question(observation_start="2012-01-02", limit="5", offset="0")) is None


async def test_an_unknown_series_does_not_exist(dataset: Dataset) -> None:
    """Status 400, and never asked again."""
    provider = fred.provider(InMemoryHttp(dataset), base_url=f"{ROOT}/fred", key="k")
    failure = provider.classify(await provider.client.fetch(Ask(kind="observations", symbol="NOPE")))
    assert failure is not None
    assert failure.failure_class is FailureClass.PERMANENT
