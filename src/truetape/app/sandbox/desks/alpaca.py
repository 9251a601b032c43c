"""Alpaca's desk: pages of bars, trades and quotes, snapshots, corporate actions, rates and assets."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from truetape.app.sandbox import any_timeframe
from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, Desk, Query, Reply, whole_number
from truetape.app.sandbox.intraday import MINUTES
from truetape.app.sandbox.truth import ZONE, View, last_quote, view
from truetape.domain.decoding import decoded
from truetape.domain.failures import FailureClass
from truetape.domain.pairs import is_fx
from truetape.domain.schema import DECODED, empty
from truetape.domain.time import from_datetime
from truetape.services.api.dialects import alpaca

_TIMEFRAMES: Final = {
    "1Min": "1m",
    "5Min": "5m",
    "15Min": "15m",
    "30Min": "30m",
    "1Hour": "1h",
    "1Day": "1d",
    "1Week": "1w",
    "1Month": "1mo",
}
_FACTORS: Final = {"raw": "raw", "split": "split", "all": "full"}
_USUAL_ROWS: Final = 1_000
_MOST_ROWS: Final = 10_000
_PAIR: Final = 6  # letters of two currencies
_EXCHANGES: Final = {"XNAS": "NASDAQ", "XNYS": "NYSE", "ARCX": "ARCA", "XASE": "AMEX", "BATS": "BATS"}
_DAY: Final = timedelta(days=1)
_PAGED: Final = {"bars": alpaca.bars, "trades": alpaca.trades, "quotes": alpaca.quotes}


def _failure(status: int, words: str, *, code: int | None = None) -> Reply:
    return Reply(status, alpaca.failure(words, code=code))


_RECENT: Final = _failure(403, "subscription does not permit querying recent SIP data")
_TOO_FAST: Final = Reply(
    429, alpaca.failure("too many requests."), headers={"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}
)


class AlpacaDesk(Desk):
    """Prices as traded unless asked otherwise; a page ends with its limit, and its token says where the next begins."""

    routes = (
        "/v2/stocks/{endpoint:bars|trades|quotes|snapshots}",
        "/v1beta3/crypto/us/{endpoint:bars|trades|quotes|snapshots}",
        "/v1/{endpoint:corporate-actions}",
        "/v1beta1/forex/{latest:(?:latest/)?}{endpoint:rates}",
        "/v2/{endpoint:assets}/{symbol}",
        "/v2/{endpoint:assets}",
    )
    symbol_parameter = "symbols"
    key_header = "APCA-API-KEY-ID"
    throttled = _TOO_FAST
    soft = _TOO_FAST
    spent = _TOO_FAST
    reset_header = "X-RateLimit-Reset"
    drifting = "c"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: _TOO_FAST,
            FailureClass.ENTITLEMENT: _RECENT,
            FailureClass.AUTH: _failure(401, "unauthorized."),
            FailureClass.PERMANENT: _failure(400, "invalid symbol: ZZZ", code=40010001),
            FailureClass.TRANSIENT: _failure(500, "internal server error"),
            FailureClass.CONFLICT: _failure(409, "connection limit exceeded"),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: national currencies have a slash between them."""
        pair = f"{symbol[:3]}/{symbol[3:]}"
        return pair if len(symbol) == _PAIR and is_fx(pair) else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and with timeframes, adjustments, limits, times or tokens that are none."""
        if not query.keyed:
            return self.refusals[FailureClass.AUTH]
        params = query.params
        if query.parts["endpoint"] == "bars":
            timeframe, adjustment = params.get("timeframe", ""), params.get("adjustment", "raw")
            if timeframe not in _TIMEFRAMES:
                return _failure(400, f"invalid timeframe: {timeframe}", code=40010001)
            if adjustment not in _FACTORS or (adjustment != "raw" and _TIMEFRAMES[timeframe] in MINUTES):
                return _failure(400, f"invalid adjustment: {adjustment}", code=40010001)
        wrong = [name for name in ("start", "end") if name in params and _moment(params[name]) is None]
        if "limit" in params and not 1 <= (whole_number(params["limit"]) or 0) <= _MOST_ROWS:
            wrong.append("limit")
        if "page_token" in params and _resumed(params["page_token"]) is None:
            wrong.append("page_token")
        return _failure(400, f"invalid {wrong[0]}: {params[wrong[0]]}", code=40010001) if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer nothing about symbols; an asset that is not known is not found."""
        endpoint = query.parts["endpoint"]
        if endpoint == "assets":
            return _failure(404, f"asset not found for {query.symbol}", code=40410000)
        if endpoint == "corporate-actions":
            return Reply(200, alpaca.corporate_actions(_nothing("actions")))
        if endpoint == "snapshots":
            return Reply(200, alpaca.snapshots(_nothing("quotes"), wrapped="/" in query.symbol))
        return Reply(200, _PAGED[endpoint](_nothing(endpoint)))

    def data(self, truth: View, query: Query) -> Reply:
        """Answer what the endpoint of the path has of one symbol."""
        endpoint = query.parts["endpoint"]
        if endpoint == "snapshots":
            return Reply(200, alpaca.snapshots(last_quote(truth), wrapped="/" in query.symbol))
        if endpoint == "corporate-actions":
            first, last = _days(query)
            return Reply(200, alpaca.corporate_actions(truth.between(first, last).actions))
        if endpoint == "bars":
            return _bars(truth, query)
        return _ticks(truth, query)

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer assets and rates, and the actions of everybody."""
        endpoint = query.parts["endpoint"]
        if endpoint == "assets":
            return self._assets(dataset, query)
        if endpoint == "rates":
            return _rates(dataset, query)
        if endpoint == "corporate-actions" and not query.symbol:
            first, last = _days(query)
            parts = [view(one).between(first, last).actions for one in dataset.series.values()]
            return Reply(200, alpaca.corporate_actions(pl.concat(parts)))
        return None

    def _assets(self, dataset: Dataset, query: Query) -> Reply:
        wanted = [one for one in dataset.series.values() if _is_asset(one.symbol)]
        if not query.symbol:
            return Reply(200, alpaca.assets(_listings(wanted)))
        found = [one for one in wanted if one.symbol == query.symbol]
        return Reply(200, alpaca.asset(_listings(found))) if found else self.unknown(query)


def _bars(truth: View, query: Query) -> Reply:
    timeframe, adjustment = _TIMEFRAMES[query.params["timeframe"]], query.params.get("adjustment", "raw")
    first, last = _sessions(query)
    frame = any_timeframe.bars(truth, timeframe=timeframe, first=first, last=last, symbol=query.symbol)
    if adjustment != "raw":
        days = getattr(truth.between(first, last), _FACTORS[adjustment])
        frame = days if timeframe == "1d" else any_timeframe.longer(days, timeframe)
    zone = _zone(query)
    stamps = alpaca.stamps(frame, zone=zone)
    return _page(frame, query, stamps=stamps, write=lambda rows, token: alpaca.bars(rows, zone=zone, token=token))


def _ticks(truth: View, query: Query) -> Reply:
    endpoint = query.parts["endpoint"]
    inside = truth.between(*_sessions(query))
    hours = any_timeframe.hours(query.symbol)
    frame = inside.trades(hours=hours) if endpoint == "trades" else inside.quotes(hours=hours)
    write = alpaca.trades if endpoint == "trades" else alpaca.quotes
    return _page(frame, query, stamps=frame["ts_event"], write=lambda rows, token: write(rows, token=token))


def _page(
    frame: pl.DataFrame, query: Query, *, stamps: pl.Series, write: Callable[[pl.DataFrame, str | None], bytes]
) -> Reply:
    """Return the rows within the times asked for, from where the token says on, up to the limit."""
    start, end = _span(query)
    at = stamps.cast(pl.Int64)
    after = _resumed(query.params.get("page_token", ""))
    since = from_datetime(start) if after is None else max(from_datetime(start), after + 1)
    inside = at.is_between(since, from_datetime(end))
    rows, left = frame.filter(inside), at.filter(inside)
    limit = whole_number(query.params.get("limit")) or _USUAL_ROWS
    token = _token(left[limit - 1]) if len(rows) > limit else None
    return Reply(200, write(rows.head(limit), token))


def _token(last_ns: int) -> str:
    return urlsafe_b64encode(f"T|{last_ns}".encode()).decode()


def _resumed(token: str) -> int | None:
    """Return the instant after which a page begins; None for what is no token."""
    try:
        return whole_number(urlsafe_b64decode(token).decode().removeprefix("T|"))
    except (Error, ValueError):
        return None


def _moment(text: str) -> datetime | None:
    """Return the instant that a date, or a date with a time, names: without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(known, EARLIEST), LATEST)


