"""Checks 23 to 42: daily bars, row by row, against what is true."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.app.conformance.bench import Bench, insist, some
from truetape.app.conformance.market import (
    AUTUMN,
    BEFORE,
    CALM,
    HALF_DAY,
    LAST,
    SPLIT,
    SPRING,
    UNKNOWN,
    WEEKEND,
    days,
)
from truetape.app.conformance.registry import daily, demand, equities
from truetape.domain.failures import FailureClass
from truetape.domain.schema import BASES
from truetape.domain.time import DAY_NS

NEAR: Final = 1e-6  # of prices in basis all, which providers round
DAILY_MOVE: Final = 0.1  # the most that prices of the market move from day to day without a split
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}|[A-Z]{2,10}")
_OHLC: Final = ("open", "high", "low", "close")
_NO_ROWS: Final = (None, FailureClass.EMPTY)


@demand(23, "values", "Open, high, low, close and volume are the provider's numbers to the last decimal.", daily)
async def values(bench: Bench) -> None:
    """Compare two calm weeks, in any order."""
    frame = (await bench.rows("bars", start=CALM[0], end=CALM[1])).unique("ts_event", maintain_order=True)
    expected = bench.truth(*CALM)
    near = NEAR if bench.basis() == "all" else 0.0
    for name in (*_OHLC, "volume"):
        pairs = _pairs(frame, expected, name)
        insist(pairs, f"there were no rows to compare {name} in")
        wrong = [pair for pair in pairs if not _equal(pair[1], pair[2], near=near, may_lack=name == "volume")]
        insist(not wrong, f"{name} was (date, true, read): {some(wrong)}")


@demand(24, "whole range", "Every session of the range is there, the first and the last included.", daily)
async def whole_range(bench: Bench) -> None:
    """Ask for January's sessions."""
    _same_days(bench, await bench.rows("bars", start=date(2024, 1, 3), end=date(2024, 1, 12)), "")


@demand(25, "one day", "A range of one day brings that day.", daily)
async def one_day(bench: Bench) -> None:
    """Ask for a single session."""
    day = date(2024, 1, 31)
    frame = await bench.rows("bars", start=day, end=day)
    insist(bench.local_days(frame).unique().to_list() == [day], f"{day} alone brought {_dates(bench, frame)}")


@demand(26, "today", "The market's last day can be asked for.", daily)
async def last_day(bench: Bench) -> None:
    """Ask for the last three sessions up to today."""
    frame = await bench.rows("bars", start=LAST - timedelta(days=2), end=LAST)
    insist(LAST in bench.local_days(frame), f"{LAST} was not among {_dates(bench, frame)}")


@demand(27, "order", "Bars ascend by time.", daily)
async def order(bench: Bench) -> None:
    """Look at the order of every page."""
    for page in await bench.pages("bars", start=date(2023, 12, 11), end=date(2023, 12, 15)):
        insist(page.frame["ts_event"].is_sorted(), f"bars came as {some(page.frame['ts_event'])}")


@demand(28, "no duplicates", "No bar is there twice.", daily)
async def no_duplicates(bench: Bench) -> None:
    """Count the bars of each day."""
    frame = await bench.rows("bars", start=date(2023, 12, 18), end=date(2023, 12, 22))
    twice = frame.filter(frame["ts_event"].is_duplicated())["ts_event"].unique().to_list()
    insist(not twice, f"bars came twice: {some(twice)}")


@demand(29, "labels", "A daily bar is labelled with its session date at 00:00 UTC.", daily)
async def labels(bench: Bench) -> None:
    """Look at the time of day of each label."""
    frame = await bench.rows("bars", start=date(2023, 10, 9), end=date(2023, 10, 13))
    wrong = frame.filter(frame["ts_event"].cast(pl.Int64) % DAY_NS != 0)["ts_event"].to_list()
    insist(not wrong, f"labels were {some(wrong)}")


