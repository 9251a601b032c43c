"""FRED's desk: every series of the dataset as observations, known from their day on."""

from __future__ import annotations

from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.sandbox.desk import HTML, Desk, Query, Reply, whole_number
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass

MOST: Final = 100  # observations of one page here; FRED has a thousand times as many

_INDICES: Final = {"SP500": "^GSPC", "DJIA": "^DJI", "NASDAQCOM": "^IXIC"}
_RATES: Final = {"DEXUSEU": "EUR/USD", "DEXUSUK": "GBP/USD", "DEXJPUS": "USD/JPY"}
_EARLIEST: Final = date(1600, 1, 1)
_OPEN: Final = date(9999, 12, 31)
_WITHDRAWN: Final = "."


def _failure(code: int, words: str, *, status: int | None = None) -> Reply:
    body = msgspec.json.encode({"error_code": code, "error_message": words})
    return Reply(code if status is None else status, body)


class FredDesk(Desk):
    """Closes as observations with vintages: every tenth was withdrawn for two days."""

    routes = ("/series/observations",)
    symbol_parameter = "series_id"
    key_parameter = "api_key"
    throttled = _failure(429, "Too Many Requests.  Exceeded Rate Limit")
    soft = throttled
    spent = throttled
    drifting = "value"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.AUTH: _failure(400, "Bad Request.  The value for variable api_key is not registered."),
            FailureClass.PERMANENT: _failure(400, "Bad Request.  The series does not exist."),
            FailureClass.TRANSIENT: _failure(500, "Internal Server Error"),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling of an index's or a rate's series; others are called alike."""
        return _INDICES.get(symbol) or _RATES.get(symbol) or symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, in XML, and with dates or numbers that are none."""
        params = query.params
        if not query.keyed:
            return _failure(400, "Bad Request.  Variable api_key is not set.")
        if params.get("file_type") != "json":
            return _failure(400, "Bad Request.  This rehearsal answers with file_type json only.")
        names = ("observation_start", "observation_end", "realtime_start", "realtime_end")
        wrong = [name for name in names if name in params and _day(params[name]) is None]
        wrong += [name for name in ("limit", "offset") if name in params and (whole_number(params[name]) or 0) < 0]
        wrong += [name for name in ("limit", "offset") if name in params and whole_number(params[name]) is None]
        return _failure(400, f"Bad Request.  The value for variable {wrong[0]} is not valid.") if wrong else None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - the answer is always the same
        """Answer 400."""
        return self.refusals[FailureClass.PERMANENT]

    def data(self, truth: View, query: Query) -> Reply:
        """Answer one page of the closes of the days asked for, as they were known in the window asked for."""
        params = query.params
        first = _day(params.get("observation_start", "")) or _EARLIEST
        last = _day(params.get("observation_end", "")) or _OPEN
        window = [_day(params.get(name, "")) or query.today for name in ("realtime_start", "realtime_end")]
        rows = observations(truth.between(first, last).raw, start=window[0], end=window[1])
        offset = whole_number(params.get("offset")) or 0
        limit = min(whole_number(params.get("limit")) or MOST, MOST)
        body: dict[str, Any] = {
            "realtime_start": window[0],
            "realtime_end": window[1],
            "observation_start": first,
            "observation_end": last,
            "units": "lin",
            "output_type": 1,
            "file_type": "json",
            "order_by": "observation_date",
            "sort_order": "asc",
            "count": len(rows),
            "offset": offset,
            "limit": limit,
            "observations": rows[offset : offset + limit],
        }
        return Reply(200, msgspec.json.encode(body))


def observations(bars: pl.DataFrame, *, start: date, end: date) -> list[dict[str, Any]]:
    """Return the closes of `bars` as FRED writes observations, as they were known from `start` to `end`, inclusive.

    A close is known from its own day on. Every tenth was withdrawn for the two days after.
    """
    found = []
    closes = zip(bars["ts_event"].dt.date(), bars["close"], strict=True)
    for day, close in closes:
        value = _WITHDRAWN if close is None else str(close)
        vintages = [(day, _OPEN, value)]
        if day.toordinal() % 10 == 0:
            days = [day + timedelta(days=number) for number in range(4)]
            vintages = [(day, day, value), (days[1], days[2], _WITHDRAWN), (days[3], _OPEN, value)]
        found += [
            {"realtime_start": max(known, start), "realtime_end": min(until, end), "date": day, "value": told}
            for known, until, told in vintages
            if known <= end and until >= start
        ]
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2024-03-08") else None
    except ValueError:
        return None


DESK: Final = FredDesk()
