"""Financial Modeling Prep's desk: split-adjusted days, minutes as traded, quotes, actions and lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, TEXT, Desk, Query, Reply
from truetape.app.sandbox.intraday import around_the_clock, regular_hours
from truetape.app.sandbox.truth import ZONE, View, last_quote, view
from truetape.domain.failures import FailureClass
from truetape.services.api.dialects.numbers import column, ratio

_INTERVALS: Final = {"1min": "1m", "5min": "5m", "15min": "15m", "30min": "30m", "1hour": "1h"}
_MOST_DAYS: Final = {"1min": 3, "5min": 10, "15min": 20, "30min": 30, "1hour": 90}  # of one answer, the latest
_CALENDARS: Final = ("dividends-calendar", "splits-calendar")
_LISTS: Final = ("stock-list", "index-list", "forex-list", "cryptocurrency-list", "delisted-companies", "symbol-change")
_CURRENCIES: Final = ("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD", "USD")
_PRICES: Final = ("open", "high", "low", "close", "volume")
_LETTERS: Final = 3  # of a currency's code


def _failure(words: str, *, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode({"Error Message": words}))


class FmpDesk(Desk):
    """Lists of rows, newest first; nothing to be had is an empty list."""

    routes = (
        "/{version:(?:stable/)?}{endpoint:historical-price-eod}/full",
        "/{version:(?:stable/)?}{endpoint:historical-chart}/{interval:1min|5min|15min|30min|1hour}",
        *(
            f"/{{version:(?:stable/)?}}{{endpoint:{name}}}"
            for name in ("quote", "batch-quote", "dividends", "splits", "profile", *_CALENDARS, *_LISTS)
        ),
    )
    key_parameter = "apikey"
    key_header = "apikey"
    throttled = _failure("Limit Reach . Please upgrade your plan or visit our documentation.", status=429)
    soft = _failure("Limit Reach . Please upgrade your plan or visit our documentation.")
    spent = _failure("Bandwidth Limit Reach . Please upgrade your plan.")
    drifting = "close"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.QUOTA: spent,
            FailureClass.ENTITLEMENT: Reply(402, b"Premium Query Parameter: upgrade your plan.", TEXT),
            FailureClass.AUTH: _failure("Invalid API KEY. Feel free to create a Free API Key.", status=401),
            FailureClass.PERMANENT: _failure("Legacy Endpoint : this endpoint is no longer supported.", status=403),
            FailureClass.TRANSIENT: Reply(503, b"<html><h1>Service Unavailable</h1></html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: a dot before a share class, a slash within a pair."""
        name, dash, letter = symbol.rpartition("-")
        if dash and len(letter) == 1:
            return f"{name}.{letter}"
        pair = len(symbol) >= 2 * _LETTERS and symbol.isalpha()
        return f"{symbol[:-_LETTERS]}/{symbol[-_LETTERS:]}" if pair else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, without a symbol where there must be one, and with dates that are none."""
        if not query.keyed:
            return self.refusals[FailureClass.AUTH]
        wrong = [name for name in ("from", "to") if name in query.params and _day(query.params[name]) is None]
        if wrong:
            return _failure(f"Wrong value for {wrong[0]}.", status=400)
        needs = query.parts["endpoint"] not in ("batch-quote", *_CALENDARS, *_LISTS)
        return _failure("Query Error: missing symbol", status=400) if needs and not query.symbol else None

    def unknown(self, _query: Query) -> Reply:
        """Answer an empty list."""
        return _json([])

    def data(self, truth: View, query: Query) -> Reply:
        """Answer what the endpoint of the path has."""
        endpoint = query.parts["endpoint"]
        inside = truth.between(*_span(query))
        if endpoint == "quote":
            return _json([_quote(truth, query.params["symbol"])])
        if endpoint in ("dividends", "splits"):
            return _json(_events(truth, endpoint, query.params["symbol"]))
        if endpoint == "historical-chart":
            return _json(_minutes(inside, query))
        bars = inside.split.reverse()
        columns: dict[str, list[Any]] = {
            "symbol": [query.params["symbol"]] * len(bars),
            "date": bars["ts_event"].dt.strftime("%Y-%m-%d").to_list(),
        }
        return _json(_rows(columns | {name: column(bars[name]) for name in _PRICES}))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer lists, profiles, calendars, and quotes of several symbols."""
        endpoint = query.parts["endpoint"]
        if endpoint == "batch-quote":
            asked = query.params.get("symbols", "").split(",")
            known = [(dataset.series.get(self.ours(theirs)), theirs) for theirs in asked]
            return _json([_quote(view(one), theirs) for one, theirs in known if one is not None])
        if endpoint in _CALENDARS:
            return _json(list(_calendar(dataset, query)))
        if endpoint == "profile":
            found = dataset.series.get(query.symbol)
            return _json([_profile(found, query.params["symbol"])] if found else [])
        if endpoint not in _LISTS:
            return None
        return _json([_listed(one, endpoint) for one in dataset.series.values() if _list_of(one.symbol) == endpoint])


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


