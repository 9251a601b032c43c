"""Rows a second of every provider's decoders, beside a plain reading of the same bytes into Python's own objects.

The bodies are what the sandbox answers to the provider's client: 5,000 rows, or one page where a page holds fewer.
Arrays that stand side by side, one for each column, are held to half the speed of msgspec's decoding, rows of JSON to a
share of json.loads, and tables to a share of what only reads them. Unlike these, ours checks every value and returns a
frame in the platform's own columns.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Literal, NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import polars as pl

from perf.dataset import bars
from perf.measure import Figure, Sheet, figure, least_cpu, sheet
from truetape.app.conformance.subject import registered
from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.desks.ecb import cubes, fixings
from truetape.app.sandbox.desks.fred import observations
from truetape.app.sandbox.in_memory import ROOT, InMemoryHttp
from truetape.domain.asks import Ask
from truetape.domain.decoding import label
from truetape.domain.schema import DECODED, empty
from truetape.ports.provider import Decode

STOCK, COIN, PAIR = "AAA", "BTC/USD", "EUR/USD"
ROWS = 5_000
LAST = date(2019, 12, 31)
FIRST = date(1995, 1, 1)
DAY = date(2019, 12, 30)
SECONDS = 2.0  # for each decoder, so that other work on the machine pauses now and then
KEY = "a-key-of-sixteen"

Form = Literal["columns", "rows", "csv", "xml"]
BARS = {"columns": 0.5, "rows": 0.3, "csv": 0.25, "xml": 0.3}


class Case(NamedTuple):
    """What is asked, and how the answer is laid out."""

    provider: str
    kind: str
    symbol: str
    form: Form
    timeframe: str = "1d"
    start: date = FIRST
    end: date = DAY


class Body(NamedTuple):
    """An answer, and how it is decoded."""

    body: bytes
    decode: Callable[[], pl.DataFrame]


def _weeks(count: int) -> date:
    return DAY - timedelta(weeks=count)


CASES = (
    Case("alpaca", "bars", STOCK, "rows"),
    Case("alpaca", "bars", STOCK, "rows", "1m", _weeks(2)),
    Case("alpaca", "trades", STOCK, "rows", start=DAY - timedelta(days=4)),
    Case("alpha_vantage", "bars", STOCK, "rows"),
    Case("alpha_vantage", "bars", STOCK, "rows", "1m", date(2019, 12, 1)),
    Case("binance", "bars", COIN, "rows"),
    Case("binance", "trades", COIN, "rows", start=DAY),
    Case("coinbase", "bars", COIN, "rows", start=DAY - timedelta(days=299)),
    Case("ecb", "fx_rates", PAIR, "csv"),
    Case("eodhd", "bars", STOCK, "rows"),
    Case("eodhd", "bars", STOCK, "rows", "1m", _weeks(2)),
    Case("finnhub", "bars", STOCK, "columns"),
    Case("finnhub", "bars", STOCK, "columns", "1m", _weeks(2)),
    Case("finnhub", "trades", COIN, "columns", start=DAY, end=DAY),
    Case("fmp", "bars", STOCK, "rows"),
    Case("fmp", "bars", STOCK, "rows", "1m", DAY - timedelta(days=3)),
    Case("iex_cloud", "bars", STOCK, "rows"),
    Case("kraken", "bars", COIN, "rows"),
    Case("kraken", "trades", COIN, "rows", start=DAY),
    Case("massive", "bars", STOCK, "rows"),
    Case("massive", "bars", STOCK, "rows", "1m", _weeks(2)),
    Case("massive", "trades", STOCK, "rows", start=DAY - timedelta(days=4)),
    Case("stooq", "bars", STOCK, "csv"),
    Case("tiingo", "bars", STOCK, "rows"),
    Case("tiingo", "bars", STOCK, "rows", "1m", _weeks(2)),
    Case("twelve_data", "bars", STOCK, "rows"),
    Case("twelve_data", "bars", STOCK, "rows", "1m", _weeks(2)),
    Case("yahoo", "bars", STOCK, "columns"),
    Case("yahoo", "bars", STOCK, "columns", "1m", _weeks(2)),
)


def measure() -> Iterator[Sheet]:
    """Yield one sheet with a figure of each decoder."""
    http = InMemoryHttp(_dataset())
    figures = [_figure(case, _asked(case, http)) for case in CASES]
    made = {
        Case("ecb", "fx_rates", PAIR, "xml"): _xml(),
        Case("files", "bars", STOCK, "csv"): _file(),
        Case("fred", "observations", STOCK, "rows"): _vintages(),
    }
    figures += [_figure(case, told) for case, told in made.items()]
    yield sheet("decoding", sorted(figures, key=lambda one: one.name))


def _figure(case: Case, told: Body) -> Figure:
    rows = len(told.decode())
    assert rows > 0, case
    peers = _peers(case.form, told.body)
    ours, first, *others = least_cpu(told.decode, *peers.values(), seconds=SECONDS)
    chosen, *names = peers
    kind = f"{case.timeframe} bars" if case.kind == "bars" else case.kind
    return figure(
        f"{case.provider} {kind} in {case.form}, {rows} rows",
        unit="rows/s",
        ours=rows / ours,
        peer=rows / first,
        peer_name=chosen,
        bar=BARS[case.form],
        better="higher",
        beside={name: other / ours for name, other in zip(names, others, strict=True)},
    )


def _peers(form: Form, body: bytes) -> dict[str, Callable[[], object]]:
    """Return what reads the same bytes, first what the decoder is held to."""
    if form == "csv":
        return {"polars.read_csv": lambda: pl.read_csv(io.BytesIO(body))}
    if form == "xml":
        return {"ElementTree.fromstring": lambda: ET.fromstring(body)}
    typeless: dict[str, Callable[[], object]] = {
        "msgspec.json.decode": lambda: msgspec.json.decode(body),
        "json.loads": lambda: json.loads(body),
    }
    return typeless if form == "columns" else dict(reversed(typeless.items()))


def _asked(case: Case, http: InMemoryHttp) -> Body:
    provider = registered(case.provider).build(http, f"{ROOT}/{case.provider}", KEY)
    ask = Ask(
        kind=case.kind,
        symbol=provider.spell(case.symbol),
        timeframe=case.timeframe,
        start=case.start,
        end=case.end,
    )
    answer = asyncio.run(provider.client.fetch(ask))
    failure = provider.classify(answer)
    assert failure is None, (case, failure)
    return Body(answer.body, partial(provider.decode[case.kind], answer.body, ask))


def _file() -> Body:
    """Return a CSV file as anybody may have it."""
    columns = ("open", "high", "low", "close", "volume")
    table = _stock().bars.select(pl.col("ts_event").dt.date().alias("date"), *columns)
    body = table.write_csv().encode()
    return Body(body, partial(_decoder("files", "bars"), body, Ask(kind="bars", symbol=STOCK)))


def _xml() -> Body:
    """Return twenty years of one rate as the European Central Bank's XML file holds three months of all."""
    body = cubes(reversed(fixings(PAIR, _stock().bars)))
    return Body(body, partial(_decoder("ecb", "fx_rates"), body, Ask(kind="fx_rates", symbol="")))


