"""What the watch over live streams adds to a trade, and to a day of them.

A trade is judged in its segment: of one trade alone the whole cost falls on it, of a busy stream very little. Times are
those of the processor; the 99th of a hundred counts, in the best of some passes, where other work on the machine shows
least.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from perf.measure import Figure, Sheet, figure, in_turns, sheet
from truetape.domain.messages import StreamCaptured, TicksHeard
from truetape.domain.schema import INSTANT, TABLES, empty
from truetape.domain.time import NANOSECONDS
from truetape.services.processing.streamed import Said
from truetape.services.processing.ticks import ticks_heard
from truetape.services.quality.monitor import Monitor, Rows
from truetape.services.quality.watch import Watch

SYMBOLS = 50
START = 1_717_977_600 * NANOSECONDS
LIVE = 800  # segments of one trade in a pass
PASSES = 8
BUDGET_US = 200.0
SECOND = 85_000  # trades of a busy second
ROUNDS = 5


def measure() -> Iterator[Sheet]:
    """Yield the cost of a lone trade beside its budget, and that of a busy second beside json.loads of the same."""
    yield sheet("monitoring", [_lone(), _told(), _busy()])


def _lone() -> Figure:
    monitor, names = Monitor(provider="p", kind="trades"), [f"i{number}" for number in range(SYMBOLS)]
    taken = []
    for number in range(LIVE * PASSES):
        rows = _rows(1, START + number * NANOSECONDS, np.random.default_rng(number))
        begun = time.thread_time_ns()
        monitor.hear(names, rows)
        taken.append((time.thread_time_ns() - begun) / 1000)
    return _budget("a lone trade is judged", taken)


def _told() -> Figure:
    """Measure the whole way of a lone trade: made a message, and judged from it."""
    watch, taken = Watch(simulated=True), []
    watch.set_calendars(_calendar(), _listings(), day=date(2024, 6, 10))
    for number in range(LIVE * PASSES):
        said, message = _segment(1, number)
        begun = time.thread_time_ns()
        _hear(watch, message, said)
        taken.append((time.thread_time_ns() - begun) / 1000)
    return _budget("a lone trade is told and judged", taken)


def _budget(name: str, taken: list[float]) -> Figure:
    passes = [taken[first : first + LIVE] for first in range(LIVE, len(taken), LIVE)]  # the first one warms up
    least = min(float(np.percentile(one, 99)) for one in passes)
    return figure(
        f"monitoring_{name.replace(' ', '_')}",
        unit="us, 99th of 100",
        ours=least,
        peer=BUDGET_US,
        peer_name=f"budget of {BUDGET_US:g} us",
        bar=1.0,
        better="lower",
        beside={"its median": least / float(np.median(taken))},
    )


def _busy() -> Figure:
    watch = Watch(simulated=True)
    watch.set_calendars(_calendar(), _listings(), day=date(2024, 6, 10))
    segments = iter([_segment(SECOND, number) for number in range(ROUNDS + 1)])
    text = [json.dumps({"T": "t", "S": "S001", "i": number, "p": 100.5, "s": 100, "t": "2024-06-10T00:00:00Z"})
            for number in range(SECOND)]  # fmt: skip

    def ours() -> None:
        said, message = next(segments)
        _hear(watch, message, said)

    def peer() -> None:
        for one in text:
            json.loads(one)

    mine, theirs = in_turns(ours, peer, rounds=ROUNDS)
    return figure(
        "monitoring_a_busy_second",
        unit=f"s for {SECOND:,} trades",
        ours=mine,
        peer=theirs,
        peer_name="json.loads of the same trades and nothing else",
        bar=0.5,
        better="lower",
    )


def _hear(watch: Watch, message: StreamCaptured, said: Said) -> None:
    told = ticks_heard(message, said)
    assert isinstance(told, TicksHeard)
    watch.hear(told)


def _rows(count: int, start: int, random: Any) -> Rows:
    at = start + np.sort(random.integers(0, NANOSECONDS, count))
    who = random.integers(0, SYMBOLS, count)
    price = 100 * np.exp(random.normal(0, 1e-4, count))
    return Rows(who, at, at + 10**7, price, ids=random.integers(0, 2**63, count).astype(np.uint64))


def _segment(count: int, number: int) -> tuple[Said, StreamCaptured]:
    rows = _rows(count, START + number * NANOSECONDS, np.random.default_rng(number))
    known = START + (number + 1) * NANOSECONDS
    given = {
        "instrument_id": pl.Series([f"ins_{one:012d}" for one in rows.who]),
        "ts_event": pl.Series(rows.at).cast(INSTANT),
        "price": pl.Series(rows.price),
        "trade_id": pl.Series([str(number * count + one) for one in range(count)]),
    }
    same = {"provider": "p", "venue": "V", "correction": "", "size": 100.0, "ts_known": known, "simulated": True}
    trades = pl.DataFrame(given).select(
        [
            (pl.col(name) if name in given else pl.lit(same.get(name))).cast(dtype).alias(name)
            for name, dtype in TABLES["trades"].columns.items()
        ]
    )
    message = StreamCaptured(
        provider="p",
        connection="c",
        number=number,
        key="k",
        ts_known=known,
        frames=1,
        channels=("trades",),
        instruments={},
        simulated=True,
    )
    return Said(trades, *(empty(TABLES[name].columns) for name in ("quotes", "bar_claims"))), message


def _calendar() -> pl.DataFrame:
    day = pl.Series([START]).cast(INSTANT)
    return pl.DataFrame({"mic": ["XNYS"], "open": day}).with_columns(close=pl.col("open") + pl.duration(hours=24))


def _listings() -> pl.DataFrame:
    ids = [f"ins_{one:012d}" for one in range(SYMBOLS)]
    return pl.DataFrame({"instrument_id": ids, "mic": ["XNYS"] * SYMBOLS})
