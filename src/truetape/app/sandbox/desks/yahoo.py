"""Yahoo's desk: chart v8."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from truetape.app.sandbox.desk import HTML, TEXT, Desk, Query, Reply, first_day, last_day_before, since, whole_number
from truetape.app.sandbox.truth import OPENS, ZONE, View
from truetape.services.api.dialects import yahoo

_EARLIEST: Final = date(1800, 1, 1)
_MONTHS: Final = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120}
_DAYS: Final = {"1d": 1, "5d": 5}
_EVENTS: Final = {"split": "split", "dividend": "div"}


class YahooDesk(Desk):
    """Chart v8: split-adjusted prices and dividends; no key."""

    routes = ("/v8/finance/chart/{symbol}",)
    throttled = Reply(429, b"Too Many Requests\r\n", TEXT)
    soft = Reply(200, b"<html><body><h1>Will be right back</h1></body></html>\n", HTML)
    spent = soft
    drifting = "close"

    def refusal(self, query: Query) -> Reply | None:
        """Refuse intervals that a set of daily bars has not, unknown ranges and periods that are no numbers."""
        params = query.params
        interval = params.get("interval", "1d")
        if interval in yahoo.INTRADAY or interval == "60m":
            words = f"{interval} data not available: this rehearsal has daily bars only"
            return Reply(422, yahoo.failure("Unprocessable Entity", words))
        if interval != "1d":
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
        return Reply(404, yahoo.failure("Not Found", "No data found, symbol may be delisted"))

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the bars from period1 (inclusive) to period2 (exclusive), or of the range that ends today."""
        part = self._part(truth, query)
        if part.split.is_empty():
            words = "Data doesn't exist for startDate = {}, endDate = {}"
            asked = [query.params.get(name, "") for name in ("period1", "period2")]
            return Reply(400, yahoo.failure("Bad Request", words.format(*asked)))
        asked_events = query.params.get("events", "")
        wanted = [kind for kind, word in _EVENTS.items() if word in asked_events]
        actions = part.split_actions.filter(pl.col("type").is_in(wanted))
        return Reply(200, yahoo.chart(part.split, actions, zone=ZONE, timeframe="1d"))

    def _part(self, truth: View, query: Query) -> View:
        params, today = query.params, query.today
        begin, end = whole_number(params.get("period1")), whole_number(params.get("period2"))
        if begin is not None or end is not None:
            first = _EARLIEST if begin is None else first_day(begin, label=OPENS, zone=ZONE)
            return truth.between(first, today if end is None else last_day_before(end, label=OPENS, zone=ZONE))
        name = params.get("range", "1mo")
        if name in _DAYS:
            return truth.latest(_DAYS[name])
        return truth.between(since(name, today, _MONTHS), today)


DESK: Final = YahooDesk()
