"""Ask IEX Cloud, or any host that speaks its API, for charts, quotes, trades, actions, symbols and exchange rates."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote

from msgspec.structs import replace

from truetape.domain.asks import Answer, Ask, Request
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://cloud.iexapis.com"
RANGES: Final = {
    "5d": 5,
    "1m": 28,
    "3m": 89,
    "6m": 181,
    "1y": 365,
    "2y": 730,
    "5y": 1826,
}  # days each surely reaches back
ACTION_RANGES: Final = {"5d": "1m", "max": "5y"}  # of actions, where those of charts are unknown
MARGIN: Final = timedelta(days=1)  # the provider's today may lag ours
SPLITS: Final = "splits"  # the page after the dividends
SATURDAY: Final = 5
WEEK: Final = 7

_VERSION: Final = re.compile(r"/(v\d+|stable|latest|beta|\d+\.\d+)(/|$)")


class Client:
    """Ask IEX Cloud's REST endpoints."""

    def __init__(self, http: Http, *, today: Callable[[], date], base_url: str = DEFAULT_URL, key: str = "") -> None:
        self._http = http
        self._base_url = base_url
        self._key = key
        self._today = today

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, today=self._today(), base_url=self._base_url, key=self._key))


def request(ask: Ask, *, today: date, base_url: str = DEFAULT_URL, key: str = "") -> Request:
    """Return the request for `ask`.

    Charts and actions come as the smallest range, counted back from `today`, that holds its span; minutes come by day,
    the one that `ask.page` names or the first of `ask`. A `base_url` without a version in its path is asked for "v1".
    """
    path, params = _asked(ask, today)
    return Request(url=f"{root(base_url)}/{path}", params=params, secrets={"token": key})


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the next weekday's minutes, or for the splits after the dividends; None after a refusal."""
    mark = ""
    if not answer.body.lstrip().startswith(b"["):
        return None
    if ask.kind == "actions":
        mark = "" if ask.page else SPLITS
    elif ask.kind == "bars" and ask.timeframe == "1m" and ask.end:
        following = _day(ask, ask.end) + timedelta(days=1)
        if following.weekday() >= SATURDAY:
            following += timedelta(days=WEEK - following.weekday())
        mark = following.isoformat() if following <= ask.end else ""
    return replace(ask, page=mark) if mark else None


def root(base_url: str) -> str:
    """Return `base_url` with a version of the API at its end: its own, else v1."""
    bare = base_url.rstrip("/")
    path = bare.partition("://")[2].partition("/")[2]
    return bare if _VERSION.search(f"/{path}") else f"{bare}/v1"


def span(start: date | None, *, today: date) -> str:
    """Return the name of the smallest range that reaches back from `today` to `start`; "max" without a start."""
    if start is None:
        return "max"
    needed = (today - start + MARGIN).days
    return next((name for name, reach in RANGES.items() if needed <= reach), "max")


def _asked(ask: Ask, today: date) -> tuple[str, dict[str, str]]:
    symbol = quote(ask.symbol, safe="") if ask.symbol.strip(".") else ""  # dots alone would lead up the path
    stock = f"stock/{symbol}"
    reach = span(ask.start, today=today)
    if ask.kind == "actions":
        which = "splits" if ask.page == SPLITS else "dividends"
        return f"{stock}/{which}/{ACTION_RANGES.get(reach, reach)}", {}
    if ask.kind == "bars" and ask.timeframe == "1m":
        return f"{stock}/chart/date/{_day(ask, today):%Y%m%d}", {}
    dates = {name: f"{day}" for name, day in (("from", ask.start), ("to", ask.end)) if day}
    return {
        "quotes": (f"{stock}/quote", {}),
        "trades": ("deep/trades", {"symbols": ask.symbol}),
        "listings": ("ref-data/symbols", {}),
        "fx_rates": ("fx/historical" if dates else "fx/latest", {"symbols": ask.symbol, **dates}),
    }.get(ask.kind, (f"{stock}/chart/{reach}", {"sort": "asc"}))


def _day(ask: Ask, otherwise: date) -> date:
    return date.fromisoformat(ask.page) if ask.page else ask.start or otherwise
