"""Massive's aggregates and lists, read: bars as traded, index levels, exchange rates, actions and tickers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, ascending, decoded, label, levels, traded
from truetape.domain.schema import DECODED, empty
from truetape.domain.time import TIMEFRAMES
from truetape.providers.massive.pages import PROVIDER, Milliseconds, Number, Page, Text, from_ms, sound
from truetape.providers.massive.symbols import currency, halves

INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")
FIELDS: Final = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
DIVIDENDS: Final = {"CD": "dividend", "SC": "special_dividend", "LT": "capital_gain", "ST": "capital_gain"}
CLASSES: Final = {"ETF": "etf", "ETN": "etf", "ETV": "etf", "ETS": "etf", "FUND": "fund", "BOND": "bond"}
MARKETS: Final = {"stocks": "equity", "otc": "equity", "crypto": "crypto", "fx": "fx", "indices": "index"}
CODE: Final = 3  # letters of a currency
DAY: Final = len("YYYY-MM-DD")
DECIMALS: Final = 10  # of a rate between bid and ask


class _Aggregate(msgspec.Struct, gc=False):
    t: Milliseconds
    o: Number
    h: Number
    l: Number  # noqa: E741 - the provider's name for the low
    c: Number
    v: Number = None
    T: Text = None


class _Aggregates(Page):
    results: list[_Aggregate] | None = None
    ticker: Text = None
    adjusted: bool = True


class _Day(Page, rename={"day": "from"}):
    day: str
    symbol: str
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number = None


class _Last(msgspec.Struct):
    bid: float
    ask: float
    timestamp: Milliseconds


class _LastQuote(Page):
    symbol: str
    last: _Last


class _Action(msgspec.Struct):
    ticker: str
    execution_date: Text = None
    split_from: Number = None
    split_to: Number = None
    ex_dividend_date: Text = None
    cash_amount: Number = None
    currency: Text = None
    dividend_type: Text = None
    distribution_type: Text = None
    declaration_date: Text = None
    record_date: Text = None
    pay_date: Text = None


class _Actions(Page):
    results: list[_Action] | None = None


class _Ticker(msgspec.Struct):
    ticker: str
    market: str
    name: Text = None
    primary_exchange: Text = None
    type: Text = None
    active: bool | None = None
    currency_name: Text = None
    cik: Text = None
    composite_figi: Text = None
    list_date: Text = None
    delisted_utc: Text = None


class _Tickers(Page):
    results: list[_Ticker] | _Ticker | None = None


_AGGREGATES: Final = msgspec.json.Decoder(_Aggregates)
_DAY: Final = msgspec.json.Decoder(_Day)
_LAST_QUOTE: Final = msgspec.json.Decoder(_LastQuote)
_ACTIONS: Final = msgspec.json.Decoder(_Actions)
_TICKERS: Final = msgspec.json.Decoder(_Tickers)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return aggregates as bars: schema DECODED["bars"], ascending for each symbol; basis raw, or split if they say so.

    A day is stamped with its midnight in New York or in UTC: the date is that of the stamp in UTC. Weeks, which begin
    with their Sunday, are labelled with the Monday after it. The timeframe is that of `ask`.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor aggregates.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    if b'"preMarket"' in body:
        return _single_day(payload)
    page = sound(payload, _AGGREGATES)
    if not page.results:
        return empty(DECODED["bars"])
    timeframe = ask.timeframe if ask.timeframe in TIMEFRAMES else "1d"
    starts = _starts(from_ms([row.t for row in page.results]), timeframe)
    values = {name: _values(page.results, letter) for name, letter in FIELDS.items()}
    symbols = [row.T or page.ticker or ask.symbol for row in page.results]
    rows = traded(pl.DataFrame({"symbol": symbols, "ts_event": starts, **values}))
    return _bars(_ordered(rows), timeframe=timeframe, adjusted=page.adjusted)


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return an index's daily aggregates: schema DECODED["index_levels"].

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor aggregates of an index.
    """
    found = bars(body, msgspec.structs.replace(ask, timeframe="1d"))
    others = found["symbol"].filter(~found["symbol"].str.starts_with("I:"))
    if len(others):
        payload = Payload(provider=PROVIDER, kind="index_levels", body=body)
        raise payload.defect(f"the ticker was {others[0][:40]!r}, no index")
    return levels(found)


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return exchange rates: schema DECODED["fx_rates"]; daily closes, or the present one between its bid and ask.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor rates of a pair of currencies.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    if b'"last"' in body:
        return _present_rate(payload)
    found = bars(body, msgspec.structs.replace(ask, timeframe="1d"))
    pairs = {symbol: halves(symbol) for symbol in found["symbol"].unique()}
    wrong = [symbol for symbol, pair in pairs.items() if pair is None]
    if wrong:
        raise payload.defect(f"the ticker was {wrong[0][:40]!r}, no pair of currencies")
    base = {symbol: pair[0] for symbol, pair in pairs.items() if pair}
    quote = {symbol: pair[1] for symbol, pair in pairs.items() if pair}
    columns: dict[str, Column] = {
        "base": [base[symbol] for symbol in found["symbol"]],
        "quote": [quote[symbol] for symbol in found["symbol"]],
        "ts_event": found["ts_event"],
        "rate": found["close"],
    }
    return decoded("fx_rates", columns)


