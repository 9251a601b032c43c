"""Prices in tables of anybody's making: columns recognised by their names, and what those tell of basis and zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.cells import bare, days, instants, numbers, texts
from truetape.domain.decoding import OHLC, Payload, ascending, decoded, label, traded
from truetape.domain.errors import ProviderRefused
from truetape.domain.failures import Failure, FailureClass
from truetape.domain.schema import BASES, DECODED, empty
from truetape.domain.time import NANOSECONDS, TIMEFRAMES

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {  # as `_plain` leaves them; the first found counts
    "when": (
        *("ts event", "timestamp", "datetime", "date time", "date", "data", "day", "session", "window start"),
        *("ts", "t", "index", "unnamed: 0", ""),
    ),
    "clock": ("time", "czas"),
    "symbol": ("symbol", "ticker", "sym", "instrument"),
    "timeframe": ("timeframe", "per", "interval"),
    "open": ("open", "otwarcie", "o", "1 open", "open price"),
    "high": ("high", "highest", "najwyzszy", "h", "2 high", "high price"),
    "low": ("low", "lowest", "najnizszy", "l", "3 low", "low price"),
    "close": ("close", "zamkniecie", "c", "4 close", "close price", "close last", "last", "price"),
    "volume": ("volume", "vol", "wolumen", "v", "5 volume", "6 volume"),
    "adj_close": ("adj close", "adjclose", "adjusted close", "5 adjusted close"),
    "currency": ("currency",),
    "basis": ("basis",),
    "dividend": ("dividend", "dividends", "div", "divcash", "div cash", "dividend amount", "7 dividend amount"),
    "split": (
        *("split", "splits", "stock splits", "splitfactor", "split factor"),
        *("split coefficient", "8 split coefficient"),
    ),
    "capital_gains": ("capital gains", "capitalgains"),
}
INTRADAY_S: Final = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}
PERIODS: Final = {"d": "1d", "w": "1w", "m": "1mo", "5": "5m", "60": "1h", "1": "1m", "15": "15m", "30": "30m"}
TRUNCATIONS: Final = {"1w": "1w", "1mo": "1mo"}

_BETWEEN: Final = re.compile(r"[\s_./]+")
_STOOQ: Final = ("<ticker>", "<date>", "data", "otwarcie")
_VALUES: Final = (*OHLC, "volume", "adj_close")
_NO_SPLIT: Final = (0.0, 1.0)  # Yahoo's and everybody else's


@dataclass(frozen=True)
class Habits:
    """How the maker of a table writes prices and times."""

    basis: str  # of prices, where no column tells it
    zone: str = "UTC"  # of times that name none


STOOQ: Final = Habits(basis="all", zone="Europe/Warsaw")


def recognized(names: Iterable[str]) -> dict[str, str]:
    """Return what each known column of a table is called there: our name (a key of SPELLINGS) to the table's own."""
    own = {_plain(name): name for name in reversed(list(names))}
    found = {ours: next((own[one] for one in spelled if one in own), None) for ours, spelled in SPELLINGS.items()}
    known = {ours: name for ours, name in found.items() if name is not None}
    if "when" not in known and "clock" in known:
        known["when"] = known.pop("clock")
    return known


def habits(names: Iterable[str]) -> Habits:
    """Return how the maker of a table with these columns writes.

    Stooq adjusts for everything and writes Warsaw time. Yahoo's files are adjusted for splits where they hold the
    adjusted close beside it, and for everything where they hold splits without one. All others are taken as raw.
    """
    lower = [name.strip().lower() for name in names]
    if any(name in lower for name in _STOOQ):
        return STOOQ
    if "adj close" in lower:
        return Habits(basis="split")
    return Habits(basis="all" if "stock splits" in lower else "raw")


def bars(payload: Payload, table: pl.DataFrame, ask: Ask, *, habits: Habits) -> pl.DataFrame:
    """Return the rows of `table` as bars: schema DECODED["bars"], ascending.

    Where the table has columns of symbols and timeframes, its rows of those of `ask` are taken; else all are meant.
    Longer bars are labelled with the Monday of the week or the first of the month.

    Raises:
        ProviderRefused: The table has a column of symbols, but no row of the symbol.
        UndecodablePayload: A column is missing, a value is not readable, or the rows are of another timeframe.
    """
    names = recognized(table.columns)
    missing = [name for name in ("when", *OHLC) if name not in names]
    if missing:
        what = "of dates" if missing[0] == "when" else missing[0]
        raise payload.defect(f"the column {what} was missing among {', '.join(table.columns)[:200]!r}")
    timeframe = ask.timeframe if ask.timeframe in TIMEFRAMES else "1d"
    own = _of_timeframe(payload, _of_symbol(payload, table, ask, names), timeframe, names)
    if own.is_empty():
        return empty(DECODED["bars"])
    starts = _starts(payload, own, names, timeframe=timeframe, zone=habits.zone)
    values = [numbers(payload, own[names[name]]).alias(name) for name in _VALUES if name in names]
    rows = pl.DataFrame([starts.alias("ts_event"), *values, *_labels(payload, own, names, habits)])
    rows = ascending(traded(rows), by="ts_event")
    _regular(payload, rows["ts_event"], timeframe)
    return decoded("bars", rows.to_dict(), symbol=ask.symbol or None, timeframe=timeframe, running=False)


