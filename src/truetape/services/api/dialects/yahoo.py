"""Yahoo's chart format, written: split-adjusted bars and their actions as `/v8/finance/chart` answers them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from truetape.services.api.dialects.numbers import column, days, first, ratio

GRANULARITIES: Final = {"1w": "1wk"}
CASH: Final = {"dividend": "dividends", "capital_gain": "capitalGains"}
PRICES: Final = ("open", "high", "low", "close")
OPENS: Final = time(9, 30)
SESSION: Final = timedelta(hours=6, minutes=30)
INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")
RANGES: Final = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")


def chart(
    bars: pl.DataFrame,
    actions: pl.DataFrame,
    *,
    zone: str = "America/New_York",
    timeframe: str = "1d",
    symbol: str = "",
    opens: time = OPENS,
    instrument: str = "EQUITY",
    before: float | None = None,
) -> bytes:
    """Return the body of a chart answer.

    Prices are written as Yahoo writes them, as 32-bit floats widened to 64, and daily stamps are the session's open.
    A last bar that is running carries the time of its last trade instead, half-way through the session.

    Args:
        bars: Schema DECODED["bars"], basis split, one symbol, ascending.
        actions: Schema DECODED["actions"], basis split. Several payments of one type on one ex-date add up, splits
            multiply.
        zone: IANA zone of the exchange.
        timeframe: Of `bars`; "1d", "1w" and "1mo" are labelled by date, the others by instant.
        symbol: What to call the series if `bars` is empty.
        opens: The session's opening time in `zone`; it lasts six and a half hours.
        instrument: EQUITY, ETF, MUTUALFUND, INDEX, CURRENCY, CRYPTOCURRENCY or FUTURE.
        before: The close before the first bar, of a chart of the last session alone; None for any other.
    """
    stamps = _stamps(bars, zone=zone, timeframe=timeframe, opens=opens)
    last = days(bars)[-1] if len(bars) else date(1970, 1, 1)
    opened = datetime.combine(last, opens, tzinfo=ZoneInfo(zone))
    traded = opened + SESSION
    if len(bars) and bars["running"][-1]:
        traded = opened + SESSION / 2
        stamps[-1] = int(traded.timestamp()) if timeframe == "1d" else stamps[-1]
    meta = _meta(bars, opened=opened, traded=traded, zone=zone, timeframe=timeframe)
    meta |= {"symbol": first(bars["symbol"]) or symbol, "firstTradeDate": stamps[0] if stamps else None}
    meta["instrumentType"] = instrument
    if before is not None:
        meta |= {"range": "1d", "chartPreviousClose": before}
    parts = {
        "meta": meta,
        "timestamp": stamps,
        "events": _events(actions, zone=zone, opens=opens, currency=meta["currency"]),
        "indicators": _indicators(bars, timeframe=timeframe),
    }
    result = {name: part for name, part in parts.items() if part}
    return msgspec.json.encode({"chart": {"result": [result], "error": None}})


def failure(code: str, description: str, *, envelope: str = "chart") -> bytes:
    """Return the body of an error: `code` such as "Not Found", in the envelope of "chart" or "finance"."""
    return msgspec.json.encode({envelope: {"result": None, "error": {"code": code, "description": description}}})


def _meta(bars: pl.DataFrame, *, opened: datetime, traded: datetime, zone: str, timeframe: str) -> dict[str, Any]:
    """Return what holds for the whole series, of the session that opened last and its last trade."""
    return {
        "currency": first(bars["currency"]),
        "symbol": "",
        "exchangeName": "NMS",
        "instrumentType": "EQUITY",
        "firstTradeDate": None,
        "regularMarketTime": int(traded.timestamp()),
        "hasPrePostMarketData": False,
        "gmtoffset": _offset(opened),
        "timezone": opened.tzname(),
        "exchangeTimezoneName": zone,
        "regularMarketPrice": bars["close"][-1] if len(bars) else None,
        "regularMarketDayHigh": bars["high"][-1] if len(bars) else None,
        "regularMarketDayLow": bars["low"][-1] if len(bars) else None,
        "regularMarketVolume": bars["volume"][-1] if len(bars) else None,
        "priceHint": 2,
        "currentTradingPeriod": _periods(opened),
        "dataGranularity": GRANULARITIES.get(timeframe, timeframe),
        "range": "",
        "validRanges": RANGES,
    }


def _indicators(bars: pl.DataFrame, *, timeframe: str) -> dict[str, Any]:
    if bars.is_empty():
        return {"quote": [{}]}
    quote = {**{name: _single(bars[name]) for name in PRICES}, "volume": column(bars["volume"])}
    if timeframe in INTRADAY:
        return {"quote": [quote]}
    return {"quote": [quote], "adjclose": [{"adjclose": _single(bars["adj_close"])}]}


def _stamps(bars: pl.DataFrame, *, zone: str, timeframe: str, opens: time) -> list[int]:
    """Return Unix seconds: the session's open for daily bars, local midnight for longer ones, the start for others."""
    if timeframe in INTRADAY:
        return bars["ts_event"].dt.epoch("s").to_list()
    shift = timedelta(hours=opens.hour, minutes=opens.minute) if timeframe == "1d" else timedelta()
    return _local(bars["ts_event"].dt.replace_time_zone(None) + shift, zone=zone)


def _local(walls: pl.Series, *, zone: str) -> list[int]:
    """Return the Unix seconds of wall-clock times in `zone`; one that a clock change skipped counts an hour later."""
    instants = [
        moment.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        for moment in (walls, walls + timedelta(hours=1))
    ]
    return pl.select(pl.coalesce(instants[0], instants[1]).dt.epoch("s")).to_series().to_list()


def _single(prices: pl.Series) -> list[float | None]:
    return prices.cast(pl.Float32).cast(pl.Float64).to_list()


def _events(actions: pl.DataFrame, *, zone: str, opens: time, currency: str | None) -> dict[str, Any]:
    shift = timedelta(hours=opens.hour, minutes=opens.minute)
    cash: dict[str, dict[str, dict[str, Any]]] = {"dividends": {}, "capitalGains": {}}
    splits: dict[str, dict[str, Any]] = {}
    stamps = _local(actions["ex_date"].cast(pl.Datetime("ns")) + shift, zone=zone)
    for stamp, row in zip(stamps, actions.iter_rows(named=True), strict=True):
        if row["type"] in CASH:
            event = cash[CASH[row["type"]]].setdefault(str(stamp), {"amount": 0.0, "date": stamp})
            event["amount"] += row["value"]
            if row["currency"] != currency:
                event["currency"] = row["currency"]
        else:
            before = splits.get(str(stamp), {"numerator": 1, "denominator": 1})
            numerator, denominator = ratio(row["value"] * before["numerator"] / before["denominator"])
            splits[str(stamp)] = {
                "date": stamp,
                "numerator": numerator,
                "denominator": denominator,
                "splitRatio": f"{numerator:g}:{denominator:g}",
            }
    return {name: events for name, events in ({**cash, "splits": splits}).items() if events}


def _periods(opened: datetime) -> dict[str, dict[str, Any]]:
    closed = opened + SESSION
    spans = {
        "pre": (opened - timedelta(hours=5, minutes=30), opened),
        "regular": (opened, closed),
        "post": (closed, closed + timedelta(hours=4)),
    }
    return {
        name: {
            "timezone": opened.tzname(),
            "start": int(start.astimezone(UTC).timestamp()),
            "end": int(end.astimezone(UTC).timestamp()),
            "gmtoffset": _offset(opened),
        }
        for name, (start, end) in spans.items()
    }


def _offset(moment: datetime) -> int:
    offset = moment.utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
