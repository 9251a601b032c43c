"""IEX Cloud's desk: charts, quotes, actions, symbols and exchange rates; errors are plain text."""

from __future__ import annotations

from datetime import date, datetime
from types import MappingProxyType
from typing import Final

import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, TEXT, Desk, Query, Reply, since
from truetape.app.sandbox.listed import listed
from truetape.app.sandbox.truth import View, last_quote
from truetape.domain.failures import FailureClass
from truetape.domain.pairs import halves, is_fx
from truetape.domain.schema import INSTANT
from truetape.services.api.dialects import iex_cloud

_CREDITS: Final = 10  # message credits of one row of the daily chart, and of one action
_LIST_CREDITS: Final = 100
_MOST_CREDITS: Final = 50  # of a day's minutes
_MONTHS: Final = {"1m": 1, "3m": 3, "6m": 6, "1y": 12, "2y": 24, "5y": 60, "max": 180}
_DAYS: Final = {"5d": 5}
_PAIR: Final = 6  # letters of two currencies
_VERSION: Final = "/{version:(?:(?:v1|stable|latest)/)?}"
_EXCHANGES: Final = {"XNAS": "NAS", "XNYS": "NYS", "XASE": "ASE", "ARCX": "PSE"}
_OVER: Final = b"You have exceeded your allotted message quota. Please enable pay-as-you-go to regain access"


class IexCloudDesk(Desk):
    """Charts with raw, split-adjusted and fully adjusted prices; errors are plain text."""

    routes = (
        f"{_VERSION}stock/{{symbol}}/chart/{{endpoint:date}}/{{day}}",
        f"{_VERSION}stock/{{symbol}}/chart/{{range}}",
        f"{_VERSION}stock/{{symbol}}/{{endpoint:dividends|splits}}/{{range}}",
        f"{_VERSION}stock/{{symbol}}/{{endpoint:quote}}",
        f"{_VERSION}ref-data/{{endpoint:symbols}}",
        f"{_VERSION}fx/{{endpoint:latest|historical}}",
    )
    key_parameter = "token"
    throttled = Reply(429, b"Too many requests", TEXT)
    drifting = "date"
    soft = Reply(200, b"Too many requests", TEXT)
    spent = soft
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.QUOTA: Reply(402, _OVER, TEXT),
            FailureClass.ENTITLEMENT: Reply(451, b"Enterprise permission is needed", TEXT),
            FailureClass.AUTH: Reply(403, b"The API key provided is not valid.", TEXT),
            FailureClass.PERMANENT: Reply(404, b"Unknown symbol", TEXT),
            FailureClass.TRANSIENT: Reply(500, b"Internal Server Error", TEXT),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: a slash between two currencies."""
        pair = f"{symbol[:3]}/{symbol[3:]}"
        return pair if len(symbol) == _PAIR and is_fx(pair) else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, unknown ranges, and days that are none."""
        if not query.keyed:
            return Reply(401, b"An API key is required to access this data and no key was provided", TEXT)
        ranges = {*_MONTHS, "ytd"} - ({"max"} if query.parts.get("endpoint") else {"5d"}) | {"5d"}
        ranged = query.parts.get("range", "1m") in ranges
        dated = query.parts.get("endpoint") != "date" or _day(query.parts["day"]) is not None
        if not (ranged and dated):
            return Reply(400, b"Invalid values were supplied for the API request", TEXT)
        return None

    def unknown(self, _query: Query) -> Reply:
        """Answer 404."""
        return self.refusals[FailureClass.PERMANENT]

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the range that ends today, both ends inclusive; "max" is fifteen years; or a day's minutes."""
        endpoint = query.parts.get("endpoint")
        if endpoint == "quote":
            return _counted(iex_cloud.quote(last_quote(truth)), 1)
        if endpoint == "date":
            day = _day(query.parts["day"])
            assert day is not None
            bars = truth.between(day, day).minutes("1m")
            return _counted(iex_cloud.minutes(bars), min(len(bars), _MOST_CREDITS))
        if query.parts["range"] in _DAYS:
            part = truth.latest(_DAYS[query.parts["range"]])
        else:
            part = truth.between(since(query.parts["range"], query.today, _MONTHS), query.today)
        if endpoint in ("dividends", "splits"):
            write = iex_cloud.splits if endpoint == "splits" else iex_cloud.dividends
            return _counted(write(part.actions), _CREDITS)
        return _counted(iex_cloud.chart(part.raw, split=part.split, full=part.full), _CREDITS * len(part.raw))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the symbols, or the rates of a pair: the last one, or those of many days."""
        endpoint = query.parts.get("endpoint")
        if endpoint == "symbols":
            known = listed(dataset, spell=str, exchanges=_EXCHANGES)
            return _counted(iex_cloud.symbols(known, day=dataset.end), _LIST_CREDITS)
        if endpoint not in ("latest", "historical"):
            return None
        symbol = self.ours(query.params.get("symbols", ""))
        pair, series = halves(symbol), dataset.series.get(symbol)
        if pair is None or series is None:
            return Reply(200, b"[]")
        bars = series.bars.tail(1)
        if endpoint == "historical":
            first, last = _dashed(query.params.get("from", "")), _dashed(query.params.get("to", ""))
            days = pl.col("ts_event").dt.date()
            bars = series.bars.filter(days.is_between(first or date(1800, 1, 1), last or query.today))
        rates = bars.select(
            pl.lit(pair[0]).alias("base"),
            pl.lit(pair[1]).alias("quote"),
            pl.col("ts_event").cast(INSTANT),
            pl.col("close").alias("rate"),
        )
        body = iex_cloud.rates(rates)
        return _counted(b"[" + body + b"]" if endpoint == "historical" else body, 1)


def _counted(body: bytes, credits_used: int) -> Reply:
    return Reply(200, body, headers={"iexcloud-messages-used": str(credits_used)})


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def _dashed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


DESK: Final = IexCloudDesk()
