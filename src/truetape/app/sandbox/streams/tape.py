"""What happens on a venue in a dataset's last day, event by event: trades, quotes, minutes and order books, invented.

Everything follows from the daily bar: the trades are those of `intraday`, the quotes stand around them, and the book is
a ladder around the quotes. Equal datasets and seeds give equal tapes.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import msgspec
import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.intraday import (
    MINUTE_NS,
    TRADES_PER_MINUTE,
    Hours,
    around_the_clock,
    minutes,
    quotes,
    regular_hours,
    trades,
)
from truetape.domain.pairs import is_fx
from truetape.domain.ticks import Bar, Depth, Level, Quote, Trade

LEVELS: Final = 10  # of each side of a book
BAR_DELAY_NS: Final = 2_000_002  # a minute's bar is said so long after its end
BOOK_DELAY_NS: Final = 500_000  # a book changes so long after the quote
UNTOLD_VOLUME: Final = 1_000_000.0  # of a day without one, so that its prices move
MOST_SERIES: Final = 256  # days that are kept

News = Trade | Quote | Bar | Depth


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, in our own spelling of the symbol."""

    at: int  # when it is said, UTC nanoseconds
    number: int  # of the events of its kind of this symbol; goes on by 1
    news: News


@dataclass
class Standing:
    """What the venue itself knows of a symbol now, whatever it has said of it."""

    trade: Event | None = None
    quote: Event | None = None
    bids: dict[float, float] = field(default_factory=dict)  # price to quantity
    asks: dict[float, float] = field(default_factory=dict)
    number: int = 0  # of the book's last change
    at: int = 0  # of the last event, UTC nanoseconds

    def learn(self, event: Event) -> None:
        """Go on by one event."""
        news, self.at = event.news, event.at
        if isinstance(news, Trade):
            self.trade = event
        elif isinstance(news, Quote):
            self.quote = event
        elif isinstance(news, Depth):
            self.number = event.number
            for side, levels in ((self.bids, news.bids), (self.asks, news.asks)):
                _change(side, levels)

    def best(self) -> tuple[list[Level], list[Level]]:
        """Return bids and asks, best first."""
        return sorted(self.bids.items(), reverse=True), sorted(self.asks.items())


@dataclass(frozen=True)
class Day:
    """One symbol's last day."""

    symbol: str
    events: tuple[Event, ...]  # ascending
    opening: Standing  # before the first event: an order book stands already
    first_day_ns: int  # when the symbol's first day in the dataset began, UTC nanoseconds

    def after(self, instant: int) -> int:
        """Return the place of the first event later than `instant`."""
        return bisect_right(self.events, instant, key=_said_at)

    def standing(self, place: int) -> Standing:
        """Return what is known when the first `place` events have happened."""
        opened = self.opening
        found = Standing(bids=dict(opened.bids), asks=dict(opened.asks), number=opened.number, at=opened.at)
        for event in self.events[:place]:
            found.learn(event)
        return found


class Tape:
    """The last day of every series of a dataset.

    Args:
        dataset: The truth.
        seed: Chooses the quantities of the order books.
    """

    def __init__(self, dataset: Dataset, *, seed: int) -> None:
        self.dataset = dataset
        self.seed = seed
        self.day = lru_cache(maxsize=MOST_SERIES)(self._day)

    def _day(self, symbol: str, hours: Hours) -> Day:
        """Return what happens to `symbol`; nothing where it has no bar on the dataset's last day.

        A day without a volume has quotes, as indices and currencies do, and minutes of volume 0. Of its trades only
        those of currencies are kept, which some providers tell as prices.
        """
        bars = self.dataset.series[symbol].bars
        last = bars.filter(pl.col("ts_event").dt.date() == self.dataset.end)
        traded = bool(last["volume"].sum())
        if not traded:
            last = last.with_columns(pl.lit(UNTOLD_VOLUME).alias("volume"))
        first_day: int = bars["ts_event"].to_physical()[0]
        made = trades(last, hours=hours)
        if made.is_empty():
            return Day(symbol, (), Standing(), first_day)
        number = made["ts_event"].to_physical()[0] // MINUTE_NS * TRADES_PER_MINUTE
        best = list(_quotes(symbol, last, hours, number=number))
        books, opening = _books(symbol, best, seed=self.seed)
        said = [*_trades(symbol, made, number=number), *best, *_bars(symbol, last, hours), *books]
        if not traded:
            said = [told for event in said if (told := _untraded(event)) is not None]
        return Day(symbol, tuple(sorted(said, key=_said_at)), opening, first_day)


