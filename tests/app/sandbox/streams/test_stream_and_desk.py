"""A stream and a desk of one provider tell the same day: what a stream lost can be asked for over HTTP."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from stream_talk import LAST, dataset, market, spell, talk

from truetape.app.sandbox.faults import Fault
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.domain.asks import Ask
from truetape.domain.schema import DECODED
from truetape.domain.ticks import Bar, Trade
from truetape.ports.provider import Provider
from truetape.providers import vendor

NUMBERED = ("binance", "coinbase", "kraken", "alpaca")


async def rows(name: str, symbol: str, kind: str, **asked: Any) -> pl.DataFrame:
    """What the desk says of the last day, page by page."""
    keys = {"key": "a-long-key", "secret": "a-long-secret"} if name == "alpaca" else {}
    provider: Provider = vendor(name).provider(InMemoryHttp(dataset()), base_url=f"{ROOT}/{name}", **keys)
    ask: Ask | None = Ask(kind=kind, symbol=spell(name, symbol), start=LAST, end=LAST, **asked)
    frames = [pl.DataFrame(schema=DECODED[kind])]
    while ask is not None:
        answer = await provider.client.fetch(ask)
        assert provider.classify(answer) is None
        frames.append(provider.decode[kind](answer.body, ask))
        ask = provider.follow(answer, ask)
    return pl.concat(frames).filter(pl.col("ts_event").dt.date() == LAST).sort("ts_event")


@pytest.mark.parametrize("name", NUMBERED)
async def test_lost_trades_can_be_asked_for(name: str) -> None:
    """With the numbers, prices and sizes that the stream would have said; the rest is the same at both."""
    on = market(Fault(provider=name, kind="gap", first=100, times=3))
    heard = talk(name, ["BTC/USD"], ["trades"], at=on).run().of(Trade)

    found = await rows(name, "BTC/USD", "trades")

    asked = dict(zip(found["trade_id"], found.select("price", "size").rows(), strict=True))
    told = {trade.trade_id: (trade.price, trade.size) for trade in heard}
    assert (5760, 5757) == (len(asked), len(told))
    assert told == {number: values for number, values in asked.items() if number in told}


@pytest.mark.parametrize("name", ["binance", "coinbase"])
async def test_minutes_of_a_stream_are_those_of_the_trades(name: str) -> None:
    """And of the desk's candles."""
    heard = talk("binance", ["BTC/USD"], ["bars"]).run().of(Bar)

    found = await rows(name, "BTC/USD", "bars", timeframe="1m")

    names = ("open", "high", "low", "close", "volume")
    assert [tuple(getattr(bar, column) for column in names) for bar in heard] == found.select(names).rows()