@demand(30, "clocks forward", "No bar changes its date where the clocks go forward.", daily)
async def clocks_forward(bench: Bench) -> None:
    """Ask for the days around 2024-03-10."""
    _same_days(bench, await bench.rows("bars", start=SPRING[0], end=SPRING[1]), "around 2024-03-10")


@demand(31, "clocks back", "No bar changes its date where the clocks go back.", daily)
async def clocks_back(bench: Bench) -> None:
    """Ask for the days around 2023-11-05."""
    _same_days(bench, await bench.rows("bars", start=AUTUMN[0], end=AUTUMN[1]), "around 2023-11-05")


@demand(32, "half day", "A half day has a bar like any other day.", daily)
async def half_day(bench: Bench) -> None:
    """Ask for the Friday after Thanksgiving and the session after it."""
    frame = await bench.rows("bars", start=HALF_DAY, end=HALF_DAY + timedelta(days=3))
    insist(HALF_DAY in bench.local_days(frame), f"{HALF_DAY} was not among {_dates(bench, frame)}")


@demand(33, "days without sessions", "A range without a session is empty, and no failure.", daily, equities)
async def weekend(bench: Bench) -> None:
    """Ask for a weekend."""
    await _nothing(bench, *WEEKEND)


@demand(34, "before the first bar", "A range before anything was listed is empty, and no failure.", daily)
async def before(bench: Bench) -> None:
    """Ask for a week of 2001."""
    await _nothing(bench, *BEFORE)


@demand(35, "unknown symbol", "A symbol that it does not know is permanent or empty; it is never tried again.", daily)
async def unknown_symbol(bench: Bench) -> None:
    """Ask for a symbol that nobody has."""
    page = await bench.page(bench.ask("bars", symbol=UNKNOWN, start=CALM[0], end=CALM[1]), kind="bars")
    found = page.failure.failure_class if page.failure else None
    insist(found in (*_NO_ROWS, FailureClass.PERMANENT), f"an unknown symbol was classified as {found}")
    insist(page.frame.is_empty(), f"an unknown symbol brought {len(page.frame)} bars")


@demand(
    36, "basis", "The column basis says what was declared, and prices move across a split as the basis has it.", daily
)
async def basis(bench: Bench) -> None:
    """Look at the days before and after the split."""
    frame = await bench.rows("bars", start=date(2024, 1, 17), end=date(2024, 1, 24))
    told, declared = frame["basis"].unique().to_list(), bench.basis()
    insist(told == [declared], f"basis was {told}, declared is {declared!r}, known are {BASES}")
    if bench.ours() == "AAA" and "split" in told:
        local = bench.local_days(frame)
        steps = frame.filter(local < SPLIT)["close"].tail(1), frame.filter(local >= SPLIT)["close"].head(1)
        near = abs(steps[0][0] / steps[1][0] - 1) < DAILY_MOVE
        insist(near, f"closes across the split were {steps[0][0]} and {steps[1][0]}")


@demand(
    37,
    "adjusted numbers",
    "Prices of years before a split have exactly the adjustment that is declared.",
    daily,
    equities,
)
async def adjusted(bench: Bench) -> None:
    """Compare closes from before the split."""
    span = date(2023, 10, 16), date(2023, 10, 20)
    frame = (await bench.rows("bars", start=span[0], end=span[1])).unique("ts_event", maintain_order=True)
    expected = bench.truth(*span)
    pairs = [*_pairs(frame, expected, "close"), *_pairs(frame, expected, "volume")]
    wrong = [pair for pair in pairs if not _equal(pair[1], pair[2], near=NEAR, may_lack=True)]
    insist(not wrong, f"close and volume in basis {bench.basis()!r} were (date, true, read): {some(wrong)}")


@demand(38, "whose bars", "Each bar carries the symbol and the timeframe that were asked for.", daily)
async def whose_bars(bench: Bench) -> None:
    """Look at symbol and timeframe."""
    frame = await bench.rows("bars", start=date(2023, 11, 13), end=date(2023, 11, 15))
    symbols, frames = frame["symbol"].unique().to_list(), frame["timeframe"].unique().to_list()
    wanted = bench.ask("bars").symbol
    insist(symbols == [wanted], f"asked for {wanted!r}, the bars carry {symbols}")
    insist(frames == ["1d"], f"asked for 1d, the bars carry {frames}")


