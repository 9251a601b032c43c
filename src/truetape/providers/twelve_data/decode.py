"""Twelve Data's series and quotes, read: decimals as texts, stamps in the exchange's own time, newest first."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, Stamp, ascending, decoded, instants, label, levels, traded
from truetape.domain.schema import DECODED, empty
from truetape.providers.twelve_data.classify import PROVIDER, by_body, refuse

TIMEFRAMES: Final = {
    "1min": "1m",
    "5min": "5m",
    "15min": "15m",
    "30min": "30m",
    "1h": "1h",
    "1day": "1d",
    "1week": "1w",
    "1month": "1mo",
}
DAYS: Final = ("1d", "1w", "1mo")


class _Meta(msgspec.Struct):
    symbol: str | None = None
    interval: str | None = None
    currency: str | None = None
    exchange_timezone: str | None = None


class _Value(msgspec.Struct, gc=False):
    datetime: str
    open: str | None
    high: str | None
    low: str | None
    close: str | None
    volume: str | None = None


class _Series(msgspec.Struct):
    meta: _Meta | None = None
    values: list[_Value] | None = None


class _Quote(msgspec.Struct):
    symbol: str | None = None
    currency: str | None = None
    datetime: str | None = None
    timestamp: Stamp | None = None
    last_quote_at: Stamp | None = None
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None
    volume: str | None = None
    previous_close: str | None = None


class _Rate(msgspec.Struct):
    rate: float
    timestamp: Stamp
    symbol: str | None = None


_ONE: Final = msgspec.json.Decoder(_Series)
_BATCH: Final = msgspec.json.Decoder(dict[str, _Series])
_QUOTE: Final = msgspec.json.Decoder(_Quote)
_QUOTES: Final = msgspec.json.Decoder(dict[str, _Quote])
_RATE: Final = msgspec.json.Decoder(_Rate)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return a series, or a batch of them, as bars: schema DECODED["bars"], each ascending, basis raw as asked for.

    Parts of a batch that are errors or no series are left out. Stamps without a named zone are UTC, as those of pairs
    are; the currency of a pair is its second half. Symbol and timeframe of a series that names none are those of `ask`.

    Raises:
        ProviderRefused: The body, or every part of it, is an error.
        UndecodablePayload: It is neither an error nor a series.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    frames = [_bars(payload, one, ask) for one in _series(payload)]
    return pl.concat(frames)


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the closes of an index: schema DECODED["index_levels"]; raises as `bars` does."""
    return levels(bars(body, ask))


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the present rate of a pair, or the closes of its series: schema DECODED["fx_rates"], ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a rate or series, or it is of no pair.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    if b'"values"' in body:
        closed = bars(body, ask).filter(pl.col("close").is_not_null())
        symbols, stamps, rates = closed["symbol"], closed["ts_event"], closed["close"]
    else:
        said = payload.parse_or_refuse(_RATE, by_body)
        symbols = payload.series([said.symbol or ask.symbol], pl.String(), field="symbol")
        stamps, rates = instants(pl.Series([said.timestamp])), pl.Series([said.rate])
    halves = symbols.str.split_exact("/", 1).struct.unnest()
    if symbols.null_count() or halves["field_1"].null_count():
        raise payload.defect("the symbol was no pair of currencies")
    columns = {"base": halves["field_0"], "quote": halves["field_1"], "ts_event": stamps, "rate": rates}
    return decoded("fx_rates", columns)


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return a quote, or a batch of them: schema DECODED["quotes"], one row each.

    A quote is of its last minute; one that tells only its date stands at 00:00 UTC of that, as daily bars do.

    Raises:
        ProviderRefused: The body, or every part of it, is an error.
        UndecodablePayload: It is neither an error nor a quote, or it does not say of when it is.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    said = _said_quotes(payload)
    columns: dict[str, Column] = {
        "symbol": [one.symbol or ask.symbol for one in said],
        "ts_event": _moments(payload, said),
        "price": payload.numbers([one.close for one in said], field="close"),
        "currency": [one.currency or _second_half(one.symbol or ask.symbol) for one in said],
    }
    for name in ("open", "high", "low", "previous_close", "volume"):
        columns[name] = payload.numbers([getattr(one, name) for one in said], field=name)
    return decoded("quotes", columns)


def _series(payload: Payload) -> list[_Series]:
    """Return the series of the body, at least one."""
    one = payload.parse_or_refuse(_ONE, by_body)
    if one.values is not None:
        return [one]
    refuse(payload.body)
    found = [part for part in payload.parse(_BATCH).values() if part.values is not None]
    if not found:
        raise payload.defect("the field values was missing")
    return found


def _bars(payload: Payload, series: _Series, ask: Ask) -> pl.DataFrame:
    if not series.values:
        return empty(DECODED["bars"])
    meta = series.meta or _Meta()
    timeframe = ask.timeframe if meta.interval is None else TIMEFRAMES.get(meta.interval)
    if timeframe not in TIMEFRAMES.values():
        raise payload.defect(f"the interval was {str(meta.interval or timeframe)[:40]!r}")
    stamps = [one.datetime for one in series.values]
    columns = {
        "open": payload.numbers([one.open for one in series.values], field="open"),
        "high": payload.numbers([one.high for one in series.values], field="high"),
        "low": payload.numbers([one.low for one in series.values], field="low"),
        "close": payload.numbers([one.close for one in series.values], field="close"),
        "volume": payload.numbers([one.volume for one in series.values], field="volume"),
    }
    if timeframe in DAYS:
        starts = label(payload.dates(stamps, field="datetime"))
    else:
        starts = payload.wall_times(stamps, zone=meta.exchange_timezone or "UTC", field="datetime")
    rows = ascending(traded(pl.DataFrame({"ts_event": starts, **columns})), by="ts_event")
    symbol = meta.symbol or ask.symbol
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=symbol or None,
        timeframe=timeframe,
        currency=meta.currency or _second_half(symbol),
        basis="raw",
        running=False,
    )


def _said_quotes(payload: Payload) -> list[_Quote]:
    """Return the quotes of the body, at least one."""
    one = payload.parse_or_refuse(_QUOTE, by_body)
    if one.close is not None:
        return [one]
    refuse(payload.body)
    found = [part for part in payload.parse(_QUOTES).values() if part.close is not None]
    if not found:
        raise payload.defect("the field close was missing")
    return found


def _moments(payload: Payload, said: list[_Quote]) -> pl.Series:
    """Return when each quote was, by the second or, failing that, by its date."""
    stamps = [one.timestamp if one.last_quote_at is None else one.last_quote_at for one in said]
    dates = [one.datetime for one, stamp in zip(said, stamps, strict=True) if stamp is None]
    days = iter(label(payload.dates(dates, field="datetime")).dt.epoch("s"))
    return instants(pl.Series([next(days) if stamp is None else stamp for stamp in stamps], dtype=pl.Int64))


def _second_half(symbol: str) -> str | None:
    """Return the currency that a pair's price is in; None where `symbol` is no pair."""
    return symbol.partition("/")[2] or None
