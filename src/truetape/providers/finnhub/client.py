"""Ask Finnhub for candles, quotes, ticks, actions, exchange rates and lists of symbols."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.time import NANOSECONDS, day_start_ns
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://finnhub.io/api/v1"
RESOLUTIONS: Final = {"1m": "1", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "1d": "D", "1w": "W", "1mo": "M"}
FIRST: Final = date(1970, 1, 2)
LAST: Final = date(2100, 1, 1)
MOST_TICKS: Final = 25_000  # of one answer
SPLITS: Final = "splits"  # the page after the dividends
HOME: Final = "US"  # the exchange whose symbols are listed where none is named
FX_VENUES: Final = frozenset({"OANDA", "FXCM", "FOREX.COM", "FXPRO", "IC MARKETS", "PEPPERSTONE", "SAXO"})


class _Counts(msgspec.Struct):
    count: int | None = None


_COUNTS: Final = msgspec.json.Decoder(_Counts)


class Client:
    """Ask Finnhub's REST endpoints."""

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
    """Return the request for `ask`.

    Symbols of a currency venue ("OANDA:EUR_USD") have candles of their own endpoint, as have those of a coin exchange
    ("BINANCE:BTCUSDT"). Ticks and exchange rates are asked for by day, actions as dividends and then splits, and lists
    for the exchange that `ask.symbol` names, else for the US.
    """
    path, params = {
        "quotes": _quote,
        "trades": _ticks,
        "actions": _actions,
        "listings": _symbols,
        "fx_rates": _rates,
    }.get(ask.kind, _candles)(ask)
    return Request(url=f"{base_url.rstrip('/')}/{path}", params=params, secret_headers={"X-Finnhub-Token": key})


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the splits after the dividends, for more ticks of a day, or for the next day of `ask`.

    After anything but data nothing follows.
    """
    mark = ""
    count = _count(answer.body)
    if ask.kind == "actions" and answer.body.lstrip().startswith(b"["):
        mark = "" if ask.page else SPLITS
    elif ask.kind == "trades" and count is not None:
        day, skipped = place(ask)
        mark = f"{day}:{skipped + count}" if count >= MOST_TICKS else _next_day(ask, day)
    elif ask.kind == "fx_rates" and b'"quote"' in answer.body:
        mark = _next_day(ask, place(ask)[0])
    return replace(ask, page=mark) if mark else None


def place(ask: Ask) -> tuple[date | None, int]:
    """Return the day that `ask` is about, and how many of its ticks come on earlier pages."""
    if not ask.page:
        return ask.start or ask.end, 0
    day, _, skipped = ask.page.partition(":")
    return date.fromisoformat(day), int(skipped or 0)


def _next_day(ask: Ask, day: date | None) -> str:
    following = day + timedelta(days=1) if day else LAST
    return following.isoformat() if ask.end and following <= ask.end else ""


def _count(body: bytes) -> int | None:
    try:
        return _COUNTS.decode(body).count
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _candles(ask: Ask) -> tuple[str, dict[str, str]]:
    """Return the request for candles.

    The span begins a day before `ask.start`, since old daily stamps lie on the evening before, and ends with the last
    second of `ask.end` in UTC.
    """
    first = day_start_ns((ask.start or FIRST) - timedelta(days=1)) // NANOSECONDS
    last = day_start_ns((ask.end or LAST) + timedelta(days=1)) // NANOSECONDS - 1
    venue, colon, _ = ask.symbol.partition(":")
    group = ("forex" if venue in FX_VENUES else "crypto") if colon else "stock"
    return f"{group}/candle", {
        "symbol": ask.symbol,
        "resolution": RESOLUTIONS.get(ask.timeframe, "D"),
        "from": str(first),
        "to": str(last),
    }


def _quote(ask: Ask) -> tuple[str, dict[str, str]]:
    return "quote", {"symbol": ask.symbol}


def _ticks(ask: Ask) -> tuple[str, dict[str, str]]:
    day, skipped = place(ask)
    about = {"symbol": ask.symbol, "date": day.isoformat()} if day else {"symbol": ask.symbol}
    return "stock/tick", {**about, "limit": str(MOST_TICKS), "skip": str(skipped), "format": "json"}


def _actions(ask: Ask) -> tuple[str, dict[str, str]]:
    span = {"from": (ask.start or FIRST).isoformat(), "to": (ask.end or LAST).isoformat()}
    return f"stock/{'split' if ask.page == SPLITS else 'dividend'}", {"symbol": ask.symbol, **span}


def _symbols(ask: Ask) -> tuple[str, dict[str, str]]:
    return "stock/symbol", {"exchange": ask.symbol or HOME}


def _rates(ask: Ask) -> tuple[str, dict[str, str]]:
    day, _ = place(ask)
    base = {"base": ask.symbol.rpartition(":")[2].partition("_")[0]}
    return "forex/rates", {**base, "date": day.isoformat()} if day else base
