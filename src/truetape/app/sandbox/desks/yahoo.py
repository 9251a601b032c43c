"""Yahoo's desk: chart v8."""

from __future__ import annotations

from datetime import date, time
from types import MappingProxyType
from typing import Final

import polars as pl

from truetape.app.sandbox.desk import (
    HTML,
    LATEST,
    TEXT,
    Desk,
    Query,
    Reply,
    first_day,
    last_day_before,
    since,
    whole_number,
)
from truetape.app.sandbox.intraday import Hours, around_the_clock, regular_hours
from truetape.app.sandbox.longer import longer
from truetape.app.sandbox.truth import OPENS, ZONE, View
from truetape.domain.decoding import DAY_S
from truetape.domain.failures import FailureClass
from truetape.domain.pairs import halves, is_fx
from truetape.services.api.dialects import yahoo

_EARLIEST: Final = date(1800, 1, 1)
_MIDNIGHT: Final = time(0)
_ALWAYS: Final = int(LATEST.timestamp())
_MONTHS: Final = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120}
_DAYS: Final = {"1d": 1, "5d": 5}
_EVENTS: Final = {"split": "split", "dividend": "div", "capital_gain": "capitalGain"}
_MINUTES: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "60m": "1h", "1h": "1h"}
_LONGER: Final = {"1d": "1d", "1wk": "1w", "1mo": "1mo"}
_COIN_QUOTE: Final = 3  # letters, at least, of what a coin is priced in; a share class has fewer
_NONE: Final = yahoo.failure("Bad Request", "Data doesn't exist for startDate = 1, endDate = 2")


class YahooDesk(Desk):
    """Chart v8: split-adjusted prices and dividends; no key."""

    routes = ("/v8/finance/chart/{symbol}",)
    throttled = Reply(429, b"Too Many Requests\r\n", TEXT)
    soft = Reply(200, b"<html><body><h1>Will be right back</h1></body></html>\n", HTML)
    spent = soft
    drifting = "close"
    refusals = MappingProxyType(
        {
            FailureClass.EMPTY: Reply(400, _NONE),
            FailureClass.THROTTLED: throttled,
            FailureClass.AUTH: Reply(401, yahoo.failure("Unauthorized", "Invalid Crumb", envelope="finance")),
            FailureClass.PERMANENT: Reply(404, yahoo.failure("Not Found", "No data found, symbol may be delisted")),
            FailureClass.TRANSIENT: soft,
            FailureClass.BLOCKED: Reply(999, b"<html><h1>Request denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: pairs have a slash, share classes a dot."""
        if symbol.endswith("=X"):
            return f"{symbol[:3]}/{symbol[3:-2]}"
        stem, dash, end = symbol.rpartition("-")
        return f"{stem}{'/' if len(end) >= _COIN_QUOTE else '.'}{end}" if dash else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse unknown intervals and ranges, and periods that are no numbers."""
        params = query.params
        interval = params.get("interval", "1d")
        if interval not in {*_MINUTES, *_LONGER}:
            return Reply(
                400, yahoo.failure("Bad Request", f"Invalid input - interval={interval[:20]} is not supported")
            )
        wrong = [name for name in ("period1", "period2") if name in params and whole_number(params[name]) is None]
        if wrong or params.get("range", "max") not in yahoo.RANGES:
            name = wrong[0] if wrong else "range"
            return Reply(400, yahoo.failure("Bad Request", f"Invalid input - {name}={params[name][:20]}"))
        return None

    def unknown(self, _query: Query) -> Reply:
        """Answer 404."""
        return self.refusals[FailureClass.PERMANENT]

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the bars from period1 (inclusive) to period2 (exclusive), or of the range that ends today."""
        interval = query.params.get("interval", "1d")
        instrument, zone, opens, hours = _manners(query.symbol)
        part = _part(truth, query, zone=zone, opens=opens)
        if interval in _MINUTES:
            bars = _minutes(truth, query, _MINUTES[interval], hours=hours)
            timeframe = _MINUTES[interval]
        else:
            bars, timeframe = longer(part.split, _LONGER[interval])[0], _LONGER[interval]
        if bars.is_empty():
            words = "Data doesn't exist for startDate = {}, endDate = {}"
            asked = [query.params.get(name, "") for name in ("period1", "period2")]
            return Reply(400, yahoo.failure("Bad Request", words.format(*asked)))
        asked_events = query.params.get("events", "")
        wanted = [kind for kind, word in _EVENTS.items() if word in asked_events]
        actions = part.split_actions.filter(pl.col("type").is_in(wanted))
        before = truth.split["close"].tail(2)[0] if query.params.get("range") == "1d" else None
        body = yahoo.chart(
            bars, actions, zone=zone, timeframe=timeframe, opens=opens, instrument=instrument, before=before
        )
        return Reply(200, body)


def _manners(symbol: str) -> tuple[str, str, time, Hours]:
    """Return what a symbol is, its zone, when its days begin, and its hours."""
    if halves(symbol):
        return "CURRENCY" if is_fx(symbol) else "CRYPTOCURRENCY", "UTC", _MIDNIGHT, around_the_clock
    return "INDEX" if symbol.startswith("^") else "EQUITY", ZONE, OPENS, regular_hours


def _minutes(truth: View, query: Query, timeframe: str, *, hours: Hours) -> pl.DataFrame:
    """Return bars below a day, of the very seconds that were asked for, or of the range that ends today."""
    params = query.params
    if "period1" not in params and "period2" not in params:
        return _part(truth, query, zone=ZONE, opens=OPENS).minutes(timeframe, hours=hours)
    begin, end = whole_number(params.get("period1")) or 0, whole_number(params.get("period2")) or _ALWAYS
    first, last = (first_day(second, label=_MIDNIGHT, zone="UTC") for second in (begin - DAY_S, end + DAY_S))
    bars = truth.between(first, last).minutes(timeframe, hours=hours)
    return bars.filter(pl.col("ts_event").dt.epoch("s").is_between(begin, end, closed="left"))


def _part(truth: View, query: Query, *, zone: str, opens: time) -> View:
    params, today = query.params, query.today
    begin, end = whole_number(params.get("period1")), whole_number(params.get("period2"))
    if begin is not None or end is not None:
        first = _EARLIEST if begin is None else first_day(begin, label=opens, zone=zone)
        return truth.between(first, today if end is None else last_day_before(end, label=opens, zone=zone))
    name = params.get("range", "1mo")
    if name in _DAYS:
        return truth.latest(_DAYS[name])
    return truth.between(since(name, today, _MONTHS), today)


DESK: Final = YahooDesk()
