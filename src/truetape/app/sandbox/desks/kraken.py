"""Kraken's desk: candles, trades, spreads and pairs in its envelope, and errors with status 200."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.sandbox.coins import candles, last_quotes, price, trades_from, trades_until
from truetape.app.sandbox.dataset import Dataset
from truetape.app.sandbox.desk import Desk, Query, Reply, whole_number
from truetape.app.sandbox.truth import View
from truetape.domain.failures import FailureClass
from truetape.domain.time import NANOSECONDS, day_start_ns

INTERVALS: Final = {"1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "1440": "1d"}
MOST_TRADES: Final = 1_000
SPREADS: Final = 200
FOREVER_NS: Final = 7_258_118_400 * NANOSECONDS
NEW_NAMES: Final = {"XBT": "BTC", "XDG": "DOGE"}
OLD_NAMES: Final = {new: old for old, new in NEW_NAMES.items()}
QUOTED_IN: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "CAD", "CHF", "AUD", "XBT", "ETH")


def failure(*words: str) -> bytes:
    """Return the body of an error."""
    return msgspec.json.encode({"error": words})


def envelope(result: Mapping[str, Any]) -> bytes:
    """Return the body of an answer."""
    return msgspec.json.encode({"error": [], "result": result})


_THROTTLED: Final = Reply(429, failure("EGeneral:Too many requests"))
_SOFT: Final = Reply(200, failure("EAPI:Rate limit exceeded"))
_UNKNOWN: Final = Reply(200, failure("EQuery:Unknown asset pair"))


class KrakenDesk(Desk):
    """Prices as traded. Kraken keeps the last 720 candles, this desk all, so that any day can be rehearsed."""

    routes = ("/0/public/{endpoint:OHLC|Trades|Spread|AssetPairs}",)
    symbol_parameter = "pair"
    throttled = _THROTTLED
    soft = _SOFT
    spent = _SOFT
    drifting = "result"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: _SOFT,
            FailureClass.PERMANENT: _UNKNOWN,
            FailureClass.ENTITLEMENT: Reply(200, failure("EGeneral:Permission denied")),
            FailureClass.TRANSIENT: Reply(200, failure("EService:Unavailable")),
            FailureClass.BLOCKED: Reply(200, failure("EGeneral:Temporary lockout")),
        }
    )

    def ours(self, symbol: str, /) -> str:
        """Return the dataset's spelling ("BTC/USD") of a pair in the older ("XBTUSD") or the newer spelling."""
        known = next((quote for quote in QUOTED_IN if symbol.endswith(quote) and symbol != quote), "")
        parts = symbol.split("/") if "/" in symbol or not known else (symbol.removesuffix(known), known)
        return "/".join(NEW_NAMES.get(part, part) for part in parts)

    def refusal(self, query: Query) -> Reply | None:
        """Refuse unknown intervals, and numbers that are none."""
        endpoint, params = query.parts["endpoint"], query.params
        if endpoint == "OHLC" and params.get("interval", "1") not in INTERVALS:
            return Reply(200, failure("EGeneral:Invalid arguments:interval"))
        wrong = [name for name in ("since", "count") if name in params and whole_number(params[name]) is None]
        return Reply(200, failure(f"EGeneral:Invalid arguments:{wrong[0]}")) if wrong else None

    def unknown(self, query: Query) -> Reply:  # noqa: ARG002 - all the same
        """Answer that there is no such pair."""
        return _UNKNOWN

    def data(self, truth: View, query: Query) -> Reply:
        """Answer the candles or trades after `since`, or the last spreads."""
        read = {"OHLC": _candles, "Trades": _trades, "Spread": _spreads}[query.parts["endpoint"]]
        rows, last = read(truth, query)
        return Reply(200, envelope({f"X{query.params.get('pair', '')}Z": rows, "last": last}))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer the pairs."""
        if query.parts["endpoint"] != "AssetPairs":
            return None
        return Reply(200, envelope({_old(name, ""): _pair(name) for name in dataset.symbols}))


def _candles(truth: View, query: Query) -> tuple[list[Any], int]:
    since = (whole_number(query.params.get("since")) or 0) + 1
    timeframe = INTERVALS[query.params.get("interval", "1")]
    first = min(max(since, 0) * NANOSECONDS, FOREVER_NS)
    found = candles(truth, timeframe=timeframe, first_ns=first, last_ns=FOREVER_NS)
    rows = [
        (second, *(price(value) for value in values), price(values[-2]), price(volume), 1)
        for second, *values, volume in found.select(
            pl.col("ts_event").dt.epoch("s"), "open", "high", "low", "close", "volume"
        ).rows()
    ]
    return rows, rows[-1][0] if rows else since


def _trades(truth: View, query: Query) -> tuple[list[Any], str]:
    since = whole_number(query.params.get("since"))
    limit = min(whole_number(query.params.get("count")) or MOST_TRADES, MOST_TRADES)
    if since is None:
        every = pl.lit(value=True)
        found = trades_until(truth, wanted=every, until_ns=day_start_ns(query.today), rows=limit)
    else:
        after = pl.col("ts_event").cast(pl.Int64) > since
        found = trades_from(truth, wanted=after, since_ns=since, rows=limit)
    stamps = found["ts_event"].to_physical().to_list()
    rows = [
        (price(row["price"]), price(row["size"]), _seconds(stamp), row["side"][0], "l", "", int(row["trade_id"]))
        for row, stamp in zip(found.rows(named=True), stamps, strict=True)
    ]
    return rows, str(stamps[-1] if stamps else since or 0)


def _spreads(truth: View, query: Query) -> tuple[list[Any], int]:  # noqa: ARG001 - of now, whatever is asked
    found = last_quotes(truth, rows=SPREADS).select(pl.col("ts_event").dt.epoch("s"), "bid", "ask").rows()
    return [(second, price(bid), price(ask)) for second, bid, ask in found], found[-1][0] if found else 0


def _seconds(instant_ns: int) -> msgspec.Raw:
    """Return an instant as a number of seconds with nine decimals."""
    seconds, rest = divmod(instant_ns, NANOSECONDS)
    return msgspec.Raw(f"{seconds}.{rest:09d}".encode())


def _pair(name: str) -> dict[str, str]:
    return {"altname": _old(name, ""), "wsname": _old(name, "/"), "aclass_base": "currency", "status": "online"}


def _old(name: str, between: str) -> str:
    return between.join(OLD_NAMES.get(part, part) for part in name.split("/"))


DESK: Final = KrakenDesk()
