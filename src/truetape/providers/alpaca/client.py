"""Ask Alpaca for bars, trades, quotes, corporate actions, exchange rates or its list of assets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://data.alpaca.markets"
TRADING_URL: Final = "https://api.alpaca.markets"  # of the list of assets
FEED: Final = "sip"  # without a feed, the same question gets different tapes on different plans and at different times
TIMEFRAMES: Final = {
    "1m": "1Min",
    "5m": "5Min",
    "15m": "15Min",
    "30m": "30Min",
    "1h": "1Hour",
    "1d": "1Day",
    "1w": "1Week",
    "1mo": "1Month",
}
ROWS: Final = 10_000  # of one page, over all symbols
ACTION_ROWS: Final = 1000
LONGEST_TOKEN: Final = 4096
FIRST: Final = date(2000, 1, 1)
LAST: Final = date(2100, 1, 1)
RECENT: Final = timedelta(minutes=16)  # of the consolidated tape, which the free plan refuses with all that is before
NEW_YORK: Final = ZoneInfo("America/New_York")
UTC: Final = ZoneInfo("UTC")


class _Page(msgspec.Struct):
    next_page_token: str | None = None


_PAGE: Final = msgspec.json.Decoder(_Page)


class Client:
    """Ask Alpaca's market data, and the trading host for assets."""

    def __init__(
        self,
        http: Http,
        *,
        base_url: str = DEFAULT_URL,
        key: str = "",
        secret: str = "",
        feed: str = FEED,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._key = key
        self._secret = secret
        self._feed = feed
        self._now = now

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        until = self._now().replace(second=0, microsecond=0) - RECENT
        return await self._http.send(
            request(ask, base_url=self._base_url, key=self._key, secret=self._secret, feed=self._feed, until=until)
        )


def request(
    ask: Ask,
    *,
    base_url: str = DEFAULT_URL,
    key: str = "",
    secret: str = "",
    feed: str = FEED,
    until: datetime | None = None,
) -> Request:
    """Return the request for one page of `ask`; quotes and rates without a start are the present ones.

    A day lasts from midnight to midnight in New York, of coins and rates in UTC. `ask.symbol` may hold several symbols
    with commas between them. Of the consolidated tape nothing after `until` is asked for.
    """
    root = base_url.rstrip("/")
    path, params = _question(ask, feed=feed)
    if until is not None and params.get("feed") == FEED and "end" in params:
        params["end"] = max(params["start"], min(params["end"], _iso(until)))
    if ask.kind == "listings" and root == DEFAULT_URL:
        root = TRADING_URL
    if ask.page:
        params["page_token"] = ask.page
    return Request(
        url=root + path, params=params, secret_headers={"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
    )


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the page after `answer`; None after the last one, and after one that names itself again."""
    try:
        token = _PAGE.decode(answer.body).next_page_token
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if not token or token == ask.page or len(token) > LONGEST_TOKEN:
        return None
    return msgspec.structs.replace(ask, page=token)


def _question(ask: Ask, *, feed: str) -> tuple[str, dict[str, str]]:
    if ask.kind == "listings":
        symbol = quote(ask.symbol, safe="") if ask.symbol.strip(".") else ""  # dots alone would lead up the path
        return f"/v2/assets/{symbol}" if ask.symbol else "/v2/assets", {}
    if ask.kind == "actions":
        return "/v1/corporate-actions", _actions(ask)
    if ask.kind == "fx_rates":
        return _rates(ask)
    coins = "/" in ask.symbol
    root = "/v1beta3/crypto/us" if coins else "/v2/stocks"
    params = {"symbols": ask.symbol}
    if not coins:
        params["feed"] = feed
    if ask.kind == "quotes" and ask.start is None:
        return f"{root}/snapshots", params
    params |= {**_span(ask, UTC if coins else NEW_YORK), "limit": str(ROWS), "sort": "asc"}
    if ask.kind != "bars":
        return f"{root}/{ask.kind}", params
    params["timeframe"] = TIMEFRAMES.get(ask.timeframe, "1Day")
    return f"{root}/bars", params if coins else {**params, "adjustment": "raw"}


def _actions(ask: Ask) -> dict[str, str]:
    params = {"start": (ask.start or FIRST).isoformat(), "end": (ask.end or LAST).isoformat()}
    params |= {"limit": str(ACTION_ROWS), "sort": "asc"}
    return {**params, "symbols": ask.symbol} if ask.symbol else params


def _rates(ask: Ask) -> tuple[str, dict[str, str]]:
    pairs = {"currency_pairs": ask.symbol}
    if ask.start is None:
        return "/v1beta1/forex/latest/rates", pairs
    return "/v1beta1/forex/rates", {
        **pairs,
        **_span(ask, UTC),
        "timeframe": "1Day",
        "limit": str(ROWS),
        "sort": "asc",
    }


def _span(ask: Ask, zone: ZoneInfo) -> dict[str, str]:
    """Return the first and the last second of the days of `ask` in `zone`, both inclusive."""
    first = datetime.combine(ask.start or FIRST, time(0), zone)
    after = datetime.combine((ask.end or LAST) + timedelta(days=1), time(0), zone)
    return {"start": _iso(first), "end": _iso(after.astimezone(UTC) - timedelta(seconds=1))}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
