"""The sandbox's memory: it counts requests for each provider and symbol, and keeps a bounded number of bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_tape import small_dataset

from truetape.app.sandbox.answers import Answers
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Query
from truetape.app.sandbox.faults import Fault


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return small_dataset(tmp_path)


def chart(dataset: Dataset, symbol: str = "AAA", range_: str = "max") -> Query:
    return Query(symbol=symbol, today=dataset.end, parts={"range": range_}, keyed=True)


def test_requests_are_counted_for_each_provider_and_symbol(dataset: Dataset) -> None:
    """The second request to IEX Cloud about AAA fails, whatever was asked about BBB or of Yahoo in between."""
    answers = Answers(dataset, (Fault(provider="*", kind="server_error", first=2),), seed=7)
    asked = [("iex_cloud", "AAA"), ("iex_cloud", "BBB"), ("yahoo", "AAA"), ("iex_cloud", "AAA"), ("iex_cloud", "AAA")]
    plans = [answers.plan(provider, chart(dataset, symbol)) for provider, symbol in asked]

    assert [200, 200, 200, 503, 200] == [plan.reply.status for plan in plans]
    assert [1, 1, 1, 2, 3] == [plan.request for plan in plans]


@pytest.mark.parametrize(("cache_bytes", "kept"), [(64_000_000, True), (1, False)])
def test_kept_bodies_are_bounded(dataset: Dataset, cache_bytes: int, kept: bool) -> None:
    """A body that fell out of a full cache is made again, the same to the byte."""
    answers = Answers(dataset, (), seed=7, cache_bytes=cache_bytes)
    first = answers.plan("iex_cloud", chart(dataset)).reply
    again = answers.plan("iex_cloud", chart(dataset)).reply
    answers.plan("iex_cloud", chart(dataset, range_="1m"))
    later = answers.plan("iex_cloud", chart(dataset)).reply

    assert again is first
    assert (later is first) is kept
    assert first.body == later.body
