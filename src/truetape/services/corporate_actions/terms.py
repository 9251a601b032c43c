"""What is known of the worth of spun-off shares and of rights, which a golden action does not tell by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from truetape.domain.announced_terms import exact
from truetape.domain.announcements import ENDED
from truetape.domain.distributions import CASH
from truetape.domain.errors import BadInput
from truetape.domain.known_spans import FOREVER

PRICED: Final = ("spin_off", "rights")  # types of actions that need a price beside the value
PRICES: Final = {
    "ex_date": pl.Date(),
    "type": pl.String(),
    "price": pl.Float64(),  # see domain.distributions
    "since": pl.Int64(),  # from this knowledge time on, inclusive, UTC nanoseconds
    "until": pl.Int64(),  # exclusive
}
FIRST_TRADED: Final = timedelta(days=10)  # from the ex-date on: a first close after that is no price of the ex-date


@dataclass(frozen=True)
class SpinOff:
    """A spin-off of which nobody states what a share is worth; it is known to be one from `since` until `until`."""

    symbol: str  # of the shares that are handed out, as it was announced
    ex_date: date
    since: int
    until: int


def stated(announcements: pl.DataFrame) -> pl.DataFrame:
    """Return the prices that are announced, as PRICES: of rights that at which they buy, else the worth of a share.

    Args:
        announcements: In the spans in which they stood: `type`, `status`, `effective_date`, `price`, `since`, `until`.
    """
    rows = [
        (day, kind, price, since, until)
        for kind, day, text, since, until in _alive(announcements)
        .filter(pl.col("price") != "")
        .select("type", "effective_date", "price", "since", "until")
        .iter_rows()
        if (price := _number(text)) is not None
    ]
    return pl.DataFrame(rows, schema=PRICES, orient="row")


def unstated(announcements: pl.DataFrame) -> list[SpinOff]:
    """Return the spin-offs that name the shares and not their worth.

    Args:
        announcements: As for `stated`, with `new_symbol`.
    """
    wanted = _alive(announcements).filter(
        pl.col("type") == "spin_off", pl.col("price") == "", pl.col("new_symbol") != ""
    )
    columns = ("new_symbol", "effective_date", "since", "until")
    return [SpinOff(*row) for row in wanted.select(columns).iter_rows()]


def first_prices(spin_off: SpinOff, closes: pl.DataFrame) -> pl.DataFrame:
    """Return what a spun-off share was worth at every knowledge time, as PRICES: its first close from the ex-date on.

    Args:
        spin_off: What is valued.
        closes: Of the spun-off shares, in their spans: `date`, `close`, `since` and `until`, ascending by date.
    """
    last = spin_off.ex_date + FIRST_TRADED
    near = closes.filter(pl.col("date").is_between(spin_off.ex_date, last), pl.col("close") > 0)
    spans = near.select("close", "since", "until").rows()
    edges = {edge for _, since, until in spans for edge in (since, until)}
    moments = sorted(one for one in edges | {spin_off.since} if spin_off.since <= one < spin_off.until)
    rows = []
    for since, until in zip(moments, [*moments[1:], spin_off.until], strict=True):
        price = next((close for close, begins, ends in spans if begins <= since < ends), None)
        if price is not None:
            rows.append((spin_off.ex_date, "spin_off", price, since, until))
    return pl.DataFrame(rows, schema=PRICES, orient="row")


def listed_as(listings: pl.DataFrame, symbol: str, day: date) -> str | None:
    """Return the instrument that has `symbol` on `day` or begins to have it soon after; None: none has, or several.

    Args:
        listings: `instrument_id`, `symbol`, `valid_from` and `valid_to` (exclusive).
        symbol: A ticker, or the id of an instrument.
        day: The ex-date.
    """
    begins = pl.col("valid_from").is_null() | (pl.col("valid_from") <= day + FIRST_TRADED)
    ends = pl.col("valid_to").is_null() | (pl.col("valid_to") > day)
    found = listings.filter((pl.col("symbol") == symbol) & begins & ends)["instrument_id"].unique()
    named = listings.filter(pl.col("instrument_id") == symbol)["instrument_id"].unique()
    both = {*found, *named}
    return both.pop() if len(both) == 1 else None


def missing_terms(actions: pl.DataFrame, prices: pl.DataFrame) -> Iterator[Mapping[str, object]]:
    """Yield the actions that stand and cannot be valued: `type` and `ex_date`.

    Args:
        actions: In their spans: `ex_date`, `type`, `value` and `until`.
        prices: PRICES.
    """
    standing = actions.filter(pl.col("until") == FOREVER, pl.col("type").is_in(PRICED), pl.col("value").is_not_null())
    known = prices.filter(pl.col("until") == FOREVER)
    yield from standing.join(known, on=["ex_date", "type"], how="anti").select("type", "ex_date").iter_rows(named=True)


def in_other_currency(actions: pl.DataFrame, closes: pl.DataFrame) -> Iterator[Mapping[str, object]]:
    """Yield the cash that stands and is in another currency than the newest close: `type`, `ex_date`, `currency`.

    Args:
        actions: In their spans: `ex_date`, `type`, `value`, `currency` and `until`.
        closes: In theirs: `currency`, ascending by date.
    """
    known = closes["currency"].drop_nulls()
    if known.is_empty():
        return
    standing = actions.filter(pl.col("until") == FOREVER, pl.col("type").is_in(CASH), pl.col("value").is_not_null())
    other = standing.filter(pl.col("currency").is_not_null(), ~pl.col("currency").is_in(["", known[-1]]))
    yield from other.select("type", "ex_date", "currency").iter_rows(named=True)


def _alive(announcements: pl.DataFrame) -> pl.DataFrame:
    return announcements.filter(
        pl.col("type").is_in(PRICED), ~pl.col("status").is_in(ENDED), pl.col("effective_date").is_not_null()
    )


def _number(text: str) -> float | None:
    try:
        return float(exact(text, parameter="price"))
    except BadInput:
        return None
