"""Ask Massive for aggregates, trades, quotes, splits, dividends, exchange rates or its list of tickers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.time import from_datetime
from truetape.ports.http import Http
from truetape.providers.massive.paging import place
from truetape.providers.massive.symbols import halves, is_stock

DEFAULT_URL: Final = "https://api.massive.com"
SPANS: Final = {
    "1m": "1/minute",
    "5m": "5/minute",
    "15m": "15/minute",
    "30m": "30/minute",
    "1h": "1/hour",
    "1d": "1/day",
    "1w": "1/week",
    "1mo": "1/month",
}
ROWS: Final = 50_000  # of one page; of aggregates, the minutes or days that they are built of
REFERENCE_ROWS: Final = 1000
SNAPSHOTS: Final = 250  # symbols of one question
FIRST: Final = date(2003, 1, 1)
LAST: Final = date(2100, 1, 1)
NEW_YORK: Final = ZoneInfo("America/New_York")
UTC: Final = ZoneInfo("UTC")


class Client:
    """Ask Massive's REST interface."""

    def __init__(self, http: Http, *, base_url: str = DEFAULT_URL, key: str = "") -> None:
        self._http = http
        self._base_url = base_url
        self._key = key

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url, key=self._key))


def request(ask: Ask, *, base_url: str = DEFAULT_URL, key: str = "") -> Request:
    """Return the request for one page of `ask`; quotes and rates without a start are the present ones.

    Actions take two questions, for splits and then for dividends; a whole list takes two, for those that trade and
    those that do no more. Present quotes may name several symbols with commas between them.
    """
    path, params = _QUESTIONS[ask.kind](ask)
    secrets = {"Authorization": f"Bearer {key}"} if key else {}
    return Request(url=base_url.rstrip("/") + path, params=params, secret_headers=secrets)


def _aggregates(ask: Ask) -> tuple[str, dict[str, str]]:
    moved, cursor = place(ask)
    start = moved or (ask.start or FIRST).isoformat()
    timeframe = ask.timeframe if ask.kind == "bars" else "1d"
    path = (
        f"/v2/aggs/ticker/{_escaped(ask)}/range/{SPANS.get(timeframe, '1/day')}/{start}/{(ask.end or LAST).isoformat()}"
    )
    params = {"adjusted": "false", "sort": "asc", "limit": str(ROWS)}
    return path, {**params, "cursor": cursor} if cursor else params


def _rates(ask: Ask) -> tuple[str, dict[str, str]]:
    pair = halves(ask.symbol)
    if ask.start is not None or pair is None:
        return _aggregates(ask)
    return f"/v1/last_quote/currencies/{quote(pair[0], safe='')}/{quote(pair[1], safe='')}", {}


def _ticks(ask: Ask) -> tuple[str, dict[str, str]]:
    path = f"/v3/{ask.kind}/{_escaped(ask)}"
    if ask.page:
        return path, {"cursor": ask.page}
    zone = NEW_YORK if is_stock(ask.symbol) else UTC
    first = datetime.combine(ask.start or FIRST, time(0), zone)
    after = datetime.combine((ask.end or LAST) + timedelta(days=1), time(0), zone)
    return path, {
        "timestamp.gte": str(from_datetime(first)),
        "timestamp.lt": str(from_datetime(after)),
        "order": "asc",
        "sort": "timestamp",
        "limit": str(ROWS),
    }


def _quotes(ask: Ask) -> tuple[str, dict[str, str]]:
    if ask.start is not None:
        return _ticks(ask)
    return "/v3/snapshot", {"ticker.any_of": ask.symbol, "limit": str(SNAPSHOTS)}


def _actions(ask: Ask) -> tuple[str, dict[str, str]]:
    stage, cursor = place(ask)
    path = f"/stocks/v1/{stage}"
    if cursor:
        return path, {"cursor": cursor}
    dated = "execution_date" if stage == "splits" else "ex_dividend_date"
    params = {"ticker": ask.symbol} if ask.symbol else {}
    params |= {f"{dated}.gte": (ask.start or FIRST).isoformat(), f"{dated}.lte": (ask.end or LAST).isoformat()}
    return path, {**params, "limit": str(REFERENCE_ROWS)}


def _listings(ask: Ask) -> tuple[str, dict[str, str]]:
    if ask.symbol:
        return f"/v3/reference/tickers/{_escaped(ask)}", {}
    stage, cursor = place(ask)
    if cursor:
        return "/v3/reference/tickers", {"cursor": cursor}
    active = str(stage == "active").lower()
    return "/v3/reference/tickers", {"market": "stocks", "active": active, "limit": str(REFERENCE_ROWS)}


def _escaped(ask: Ask) -> str:
    return quote(ask.symbol, safe=":") if ask.symbol.strip(".") else ""  # dots alone would lead up the path


_QUESTIONS: Final = {
    "bars": _aggregates,
    "index_levels": _aggregates,
    "fx_rates": _rates,
    "trades": _ticks,
    "quotes": _quotes,
    "actions": _actions,
    "listings": _listings,
}
