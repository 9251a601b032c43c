"""EODHD's prices and quotes, read: rows of a day or of a minute, oldest first, that name no symbol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, Stamp, ascending, decoded, instants, label, levels, traded
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, empty
from truetape.providers.eodhd.classify import NOT_AVAILABLE, PROVIDER, by_body
from truetape.providers.eodhd.symbols import currency_of, halves

INTRADAY: Final = ("1m", "5m", "1h")
Number = float | str | None  # the text is NA


class _Day(msgspec.Struct, gc=False):
    date: str
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    adjusted_close: float | None
    volume: float | None


class _Minute(msgspec.Struct, gc=False):
    timestamp: Stamp
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None


class _Quote(msgspec.Struct, rename="camel", gc=False):
    code: str
    timestamp: Stamp | str
    close: Number
    open: Number = None
    high: Number = None
    low: Number = None
    previous_close: Number = None
    volume: Number = None


_DAYS: Final = msgspec.json.Decoder(list[_Day])
_MINUTES: Final = msgspec.json.Decoder(list[_Minute])
_QUOTES: Final = msgspec.json.Decoder(list[_Quote] | _Quote)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return rows of prices as bars: schema DECODED["bars"], ascending, basis raw; symbol and timeframe are the ask's.

    Volumes of days are adjusted for splits while their prices are not. A volume is therefore given only where the close
    is the adjusted close, which shows that no split came after; elsewhere it is null.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor prices, or it holds minutes where days were asked for.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    minutes = b'"timestamp"' in body
    if minutes and ask.timeframe not in INTRADAY:
        raise _refusal_or(payload, f"its rows had a timestamp, the timeframe asked for was {ask.timeframe[:40]!r}")
    frame = _minutes(payload) if minutes else _days(payload)
    if frame is None:
        return empty(DECODED["bars"])
    rows = ascending(traded(frame), by="ts_event")
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=ask.symbol or None,
        timeframe=ask.timeframe if minutes else "1d",
        currency=currency_of(ask.symbol),
        basis="raw",
        running=False,
    )


def index_levels(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the closes of an index: schema DECODED["index_levels"]; raises as `bars` does."""
    return levels(bars(body, ask))


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the present rate of a pair, or the closes of its days: schema DECODED["fx_rates"], ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor prices, or the symbol asked for is no pair.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    if b'"timestamp"' in body:
        rates = quotes(body, ask).select("ts_event", rate=pl.col("price"))
    else:
        rates = bars(body, ask).select("ts_event", rate=pl.col("close"))
    pair = halves(ask.symbol)
    if pair is None:
        raise payload.defect(f"the symbol {ask.symbol[:40]!r} was no pair of currencies")
    return decoded("fx_rates", rates.filter(pl.col("rate").is_not_null()).to_dict(), base=pair[0], quote=pair[1])


def quotes(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return a quote, or a list of them: schema DECODED["quotes"]; symbols of a list that are not known have no row.

    Raises:
        ProviderRefused: The body is an error, or the one quote in it is of an unknown symbol.
        UndecodablePayload: It is neither an error nor quotes.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    failure = by_body(body)
    if failure is not None:
        raise ProviderRefused(provider=PROVIDER, failure=failure)
    said = payload.parse(_QUOTES)
    known = [one for one in (said if isinstance(said, list) else [said]) if one.timestamp != NOT_AVAILABLE]
    columns: dict[str, Column] = {
        "symbol": [one.code for one in known],
        "ts_event": instants(payload.series([one.timestamp for one in known], pl.Int64(), field="timestamp")),
        "price": _numbers(payload, [one.close for one in known], field="close"),
        "previous_close": _numbers(payload, [one.previous_close for one in known], field="previousClose"),
        "currency": [currency_of(one.code) for one in known],
    }
    for name in ("open", "high", "low", "volume"):
        columns[name] = _numbers(payload, [getattr(one, name) for one in known], field=name)
    return decoded("quotes", columns)


def _days(payload: Payload) -> pl.DataFrame | None:
    rows = payload.parse_or_refuse(_DAYS, by_body)
    if not rows:
        return None
    frame = _frame(label(payload.dates([row.date for row in rows], field="date")), rows)
    adjusted = pl.Series("adj_close", [row.adjusted_close for row in rows], dtype=pl.Float64)
    unsplit = pl.when(pl.col("close") == pl.col("adj_close")).then(pl.col("volume"))
    return frame.with_columns(adjusted).with_columns(unsplit.alias("volume"))


def _minutes(payload: Payload) -> pl.DataFrame:
    rows = payload.parse_or_refuse(_MINUTES, by_body)
    return _frame(instants(pl.Series([row.timestamp for row in rows], dtype=pl.Int64)), rows)


def _frame(starts: pl.Series, rows: Sequence[_Day | _Minute]) -> pl.DataFrame:
    columns = {
        "open": pl.Series([row.open for row in rows], dtype=pl.Float64),
        "high": pl.Series([row.high for row in rows], dtype=pl.Float64),
        "low": pl.Series([row.low for row in rows], dtype=pl.Float64),
        "close": pl.Series([row.close for row in rows], dtype=pl.Float64),
        "volume": pl.Series([row.volume for row in rows], dtype=pl.Float64),
    }
    return pl.DataFrame({"ts_event": starts, **columns})


def _numbers(payload: Payload, values: list[Number], *, field: str) -> pl.Series:
    return payload.series([None if one == NOT_AVAILABLE else one for one in values], pl.Float64(), field=field)


def _refusal_or(payload: Payload, reason: str) -> Exception:
    failure = by_body(payload.body)
    return ProviderRefused(provider=PROVIDER, failure=failure) if failure else payload.defect(reason)
