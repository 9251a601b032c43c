"""Twelve Data's desk: series as traded or adjusted, quotes, rates, actions and lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, Desk, Query, Reply, whole_number
from truetape.app.sandbox.intraday import MINUTES, around_the_clock, regular_hours
from truetape.app.sandbox.truth import ZONE, View, last_quote
from truetape.domain.failures import FailureClass
from truetape.services.api.dialects.numbers import ratio, text

_INTERVALS: Final = {"1min": "1m", "5min": "5m", "15min": "15m", "30min": "30m", "1h": "1h"}
_LONG: Final = {"1day": "1d", "1week": "1w", "1month": "1mo"}
_LISTS: Final = ("stocks", "etfs", "indices", "forex_pairs", "cryptocurrencies")
_INDICES: Final = {"SPX": "^GSPC", "DJI": "^DJI", "IXIC": "^IXIC"}
_CURRENCIES: Final = ("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD")
_FIRST: Final = EARLIEST.replace(tzinfo=None)
_LAST: Final = LATEST.replace(tzinfo=None)
_USUAL: Final = 30  # bars, where neither a number nor dates are asked for
_MOST: Final = 5_000
_SHORTEST_DAY: Final = 210  # minutes
_PLACES: Final = 5
_EMPTY: Final = "No data is available on the specified dates. Try setting different start/end dates."
_MINUTE: Final = "You have run out of API credits for the current minute. 9 API credits were used, the limit being 8."
_DAY: Final = (
    "You have run out of API credits for the day. 801 API credits were used, with the current limit being 800."
)
_FACTORS: Final = {"none": "raw", "splits": "split", "all": "full"}


def _failure(code: int, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    body = msgspec.json.encode({"code": code, "message": message, "status": "error"})
    return Reply(code if status is None else status, body, headers=headers or {})


class TwelveDataDesk(Desk):
    """Newest bars first, in the exchange's own time, with decimals as texts."""

    routes = (
        "/{endpoint:time_series}",
        "/{endpoint:quote}",
        "/{endpoint:exchange_rate}",
        "/{endpoint:splits}",
        "/{endpoint:dividends}",
        *(f"/{{endpoint:{name}}}" for name in _LISTS),
    )
    key_parameter = "apikey"
    key_header = "Authorization"
    throttled = _failure(429, _MINUTE, headers={"api-credits-used": "8", "api-credits-left": "0"})
    soft = _failure(429, _MINUTE, status=200)
    spent = _failure(429, _DAY, status=200)
    drifting = "close"
    refusals = MappingProxyType(
        {
            FailureClass.EMPTY: _failure(400, _EMPTY),
            FailureClass.THROTTLED: throttled,
            FailureClass.QUOTA: _failure(429, _DAY),
            FailureClass.ENTITLEMENT: _failure(404, "This symbol is available starting with Grow plan."),
            FailureClass.AUTH: _failure(401, "**apikey** parameter is incorrect or not specified."),
            FailureClass.PERMANENT: _failure(404, "**symbol** not found: ZZZ."),
            FailureClass.TRANSIENT: _failure(500, "Something went wrong."),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: an index has a caret."""
        return _INDICES.get(symbol) or symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, without a symbol, and with intervals, adjustments or dates that are none."""
        params = query.params
        if not query.keyed:
            return self.refusals[FailureClass.AUTH]
        endpoint = query.parts["endpoint"]
        if endpoint in _LISTS:
            return None
        if not query.symbol:
            return _failure(400, "**symbol** parameter is missing.")
        if endpoint == "time_series" and params.get("interval") not in {**_INTERVALS, **_LONG}:
            known = ", ".join((*_INTERVALS, *_LONG))
            return _failure(400, f"Invalid **interval** provided: {params.get('interval')}. Supported: {known}")
        if endpoint == "time_series" and params.get("adjust", "splits") not in _FACTORS:
            return _failure(400, f"Invalid **adjust** provided. Supported: {', '.join(_FACTORS)}")
        wrong = [name for name in ("start_date", "end_date") if name in params and _wall(params[name]) is None]
        return _failure(400, f"Invalid **{wrong[0]}** provided: {params[wrong[0]]}.") if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer 404."""
        return _failure(404, f"**symbol** not found: {query.symbol}. Please specify it correctly.")

    def data(self, truth: View, query: Query) -> Reply:
        """Answer what the endpoint of the path has."""
        endpoint, symbol = query.parts["endpoint"], query.params["symbol"]
        if endpoint == "quote":
            return _json(_quote(truth, symbol))
        if endpoint == "exchange_rate":
            row = last_quote(truth).row(0, named=True)
            return _json({"symbol": symbol, "rate": row["price"], "timestamp": int(row["ts_event"].timestamp())})
        if endpoint in ("splits", "dividends"):
            return _json({"meta": {"symbol": symbol, "currency": "USD"}, endpoint: _actions(truth, query)})
        return _series(truth, query)

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer one list of symbols."""
        endpoint = query.parts["endpoint"]
        if endpoint not in _LISTS:
            return None
        wanted = [one for one in dataset.series.values() if _list_of(one.symbol) == endpoint]
        spelled = {ours: theirs for theirs, ours in _INDICES.items()}
        rows = [
            {
                "symbol": spelled.get(one.symbol, one.symbol.removeprefix("^")),
                "name": one.name,
                "currency": one.currency,
                "mic_code": one.mic,
                **({"type": "Common Stock"} if endpoint == "stocks" else {}),
            }
            for one in wanted
            if query.symbol in ("", one.symbol)
        ]
        return _json({"data": rows, "count": len(rows), "status": "ok"})


def _json(value: object) -> Reply:
    return Reply(200, msgspec.json.encode(value))


def _wall(asked: str) -> datetime | None:
    """Return the wall-clock time that a text names: a date's beginning, or a date and time; None if it is neither."""
    try:
        moment = datetime.fromisoformat(asked).replace(tzinfo=None)
    except ValueError:
        return None
    return moment if _FIRST <= moment < _LAST else None


def _list_of(symbol: str) -> str:
    base, slash, _ = symbol.partition("/")
    if slash:
        return "forex_pairs" if base in _CURRENCIES else "cryptocurrencies"
    return "indices" if symbol.startswith("^") else "stocks"


def _span(query: Query) -> tuple[datetime, datetime]:
    """Return the first and the last wall-clock time asked for, both inclusive; a date's end is its last second."""
    first = _wall(query.params.get("start_date", "")) or _FIRST
    end = query.params.get("end_date", "")
    last = _wall(end) or _LAST
    return first, last + timedelta(days=1, seconds=-1) if len(end) == len("YYYY-MM-DD") else last


def _series(truth: View, query: Query) -> Reply:
    params, interval = query.params, query.params["interval"]
    pair = "/" in query.symbol
    first, last = _span(query)
    dated = "start_date" in params or "end_date" in params
    most = min(whole_number(params.get("outputsize")) or (_MOST if dated else _USUAL), _MOST)
    inside = truth.between(first.date(), last.date())
    if interval in _LONG:
        bars = _long(getattr(inside, _FACTORS[params.get("adjust", "splits")]), _LONG[interval])
        walls = bars["ts_event"].dt.replace_time_zone(None)
    else:
        bars = _short(inside, _INTERVALS[interval], most=most, pair=pair)
        walls = bars["ts_event"].dt.convert_time_zone("UTC" if pair else ZONE).dt.replace_time_zone(None)
    rows = bars.with_columns(walls.alias("wall")).filter(pl.col("wall").is_between(first, last)).tail(most)
    if rows.is_empty():
        return _failure(400, _EMPTY)
    zone = {} if pair else {"exchange_timezone": ZONE, "currency": bars["currency"][0]}
    meta = {"symbol": params["symbol"], "interval": interval, **zone}
    form = "%Y-%m-%d" if interval in _LONG else "%Y-%m-%d %H:%M:%S"
    return _json({"meta": meta, "values": _values(rows.reverse(), form=form, pair=pair), "status": "ok"})


def _values(rows: pl.DataFrame, *, form: str, pair: bool) -> list[dict[str, str]]:
    prices = ("open", "high", "low", "close")
    stamps = rows["wall"].dt.strftime(form)
    texts = {name: [text(value, places=_PLACES) for value in rows[name]] for name in prices}
    columns: dict[str, list[str]] = {"datetime": stamps.to_list(), **texts}
    if not pair:
        columns["volume"] = [text(value or 0.0, places=0) for value in rows["volume"]]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _long(bars: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    """Return daily bars by days, by weeks from Monday or by months."""
    if timeframe == "1d":
        return bars
    return bars.group_by_dynamic("ts_event", every=timeframe, start_by="monday" if timeframe == "1w" else "window").agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
        pl.col("currency").first(),
    )


def _short(inside: View, timeframe: str, *, most: int, pair: bool) -> pl.DataFrame:
    """Return the bars below a day of as many days as surely have `most` of them."""
    latest = inside.latest(most * MINUTES[timeframe] // _SHORTEST_DAY + 2)
    return latest.minutes(timeframe, hours=around_the_clock if pair else regular_hours)


def _quote(truth: View, symbol: str) -> dict[str, Any]:
    row = last_quote(truth).row(0, named=True)
    names = {"open": "open", "high": "high", "low": "low", "close": "price", "previous_close": "previous_close"}
    stamp = int(row["ts_event"].timestamp())
    return {
        "symbol": symbol,
        "currency": row["currency"],
        "datetime": row["ts_event"].strftime("%Y-%m-%d"),
        "timestamp": stamp,
        "last_quote_at": stamp,
        **{name: text(row[ours], places=_PLACES) for name, ours in names.items() if row[ours] is not None},
        "volume": text(row["volume"] or 0.0, places=0),
        "is_market_open": False,
    }


def _actions(truth: View, query: Query) -> list[dict[str, Any]]:
    """Return the splits or dividends of the dates asked for, newest first."""
    first, last = (bound.date() for bound in _span(query))
    inside = truth.between(first, last)
    actions = inside.actions if query.params.get("adjust") == "false" else inside.split_actions
    rows: list[tuple[date, str, float]] = actions.select("ex_date", "type", "value").rows()[::-1]
    if query.parts["endpoint"] == "dividends":
        return [{"ex_date": day.isoformat(), "amount": value} for day, kind, value in rows if kind == "dividend"]
    return [_split(day, *ratio(value)) for day, kind, value in rows if kind == "split"]


def _split(day: date, new: float, old: float) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "description": f"{new:g}-for-{old:g} split",
        "ratio": round(old / new, 5),
        "from_factor": new,
        "to_factor": old,
    }


DESK: Final = TwelveDataDesk()
