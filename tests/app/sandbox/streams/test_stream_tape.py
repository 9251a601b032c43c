"""The tape: a day's events add up to its bar, number by number, whatever the bar lacks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from stream_talk import MIDNIGHT, OPENS, dataset, talk

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.streams.market import Market
from truetape.app.sandbox.streams.tape import Day, Tape, usual_hours
from truetape.domain.ticks import Bar, Depth, Quote, Trade


def day(symbol: str, *, volume: float | None = 1_000_000.0) -> Day:
    return tape_of(symbol, volume=volume).day(symbol, usual_hours(symbol))


def tape_of(symbol: str, *, volume: float | None) -> Tape:
    series = dataset().series[symbol]
    bars = series.bars.with_columns(pl.lit(volume, pl.Float64).alias("volume"))
    return Tape(Dataset(name="one", series={symbol: replace(series, bars=bars)}), seed=7)


@pytest.mark.parametrize(("symbol", "opens", "minutes"), [("AAA", OPENS, 390), ("BTC/USD", MIDNIGHT, 1440)])
def test_trades_and_minutes_add_up_to_the_day(symbol: str, opens: int, minutes: int) -> None:
    """Its open, high, low, close and volume; the close of AAA's last bar is 101."""
    events = day(symbol).events
    trades = [event.news for event in events if isinstance(event.news, Trade)]
    bars = [event.news for event in events if isinstance(event.news, Bar)]

    start = {"AAA": 100.0, "BTC/USD": 60_000.0}[symbol]
    prices = [trade.price for trade in trades]
    assert (start, start * 1.02, start * 0.98, start * 1.01) == (prices[0], max(prices), min(prices), prices[-1])
    assert (1_000_000.0, 1_000_000.0) == (sum(trade.size for trade in trades), sum(bar.volume for bar in bars))
    assert (opens, minutes) == (bars[0].ts_event, len(bars))
    assert all(one.at <= other.at for one, other in pairwise(events))


def test_numbers_go_on_by_one_where_minutes_are_idle() -> None:
    """So that no gap is seen where nothing is missing."""
    tape = tape_of("BTC/USD", volume=99.5)
    made = talk("kraken", ["BTC/USD"], ["trades", "book"], at=Market(tape))
    heard = made.run()

    assert 99.5 == pytest.approx(sum(trade.size for trade in heard.of(Trade)))
    assert len(heard.of(Trade)) < 5760
    assert [] == heard.gaps


@pytest.mark.parametrize("volume", [None, 0.0])
def test_a_day_without_a_volume_has_quotes(volume: float | None) -> None:
    """And minutes of volume 0, and a book, but no trades except of currencies."""
    index, pair = day("^GSPC", volume=volume), day("EUR/USD", volume=volume)

    kinds = {type(event.news) for event in index.events}
    assert {Quote, Bar, Depth} == kinds
    assert {None} == {event.news.volume for event in index.events if isinstance(event.news, Quote)}
    assert {0.0} == {event.news.volume for event in index.events if isinstance(event.news, Bar)}
    assert {Quote, Bar, Depth, Trade} == {type(event.news) for event in pair.events}


def test_a_book_never_crosses_and_its_best_prices_are_the_quotes() -> None:
    """After every change."""
    of = day("AAA")
    standing = of.standing(0)
    best: tuple[float | None, float | None] = (None, None)
    for event in of.events:
        standing.learn(event)
        if isinstance(event.news, Quote):
            best = (event.news.bid, event.news.ask)
        elif isinstance(event.news, Depth):
            bids, asks = standing.best()
            assert best == (bids[0][0], asks[0][0])
            assert bids[0][0] < asks[0][0]
            assert (10, 10) == (len(bids), len(asks))
