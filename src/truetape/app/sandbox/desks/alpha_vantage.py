"""Alpha Vantage's desk: series of shares, currencies and coins, quotes, actions and listings."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Final

import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, Desk, Query, Reply
from truetape.app.sandbox.intraday import around_the_clock
from truetape.app.sandbox.listed import listed
from truetape.app.sandbox.longer import longer
from truetape.app.sandbox.truth import View, last_quote, view
from truetape.domain.failures import FailureClass
from truetape.domain.schema import DECODED
from truetape.services.api.dialects import alpha_vantage

_COMPACT: Final = 100  # points in the short answer
_MONTH: Final = 22  # sessions of the last thirty days
_CSV: Final = "application/x-download"
_INTERVALS: Final = {theirs: ours for ours, theirs in alpha_vantage.INTERVALS.items()}
_LONGER: Final = {"TIME_SERIES_WEEKLY_ADJUSTED": "1w", "TIME_SERIES_MONTHLY_ADJUSTED": "1mo"}
_PERIODS: Final = {"DAILY": "1d", "WEEKLY": "1w", "MONTHLY": "1mo"}
_OF_PAIRS: Final = (
    *("FX_INTRADAY", "CRYPTO_INTRADAY", "CURRENCY_EXCHANGE_RATE"),
    *(f"{start}_{period}" for start in ("FX", "DIGITAL_CURRENCY") for period in _PERIODS),
)
_EXCHANGES: Final = {"XNAS": "NASDAQ", "XNYS": "NYSE", "ARCX": "NYSE ARCA", "XASE": "NYSE MKT"}
_PREMIUM: Final = "Rehearsal: this is a premium endpoint."
_NO_KEY: Final = "the parameter apikey is invalid or missing."


class AlphaVantageDesk(Desk):
    """Raw prices, every number a text; errors come with status 200."""

    key_parameter = "apikey"
    routes = ("/query",)
    soft = Reply(200, alpha_vantage.note("Rehearsal: the call frequency is limited to 5 calls per minute."))
    spent = Reply(200, alpha_vantage.information("Rehearsal: the rate limit of 25 requests per day is reached."))
    throttled = Reply(429, soft.body)
    drifting = "4. close"
    functions = (
        *("TIME_SERIES_DAILY", "TIME_SERIES_DAILY_ADJUSTED", *_LONGER, "TIME_SERIES_INTRADAY"),
        *("GLOBAL_QUOTE", "DIVIDENDS", "SPLITS", "LISTING_STATUS", *_OF_PAIRS),
    )
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: soft,
            FailureClass.QUOTA: spent,
            FailureClass.ENTITLEMENT: Reply(200, alpha_vantage.information(_PREMIUM)),
            FailureClass.AUTH: Reply(200, alpha_vantage.error_message(_NO_KEY)),
            FailureClass.PERMANENT: Reply(200, alpha_vantage.error_message("Invalid API call.")),
            FailureClass.TRANSIENT: Reply(503, b"<html><h1>Service Unavailable</h1></html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: a share class stands after a dot."""
        return symbol.replace("-", ".")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and functions, sizes and intervals that are unknown here."""
        params = query.params
        function = params.get("function", "")
        if not query.keyed:
            return self.refusals[FailureClass.AUTH]
        known = function in self.functions and params.get("datatype", "json") == "json"
        sized = params.get("outputsize", "full") in {"compact", "full"}
        timed = not function.endswith("_INTRADAY") or params.get("interval") in _INTERVALS
        dated = _month(params.get("month", "")) is not None or "month" not in params
        return None if known and sized and timed and dated else self.unknown(query)

    def unknown(self, query: Query) -> Reply:
        """Answer an error message, as for every call that is not understood, or an empty quote."""
        function = query.params.get("function", "")[:40] or "a function"
        if function == "GLOBAL_QUOTE":
            return Reply(200, alpha_vantage.global_quote(pl.DataFrame(schema=DECODED["quotes"])))
        return Reply(
            200, alpha_vantage.error_message(f"Invalid API call. Please retry or see the manual for {function}.")
        )

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the whole series, or its last 100 bars; a month of minutes; a quote, dividends or splits."""
        function, theirs = query.params["function"], query.params.get("symbol", query.symbol)
        if function in ("GLOBAL_QUOTE", "DIVIDENDS", "SPLITS"):
            quote = last_quote(truth).with_columns(pl.lit(theirs).alias("symbol"))
            writers = {
                "GLOBAL_QUOTE": lambda: alpha_vantage.global_quote(quote),
                "DIVIDENDS": lambda: alpha_vantage.dividends(truth.actions, symbol=theirs),
                "SPLITS": lambda: alpha_vantage.splits(truth.actions, symbol=theirs),
            }
            return Reply(200, writers[function]())
        if function == "TIME_SERIES_INTRADAY":
            return Reply(200, _minutes(truth, query, theirs))
        part = truth if query.params.get("outputsize") == "full" else truth.latest(_COMPACT)
        if function in _LONGER:
            bars, ends = longer(truth.raw, _LONGER[function])
            return Reply(200, alpha_vantage.longer(bars, ends, timeframe=_LONGER[function]))
        if function == "TIME_SERIES_DAILY":
            return Reply(200, alpha_vantage.daily(part.raw))
        return Reply(200, alpha_vantage.daily_adjusted(part.raw, part.actions))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the active or the delisted listings, or what is asked of a pair, whose symbols come in halves."""
        function = query.params["function"]
        if function == "LISTING_STATUS":
            known = listed(dataset, spell=lambda symbol: symbol.replace(".", "-"), exchanges=_EXCHANGES)
            active = query.params.get("state", "active") == "active"
            return Reply(200, alpha_vantage.listing_status(known if active else known.clear()), _CSV)
        if function not in _OF_PAIRS:
            return None
        base, quote = _halves(query)
        series = dataset.series.get(f"{base}/{quote}")
        return self.unknown(query) if series is None else Reply(200, _of_pair(view(series), query, base, quote))


def _halves(query: Query) -> tuple[str, str]:
    names = (("from_symbol", "to_symbol"), ("symbol", "market"), ("from_currency", "to_currency"))
    found = next((pair for pair in names if pair[1] in query.params), names[0])
    return query.params.get(found[0], ""), query.params.get(found[1], "")


def _of_pair(truth: View, query: Query, base: str, quote: str) -> bytes:
    function = query.params["function"]
    if function == "CURRENCY_EXCHANGE_RATE":
        rate = last_quote(truth).select(
            pl.lit(base).alias("base"),
            pl.lit(quote).alias("quote"),
            "ts_event",
            pl.col("price").alias("rate"),
            "bid",
            "ask",
        )
        return alpha_vantage.exchange_rate(rate)
    coin = function.startswith(("CRYPTO", "DIGITAL"))
    if function.endswith("_INTRADAY"):
        timeframe = _INTERVALS[query.params["interval"]]
        bars = truth.latest(_MONTH).minutes(timeframe, hours=around_the_clock)
        return alpha_vantage.pair(
            bars, bars["ts_event"].dt.date(), base=base, quote=quote, timeframe=timeframe, coin=coin
        )
    timeframe = _PERIODS[function.rpartition("_")[2]]
    short = query.params.get("outputsize", "full") == "compact"
    bars, ends = longer((truth.latest(_COMPACT) if short else truth).raw, timeframe)
    return alpha_vantage.pair(bars, ends, base=base, quote=quote, timeframe=timeframe, coin=coin)


def _minutes(truth: View, query: Query, theirs: str) -> bytes:
    timeframe = _INTERVALS[query.params["interval"]]
    month = _month(query.params.get("month", ""))
    part = truth.between(*month) if month else truth.latest(_MONTH)
    bars = part.minutes(timeframe)
    if query.params.get("outputsize", "compact") == "compact":
        bars = bars.tail(_COMPACT)
    return alpha_vantage.intraday(bars, timeframe=timeframe, symbol=theirs)


def _month(text: str) -> tuple[date, date] | None:
    """Return the first and last day of the month that YYYY-MM names; None for anything else."""
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, date.fromordinal(following.toordinal() - 1)


DESK: Final = AlphaVantageDesk()
