"""Finnhub's desk: candles, quotes, ticks, actions, symbols and exchange rates."""

from __future__ import annotations

from datetime import date, datetime, time
from types import MappingProxyType
from typing import Final

import polars as pl

from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import HTML, Desk, Query, Reply, first_day, last_day_before, whole_number
from truetape.app.sandbox.intraday import around_the_clock, regular_hours
from truetape.app.sandbox.listed import listed
from truetape.app.sandbox.longer import longer
from truetape.app.sandbox.truth import View, last_quote
from truetape.domain.failures import FailureClass
from truetape.domain.pairs import halves
from truetape.domain.schema import DECODED
from truetape.services.api.dialects import finnhub

_MIDNIGHT: Final = time(0)
_MINUTES: Final = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h"}
_LONGER: Final = {"D": "1d", "W": "1w", "M": "1mo"}
_MOST_TICKS: Final = 25_000
_STABLE: Final = ("USDT", "USDC")
_LIMIT: Final = "API limit reached. Please try again later. Remaining Limit: 0"


class FinnhubDesk(Desk):
    """Split-adjusted daily candles, raw minutes."""

    routes = (
        "/{version:(?:api/v1/)?}{group:stock|forex|crypto}/{endpoint:candle}",
        "/{version:(?:api/v1/)?}stock/{endpoint:tick|dividend|split|symbol}",
        "/{version:(?:api/v1/)?}forex/{endpoint:rates}",
        "/{version:(?:api/v1/)?}{endpoint:quote}",
    )
    key_parameter = "token"
    key_header = "X-Finnhub-Token"
    soft = Reply(200, finnhub.failure(_LIMIT))
    spent = soft
    throttled = Reply(429, soft.body, headers={"X-Ratelimit-Limit": "60", "X-Ratelimit-Remaining": "0"})
    reset_header = "X-Ratelimit-Reset"
    drifting = "c"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.ENTITLEMENT: Reply(403, finnhub.failure("You don't have access to this resource.")),
            FailureClass.AUTH: Reply(401, finnhub.failure("Invalid API key.")),
            FailureClass.PERMANENT: Reply(422, finnhub.failure("Wrong resolution.")),
            FailureClass.TRANSIENT: Reply(502, b"<html><h1>502 Bad Gateway</h1></html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling of a venue's pair."""
        venue, colon, name = symbol.partition(":")
        if not colon:
            return symbol
        if venue == "BINANCE":
            quote = next((one for one in _STABLE if name.endswith(one)), name[-3:])
            return f"{name.removesuffix(quote)}/{quote}"
        return name.replace("_", "/").replace("-", "/")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, unknown resolutions, and candles, ticks and actions without their span."""
        if not query.keyed:
            return Reply(401, finnhub.failure("Please use an API key."))
        endpoint, params = query.parts["endpoint"], query.params
        if endpoint == "candle":
            if params.get("resolution") not in {*_MINUTES, *_LONGER}:
                return Reply(422, finnhub.failure(f"Wrong resolution: one of {', '.join((*_MINUTES, *_LONGER))}."))
            wrong = [name for name in ("from", "to") if whole_number(params.get(name)) is None]
        else:
            dated = {"tick": ("date",), "dividend": ("from", "to"), "split": ("from", "to")}.get(endpoint, ())
            wrong = [name for name in dated if _day(params.get(name, "")) is None]
        return Reply(422, finnhub.failure(f"Wrong value for {wrong[0]}.")) if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer no data: a quote of zeros, no ticks, or an empty list."""
        nothing = {
            "quote": finnhub.quote(pl.DataFrame(schema=DECODED["quotes"])),
            "tick": finnhub.ticks(pl.DataFrame(schema=DECODED["trades"]), symbol=query.symbol),
            "candle": b'{"s":"no_data"}',
        }
        return Reply(200, nothing.get(query.parts["endpoint"], b"[]"))

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the candles from `from` to `to`, both inclusive, a day's ticks, actions, or the last close."""
        endpoint, params = query.parts["endpoint"], query.params
        if endpoint == "quote":
            return Reply(200, finnhub.quote(last_quote(truth)))
        if endpoint == "candle":
            return Reply(200, finnhub.candle(_candles(truth, query)))
        if endpoint == "tick":
            day, skip = _day(params["date"]), whole_number(params.get("skip")) or 0
            assert day is not None
            limit = min(whole_number(params.get("limit")) or _MOST_TICKS, _MOST_TICKS)
            trades = truth.between(day, day).trades(hours=around_the_clock if halves(query.symbol) else regular_hours)
            return Reply(200, finnhub.ticks(trades, symbol=params["symbol"], skip=skip, limit=limit))
        first, last = _day(params["from"]), _day(params["to"])
        assert first is not None
        assert last is not None
        part = truth.between(first, last)
        splits = endpoint == "split"
        body = finnhub.splits(part.actions) if splits else finnhub.dividends(part.actions, part.split_actions)
        return Reply(200, body)

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the symbols of the US, or what a currency costs on a day."""
        endpoint = query.parts["endpoint"]
        if endpoint == "symbol":
            known = listed(dataset, spell=str, exchanges={})
            return Reply(200, finnhub.symbols(known if query.params.get("exchange") == "US" else known.clear()))
        if endpoint != "rates":
            return None
        base = query.params.get("base", "EUR")
        day = _day(query.params.get("date", "")) or query.today
        rates: dict[str, float] = {}
        for symbol, series in dataset.series.items():
            pair = halves(symbol)
            closes = series.bars.filter(pl.col("ts_event").dt.date() <= day)["close"]
            if pair and pair[0] == base and len(closes):
                rates[pair[1]] = closes[-1]
        return Reply(200, finnhub.rates(base, rates))


def _candles(truth: View, query: Query) -> pl.DataFrame:
    begin, end = whole_number(query.params["from"]), whole_number(query.params["to"])
    assert begin is not None
    assert end is not None
    first = first_day(begin, label=_MIDNIGHT, zone="UTC")
    last = last_day_before(end + 1, label=_MIDNIGHT, zone="UTC")
    resolution = query.params["resolution"]
    if resolution in _LONGER:
        return longer(truth.between(first, last).split, _LONGER[resolution])[0]
    hours = around_the_clock if halves(query.symbol) else regular_hours
    bars = truth.between(date.fromordinal(first.toordinal() - 1), last).minutes(_MINUTES[resolution], hours=hours)
    return bars.filter(pl.col("ts_event").dt.epoch("s").is_between(begin, end))


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


DESK: Final = FinnhubDesk()
