"""Coinbase Exchange's desk: candles, trades, tickers and products."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import msgspec
import polars as pl

from truetape.app.sandbox.coins import candles, last_quotes, price, trades_until
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Desk, Query, Reply, whole_number
from truetape.app.sandbox.intraday import TRADES_PER_MINUTE
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass
from truetape.domain.time import DAY_NS, NANOSECONDS, day_start_ns, iso

GRANULARITIES: Final = {"60": "1m", "300": "5m", "900": "15m", "3600": "1h", "86400": "1d"}
MOST_CANDLES: Final = 300
MOST_TRADES: Final = 1_000
MINUTE_NS: Final = 60 * NANOSECONDS


def failure(words: str) -> bytes:
    """Return the body of an error."""
    return msgspec.json.encode({"message": words})


_TOO_MANY: Final = failure(
    "granularity too small for the requested time range. Count of aggregations requested exceeds 300"
)
_NOT_FOUND: Final = Reply(404, failure("NotFound"))
_THROTTLED: Final = Reply(429, failure("Public rate limit exceeded"))


class CoinbaseDesk(Desk):
    """Prices as traded, candles newest first. Numbers of trades rise by one, from 1 with a pair's first day on."""

    routes = ("/{endpoint:products}", "/products/{symbol}/{endpoint:candles|trades|ticker}")
    throttled = _THROTTLED
    soft = _THROTTLED
    spent = _THROTTLED
    drifting = "price"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: _THROTTLED,
            FailureClass.PERMANENT: _NOT_FOUND,
            FailureClass.AUTH: Reply(401, failure("Unauthorized.")),
            FailureClass.TRANSIENT: Reply(503, failure("Service Unavailable")),
        }
    )

    def ours(self, symbol: str, /) -> str:
        """Return the dataset's spelling ("BTC/USD") of a product ("BTC-USD")."""
        return symbol.replace("-", "/")

    def refusal(self, query: Query) -> Reply | None:
        """Refuse unknown granularities, unreadable times and cursors, and more than 300 candles."""
        params = query.params
        if query.parts["endpoint"] == "trades":
            numbers = [whole_number(params[name]) for name in ("limit", "after") if name in params]
            return Reply(400, failure("Invalid cursor or limit")) if None in numbers else None
        if query.parts["endpoint"] != "candles":
            return None
        if params.get("granularity") not in GRANULARITIES:
            return Reply(400, failure("Unsupported granularity"))
        given = [_second(params[name]) for name in ("start", "end") if name in params]
        if None in given:
            return Reply(400, failure("invalid time"))
        first, last = _range(query)
        return Reply(400, _TOO_MANY) if (last - first) // int(params["granularity"]) >= MOST_CANDLES else None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - all the same
        """Answer that there is no such product."""
        return _NOT_FOUND

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the candles of a range, the trades below a number, or the last trade with its best prices."""
        if query.parts["endpoint"] == "ticker":
            return Reply(200, _ticker(truth))
        if query.parts["endpoint"] == "trades":
            return _trades(truth, query)
        first, last = _range(query)
        found = candles(
            truth,
            timeframe=GRANULARITIES[query.params["granularity"]],
            first_ns=first * NANOSECONDS,
            last_ns=last * NANOSECONDS,
        )
        rows = found.select(pl.col("ts_event").dt.epoch("s"), "low", "high", "open", "close", "volume").reverse()
        return Reply(200, msgspec.json.encode(rows.rows()))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the products."""
        if query.parts["endpoint"] != "products":
            return None
        pairs = [(name, *name.partition("/")[::2], one.currency) for name, one in dataset.series.items()]
        products = [
            {
                "id": name.replace("/", "-"),
                "base_currency": base,
                "quote_currency": quote or currency,
                "display_name": name,
                "trading_disabled": False,
                "status": "online",
            }
            for name, base, quote, currency in pairs
        ]
        return Reply(200, msgspec.json.encode(products))


def _range(query: Query) -> tuple[int, int]:
    """Return the first and last second in which a candle may begin; without both, of the latest 300."""
    first, last = _second(query.params.get("start", "")), _second(query.params.get("end", ""))
    if first is not None and last is not None:
        return first, last
    step = int(query.params["granularity"])
    end = (day_start_ns(query.today) + DAY_NS) // NANOSECONDS - step
    return end - (MOST_CANDLES - 1) * step, end


def _second(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _trades(truth: View, query: Query) -> Reply:
    base = _numbers_before(truth)
    after = whole_number(query.params.get("after"))
    limit = min(whole_number(query.params.get("limit")) or MOST_TRADES, MOST_TRADES)
    until = day_start_ns(query.today) if after is None else (after + base) // TRADES_PER_MINUTE * MINUTE_NS
    number = pl.col("trade_id").cast(pl.Int64) - base
    wanted = number < after if after is not None else pl.lit(value=True)
    found = trades_until(truth, wanted=wanted, until_ns=until, rows=max(limit, 0)).with_columns(
        number.alias("number"), pl.when(pl.col("side") == "buy").then(pl.lit("sell")).otherwise(pl.lit("buy"))
    )
    rows = [
        {
            "trade_id": row["number"],
            "side": row["literal"],
            "size": price(row["size"]),
            "price": price(row["price"]),
            "time": iso(stamp),
        }
        for row, stamp in zip(found.rows(named=True), found["ts_event"].to_physical(), strict=True)
    ][::-1]
    cursors = {"CB-BEFORE": str(rows[0]["trade_id"]), "CB-AFTER": str(rows[-1]["trade_id"])} if rows else {}
    return Reply(200, msgspec.json.encode(rows), headers=cursors)


def _numbers_before(truth: View) -> int:
    """Return what the dataset's numbers of trades have more than the exchange's, which begin with 1."""
    first: int = truth.raw["ts_event"].to_physical()[0]
    return first // MINUTE_NS * TRADES_PER_MINUTE - 1


def _ticker(truth: View) -> bytes:
    last = last_quotes(truth, rows=1)
    if last.is_empty():
        return failure("NotFound")
    row = last.row(0, named=True)
    told = {name: price(row[name]) for name in ("price", "bid", "ask", "volume")}
    return msgspec.json.encode({**told, "time": iso(last["ts_event"].to_physical()[0])})


DESK: Final = CoinbaseDesk()
