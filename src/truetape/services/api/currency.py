"""Bars in another currency: each by the newest fixing that was out when the bar ended, never by a later one.

A bar below a day ends when the next one begins, a daily one with its session, a weekly or monthly one with its period;
a day whose session is not known ends at midnight UTC. Of each fixing, domain.fixings says from which hour it is out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from truetape.domain.currencies import EURO, JOINED, REDENOMINATED, renamed
from truetape.domain.errors import BadInput
from truetape.domain.fixings import FIXINGS, last_out
from truetape.domain.fx import OLDEST, PIVOTS, RATES, USED, converted
from truetape.domain.resampling import LENGTHS_NS
from truetape.domain.schema import TABLES
from truetape.domain.time import iso
from truetape.ports.store import Selection
from truetape.services.api.reading import Reading
from truetape.services.api.render import FxUsed

PRICES: Final = ("open", "high", "low", "close")
FX: Final = {"fx_fixing": pl.String(), **USED}  # columns behind those of a bar, where a currency is asked for
_PAIR: Final = ("fixing", "base", "quote")
READ: Final = ("fixing", "base", "quote", "ts_event", "rate", "ts_known")


@dataclass(frozen=True)
class InCurrency:
    """Bars in the currency asked for, with the columns FX, and the rates behind them."""

    bars: pl.DataFrame
    rates: pl.DataFrame  # columns of READ: those that were looked at


async def in_currency(
    reading: Reading, bars: pl.DataFrame, *, mic: str, timeframe: str, currency: str, fixing: str = ""
) -> InCurrency:
    """Return `bars` of one instrument in `currency`; prices without a rate are null.

    Args:
        reading: The state of the store.
        bars: `ts_event`, `currency` and PRICES.
        mic: Where it is listed: whose sessions end the days.
        timeframe: Of the bars.
        currency: ISO 4217, or a part of one such as GBp.
        fixing: A key of FIXINGS; "": for each currency the first of them that has rates for the way.

    Raises:
        BadInput: Nothing at all is known of the rates between the two currencies.
        StoreUnavailable: The store cannot be read now.
    """
    if bars.is_empty():
        return InCurrency(bars.with_columns(_nothing()), _no_rates())
    ends = await _ends(reading, bars, mic=mic, timeframe=timeframe)
    numbered = bars.with_row_index("place").with_columns(ends.alias("ends"))
    parts, looked_at = [], []
    for (source,), own in numbered.partition_by("currency", as_dict=True, maintain_order=True).items():
        chosen = await chosen_fixing(reading, str(source), currency, fixing)
        days = last_out(own["ends"], chosen or next(iter(FIXINGS)))
        rates = await rates_between(reading, str(source), currency, fixing=chosen, days=_span(days))
        looked_at.append(rates)
        told = await asyncio.to_thread(_converted, own, rates, days, currency)
        by = chosen if len(rates) else None
        parts.append(told.with_columns(pl.lit(by, dtype=pl.String).alias("fx_fixing")))
    whole = pl.concat(parts).sort("place")
    return InCurrency(whole.select(*bars.columns, *FX), pl.concat(looked_at))


def fx_used(frames: Sequence[InCurrency], *, currency: str) -> FxUsed | None:
    """Return what an answer tells of the rates behind it; None where no currency was asked for."""
    if not frames:
        return None
    told = pl.concat([one.bars.select(list(FX)) for one in frames])
    newest = pl.concat([one.rates["ts_known"] for one in frames]).cast(pl.Int64).max()
    ages = told["fx_age_days"].max()
    return FxUsed(
        currency=currency,
        fixings=_named(told["fx_fixing"]),
        paths=_named(told["fx_path"]),
        oldest_days=ages if isinstance(ages, int) else None,
        missing=told["fx_rate"].null_count(),
        known=iso(newest) if isinstance(newest, int) else None,
    )


def _named(texts: pl.Series) -> tuple[str, ...]:
    return tuple(one for one in texts.drop_nulls().unique().sort() if one)


def _nothing() -> list[pl.Expr]:
    return [pl.lit(None, dtype=dtype).alias(name) for name, dtype in FX.items()]


def _converted(bars: pl.DataFrame, rates: pl.DataFrame, days: pl.Series, currency: str) -> pl.DataFrame:
    plain = rates.select("base", "quote", pl.col("ts_event").dt.date().alias("date"), "rate").select(list(RATES))
    return converted(bars, plain, days=days, target=currency, amounts=PRICES)


async def _ends(reading: Reading, bars: pl.DataFrame, *, mic: str, timeframe: str) -> pl.Series:
    """Return when each of `bars` ended, UTC."""
    begins = bars["ts_event"]
    if timeframe in LENGTHS_NS:
        return begins.dt.offset_by(f"{LENGTHS_NS[timeframe]}ns")
    if timeframe != "1d":
        return begins.dt.offset_by(timeframe)
    days = begins.dt.date()
    first, last = _span(days)
    columns = ("session", "close")
    wanted = Selection(equal={"mic": (mic,)}, start=first, end=last, as_of=reading.as_of, columns=columns)
    closes = (await reading.read("sessions", wanted)).select("session", ends="close")
    dated = pl.DataFrame({"session": days}).join(closes, on="session", how="left", maintain_order="left")
    return dated["ends"].zip_with(dated["ends"].is_not_null(), begins.dt.offset_by("1d"))


async def chosen_fixing(reading: Reading, source: str, target: str, fixing: str) -> str:
    """Return the fixing that brings `source` to `target`; "" where none is needed.

    Raises:
        BadInput: No rates lead there.
    """
    if _meet(source, target):
        return ""
    codes = _codes(source, target)
    equal = {"base": codes, "quote": codes, **({"fixing": (fixing,)} if fixing else {})}
    known = (await reading.read("fx_rates", Selection(equal=equal, as_of=reading.as_of, columns=_PAIR))).unique()
    for one in (fixing,) if fixing else FIXINGS:
        own = known.filter(pl.col("fixing") == one)
        if _leads(source, target, {frozenset(pair) for pair in own.select("base", "quote").iter_rows()}):
            return one
    whole, into = renamed(source)[0], renamed(target)[0]
    by = f" by the fixing {fixing}" if fixing else ""
    fix = (
        f"No rate between {whole} and {into} is known{by}. Name the pair under [fx] pairs, or get it: "
        f"truetape backfill {whole}/{into}"
    )
    raise BadInput(parameter="currency", value=target, fix=fix)


def _meet(source: str, target: str) -> bool:
    """Return whether both are units of one currency, on any day."""
    return renamed(source)[0] == renamed(target)[0]


def _leads(source: str, target: str, pairs: set[frozenset[str]]) -> bool:
    """Return whether `pairs` lead from `source` to `target` on some day: directly, or across one pivot."""
    new = {frozenset(renamed(code)[0] for code in pair) for pair in pairs}
    ways = [(one, other) for one in _stages(source) for other in _stages(target)]
    return any(
        one == other
        or frozenset((one, other)) in new
        or any(frozenset((one, pivot)) in new and frozenset((pivot, other)) in new for pivot in PIVOTS)
        for one, other in ways
    )


def _stages(code: str) -> tuple[str, ...]:
    """Return what `code` was and became: its newest unit, and the euro if that took its place."""
    whole = renamed(code)[0]
    return (whole, EURO) if whole in JOINED else (whole,)


def _codes(*currencies: str) -> tuple[str, ...]:
    """Return the codes between which rates may lead from one of `currencies` to another, old ones included."""
    new = {*PIVOTS, *(stage for one in currencies for stage in _stages(one))}
    return tuple(sorted({*new, *(old for old in REDENOMINATED if renamed(old)[0] in new)}))


async def rates_between(
    reading: Reading, source: str, target: str, *, fixing: str, days: tuple[date, date]
) -> pl.DataFrame:
    """Return the golden rates that may lead from `source` to `target` on `days`, both inclusive, and shortly before.

    Columns are READ; without a fixing there are none.

    Raises:
        StoreUnavailable: The store cannot be read now.
    """
    if not fixing:
        return _no_rates()
    codes, (first, last) = _codes(source, target), days
    wanted = Selection(
        equal={"base": codes, "quote": codes, "fixing": (fixing,)},
        start=first - OLDEST,
        end=last,
        as_of=reading.as_of,
        columns=READ,
    )
    return await reading.read("fx_rates", wanted)


def _no_rates() -> pl.DataFrame:
    return pl.DataFrame(schema={name: TABLES["fx_rates"].columns[name] for name in READ})


def _span(days: pl.Series) -> tuple[date, date]:
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return first, last
