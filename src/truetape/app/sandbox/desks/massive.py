"""Massive's desk: aggregates, trades, quotes, snapshots, splits, dividends, rates and tickers."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
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
from truetape.domain.time import from_datetime, to_datetime
from truetape.services.api.dialects import massive

_INDICES: Final = {
    "I:SPX": "^GSPC",
    "I:DJI": "^DJI",
    "I:COMP": "^IXIC",
    "I:NDX": "^NDX",
    "I:RUT": "^RUT",
    "I:VIX": "^VIX",
}
_SPANS: Final = {
    ("1", "minute"): "1m",
    ("5", "minute"): "5m",
    ("15", "minute"): "15m",
    ("30", "minute"): "30m",
    ("1", "hour"): "1h",
    ("1", "day"): "1d",
    ("1", "week"): "1w",
    ("1", "month"): "1mo",
}
_ROOT: Final = "https://api.massive.com"  # of addresses of next pages, which clients take the path of
_USUAL_ROWS: Final = 5_000
_USUAL_TICKS: Final = 1_000
_MOST_ROWS: Final = 50_000
_MILLISECOND: Final = 1_000_000  # nanoseconds
_DAY: Final = timedelta(days=1)
_TOO_FAST: Final = Reply(
    429,
    massive.failure(
        "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
    ),
)


def _failure(status: int, words: str, *, said: str = "ERROR") -> Reply:
    return Reply(status, massive.failure(words, status=said))


_NOT_FOUND: Final = _failure(404, "Ticker not found.", said="NOT_FOUND")


class MassiveDesk(Desk):
    """Prices adjusted for splits unless asked otherwise; a page names the address of the next."""

    routes = (
        "/v2/{endpoint:aggs}/ticker/{symbol}/range/{multiplier}/{span}/{from}/{to}",
        "/v3/{endpoint:trades}/{symbol}",
        "/v3/{endpoint:quotes}/{symbol}",
        "/v3/{endpoint:snapshot}",
        "/stocks/v1/{endpoint:splits}",
        "/stocks/v1/{endpoint:dividends}",
        "/v3/reference/{endpoint:splits|dividends}",
        "/v1/last_quote/{endpoint:currencies}/{base}/{quote}",
        "/v3/reference/{endpoint:tickers}/{symbol}",
        "/v3/reference/{endpoint:tickers}",
    )
    symbol_parameter = "ticker"
    key_parameter = "apiKey"
    key_header = "Authorization"
    throttled = _TOO_FAST
    soft = _TOO_FAST
    spent = _TOO_FAST
    drifting = "c"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: _TOO_FAST,
            FailureClass.ENTITLEMENT: _failure(
                403, "You are not entitled to this data. Please upgrade your plan.", said="NOT_AUTHORIZED"
            ),
            FailureClass.AUTH: _failure(401, "Unknown API Key"),
            FailureClass.PERMANENT: _NOT_FOUND,
            FailureClass.TRANSIENT: _failure(500, "Internal server error"),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: an index has a caret, a pair a slash before its last three letters."""
        if symbol.startswith("I:"):
            return _INDICES.get(symbol) or f"^{symbol[2:]}"
        return f"{symbol[2:-3]}/{symbol[-3:]}" if symbol.startswith(("C:", "X:")) else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, and with spans, dates, limits or cursors that are none."""
        if not query.keyed:
            return self.refusals[FailureClass.AUTH]
        parts, params = query.parts, query.params
        if parts["endpoint"] == "aggs":
            if (parts["multiplier"], parts["span"]) not in _SPANS:
                return _failure(400, f"Could not parse the timespan: '{parts['multiplier']} {parts['span']}'.")
            wrong = [name for name in ("from", "to") if _bound(parts[name]) is None]
            if wrong:
                return _failure(400, f"Could not parse the time parameter: '{wrong[0]}'.")
        if "limit" in params and not 1 <= (whole_number(params["limit"]) or 0) <= _MOST_ROWS:
            return _failure(400, "'limit' must be a number from 1 to 50000.")
        if "cursor" in params and _resumed(params["cursor"]) is None:
            return _failure(400, "'cursor' is not a valid cursor.")
        return None

    def unknown(self, query: Query) -> Reply:
        """Answer without results."""
        endpoint = query.parts["endpoint"]
        if endpoint == "aggs":
            return Reply(200, massive.aggregates(_nothing("bars"), symbol=query.parts["symbol"]))
        return Reply(200, _EMPTY[endpoint](_nothing(_KINDS[endpoint])))

    def data(self, truth: View, query: Query) -> Reply:
        """Answer what the endpoint of the path has of one symbol."""
        endpoint = query.parts["endpoint"]
        if endpoint == "aggs":
            return _aggregates(truth, query)
        if endpoint in ("splits", "dividends"):
            return Reply(200, _EMPTY[endpoint](_actions(truth, query)))
        return _ticks(truth, query)

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer tickers, snapshots and present rates, and the actions of everybody."""
        endpoint = query.parts["endpoint"]
        if endpoint == "tickers":
            return self._tickers(dataset, query)
        if endpoint == "snapshot":
            return self._snapshots(dataset, query)
        if endpoint == "currencies":
            return _present_rate(dataset, query)
        if endpoint in ("splits", "dividends") and not query.symbol:
            parts = [_actions(view(one), query) for one in dataset.series.values()]
            return Reply(200, _EMPTY[endpoint](pl.concat(parts)))
        return None

    def _tickers(self, dataset: Dataset, query: Query) -> Reply:
        if query.symbol:
            found = dataset.series.get(query.symbol)
            return Reply(200, massive.ticker(_listings([found]))) if found else _NOT_FOUND
        stocks = [one for one in dataset.series.values() if _spelled(one.symbol)[1:2] != ":"]
        wanted = stocks if query.params.get("market") == "stocks" else list(dataset.series.values())
        return Reply(200, massive.tickers(_listings(wanted if query.params.get("active") != "false" else [])))

    def _snapshots(self, dataset: Dataset, query: Query) -> Reply:
        asked = [ticker for ticker in query.params.get("ticker.any_of", "").split(",") if ticker]
        known = [(ticker, dataset.series.get(self.ours(ticker))) for ticker in asked]
        shots = [
            last_quote(view(one)).with_columns(pl.lit(ticker).alias("symbol"))
            for ticker, one in known
            if one is not None
        ]
        unknown = tuple(ticker for ticker, one in known if one is None)
        return Reply(200, massive.snapshots(pl.concat([_nothing("quotes"), *shots]), unknown=unknown))


