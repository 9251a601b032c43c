"""Binance's desk: candles, aggregated trades, tickers and symbols, with weights, codes and bans."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.sandbox.coins import candles, last_quotes, milliseconds, price, trades_from, trades_until
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Desk, Query, Reply, whole_number
from truetape.app.sandbox.intraday import TRADES_PER_MINUTE
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass
from truetape.domain.time import NANOSECONDS, day_start_ns
from truetape.providers.binance.decode import currency

INTERVALS: Final = {"1m": "1m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1h", "1d": "1d", "1w": "1w", "1M": "1mo"}
LENGTHS_MS: Final = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "1d": 86_400_000}
WEIGHTS: Final = {"klines": "2", "aggTrades": "4", "24hr": "2", "exchangeInfo": "20"}
MOST_ROWS: Final = 1_000
LATEST: Final = 500  # rows, where no limit is given
FOREVER_MS: Final = 7_258_118_400_000
MS_NS: Final = 1_000_000


def failure(code: int, words: str) -> bytes:
    """Return the body of an error."""
    return msgspec.json.encode({"code": code, "msg": words})


_USED: Final = {"X-MBX-USED-WEIGHT-1M": "6000"}
_THROTTLED: Final = Reply(
    429,
    failure(-1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."),
    headers=_USED,
)
_UNKNOWN: Final = Reply(400, failure(-1121, "Invalid symbol."))


class BinanceDesk(Desk):
    """Prices as traded; every answer tells the weight of its own request."""

    routes = ("/api/v3/{endpoint:klines|aggTrades|exchangeInfo}", "/api/v3/ticker/{endpoint:24hr}")
    throttled = _THROTTLED
    soft = _THROTTLED
    spent = _THROTTLED
    drifting = "p"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: _THROTTLED,
            FailureClass.PERMANENT: _UNKNOWN,
            FailureClass.ENTITLEMENT: Reply(451, failure(0, "Service unavailable from a restricted location.")),
            FailureClass.TRANSIENT: Reply(503, failure(-1008, "Server is currently overloaded.")),
            FailureClass.BLOCKED: Reply(
                418, failure(-1003, "Way too much request weight used; IP banned."), headers={"Retry-After": "120"}
            ),
        }
    )

    def ours(self, symbol: str, /) -> str:
        """Return the dataset's spelling ("BTC/USDT") of a symbol ("BTCUSDT")."""
        quote = currency(symbol)
        return f"{symbol.removesuffix(quote)}/{quote}" if quote else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse unknown intervals, and numbers that are none."""
        params = query.params
        if query.parts["endpoint"] == "klines" and params.get("interval") not in INTERVALS:
            return Reply(400, failure(-1120, "Invalid interval."))
        numbers = ("startTime", "endTime", "fromId", "limit")
        wrong = [name for name in numbers if name in params and whole_number(params[name]) is None]
        words = f"Illegal characters found in parameter '{wrong[0]}'." if wrong else ""
        return Reply(400, failure(-1100, words)) if wrong else None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - all the same
        """Answer that there is no such symbol."""
        return _UNKNOWN

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the candles of a range, the trades from a time or a number on, or the ticker of 24 hours."""
        endpoint = query.parts["endpoint"]
        written = {"klines": _candles, "aggTrades": _trades, "24hr": _ticker}[endpoint](truth, query)
        return Reply(200, msgspec.json.encode(written), headers={"X-MBX-USED-WEIGHT-1M": WEIGHTS[endpoint]})

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the symbols."""
        if query.parts["endpoint"] != "exchangeInfo":
            return None
        pairs = [(name, *name.partition("/")[::2], one.currency) for name, one in dataset.series.items()]
        symbols = [
            {"symbol": name.replace("/", ""), "status": "TRADING", "baseAsset": base, "quoteAsset": quote or money}
            for name, base, quote, money in pairs
        ]
        body = msgspec.json.encode({"timezone": "UTC", "rateLimits": [], "symbols": symbols})
        return Reply(200, body, headers={"X-MBX-USED-WEIGHT-1M": WEIGHTS["exchangeInfo"]})


def _number(query: Query, name: str, usual: int) -> int:
    found = whole_number(query.params.get(name))
    return usual if found is None else found


def _limit(query: Query) -> int:
    return min(max(_number(query, "limit", LATEST), 1), MOST_ROWS)


def _candles(truth: View, query: Query) -> list[Any]:
    interval = query.params["interval"]
    first, last = (_number(query, name, usual) for name, usual in (("startTime", 0), ("endTime", FOREVER_MS)))
    first, last = max(first, 0), min(last, FOREVER_MS)
    found = candles(truth, timeframe=INTERVALS[interval], first_ns=first * MS_NS, last_ns=last * MS_NS)
    rows = found.head(_limit(query)) if "startTime" in query.params else found.tail(_limit(query))
    starts = milliseconds(rows)
    ends = [start + LENGTHS_MS[interval] if interval in LENGTHS_MS else _end_ms(start, interval) for start in starts]
    numbers = rows.select("open", "high", "low", "close", "volume").rows()
    return [
        (start, *(price(value) for value in values), end - 1, "0", 1, "0", "0", "0")
        for start, end, values in zip(starts, ends, numbers, strict=True)
    ]


def _end_ms(start_ms: int, interval: str) -> int:
    moment = pl.Series([start_ms * MS_NS]).cast(pl.Datetime("ns")).dt.offset_by("1w" if interval == "1w" else "1mo")
    end: int = moment.dt.epoch("ms")[0]
    return end


def _trades(truth: View, query: Query) -> list[Any]:
    limit, first, start = _limit(query), _number(query, "fromId", -1), _number(query, "startTime", -1)
    number = pl.col("trade_id").cast(pl.Int64)
    if first >= 0:
        since = first // TRADES_PER_MINUTE * 60 * NANOSECONDS
        found = trades_from(truth, wanted=number >= first, since_ns=since, rows=limit)
    elif start >= 0:
        later = pl.col("ts_event").cast(pl.Int64) >= start * MS_NS
        found = trades_from(truth, wanted=later, since_ns=start * MS_NS, rows=limit)
    else:
        found = trades_until(truth, wanted=pl.lit(value=True), until_ns=day_start_ns(query.today), rows=limit)
    return [
        {
            "a": int(row["trade_id"]),
            "p": price(row["price"]),
            "q": price(row["size"]),
            "f": int(row["trade_id"]),
            "l": int(row["trade_id"]),
            "T": stamp,
            "m": row["side"] == "sell",
            "M": True,
        }
        for row, stamp in zip(found.rows(named=True), milliseconds(found), strict=True)
    ]


def _ticker(truth: View, query: Query) -> dict[str, Any]:
    last = last_quotes(truth, rows=1)
    if last.is_empty():
        return {"code": -1121, "msg": "Invalid symbol."}
    row = last.row(0, named=True)
    return {
        "symbol": query.params.get("symbol", ""),
        "lastPrice": price(row["price"]),
        "bidPrice": price(row["bid"]),
        "bidQty": price(row["bid_size"]),
        "askPrice": price(row["ask"]),
        "askQty": price(row["ask_size"]),
        "volume": price(row["volume"]),
        "closeTime": milliseconds(last)[0],
    }


DESK: Final = BinanceDesk()
