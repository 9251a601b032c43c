"""The four providers' desks: their parameters, limits, errors and bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from truetape.app.sandbox.desk import (
    HTML,
    TEXT,
    Desk,
    Query,
    Reply,
    first_day,
    last_day_before,
    months_before,
    whole_number,
)
from truetape.app.sandbox.truth import CLOSES, ZONE, View
from truetape.domain.schema import DECODED, INSTANT
from truetape.services.api.dialects import alpha_vantage, finnhub, iex_cloud, yahoo

_OPENS: Final = time(9, 30)
_MIDNIGHT: Final = time(0)
_COMPACT: Final = 100  # points in Alpha Vantage's short answer
_CREDITS: Final = 10  # message credits of one row of IEX Cloud's daily chart
_ALL: Final = date(1800, 1, 1)
_YAHOO_MONTHS: Final = {"1mo": 1, "3mo": 3, "6mo": 6, "1y": 12, "2y": 24, "5y": 60, "10y": 120}
_IEX_MONTHS: Final = {"1m": 1, "3m": 3, "6m": 6, "1y": 12, "2y": 24, "5y": 60, "max": 180}
_DAYS: Final = {"1d": 1, "5d": 5}
_EVENTS: Final = {"split": "split", "dividend": "div"}


class YahooDesk:
    """Chart v8: split-adjusted prices and dividends; no key."""

    key_parameter = ""
    key_header = ""
    throttled = Reply(429, b"Too Many Requests\r\n", TEXT)
    reset_header = ""
    soft = Reply(200, b"<html><body><h1>Will be right back</h1></body></html>\n", HTML)
    spent = soft

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
            first = _ALL if begin is None else first_day(begin, label=_OPENS, zone=ZONE)
            return truth.between(first, today if end is None else last_day_before(end, label=_OPENS, zone=ZONE))
        name = params.get("range", "1mo")
        if name in _DAYS:
            return truth.latest(_DAYS[name])
        return truth.between(_since(name, today, _YAHOO_MONTHS), today)


class AlphaVantageDesk:
    """Daily and daily adjusted series: raw prices; errors come with status 200."""

    key_parameter = "apikey"
    key_header = ""
    soft = Reply(200, alpha_vantage.note("Rehearsal: the call frequency is limited to 5 calls per minute."))
    spent = Reply(200, alpha_vantage.information("Rehearsal: the rate limit of 25 requests per day is reached."))
    throttled = Reply(429, soft.body)
    reset_header = ""
    functions = ("TIME_SERIES_DAILY", "TIME_SERIES_DAILY_ADJUSTED")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and functions and sizes that are unknown here."""
        params = query.params
        if not query.keyed:
            return Reply(200, alpha_vantage.error_message("the parameter apikey is invalid or missing."))
        known = params.get("function") in self.functions and params.get("datatype", "json") == "json"
        if not known or params.get("outputsize", "full") not in {"compact", "full"}:
            return self.unknown(query)
        return None

    def unknown(self, query: Query) -> Reply:
        """Answer an error message, as for every call that is not understood."""
        function = query.params.get("function", "")[:40] or "a function"
        return Reply(
            200, alpha_vantage.error_message(f"Invalid API call. Please retry or see the manual for {function}.")
        )

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the whole series, or its last 100 bars."""
        part = truth if query.params.get("outputsize") == "full" else truth.latest(_COMPACT)
        if query.params["function"] == "TIME_SERIES_DAILY":
            return Reply(200, alpha_vantage.daily(part.raw))
        return Reply(200, alpha_vantage.daily_adjusted(part.raw, part.actions))


class FinnhubDesk:
    """Candles and quotes: split-adjusted prices."""

    key_parameter = "token"
    key_header = "X-Finnhub-Token"
    soft = Reply(200, finnhub.failure("API limit reached. Please try again later. Remaining Limit: 0"))
    spent = soft
    throttled = Reply(429, soft.body, headers={"X-Ratelimit-Limit": "60", "X-Ratelimit-Remaining": "0"})
    reset_header = "X-Ratelimit-Reset"

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, resolutions other than D, and candles without from and to."""
        if not query.keyed:
            return Reply(401, finnhub.failure("Please use an API key."))
        if query.endpoint == "quote":
            return None
        if query.params.get("resolution") != "D":
            return Reply(422, finnhub.failure("Wrong resolution: this rehearsal has daily bars (D) only."))
        wrong = [name for name in ("from", "to") if whole_number(query.params.get(name)) is None]
        return Reply(422, finnhub.failure(f"Wrong value for {wrong[0]}.")) if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer no data, or a quote of zeros."""
        nothing = pl.DataFrame(schema=DECODED["quotes"])
        return Reply(200, finnhub.quote(nothing) if query.endpoint == "quote" else b'{"s":"no_data"}')

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the bars labelled from `from` to `to`, both inclusive, or the last day's close as the quote."""
        if query.endpoint == "quote":
            return Reply(200, finnhub.quote(_quote(truth)))
        begin, end = whole_number(query.params["from"]), whole_number(query.params["to"])
        assert begin is not None
        assert end is not None
        first = first_day(begin, label=_MIDNIGHT, zone="UTC")
        last = last_day_before(end + 1, label=_MIDNIGHT, zone="UTC")
        return Reply(200, finnhub.candle(truth.between(first, last).split))


class IexCloudDesk:
    """Charts with raw, split-adjusted and fully adjusted prices; errors are plain text."""

    key_parameter = "token"
    key_header = ""
    throttled = Reply(429, b"Too many requests", TEXT)
    reset_header = ""
    soft = Reply(200, b"Too many requests", TEXT)
    spent = soft

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and unknown ranges."""
        if not query.keyed:
            return Reply(401, b"An API key is required to access this data and no key was provided", TEXT)
        if query.range not in {*_IEX_MONTHS, "ytd", "5d"}:
            return Reply(400, b"Invalid values were supplied for the API request", TEXT)
        return None

    def unknown(self, _query: Query) -> Reply:
        """Answer 404."""
        return Reply(404, b"Unknown symbol", TEXT)

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the range that ends today, both ends inclusive; "max" is fifteen years."""
        if query.range in _DAYS:
            part = truth.latest(_DAYS[query.range])
        else:
            part = truth.between(_since(query.range, query.today, _IEX_MONTHS), query.today)
        headers = {"iexcloud-messages-used": str(_CREDITS * len(part.raw))}
        return Reply(200, iex_cloud.chart(part.raw, split=part.split, full=part.full), headers=headers)


def _since(name: str, today: date, months: Mapping[str, int]) -> date:
    if name in months:
        return months_before(today, months[name])
    return date(today.year, 1, 1) if name == "ytd" else _ALL


def _quote(truth: View) -> pl.DataFrame:
    """Return the last day's bar as a quote at the close."""
    last = truth.split.tail(2)
    day = last["ts_event"].dt.date()[-1]
    closed = datetime.combine(day, CLOSES, tzinfo=ZoneInfo(ZONE))
    return (
        last.with_columns(
            pl.lit(closed).cast(INSTANT).alias("ts_event"),
            pl.col("close").alias("price"),
            pl.col("close").shift().alias("previous_close"),
        )
        .select(list(DECODED["quotes"]))
        .tail(1)
    )


DESKS: Final[Mapping[str, Desk]] = MappingProxyType(
    {
        "alpha_vantage": AlphaVantageDesk(),
        "finnhub": FinnhubDesk(),
        "iex_cloud": IexCloudDesk(),
        "yahoo": YahooDesk(),
    }
)