_KINDS: Final = {"trades": "trades", "quotes": "quotes", "splits": "actions", "dividends": "actions"}
_EMPTY: Final = {
    "trades": massive.trades,
    "quotes": massive.quotes,
    "splits": massive.splits,
    "dividends": massive.dividends,
}


def _aggregates(truth: View, query: Query) -> Reply:
    parts = query.parts
    timeframe = _SPANS[parts["multiplier"], parts["span"]]
    start, end = _range(query)
    first, last = _days(query, start, end)
    frame = any_timeframe.bars(truth, timeframe=timeframe, first=first, last=last, symbol=query.symbol)
    if query.params.get("adjusted") != "false" and timeframe not in MINUTES:
        days = truth.between(first, last).split
        frame = days if timeframe == "1d" else any_timeframe.longer(days, timeframe)
    zone = _zone(query)
    at = massive.stamps(frame, zone=zone).cast(pl.Int64)
    named = frame.with_columns(pl.lit(parts["symbol"]).alias("symbol"))
    inside = at.is_between(start, end)
    rows, left = named.filter(inside), at.filter(inside)
    limit = whole_number(query.params.get("limit")) or _USUAL_ROWS
    following = None
    if len(rows) > limit:
        begins = left[limit] // _MILLISECOND
        path = f"/v2/aggs/ticker/{parts['symbol']}/range/{parts['multiplier']}/{parts['span']}/{begins}/{parts['to']}"
        following = f"{_ROOT}{path}?cursor={_cursor(begins)}"
    return Reply(200, massive.aggregates(rows.head(limit), symbol=parts["symbol"], zone=zone, next_url=following))


def _ticks(truth: View, query: Query) -> Reply:
    endpoint, symbol = query.parts["endpoint"], query.parts["symbol"]
    start, end, limit = _asked_ticks(query)
    inside = truth.between(*_days(query, start, end - 1))
    hours = any_timeframe.hours(query.symbol)
    frame = inside.trades(hours=hours) if endpoint == "trades" else inside.quotes(hours=hours)
    at = frame["ts_event"].cast(pl.Int64)
    wanted = at.is_between(start, end, closed="left")
    rows, left = frame.filter(wanted).with_columns(pl.lit(symbol).alias("symbol")), at.filter(wanted)
    following = None
    if len(rows) > limit:
        following = f"{_ROOT}/v3/{endpoint}/{symbol}?cursor={_cursor(left[limit], end, limit)}"
    write = massive.trades if endpoint == "trades" else massive.quotes
    return Reply(200, write(rows.head(limit), next_url=following))


