"""Adjusting on read, beside the raw read of the same bars: ten million bars, one day of all, one instrument.

Every instrument has a split and a dozen dividends. What is told is CPU time: the two differ by less than what other
work on the machine adds to either.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl

import truetape as tt
from perf.measure import Figure, Sheet, figure, least_cpu, sheet
from perf.storing.filling import fill
from perf.storing.market import Market

MARKET = Market(instruments=4_000, days=2_500)
SECONDS = 40.0  # of each comparison
BAR = 1.25
SPLIT_AT = 4  # of the ex-dates, from the first


def measure() -> Iterator[Sheet]:
    """Yield the three figures on one page."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        fill(data, [MARKET], say=lambda _: None)
        split(data)
        yield sheet("adjusting", figures(data, MARKET, seconds=SECONDS))


def split(data: Path) -> None:
    """Give every instrument a split, two for one, on one of its ex-dates."""
    with duckdb.connect(str(data / "truetape.duckdb")) as raw:
        raw.execute(
            "UPDATE factors SET split = 2.0 WHERE ex_date = "
            f"(SELECT DISTINCT ex_date FROM factors ORDER BY ex_date LIMIT 1 OFFSET {SPLIT_AT})"
        )


def figures(data: Path, market: Market, *, seconds: float) -> Iterator[Figure]:
    """Yield what adjusting costs, in the manner of `all` and, beside it, in others."""
    symbols = list(market.symbols.values())
    day = market.sessions[len(market.sessions) // 2]
    with tt.open(data) as session:
        asks: dict[str, Callable[[str], pl.DataFrame]] = {
            f"adjusted_{market.rows}_bars": lambda how: session.bars(symbols, adjustment=how),  # type: ignore[arg-type]
            "adjusted_day_of_all": lambda how: session.bars(symbols, start=day, end=day, adjustment=how),  # type: ignore[arg-type]
            "adjusted_one_instrument": lambda how: session.bars(symbols[7], adjustment=how),  # type: ignore[arg-type]
        }
        for name, ask in asks.items():
            assert len(ask("all")) == len(ask("raw"))
            yield _figure(name, ask, seconds=seconds)


def _figure(name: str, ask: Callable[[str], pl.DataFrame], *, seconds: float) -> Figure:
    raw, all_, split_ = least_cpu(lambda: ask("raw"), lambda: ask("all"), lambda: ask("split"), seconds=seconds)
    return figure(
        name,
        unit="ms CPU",
        ours=all_ * 1e3,
        peer=raw * 1e3,
        peer_name="the same, raw",
        bar=BAR,
        better="lower",
        beside={"raw, for splits alone": split_ / raw},
    )