def _span(query: Query) -> tuple[datetime, datetime]:
    """Return the first and the last instant asked for; without a start, the last day."""
    midnight = datetime.combine(query.today, time(), ZoneInfo(ZONE))
    start, end = (_moment(query.params.get(name, "")) for name in ("start", "end"))
    return start or midnight, end or midnight + _DAY


def _sessions(query: Query) -> tuple[date, date]:
    """Return the market's days in which the first and the last instant asked for lie."""
    zone = ZoneInfo(_zone(query))
    start, end = _span(query)
    return start.astimezone(zone).date(), end.astimezone(zone).date()


def _zone(query: Query) -> str:
    return "UTC" if "/" in query.symbol else ZONE


def _days(query: Query) -> tuple[date, date]:
    start, end = (_moment(query.params.get(name, "")) for name in ("start", "end"))
    return (start or EARLIEST).date(), (end or LATEST).date()


def _rates(dataset: Dataset, query: Query) -> Reply:
    pairs = query.params.get("currency_pairs", "").split(",")
    spelled = [f"{pair[:3]}/{pair[3:]}" for pair in pairs if len(pair) == _PAIR]
    known = [view(dataset.series[name]) for name in spelled if name in dataset.series]
    if query.parts["latest"]:
        parts = [_rate(last_quote(one), "price") for one in known]
        return Reply(200, alpaca.latest_rates(pl.concat([_nothing("fx_rates"), *parts])))
    parts = [_rate(one.raw, "close") for one in known]
    frame = pl.concat([_nothing("fx_rates"), *parts])
    start, end = _span(query)
    inside = frame.filter(pl.col("ts_event").is_between(start, end))
    return Reply(200, alpaca.rates(inside))


def _rate(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    base, quote = frame["symbol"][0].split("/")
    return decoded("fx_rates", {"ts_event": frame["ts_event"], "rate": frame[name]}, base=base, quote=quote)


def _is_asset(symbol: str) -> bool:
    """Return whether Alpaca trades our `symbol`: no index, and no national currencies."""
    return not symbol.startswith("^") and not is_fx(symbol)


def _listings(wanted: list[Series]) -> pl.DataFrame:
    rows: dict[str, list[Any]] = {
        "symbol": [one.symbol for one in wanted],
        "name": [one.name for one in wanted],
        "exchange": ["CRYPTO" if "/" in one.symbol else _EXCHANGES.get(one.mic, one.mic) for one in wanted],
        "asset_class": ["crypto" if "/" in one.symbol else "equity" for one in wanted],
    }
    return decoded("listings", rows, status="active")


def _nothing(kind: str) -> pl.DataFrame:
    return empty(DECODED[kind])


DESK: Final = AlpacaDesk()