def _asked_ticks(query: Query) -> tuple[int, int, int]:
    """Return the first nanosecond, the one after the last, and the rows of a page: a cursor holds all three."""
    resumed = _resumed(query.params.get("cursor", ""))
    if resumed is not None and len(resumed) == len(("start", "end", "limit")):
        return resumed[0], resumed[1], resumed[2]
    usual = from_datetime(datetime.combine(query.today, time(), ZoneInfo(ZONE)))
    start, end = (whole_number(query.params.get(name)) for name in ("timestamp.gte", "timestamp.lt"))
    limit = whole_number(query.params.get("limit")) or _USUAL_TICKS
    return _within(usual if start is None else start), _within(usual + 86_400 * 10**9 if end is None else end), limit


def _cursor(*numbers: int) -> str:
    return urlsafe_b64encode("|".join(map(str, numbers)).encode()).decode()


def _resumed(cursor: str) -> list[int] | None:
    """Return the numbers that a cursor holds; None for what is no cursor."""
    try:
        numbers = [whole_number(part) for part in urlsafe_b64decode(cursor).decode().split("|")]
    except (Error, ValueError):
        return None
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) else None


def _days(query: Query, start_ns: int, end_ns: int) -> tuple[date, date]:
    """Return the market's days in which two instants lie."""
    zone = ZoneInfo(_zone(query))
    return to_datetime(start_ns).astimezone(zone).date(), to_datetime(end_ns).astimezone(zone).date()


def _zone(query: Query) -> str:
    return "UTC" if "/" in query.symbol else ZONE


def _bound(text: str) -> date | int | None:
    """Return the date or the Unix millisecond that a bound of a range names."""
    number = whole_number(text)
    if number is not None:
        return number
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _range(query: Query) -> tuple[int, int]:
    """Return the first and last nanosecond of a range, both inclusive: a date is a day in the market's zone."""
    zone = ZoneInfo(_zone(query))
    bounds: list[int] = []
    for name, later in (("from", timedelta()), ("to", _DAY)):
        bound = _bound(query.parts[name])
        if isinstance(bound, date):
            midnight = datetime.combine(min(max(bound, EARLIEST.date()), LATEST.date()), time(), UTC) + later
            bounds.append(from_datetime(midnight.replace(tzinfo=zone)) - (1 if later else 0))
        else:
            assert bound is not None
            bounds.append(_within(bound * _MILLISECOND))
    return bounds[0], bounds[1]


def _within(instant_ns: int) -> int:
    """Return `instant_ns` within what calendars know."""
    return min(max(instant_ns, from_datetime(EARLIEST)), from_datetime(LATEST))


def _actions(truth: View, query: Query) -> pl.DataFrame:
    dated = "execution_date" if query.parts["endpoint"] == "splits" else "ex_dividend_date"
    bounds = [_bound(query.params.get(f"{dated}.{name}", "")) for name in ("gte", "lte")]
    first, last = (bound if isinstance(bound, date) else None for bound in bounds)
    return truth.between(first or EARLIEST.date(), last or LATEST.date()).actions


def _present_rate(dataset: Dataset, query: Query) -> Reply:
    base, quote = query.parts["base"], query.parts["quote"]
    found = dataset.series.get(f"{base}/{quote}")
    if found is None:
        return _NOT_FOUND
    row = last_quote(view(found))
    columns = {"ts_event": row["ts_event"], "rate": row["price"]}
    return Reply(200, massive.last_quote(decoded("fx_rates", columns, base=base, quote=quote)))


def _spelled(symbol: str) -> str:
    """Return the ticker of our `symbol`."""
    if symbol.startswith("^"):
        return next((theirs for theirs, ours in _INDICES.items() if ours == symbol), f"I:{symbol[1:]}")
    return f"{'C' if is_fx(symbol) else 'X'}:{symbol.replace('/', '')}" if "/" in symbol else symbol


def _listings(wanted: list[Series]) -> pl.DataFrame:
    spelled = [_spelled(one.symbol) for one in wanted]
    classes = {"I:": "index", "C:": "fx", "X:": "crypto"}
    rows: dict[str, list[Any]] = {
        "symbol": spelled,
        "name": [one.name for one in wanted],
        "mic": [one.mic for one in wanted],
        "asset_class": [classes.get(ticker[:2], "equity") for ticker in spelled],
        "currency": [one.currency for one in wanted],
    }
    return decoded("listings", rows, status="active")


def _nothing(kind: str) -> pl.DataFrame:
    return empty(DECODED[kind])


DESK: Final = MassiveDesk()
