"""Finnhub's answers, read: parallel arrays become bars and trades, a quote becomes one row."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Numbers, Payload, Stamp, ascending, decoded, instants, label, traded
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.domain.time import TIMEFRAMES
from truetape.providers.finnhub import reference
from truetape.providers.finnhub.classify import by_body

PROVIDER: Final = "finnhub"
INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")
FIELDS: Final = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
NOON: Final = 12 * 3600
MILLI_NS: Final = 1_000_000


Millis = Annotated[int, msgspec.Meta(ge=-5_364_662_400_000, le=7_258_118_400_000)]  # Unix, FIRST_DAY to LAST_DAY


class _Candles(msgspec.Struct):
    s: str
    t: list[Stamp] | None = None
    o: Numbers | None = None
    h: Numbers | None = None
    l: Numbers | None = None  # noqa: E741 - the provider's name for the low
    c: Numbers | None = None
    v: Numbers | None = None


class _Quote(msgspec.Struct):
    c: float | None
    h: float | None
    l: float | None  # noqa: E741 - the provider's name for the low
    o: float | None
    pc: float | None
    t: Stamp


class _Ticks(msgspec.Struct):
    count: int | None = None
    t: list[Millis] | None = None
    p: Numbers | None = None
    v: Numbers | None = None
    x: list[str | None] | None = None
    c: list[list[str] | None] | None = None


class _Rates(msgspec.Struct):
    base: str
    quote: dict[str, float]


_CANDLES: Final = msgspec.json.Decoder(_Candles)
_QUOTE: Final = msgspec.json.Decoder(_Quote)
_TICKS: Final = msgspec.json.Decoder(_Ticks)
_RATES: Final = msgspec.json.Decoder(_Rates)


actions = reference.actions
listings = reference.listings


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return candles as bars: schema DECODED["bars"], ascending; daily and longer in basis split, intraday raw.

    Symbol and timeframe are those of `ask`, since the body names neither. A stamp from noon UTC on means the next date:
    old daily candles are stamped with the evening before. No candles are an empty frame.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor candles.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    if body.strip() == b"[]":
        return empty(DECODED["bars"])
    candles = payload.parse_or_refuse(_CANDLES, by_body)
    if candles.s == "no_data" or (candles.s == "ok" and candles.t == []):
        return empty(DECODED["bars"])
    if candles.s != "ok":
        raise payload.defect(f"the field s was {candles.s[:40]!r}, not ok or no_data")
    if candles.t is None:
        raise payload.defect("the field t was missing")
    arrays = {letter: getattr(candles, letter) for letter in FIELDS}
    payload.aligned(arrays, length=len(candles.t))
    timeframe = ask.timeframe if ask.timeframe in TIMEFRAMES else "1d"
    stamps = pl.Series(candles.t, dtype=pl.Int64)
    starts = (
        instants(stamps) if timeframe in INTRADAY else label(((stamps + NOON) // 86_400).cast(pl.Int32).cast(pl.Date))
    )
    columns = {name: pl.Series(arrays[letter], dtype=pl.Float64) for letter, name in FIELDS.items()}
    rows = ascending(traded(pl.DataFrame({"ts_event": starts, **columns})), by="ts_event")
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=ask.symbol or None,
        timeframe=timeframe,
        adj_close=None,
        currency=_currency(ask.symbol),
        basis="raw" if timeframe in INTRADAY else "split",
        running=False,
    )


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return a quote: schema DECODED["quotes"], one row; the symbol is that of `ask`.

    Raises:
        ProviderRefused: The body is an error, or the quote of zeros that stands for an unknown symbol.
        UndecodablePayload: It is neither an error nor a quote, or it does not say of when it is.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    _refuse_error(payload)
    quote = payload.parse(_QUOTE)
    columns: dict[str, Column] = {
        "ts_event": instants(pl.Series([quote.t])),
        "price": [quote.c],
        "open": [quote.o],
        "high": [quote.h],
        "low": [quote.l],
        "previous_close": [quote.pc],
    }
    return decoded("quotes", columns, symbol=ask.symbol or None, volume=None, currency=_currency(ask.symbol))


def trades(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return ticks: schema DECODED["trades"], ascending, those of one moment in the provider's order.

    A tick without size is a change of price, not a trade. The symbol is that of `ask`.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor ticks.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    if body.strip() == b"[]":
        return empty(DECODED["trades"])
    ticks = payload.parse_or_refuse(_TICKS, by_body)
    if not ticks.t:
        _refuse_error(payload)
        if ticks.t is None and ticks.count != 0:
            raise payload.defect("the field t was missing")
        return empty(DECODED["trades"])
    count = len(ticks.t)
    conditions, venues = ticks.c or [None] * count, ticks.x or [None] * count
    payload.aligned({"p": ticks.p, "v": ticks.v, "x": venues, "c": conditions}, length=count)
    columns: dict[str, Column] = {
        "ts_event": (pl.Series(ticks.t, dtype=pl.Int64) * MILLI_NS).cast(INSTANT),
        "price": pl.Series(ticks.p, dtype=pl.Float64),
        "size": pl.Series(ticks.v, dtype=pl.Float64),
        "conditions": [",".join(codes) if codes else None for codes in conditions],
        "venue": [venue or None for venue in venues] if "" in venues else venues,
    }
    rows = decoded("trades", columns, symbol=ask.symbol or None, currency=_currency(ask.symbol))
    if rows["price"].null_count() or not (rows["size"] > 0).all(ignore_nulls=False):
        rows = rows.filter(pl.col("price").is_not_null() & (pl.col("size") > 0))
    in_order = (np.diff(rows["ts_event"].cast(pl.Int64).to_numpy()) >= 0).all()
    return rows if in_order else rows.sort("ts_event", maintain_order=True)


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the rates of one base: schema DECODED["fx_rates"], by quote, labelled with the day that was asked for.

    Only the quote that `ask` names ("OANDA:EUR_USD") is kept, or every one if it names a currency alone.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor rates, or `ask` names no day.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    rates = payload.parse_or_refuse(_RATES, by_body)
    day = ask.page or str(ask.start or ask.end or "")
    wanted = ask.symbol.rpartition(":")[2].partition("_")[2]
    found = sorted((name, rate) for name, rate in rates.quote.items() if wanted in ("", name))
    columns: dict[str, Column] = {
        "ts_event": label(payload.dates([day] * len(found), field="day of the question")),
        "quote": pl.Series([name for name, _ in found], dtype=pl.String),
        "rate": pl.Series([rate for _, rate in found], dtype=pl.Float64),
    }
    return decoded("fx_rates", columns, base=rates.base)


def _refuse_error(payload: Payload) -> None:
    failure = by_body(payload.body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)


def _currency(symbol: str) -> str | None:
    """Return USD for a symbol without an exchange suffix; the body does not tell the currency of others."""
    suffix = symbol.rpartition(".")[2] if "." in symbol else ""
    return "USD" if symbol and ":" not in symbol and suffix in ("", "A", "B", "C") else None
