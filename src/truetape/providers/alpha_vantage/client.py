"""Ask Alpha Vantage for series, quotes, exchange rates, actions and listings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from msgspec.structs import replace

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.pairs import halves, is_fx
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://www.alphavantage.co"
DEFAULT_FUNCTION: Final = "TIME_SERIES_DAILY_ADJUSTED"
INTERVALS: Final = {"1m": "1min", "5m": "5min", "15m": "15min", "30m": "30min", "1h": "60min"}
LONGER: Final = {"1w": "TIME_SERIES_WEEKLY_ADJUSTED", "1mo": "TIME_SERIES_MONTHLY_ADJUSTED"}
PERIODS: Final = {"1w": "WEEKLY", "1mo": "MONTHLY"}
FIRST_MONTH: Final = date(2000, 1, 1)  # of intraday bars
FIRST_LISTING: Final = date(2010, 1, 2)  # day of which lists are kept
SHORT: Final = timedelta(days=130)  # surely covered by the short answer of 100 points
SPLITS: Final = "splits"  # the page after the dividends
SIGNS: Final = {  # that an answer holds data
    "bars": (b"Time Series (", b"timestamp"),
    "actions": (b'"data"',),
    "listings": (b"symbol,name",),
}
SIGNS_WITHIN: Final = 1000
DELISTED: Final = "delisted"  # the page after the active listings

Today = Callable[[], date]


class Client:
    """Ask Alpha Vantage's one endpoint."""

    def __init__(
        self,
        http: Http,
        *,
        today: Today,
        base_url: str = DEFAULT_URL,
        key: str = "",
        function: str = DEFAULT_FUNCTION,
    ) -> None:
        self._http = http
        self._base_url = base_url
        self._key = key
        self._function = function
        self._today = today

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        asked = request(ask, today=self._today(), base_url=self._base_url, key=self._key, function=self._function)
        return await self._http.send(asked)


def request(
    ask: Ask, *, today: date, base_url: str = DEFAULT_URL, key: str = "", function: str = DEFAULT_FUNCTION
) -> Request:
    """Return the request for `ask`.

    A series of days or longer comes whole, or as its last 100 points if `ask` begins within 130 days of `today`;
    intraday bars of shares come by month, the one that `ask.page` (YYYY-MM) names or the first of `ask`, as traded and
    of regular sessions alone.
    """
    params = {
        "bars": _bars,
        "quotes": _quote,
        "fx_rates": _rate,
        "actions": _actions,
        "listings": _listings,
    }.get(ask.kind, _bars)(ask, today, function)
    return Request(url=f"{base_url.rstrip('/')}/query", params=params, secrets={"apikey": key})


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the next month of intraday bars, for the splits after the dividends, or for the delisted.

    Months go on to `ask.end`, or without one to the month in which `answer` was sent. After anything but data nothing
    follows.
    """
    mark = ""
    if not any(sign in answer.body[:SIGNS_WITHIN] for sign in SIGNS.get(ask.kind, ())):
        return None
    if ask.kind == "actions":
        mark = "" if ask.page else SPLITS
    elif ask.kind == "listings":
        mark = "" if ask.page else DELISTED
    elif ask.kind == "bars" and ask.timeframe in INTERVALS and ask.start and not halves(ask.symbol):
        following = _month_after(_month(ask) or ask.start)
        mark = f"{following:%Y-%m}" if following <= (ask.end or _sent(answer)) else ""
    return replace(ask, page=mark) if mark else None


def _bars(ask: Ask, today: date, function: str) -> dict[str, str]:
    pair = halves(ask.symbol)
    size = {"outputsize": "compact" if ask.start and today - ask.start < SHORT else "full"}
    if pair and is_fx(ask.symbol):
        names = {"from_symbol": pair[0], "to_symbol": pair[1], **size}
        return _of_a_pair("FX_INTRADAY", "FX_", ask, names)
    if pair:
        names = {"symbol": pair[0], "market": pair[1]}
        return _of_a_pair("CRYPTO_INTRADAY", "DIGITAL_CURRENCY_", ask, names)
    if ask.timeframe in INTERVALS:
        month = _month(ask)
        return {
            "function": "TIME_SERIES_INTRADAY",
            "symbol": ask.symbol,
            "interval": INTERVALS[ask.timeframe],
            **({"month": f"{month:%Y-%m}"} if month else {}),
            "adjusted": "false",
            "extended_hours": "false",
            "outputsize": "full",
            "datatype": "json",
        }
    return {"function": LONGER.get(ask.timeframe, function), "symbol": ask.symbol, **size, "datatype": "json"}


def _of_a_pair(intraday: str, longer: str, ask: Ask, names: dict[str, str]) -> dict[str, str]:
    if ask.timeframe in INTERVALS:
        names = {**names, "interval": INTERVALS[ask.timeframe], "outputsize": "full"}
        return {"function": intraday, **names, "datatype": "json"}
    return {"function": longer + PERIODS.get(ask.timeframe, "DAILY"), **names, "datatype": "json"}


def _quote(ask: Ask, _today: date, _function: str) -> dict[str, str]:
    pair = halves(ask.symbol)
    if pair:
        return {"function": "CURRENCY_EXCHANGE_RATE", "from_currency": pair[0], "to_currency": pair[1]}
    return {"function": "GLOBAL_QUOTE", "symbol": ask.symbol, "datatype": "json"}


def _rate(ask: Ask, today: date, function: str) -> dict[str, str]:
    """Return the question for the rates of the days of `ask`, or without a day for the present one."""
    if not (ask.start or ask.end):
        return _quote(ask, today, function)
    base, _, quote = ask.symbol.partition("/")
    size = "compact" if ask.start and today - ask.start < SHORT else "full"
    names = {"from_symbol": base, "to_symbol": quote, "outputsize": size}
    return {"function": "FX_DAILY", **names, "datatype": "json"}


def _actions(ask: Ask, _today: date, _function: str) -> dict[str, str]:
    return {"function": "SPLITS" if ask.page == SPLITS else "DIVIDENDS", "symbol": ask.symbol, "datatype": "json"}


def _listings(ask: Ask, _today: date, _function: str) -> dict[str, str]:
    state = {"function": "LISTING_STATUS", "state": DELISTED if ask.page == DELISTED else "active"}
    return {**state, "date": ask.end.isoformat()} if ask.end and ask.end >= FIRST_LISTING else state


def _month(ask: Ask) -> date | None:
    """Return the first day of the month that is asked for; None for the last thirty days."""
    if ask.page:
        return date.fromisoformat(f"{ask.page}-01")
    return max(ask.start.replace(day=1), FIRST_MONTH) if ask.start else None


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _sent(answer: Answer) -> date:
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).date()
    except ValueError:
        return FIRST_MONTH
