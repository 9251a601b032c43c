"""EODHD's desk: days as traded beside their adjusted close, minutes, quotes, actions and lists."""

from __future__ import annotations

from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, TEXT, Desk, Query, Reply, whole_number
from truetape.app.sandbox.intraday import around_the_clock, regular_hours
from truetape.app.sandbox.truth import ZONE, View, last_quote, view
from truetape.domain.failures import FailureClass
from truetape.domain.time import NANOSECONDS
from truetape.services.api.dialects.numbers import column, ratio

_INTERVALS: Final = ("1m", "5m", "1h")
_USUAL_DAYS: Final = 120  # of minutes, where no range is asked for
_CURRENCIES: Final = ("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD")
_EXCHANGES: Final = ("US", "FOREX", "CC", "INDX")
_OHLC: Final = ("open", "high", "low", "close")
_NOT_AVAILABLE: Final = "NA"
_PAIR: Final = 6  # letters of two currencies
_CSV: Final = "text/csv"


def _text(status: int, words: str) -> Reply:
    return Reply(status, words.encode(), TEXT)


class EodhdDesk(Desk):
    """Symbols with their exchange; refusals in plain text."""

    routes = (
        "/{version:(?:api/)?}{endpoint:eod}/{symbol}",
        "/{version:(?:api/)?}{endpoint:intraday}/{symbol}",
        "/{version:(?:api/)?}{endpoint:real-time}/{symbol}",
        "/{version:(?:api/)?}{endpoint:div}/{symbol}",
        "/{version:(?:api/)?}{endpoint:splits}/{symbol}",
        "/{version:(?:api/)?}{endpoint:exchange-symbol-list}/{exchange}",
    )
    key_parameter = "api_token"
    throttled = Reply(
        429, b"Too Many Requests", TEXT, headers={"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0"}
    )
    soft = throttled
    spent = _text(402, "You exceeded your daily API requests limit. Please contact our support.")
    drifting = "close"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.QUOTA: spent,
            FailureClass.ENTITLEMENT: _text(403, "Only EOD data allowed for free users."),
            FailureClass.AUTH: _text(401, "Unauthenticated"),
            FailureClass.PERMANENT: _text(404, "Ticker Not Found."),
            FailureClass.TRANSIENT: Reply(502, b"<html><h1>502 Bad Gateway</h1></html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: without the exchange, a dot before a share class, a slash within a pair."""
        code, _, exchange = symbol.rpartition(".")
        if exchange == "INDX":
            return f"^{code}"
        if exchange == "FOREX" and len(code) == _PAIR:
            return f"{code[:3]}/{code[3:]}"
        if exchange == "CC":
            return code.replace("-", "/")
        name, dash, letter = code.rpartition("-")
        if exchange == "US":
            return f"{name}.{letter}" if dash and len(letter) == 1 else code
        return symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and with intervals, periods or ends of a range that are none."""
        params, endpoint = query.params, query.parts["endpoint"]
        if not query.keyed:
            return self.refusals[FailureClass.AUTH]
        if endpoint == "intraday":
            if params.get("interval", "5m") not in _INTERVALS:
                return _text(422, f"Wrong interval: choose one of {', '.join(_INTERVALS)}.")
            wrong = [name for name in ("from", "to") if name in params and whole_number(params[name]) is None]
        else:
            wrong = [name for name in ("from", "to") if name in params and _day(params[name]) is None]
        if not wrong and params.get("period", "d") != "d":
            return _text(422, "This rehearsal has days (d) only.")
        return _text(422, f"Wrong value for {wrong[0]}.") if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer 404, or a quote that is not available."""
        if query.parts["endpoint"] == "real-time":
            return _json(_unknown_quote(query.parts["symbol"]))
        return self.refusals[FailureClass.PERMANENT]

    def data(self, truth: View, query: Query) -> Reply:
        """Answer what the endpoint of the path has; without fmt=json, prices are CSV."""
        endpoint = query.parts["endpoint"]
        if endpoint == "real-time":
            return _json(_quote(truth, query.parts["symbol"]))
        if endpoint in ("div", "splits"):
            return _json(_events(truth.between(*_span(query)), endpoint))
        frame = _minutes(truth, query) if endpoint == "intraday" else _days(truth.between(*_span(query)))
        if query.params.get("fmt") != "json":
            return Reply(200, pl.DataFrame(frame).write_csv().encode(), _CSV)
        return _json(_rows(frame))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the symbols of an exchange, or quotes of several symbols."""
        if query.parts["endpoint"] == "exchange-symbol-list":
            return _listed(dataset, query)
        if query.parts["endpoint"] != "real-time" or "s" not in query.params:
            return None
        asked = [query.parts["symbol"], *query.params["s"].split(",")]
        known = [(dataset.series.get(self.ours(theirs)), theirs) for theirs in asked]
        return _json([_quote(view(one), theirs) if one else _unknown_quote(theirs) for one, theirs in known])


def _json(value: object) -> Reply:
    return Reply(200, msgspec.json.encode(value))


def _day(asked: str) -> date | None:
    try:
        return date.fromisoformat(asked)
    except ValueError:
        return None


def _span(query: Query) -> tuple[date, date]:
    """Return the first and the last date asked for, both inclusive."""
    first, last = (_day(query.params.get(name, "")) for name in ("from", "to"))
    return first or EARLIEST.date(), last or LATEST.date()


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _days(inside: View) -> dict[str, list[Any]]:
    """Return prices as traded, with the fully adjusted close, and volumes adjusted for splits."""
    raw = inside.raw
    return {
        "date": raw["ts_event"].dt.strftime("%Y-%m-%d").to_list(),
        **{name: column(raw[name]) for name in _OHLC},
        "adjusted_close": column(raw["adj_close"]),
        "volume": column(inside.split["volume"]),
    }


def _minutes(truth: View, query: Query) -> dict[str, list[Any]]:
    """Return the bars below a day from second to second, both inclusive."""
    params = query.params
    first, last = (_second(params.get(name), bound) for name, bound in (("from", EARLIEST), ("to", LATEST)))
    days = [datetime.fromtimestamp(second, ZoneInfo(ZONE)).date() for second in (first, last)]
    inside = truth.between(days[0], days[1])
    inside = inside if "from" in params else inside.latest(_USUAL_DAYS)
    hours = around_the_clock if "/" in query.symbol else regular_hours
    bars = inside.minutes(params.get("interval", "5m"), hours=hours)
    seconds = bars["ts_event"].cast(pl.Int64) // NANOSECONDS
    bars = bars.filter(seconds.is_between(first, last))
    return {
        "timestamp": (bars["ts_event"].cast(pl.Int64) // NANOSECONDS).to_list(),
        "gmtoffset": [0] * len(bars),
        "datetime": bars["ts_event"].dt.strftime("%Y-%m-%d %H:%M:%S").to_list(),
        **{name: column(bars[name]) for name in (*_OHLC, "volume")},
    }


def _second(asked: str | None, bound: datetime) -> int:
    """Return the Unix second asked for, within what calendars know; the one of `bound` where none is."""
    second = whole_number(asked)
    usual = int(bound.timestamp()) if second is None else second
    return min(max(usual, int(EARLIEST.timestamp())), int(LATEST.timestamp()))


def _quote(truth: View, symbol: str) -> dict[str, Any]:
    row = last_quote(truth).row(0, named=True)
    return {
        "code": symbol,
        "timestamp": int(row["ts_event"].timestamp()),
        "gmtoffset": 0,
        **{name: row[name] for name in ("open", "high", "low")},
        "close": row["price"],
        "volume": row["volume"],
        "previousClose": _NOT_AVAILABLE if row["previous_close"] is None else row["previous_close"],
    }


def _unknown_quote(symbol: str) -> dict[str, Any]:
    names = ("timestamp", "open", "high", "low", "close", "volume", "previousClose")
    return {"code": symbol, "gmtoffset": 0, **dict.fromkeys(names, _NOT_AVAILABLE)}


def _events(inside: View, endpoint: str) -> list[dict[str, Any]]:
    """Return dividends, as paid and adjusted, or splits, oldest first."""
    wanted = pl.col("type") == ("split" if endpoint == "splits" else "dividend")
    raw, split = inside.actions.filter(wanted), inside.split_actions.filter(wanted)
    days = raw["ex_date"].dt.strftime("%Y-%m-%d").to_list()
    if endpoint == "splits":
        parts = [ratio(value) for value in raw["value"]]
        return _rows({"date": days, "split": [f"{new:.6f}/{old:.6f}" for new, old in parts]})
    told = {"value": split["value"].to_list(), "unadjustedValue": raw["value"].to_list()}
    return _rows({"date": days, **told, "currency": raw["currency"].to_list()})


def _listed(dataset: Dataset, query: Query) -> Reply:
    exchange = query.parts["exchange"]
    if exchange not in _EXCHANGES:
        return _text(404, "Exchange Not Found.")
    rows = [
        {"Code": code, "Name": one.name, "Exchange": exchange, "Currency": one.currency, "Type": kind}
        for one in dataset.series.values()
        for code, place, kind in (_place(one.symbol),)
        if place == exchange and "delisted" not in query.params
    ]
    return _json(rows)


def _place(symbol: str) -> tuple[str, str, str]:
    """Return a symbol's code, exchange and type."""
    base, slash, quote = symbol.partition("/")
    if symbol.startswith("^"):
        return symbol[1:], "INDX", "INDEX"
    if slash:
        return (f"{base}{quote}", "FOREX", "Currency") if base in _CURRENCIES else (f"{base}-{quote}", "CC", "Currency")
    name, dot, letter = symbol.rpartition(".")
    return f"{name}-{letter}" if dot else symbol, "US", "Common Stock"


DESK: Final = EodhdDesk()