def actions(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their tickers
    """Return one page of splits or of dividends: schema DECODED["actions"], basis raw, by date.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor actions, or a ratio or an amount is not positive.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    rows = sound(payload, _ACTIONS).results or []
    days = [row.execution_date or row.ex_dividend_date for row in rows]
    columns: dict[str, Column] = {
        "symbol": [row.ticker for row in rows],
        "ex_date": payload.dates(days, field="execution_date or ex_dividend_date"),
        "type": [_type(row) for row in rows],
        "value": [_value(payload, row) for row in rows],
        "currency": [(row.currency or "USD").upper() if row.cash_amount is not None else None for row in rows],
        "declared_date": payload.dates([row.declaration_date for row in rows], field="declaration_date", missing=()),
        "record_date": payload.dates([row.record_date for row in rows], field="record_date", missing=()),
        "pay_date": payload.dates([row.pay_date for row in rows], field="pay_date", missing=()),
    }
    return decoded("actions", columns, basis="raw").sort("ex_date", "symbol", "type", maintain_order=True)


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their tickers
    """Return tickers: schema DECODED["listings"], one page of the list, or what is told of one of them.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor tickers.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    told = sound(payload, _TICKERS).results or []
    rows = told if isinstance(told, list) else [told]
    gone = [row.delisted_utc[:DAY] if row.delisted_utc else None for row in rows]
    columns: dict[str, Column] = {
        "symbol": [row.ticker for row in rows],
        "name": [row.name for row in rows],
        "exchange": [row.primary_exchange for row in rows],
        "mic": [row.primary_exchange for row in rows],
        "asset_class": [CLASSES.get(row.type or "") or MARKETS.get(row.market) for row in rows],
        "currency": [_code(row.currency_name) for row in rows],
        "status": [None if row.active is None else "active" if row.active else "delisted" for row in rows],
        "first_date": payload.dates([row.list_date for row in rows], field="list_date", missing=()),
        "last_date": payload.dates(gone, field="delisted_utc", missing=()),
        "figi": [row.composite_figi for row in rows],
        "cik": [row.cik for row in rows],
    }
    return decoded("listings", columns)


def _values(rows: Sequence[Any], field: str) -> pl.Series:
    return pl.Series(list(map(attrgetter(field), rows)), dtype=pl.Float64)


def _starts(moments: pl.Series, timeframe: str) -> pl.Series:
    if timeframe in INTRADAY:
        return moments
    days = moments.dt.date()
    if timeframe == "1w":
        return label(days.dt.offset_by("1d").dt.truncate("1w"))
    return label(days.dt.truncate("1mo") if timeframe == "1mo" else days)


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` ascending for each symbol; of two of the same the last wins."""
    if rows["symbol"].n_unique() == 1:
        return ascending(rows, by="ts_event")
    return rows.unique(["symbol", "ts_event"], keep="last").sort("symbol", "ts_event")


def _bars(rows: pl.DataFrame, *, timeframe: str, adjusted: bool) -> pl.DataFrame:
    units = {symbol: currency(symbol) for symbol in rows["symbol"].unique()}
    columns: dict[str, Column] = {**rows.to_dict(), "currency": [units[symbol] for symbol in rows["symbol"]]}
    return decoded("bars", columns, timeframe=timeframe, basis="split" if adjusted else "raw", running=False)


def _single_day(payload: Payload) -> pl.DataFrame:
    """Return the open and close of one day, which the provider adjusts for splits."""
    row = sound(payload, _DAY)
    values = {name: _values([row], name) for name in FIELDS}
    starts = label(payload.dates([row.day], field="from"))
    rows = traded(pl.DataFrame({"symbol": [row.symbol], "ts_event": starts, **values}))
    return _bars(rows, timeframe="1d", adjusted=True)


def _present_rate(payload: Payload) -> pl.DataFrame:
    told = sound(payload, _LAST_QUOTE)
    base, slash, quote = told.symbol.partition("/")
    if not slash:
        raise payload.defect(f"the symbol was {told.symbol[:40]!r}, no pair of currencies")
    columns: dict[str, Column] = {
        "base": [base],
        "quote": [quote],
        "ts_event": from_ms([told.last.timestamp]),
        "rate": [round((told.last.bid + told.last.ask) / 2, DECIMALS)],
        "bid": [told.last.bid],
        "ask": [told.last.ask],
    }
    return decoded("fx_rates", columns)


def _type(row: _Action) -> str:
    if row.cash_amount is None:
        return "split"
    special = row.dividend_type is None and row.distribution_type == "special"
    return "special_dividend" if special else DIVIDENDS.get(row.dividend_type or "", "dividend")


def _value(payload: Payload, row: _Action) -> float:
    if row.cash_amount is not None:
        value: Number = row.cash_amount
    else:
        value = row.split_to / row.split_from if row.split_to is not None and row.split_from else None
    if value is None or value <= 0 or not math.isfinite(value):
        ratio = f"{row.split_to} for {row.split_from}"
        raise payload.defect(f"an action had the amount {row.cash_amount} and the ratio {ratio}, nothing positive")
    return value


def _code(name: str | None) -> str | None:
    """Return the code of a currency; pairs have a name such as "US Dollar" instead."""
    return name.upper() if name and len(name) == CODE else None
