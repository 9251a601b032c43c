"""Financial Modeling Prep's prices and quotes, read: lists of rows, newest first, in the exchange's own time."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, Stamp, ascending, decoded, instants, label, levels, traded
from truetape.domain.schema import DECODED, empty
from truetape.providers.fmp.classify import PROVIDER, by_body
from truetape.providers.fmp.symbols import currency_of, halves, zone_of

INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")
DATE: Final = len("YYYY-MM-DD")


class _Row(msgspec.Struct, gc=False):
    date: str
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None = None
    symbol: str | None = None


class _Quote(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    price: float | None
    timestamp: Stamp
    open: float | None = None
    day_high: float | None = None
    day_low: float | None = None
    previous_close: float | None = None
    volume: float | None = None


_ROWS: Final = msgspec.json.Decoder(list[_Row])
_QUOTES: Final = msgspec.json.Decoder(list[_Quote])


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return rows of prices as bars: schema DECODED["bars"], ascending; days in basis split, minutes raw as asked for.

    Rows of minutes name neither symbol nor timeframe: those are the ask's. The stamps are wall-clock times of the
    exchange that the symbol's suffix names, New York's without one. No rows are an empty frame.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor prices, or it holds minutes of an exchange that is not known.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    rows = payload.parse_or_refuse(_ROWS, by_body)
    if not rows:
        return empty(DECODED["bars"])
    symbol = rows[0].symbol or ask.symbol
    stamps = [row.date for row in rows]
    daily = len(rows[0].date) == DATE
    timeframe = "1d" if daily else ask.timeframe
    starts = label(payload.dates(stamps, field="date")) if daily else _starts(payload, stamps, symbol, timeframe)
    columns = {
        "open": pl.Series([row.open for row in rows], dtype=pl.Float64),
        "high": pl.Series([row.high for row in rows], dtype=pl.Float64),
        "low": pl.Series([row.low for row in rows], dtype=pl.Float64),
        "close": pl.Series([row.close for row in rows], dtype=pl.Float64),
        "volume": pl.Series([row.volume for row in rows], dtype=pl.Float64),
    }
    frame = ascending(traded(pl.DataFrame({"ts_event": starts, **columns})), by="ts_event")
    return decoded(
        "bars",
        frame.to_dict(),
        symbol=symbol or None,
        timeframe=timeframe,
        currency=currency_of(symbol),
        basis="split" if daily else "raw",
        running=False,
    )


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the closes of an index: schema DECODED["index_levels"]; raises as `bars` does."""
    return levels(bars(body, ask))


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the present rate of a pair, or the closes of its days: schema DECODED["fx_rates"], ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor prices, or the symbol is no pair.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    if b'"timestamp"' in body:
        rates = quotes(body, ask).select("symbol", "ts_event", rate=pl.col("price"))
    else:
        rates = bars(body, ask).select("symbol", "ts_event", rate=pl.col("close"))
    rates = rates.filter(pl.col("rate").is_not_null())
    if rates.is_empty():
        return empty(DECODED["fx_rates"])
    pair = halves(rates["symbol"][0] or "")
    if pair is None or rates["symbol"].n_unique() > 1:
        raise payload.defect("the symbol was no pair of currencies, or there were several")
    columns = {"ts_event": rates["ts_event"], "rate": rates["rate"]}
    return decoded("fx_rates", columns, base=pair[0], quote=pair[1])


def quotes(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return quotes: schema DECODED["quotes"], one row for each symbol; an unknown symbol has none.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor quotes.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    said = payload.parse_or_refuse(_QUOTES, by_body)
    columns: dict[str, Column] = {
        "symbol": [one.symbol for one in said],
        "ts_event": instants(pl.Series([one.timestamp for one in said], dtype=pl.Int64)),
        "price": pl.Series([one.price for one in said], dtype=pl.Float64),
        "open": pl.Series([one.open for one in said], dtype=pl.Float64),
        "high": pl.Series([one.day_high for one in said], dtype=pl.Float64),
        "low": pl.Series([one.day_low for one in said], dtype=pl.Float64),
        "previous_close": pl.Series([one.previous_close for one in said], dtype=pl.Float64),
        "volume": pl.Series([one.volume for one in said], dtype=pl.Float64),
        "currency": [currency_of(one.symbol) for one in said],
    }
    return decoded("quotes", columns)


def _starts(payload: Payload, stamps: list[str], symbol: str, timeframe: str) -> pl.Series:
    if timeframe not in INTRADAY:
        raise payload.defect(f"its stamps had a time of day, the timeframe asked for was {timeframe[:40]!r}")
    zone = zone_of(symbol)
    if zone is None:
        raise payload.defect(f"the time zone of the exchange of {symbol[:40]!r} is not known")
    return payload.wall_times(stamps, zone=zone, field="date")