@demand(39, "currency", "A currency is a code in letters, or not told.", daily)
async def currency(bench: Bench) -> None:
    """Look at the currency."""
    frame = await bench.rows("bars", start=date(2023, 11, 27), end=date(2023, 11, 29))
    wrong = [one for one in frame["currency"].unique() if one is not None and not _CURRENCY.fullmatch(one)]
    insist(not wrong, f"the currency was {wrong}")


@demand(40, "finished bars", "Every bar says whether it is running, and those of past days are not.", daily)
async def finished(bench: Bench) -> None:
    """Look at bars of a week that is long over."""
    frame = await bench.rows("bars", start=date(2023, 12, 4), end=date(2023, 12, 6))
    told = frame["running"].to_list()
    insist(told and not any(one is None or one for one in told), f"running was {told}")


@demand(41, "adjusted close", "An adjusted close is a number above 0, or not told; NaN stands nowhere.", daily)
async def adjusted_close(bench: Bench) -> None:
    """Look at every number of a bar."""
    frame = await bench.rows("bars", start=date(2024, 2, 5), end=date(2024, 2, 7))
    odd = [name for name in (*_OHLC, "volume", "adj_close") if not frame[name].drop_nulls().is_finite().all()]
    insist(not odd, f"{odd} held numbers that are none")
    insist((frame["adj_close"].drop_nulls() > 0).all(), f"adj_close was {some(frame['adj_close'])}")


@demand(42, "two at once", "Questions about two symbols at the same time bring each its own rows.", daily)
async def two_at_once(bench: Bench) -> None:
    """Ask about two symbols in turn and together."""
    mine, yours = bench.ours(), bench.other()
    start, end = date(2024, 3, 13), date(2024, 3, 15)
    alone = await bench.rows("bars", symbol=mine, start=start, end=end)
    asking = (bench.rows("bars", symbol=ours, start=start, end=end) for ours in (mine, yours))
    both = await asyncio.gather(*asking)
    insist(both[0].equals(alone), f"{mine} asked together with {yours} was not what it is alone")
    insist(not both[1]["close"].equals(alone["close"]), f"{yours} brought the rows of {mine}")


def _dates(bench: Bench, frame: pl.DataFrame) -> list[date]:
    found: list[date] = bench.local_days(frame).unique().sort().to_list()
    return found


def _same_days(bench: Bench, frame: pl.DataFrame, where: str) -> None:
    found = _dates(bench, frame)
    asked = {"": (date(2024, 1, 3), date(2024, 1, 12)), "around 2024-03-10": SPRING, "around 2023-11-05": AUTUMN}[where]
    wanted = days(bench.ours(), *asked)
    insist(found == wanted, f"sessions {where} were {some(found, 9)}, true are {some(wanted, 9)}")


def _pairs(frame: pl.DataFrame, expected: pl.DataFrame, name: str) -> list[tuple[date, float | None, float | None]]:
    day = pl.col("ts_event").dt.date().alias("day")
    true = expected.select(day, pl.col(name).alias("true"))
    joined = true.join(frame.select(day, pl.col(name).alias("read")), on="day", how="inner")
    return joined.rows()


def _equal(true: float | None, read: float | None, *, near: float, may_lack: bool) -> bool:
    if read is None or true is None:
        return may_lack
    return abs(true - read) <= near * abs(true)


async def _nothing(bench: Bench, start: date, end: date) -> None:
    page = await bench.page(bench.ask("bars", start=start, end=end), kind="bars")
    found = page.failure.failure_class if page.failure else None
    insist(found in _NO_ROWS, f"a range without bars was classified as {found}: {page.failure and page.failure.words}")
    rows = page.frame.filter(bench.local_days(page.frame).is_between(start, end))
    insist(rows.is_empty(), f"a range without bars brought {some(rows['ts_event'])}")