def actions(payload: Payload, table: pl.DataFrame, ask: Ask, *, habits: Habits) -> pl.DataFrame:
    """Return the dividends and splits that stand beside prices: schema DECODED["actions"], ascending.

    A dividend of 0 and a split of 0 or 1 mean none. Cash is per share of today's count unless prices are raw.

    Raises:
        ProviderRefused: The table has a column of symbols, but no row of the symbol.
        UndecodablePayload: A value is not readable, or a split is not above 0.
    """
    names = recognized(table.columns)
    own = _of_symbol(payload, table, ask, names)
    parts = [empty({"ex_date": pl.Date(), "type": pl.String(), "value": pl.Float64(), "currency": pl.String()})]
    for kind, none in (("dividend", (0.0,)), ("split", _NO_SPLIT)):
        if kind not in names or "when" not in names:
            continue
        value = numbers(payload, own[names[kind]])
        if (value < 0).any():
            raise payload.defect(f"a value of {names[kind][:40]} was negative")
        happened = value.is_not_null() & ~value.is_in(none)
        rows = own.filter(happened)
        currency = _currency(payload, rows, names)
        columns: dict[str, pl.Series] = {
            "ex_date": days(payload, rows[names["when"]]),
            "value": value.filter(happened),
            "currency": currency,
        }
        parts.append(pl.DataFrame(columns).select("ex_date", pl.lit(kind).alias("type"), "value", "currency"))
    found = pl.concat(parts).unique(["ex_date", "type"], keep="last").sort("ex_date", "type")
    basis = "raw" if habits.basis == "raw" else "split"
    return decoded("actions", found.to_dict(), symbol=ask.symbol or None, basis=basis)


def _plain(name: str) -> str:
    return _BETWEEN.sub(" ", name.strip().strip("<>").lower()).strip()


def _of_symbol(payload: Payload, table: pl.DataFrame, ask: Ask, names: Mapping[str, str]) -> pl.DataFrame:
    if "symbol" not in names or not ask.symbol:
        return table
    own = table.filter(texts(payload, table[names["symbol"]]).str.to_uppercase() == ask.symbol.upper())
    if own.is_empty() and not table.is_empty():
        failure = Failure(failure_class=FailureClass.PERMANENT, words=f"there is no row of {ask.symbol[:40]!r}")
        raise ProviderRefused(provider=payload.provider, failure=failure)
    return own


def _of_timeframe(payload: Payload, table: pl.DataFrame, timeframe: str, names: Mapping[str, str]) -> pl.DataFrame:
    if "timeframe" not in names:
        return table
    spelled = texts(payload, table[names["timeframe"]]).str.to_lowercase()
    own = table.filter(spelled.replace(PERIODS) == timeframe)
    if own.is_empty() and not table.is_empty():
        raise payload.defect(f"its bars were of the timeframe {str(spelled[0])[:40]!r}, not {timeframe}")
    return own


def _starts(payload: Payload, table: pl.DataFrame, names: Mapping[str, str], *, timeframe: str, zone: str) -> pl.Series:
    when = table[names["when"]]
    clock = table[names["clock"]] if "clock" in names else None
    if timeframe in INTRADAY_S:
        if clock is None and bare(when):
            raise payload.defect(f"its bars were of days, not {timeframe}")
        return instants(payload, when, zone=zone, clock=clock)
    dates = days(payload, when)
    stamps = table.select(names[one] for one in ("when", "clock") if one in names)
    different = dates.n_unique()
    if different < len(dates) and stamps.n_unique() > different:
        raise payload.defect(f"it had several bars of one date, so they were not {timeframe}")
    every = TRUNCATIONS.get(timeframe)
    return label(dates.dt.truncate(every) if every else dates)


def _labels(payload: Payload, table: pl.DataFrame, names: Mapping[str, str], habits: Habits) -> list[pl.Series]:
    """Return the columns of basis and currency."""
    basis = pl.Series("basis", [habits.basis]).new_from_index(0, len(table))
    if "basis" in names:
        basis = texts(payload, table[names["basis"]]).alias("basis")
        if not basis.is_in(BASES).fill_null(value=False).all():
            raise payload.defect(f"a basis was none of {', '.join(BASES)}")
    return [basis, _currency(payload, table, names).alias("currency")]


def _currency(payload: Payload, table: pl.DataFrame, names: Mapping[str, str]) -> pl.Series:
    if "currency" in names:
        return texts(payload, table[names["currency"]])
    return pl.Series([None], dtype=pl.String).new_from_index(0, len(table))


def _regular(payload: Payload, starts: pl.Series, timeframe: str) -> None:
    """Raise the defect that intraday bars do not lie a multiple of their timeframe apart."""
    seconds = INTRADAY_S.get(timeframe)
    if seconds is None:
        return
    steps = np.diff(starts.to_physical().to_numpy())
    wrong = steps % (seconds * NANOSECONDS) != 0
    if wrong.any():
        apart = int(steps[wrong][0]) // NANOSECONDS
        raise payload.defect(f"two of its bars began {apart} seconds apart, so they were not {timeframe}")
