"""Stooq's desk: fully adjusted tables of bars and of quotes; all it refuses comes with status 200."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, TEXT, Desk, Query, Reply
from truetape.app.sandbox.intraday import around_the_clock, regular_hours
from truetape.app.sandbox.truth import ZONE as NEW_YORK
from truetape.app.sandbox.truth import View, last_quote
from truetape.domain.failures import FailureClass
from truetape.services.api.dialects.numbers import column

CSV: Final = "text/csv"
ZONE: Final = "Europe/Warsaw"

_INTERVALS: Final = {"5": "5m", "60": "1h"}
_LONG: Final = {"d": "1d", "w": "1w", "m": "1mo"}
_INDICES: Final = {"^spx": "^GSPC", "^dji": "^DJI", "^ndq": "^IXIC"}
_CURRENCIES: Final = ("aud", "cad", "chf", "eur", "gbp", "jpy", "pln", "usd")
_NAMES: Final = ("open", "high", "low", "close", "volume")
_CHECK: Final = b"<!DOCTYPE html><html><p>This site requires JavaScript to verify your browser.</p></html>\n"
_SPENT: Final = Reply(200, b"Exceeded the daily hits limit", TEXT)


class StooqDesk(Desk):
    """Tables of bars, ascending, and quotes, in Warsaw time."""

    routes = ("/q/{endpoint:d}/l/", "/q/{endpoint:l}/")
    symbol_parameter = "s"
    throttled = Reply(429, b"Too Many Requests", TEXT)
    soft = _SPENT
    spent = _SPENT
    drifting = "Close"
    refusals = MappingProxyType(
        {
            FailureClass.EMPTY: Reply(200, b"No data", TEXT),
            FailureClass.THROTTLED: throttled,
            FailureClass.QUOTA: _SPENT,
            FailureClass.AUTH: Reply(200, b"Get your apikey first.", TEXT),
            FailureClass.PERMANENT: Reply(200, b"Symbol,Date,Close\r\nZZZ,N/D,N/D,N/D,N/D,N/D,N/D\r\n", CSV),
            FailureClass.TRANSIENT: Reply(503, b"<html>Service Unavailable</html>\n", HTML),
            FailureClass.BLOCKED: Reply(200, _CHECK, HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: aapl.us is AAPL, brk-b.us BRK.B, ^spx ^GSPC, eurusd EUR/USD, btc.v BTC/USD."""
        if symbol in _INDICES:
            return _INDICES[symbol]
        name, _, market = symbol.rpartition(".")
        if market == "v":
            return f"{name.upper()}/USD"
        if market == "us":
            return name.upper().replace("-", ".")
        pair = symbol[:3], symbol[3:]
        return "/".join(pair).upper() if set(pair) <= set(_CURRENCIES) else symbol.upper()

    def refusal(self, query: Query) -> Reply | None:
        """Answer no data to intervals and dates that are none."""
        known = query.parts["endpoint"] == "l" or query.params.get("i", "d") in {**_INTERVALS, **_LONG}
        sound = all(_day(query.params[name]) for name in ("d1", "d2") if name in query.params)
        return None if known and sound else self.refusals[FailureClass.EMPTY]

    def unknown(self, query: Query) -> Reply:
        """Answer no data, or a quote that is not available."""
        if query.parts["endpoint"] == "l":
            symbol = query.params.get("s", "").upper()
            return _table("Symbol,Date,Time,Open,High,Low,Close,Volume", [f"{symbol}{',N/D' * 7}"])
        return self.refusals[FailureClass.EMPTY]

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the bars from d1 to d2, both inclusive, or the last day's close as a quote."""
        if query.parts["endpoint"] == "l":
            return _quote(truth, query.params["s"].upper())
        interval = query.params.get("i", "d")
        first, last = (_day(query.params.get(name, "")) for name in ("d1", "d2"))
        inside = truth.between(first or EARLIEST.date(), last or LATEST.date())
        if inside.full.is_empty():
            return self.refusals[FailureClass.EMPTY]
        if interval in _LONG:
            bars = _long(inside.full, _LONG[interval])
            stamps = bars["ts_event"].dt.strftime("%Y-%m-%d")
            return _table("Date,Open,High,Low,Close,Volume", _lines(bars, stamps))
        hours, zone = (around_the_clock, "UTC") if "/" in query.symbol else (regular_hours, NEW_YORK)
        bars = _adjusted(inside, inside.minutes(_INTERVALS[interval], hours=hours), zone=zone)
        stamps = bars["ts_event"].dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%d,%H:%M:%S")
        return _table("Date,Time,Open,High,Low,Close,Volume", _lines(bars, stamps))


def _table(header: str, lines: list[str]) -> Reply:
    return Reply(200, "\r\n".join([header, *lines, ""]).encode(), CSV)


def _lines(bars: pl.DataFrame, stamps: pl.Series) -> list[str]:
    values = [["" if value is None else str(value) for value in column(bars[name])] for name in _NAMES]
    return [",".join(row) for row in zip(stamps, *values, strict=True)]


def _adjusted(inside: View, minutes: pl.DataFrame, *, zone: str) -> pl.DataFrame:
    """Return raw bars within days in basis all: scaled as their day is, which is told by its closes and volumes."""
    days = inside.raw.select(
        pl.col("ts_event").dt.date().alias("day"),
        (inside.full["close"] / inside.raw["close"]).alias("price"),
        (inside.full["volume"] / inside.raw["volume"]).fill_nan(1.0).alias("size"),
    )
    local = pl.col("ts_event").dt.convert_time_zone(zone).dt.date()
    whole = minutes.with_columns(local.alias("day")).join(days, on="day", how="left", maintain_order="left")
    scaled = [(pl.col(name) * pl.col("price")).alias(name) for name in ("open", "high", "low", "close")]
    return whole.with_columns(*scaled, pl.col("volume") * pl.col("size"))


def _long(bars: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    if timeframe == "1d":
        return bars
    sums = (pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last())
    period = pl.col("ts_event").dt.truncate(timeframe)
    return bars.group_by(period, maintain_order=True).agg(*sums, pl.col("volume").sum())


def _quote(truth: View, symbol: str) -> Reply:
    row = last_quote(truth).row(0, named=True)
    when = row["ts_event"].astimezone(ZoneInfo(ZONE))
    values = [str(row[name]) for name in ("open", "high", "low", "price", "volume")]
    line = ",".join([symbol, f"{when:%Y-%m-%d}", f"{when:%H:%M:%S}", *values])
    return _table("Symbol,Date,Time,Open,High,Low,Close,Volume", [line])


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("20240308") else None
    except ValueError:
        return None


DESK: Final = StooqDesk()