def usual_hours(symbol: str) -> Hours:
    """Return when the market of our `symbol` is open: pairs trade around the clock, shares in regular sessions."""
    return around_the_clock if "/" in symbol else regular_hours


def _said_at(event: Event) -> int:
    return event.at


def _trades(symbol: str, made: pl.DataFrame, *, number: int) -> Iterator[Event]:
    """Yield the trades. Numbers go on by 1; in a day without an idle minute they are those of `intraday.trades`."""
    columns = (made["ts_event"].to_physical(), *(made[name] for name in ("price", "size", "side")))
    for at, (instant, price, size, side) in enumerate(zip(*columns, strict=True), number):
        trade = Trade(
            symbol=symbol,
            ts_event=instant,
            price=price,
            size=size,
            trade_id=str(at),
            conditions="@",
            side=side,
            venue="N",
        )
        yield Event(instant, at, trade)


def _untraded(event: Event) -> Event | None:
    """Return `event` of a day without a volume; None for what cannot be there."""
    news = event.news
    if isinstance(news, Trade):
        return event if is_fx(news.symbol) else None
    if isinstance(news, Quote):
        return replace(event, news=msgspec.structs.replace(news, volume=None))
    return replace(event, news=msgspec.structs.replace(news, volume=0.0)) if isinstance(news, Bar) else event


def _quotes(symbol: str, last: pl.DataFrame, hours: Hours, *, number: int) -> Iterator[Event]:
    rows = quotes(last, hours=hours)
    names = ("bid", "bid_size", "ask", "ask_size", "price", "volume")
    columns = (rows["ts_event"].to_physical(), *(rows[name] for name in names))
    for at, (instant, *values) in enumerate(zip(*columns, strict=True), number):
        yield Event(instant, at, Quote(symbol=symbol, ts_event=instant, **dict(zip(names, values, strict=True))))


def _bars(symbol: str, last: pl.DataFrame, hours: Hours) -> Iterator[Event]:
    rows = minutes(last, hours=hours).filter(pl.col("volume") > 0)
    names = ("open", "high", "low", "close", "volume")
    columns = (rows["ts_event"].to_physical(), *(rows[name] for name in names))
    for begins, *values in zip(*columns, strict=True):
        bar = Bar(symbol=symbol, timeframe="1m", ts_event=begins, **dict(zip(names, values, strict=True)))
        yield Event(begins + MINUTE_NS + BAR_DELAY_NS, begins // MINUTE_NS, bar)


def _books(symbol: str, best: list[Event], *, seed: int) -> tuple[list[Event], Standing]:
    """Return the changes of the book that the quotes make, and the book before them."""
    events: list[Event] = []
    first = best[0]
    bids, asks = _ladders(first.news, seed=seed)
    opening = Standing(bids=bids, asks=asks, number=first.number - 1, at=first.at)
    for event in best[1:]:
        new_bids, new_asks = _ladders(event.news, seed=seed)
        instant = event.at + BOOK_DELAY_NS
        depth = Depth(symbol=symbol, ts_event=instant, bids=_changes(bids, new_bids), asks=_changes(asks, new_asks))
        bids, asks = new_bids, new_asks
        if depth.bids or depth.asks:
            events.append(Event(instant, first.number + len(events), depth))
    return events, opening


def _ladders(news: News, *, seed: int) -> tuple[dict[float, float], dict[float, float]]:
    """Return price to quantity of each side around a quote."""
    assert isinstance(news, Quote)
    sides = []
    for start, sign, size in ((news.bid, -1, news.bid_size), (news.ask, 1, news.ask_size)):
        side = {price: float(100 + (at * 37 + seed * 101) % 900) for price, at in _grid(start or 0.0, sign)}
        side[start or 0.0] = size or 0.0
        sides.append(side)
    return sides[0], sides[1]


def _grid(start: float, sign: int) -> list[tuple[float, int]]:
    """Return the prices behind the best one, each with its number: multiples of a step of about a ten-thousandth."""
    places = 4 - math.floor(math.log10(start)) if start > 0 else 0
    first = math.floor(start * 10**places) if sign < 0 else math.ceil(start * 10**places)
    numbers = [first + sign * at for at in range(1, LEVELS)]
    return [(round(number / 10**places, max(places, 0)), number) for number in numbers if number > 0]


def _changes(old: dict[float, float], new: dict[float, float]) -> tuple[Level, ...]:
    gone = [(price, 0.0) for price in old if price not in new]
    return (*gone, *((price, size) for price, size in new.items() if old.get(price) != size))


def _change(side: dict[float, float], levels: tuple[Level, ...]) -> None:
    for price, size in levels:
        if size:
            side[price] = size
        else:
            side.pop(price, None)
