"""IEX Cloud's answers, read: a chart as bars as traded where it gives them, its fully adjusted close beside them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Payload, ascending, decoded, label, traded
from truetape.domain.schema import DECODED, empty
from truetape.providers.iex_cloud import reference
from truetape.providers.iex_cloud.classify import by_body

actions = reference.actions
quotes = reference.quotes
listings = reference.listings
trades = reference.trades
fx_rates = reference.fx_rates

PROVIDER: Final = "iex_cloud"
ZONE: Final = "America/New_York"
FIELDS: Final = (*OHLC, "volume")


class _Row(msgspec.Struct, gc=False):
    date: str
    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float | None
    symbol: str | None = None


class _FullRow(msgspec.Struct, rename="camel", gc=False):
    date: str
    u_open: float | None
    u_high: float | None
    u_low: float | None
    u_close: float | None
    u_volume: float | None
    f_close: float | None = None
    symbol: str | None = None


class _MinuteRow(msgspec.Struct, gc=False):
    date: str
    minute: str
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    volume: float | None = None


_ROWS: Final = msgspec.json.Decoder(list[_Row])
_FULL_ROWS: Final = msgspec.json.Decoder(list[_FullRow])
_MINUTE_ROWS: Final = msgspec.json.Decoder(list[_MinuteRow])


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return a chart as bars: schema DECODED["bars"], ascending.

    Rows with the columns uOpen to uVolume are read in basis raw, with fClose as `adj_close`; others in basis split.
    Minutes are as traded on IEX itself, stamped in New York time, and null where it had no trade. The symbol is that of
    the rows, else that of `ask`; the currency is US dollars, since the provider has no other listings.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a chart.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    first = body[: body.find(b"}")]  # all rows have the columns of the first
    if b'"minute"' in first:
        return _minutes(payload, ask)
    rows: list[_Row] | list[_FullRow]
    raw = any(f'"u{name.title()}"'.encode() in first for name in FIELDS)
    rows = payload.parse_or_refuse(_FULL_ROWS, by_body) if raw else payload.parse_or_refuse(_ROWS, by_body)
    if not rows:
        return empty(DECODED["bars"])
    prefix = "u_" if raw else ""
    columns = {name: _numbers(rows, prefix + name) for name in FIELDS}
    adjusted = [row.f_close for row in rows if isinstance(row, _FullRow)] or [None] * len(rows)
    columns["adj_close"] = pl.Series(adjusted, dtype=pl.Float64)
    starts = label(payload.dates([row.date for row in rows], field="date"))
    return _frame(starts, columns, symbol=rows[0].symbol or ask.symbol, timeframe="1d", raw=raw)


def _minutes(payload: Payload, ask: Ask) -> pl.DataFrame:
    rows = payload.parse_or_refuse(_MINUTE_ROWS, by_body)
    columns = {name: _numbers(rows, name) for name in FIELDS}
    columns["adj_close"] = pl.Series([None] * len(rows), dtype=pl.Float64)
    dates = payload.dates([_dashed(row.date) for row in rows], field="date")
    texts = dates.dt.to_string("%Y-%m-%d ") + payload.series([row.minute for row in rows], pl.String(), field="minute")
    walls = texts.str.to_datetime("%Y-%m-%d %H:%M", time_unit="ns", strict=False)
    local = walls.dt.replace_time_zone(ZONE, ambiguous="earliest", non_existent="null")
    if local.null_count():
        raise payload.defect(f"a value of minute was {str(texts.filter(local.is_null())[0])[11:51]!r}, no time of day")
    starts = local.dt.convert_time_zone("UTC")
    return _frame(starts, columns, symbol=ask.symbol, timeframe="1m", raw=True)


def _frame(starts: pl.Series, columns: dict[str, pl.Series], *, symbol: str, timeframe: str, raw: bool) -> pl.DataFrame:
    rows = ascending(traded(pl.DataFrame({"ts_event": starts, **columns})), by="ts_event")
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=symbol or None,
        timeframe=timeframe,
        currency="USD",
        basis="raw" if raw else "split",
        running=False,
    )


def _numbers(rows: Sequence[_Row | _FullRow | _MinuteRow], name: str) -> pl.Series:
    return pl.Series(list(map(attrgetter(name), rows)), dtype=pl.Float64)


def _dashed(text: str) -> str:
    """Return a date without dashes, as minutes have it, with them."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if "-" not in text else text