def _vintages() -> Body:
    """Return twenty years of a series with its revisions, which FRED sends as one page."""
    told = {"realtime_start": FIRST, "realtime_end": date(9999, 12, 31)}
    rows = observations(_stock().bars, start=FIRST, end=told["realtime_end"])
    body = msgspec.json.encode(told | {"count": len(rows), "observations": rows})
    return Body(body, partial(_decoder("fred", "observations"), body, Ask(kind="observations", symbol=STOCK)))


def _decoder(provider: str, kind: str) -> Decode:
    http = InMemoryHttp(_dataset())
    return registered(provider).build(http, ROOT, KEY).decode[kind]


def _dataset() -> Dataset:
    every = pl.date_range(LAST - timedelta(days=ROWS - 1), LAST, "1d", eager=True)
    always = _stock().bars.with_columns(label(every).alias("ts_event"))
    return Dataset(
        name="decoding",
        series={STOCK: _stock(), **{symbol: _series(symbol, always) for symbol in (COIN, PAIR)}},
    )


def _stock() -> Series:
    return _series(STOCK, bars(STOCK, seed=1, count=ROWS))


def _series(symbol: str, rows: pl.DataFrame) -> Series:
    return Series(symbol=symbol, mic="XNAS", name=symbol, currency="USD", bars=rows, actions=empty(DECODED["actions"]))