def _theirs(symbol: str) -> str:
    name, dot, letter = symbol.rpartition(".")
    return f"{name}-{letter}" if dot and len(letter) == 1 else symbol.replace("/", "")


def _list_of(symbol: str) -> str:
    base, slash, _ = symbol.partition("/")
    if slash:
        return "forex-list" if base in _CURRENCIES else "cryptocurrency-list"
    return "index-list" if symbol.startswith("^") else "stock-list"


def _minutes(inside: View, query: Query) -> list[dict[str, Any]]:
    """Return the latest bars below a day, stamped in New York time."""
    interval = query.parts["interval"]
    hours = around_the_clock if "/" in query.symbol else regular_hours
    bars = inside.latest(_MOST_DAYS[interval]).minutes(_INTERVALS[interval], hours=hours).reverse()
    stamps = bars["ts_event"].dt.convert_time_zone(ZONE).dt.strftime("%Y-%m-%d %H:%M:%S")
    return _rows({"date": stamps.to_list()} | {name: column(bars[name]) for name in _PRICES})


def _quote(truth: View, symbol: str) -> dict[str, Any]:
    row = last_quote(truth).row(0, named=True)
    return {
        "symbol": symbol,
        "price": row["price"],
        "volume": row["volume"],
        "dayLow": row["low"],
        "dayHigh": row["high"],
        "open": row["open"],
        "previousClose": row["previous_close"],
        "timestamp": int(row["ts_event"].timestamp()),
    }


def _events(truth: View, endpoint: str, symbol: str) -> list[dict[str, Any]]:
    """Return dividends, as paid and adjusted, or splits, newest first."""
    raw, split = truth.actions.reverse(), truth.split_actions.reverse()
    wanted = pl.col("type") == ("split" if endpoint.startswith("splits") else "dividend")
    days = raw.filter(wanted)["ex_date"].dt.strftime("%Y-%m-%d").to_list()
    values, adjusted = raw.filter(wanted)["value"].to_list(), split.filter(wanted)["value"].to_list()
    known: dict[str, list[Any]] = {"symbol": [symbol] * len(days), "date": days}
    if endpoint.startswith("splits"):
        parts = [ratio(value) for value in values]
        return _rows(known | {"numerator": [new for new, _ in parts], "denominator": [old for _, old in parts]})
    blank = {name: [""] * len(days) for name in ("recordDate", "paymentDate", "declarationDate")}
    return _rows(known | blank | {"adjDividend": adjusted, "dividend": values})


def _calendar(dataset: Dataset, query: Query) -> Iterable[dict[str, Any]]:
    """Give the actions of all symbols between the dates asked for."""
    for one in dataset.series.values():
        yield from _events(view(one).between(*_span(query)), query.parts["endpoint"], _theirs(one.symbol))


def _profile(series: Series, symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "companyName": series.name,
        "currency": series.currency,
        "isEtf": False,
        "isFund": False,
        "isActivelyTrading": True,
    }


def _listed(series: Series, endpoint: str) -> dict[str, Any]:
    theirs = _theirs(series.symbol)
    if endpoint == "forex-list":
        base, _, quote = series.symbol.partition("/")
        return {"symbol": theirs, "fromCurrency": base, "toCurrency": quote}
    name = "companyName" if endpoint == "stock-list" else "name"
    return {"symbol": theirs, name: series.name}


DESK: Final = FmpDesk()
