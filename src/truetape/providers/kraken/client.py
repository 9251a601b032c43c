"""Ask Kraken for candles, trades, spreads or its pairs."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.time import NANOSECONDS, day_start_ns
from truetape.ports.http import Http

DEFAULT_URL: Final = "https://api.kraken.com"
INTERVALS: Final = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "1d": 1_440}  # minutes
MOST_CANDLES: Final = 720
MOST_TRADES: Final = 1_000
OLD_NAMES: Final = {"BTC": "XBT", "DOGE": "XDG"}


class _Rows(msgspec.Struct):
    result: dict[str, list[msgspec.Raw] | int | str]


_ROWS: Final = msgspec.json.Decoder(_Rows)


class Client:
    """Ask Kraken's public endpoints."""

    def __init__(self, http: Http, *, base_url: str = DEFAULT_URL) -> None:
        self._http = http
        self._base_url = base_url

    async def fetch(self, ask: Ask) -> Answer:
        """Return the answer to `ask`, undecoded.

        Raises:
            Unreachable: No complete answer came.
        """
        return await self._http.send(request(ask, base_url=self._base_url))


def request(ask: Ask, *, base_url: str = DEFAULT_URL) -> Request:
    """Return the request for `ask`.

    Candles are the last 720 after `since` in Unix seconds, trades the first 1,000 after `since` in nanoseconds; `since`
    is exclusive, and there is no end to name. Quotes are the best bids and asks of the last minutes.
    """
    root = f"{base_url.rstrip('/')}/0/public"
    if ask.kind == "listings":
        return Request(url=f"{root}/AssetPairs")
    pair = {"pair": old_name(ask.symbol)}
    if ask.kind == "quotes":
        return Request(url=f"{root}/Spread", params=pair)
    if ask.kind == "trades":
        since = ask.page or (str(day_start_ns(ask.start) - 1) if ask.start else "")
        return Request(url=f"{root}/Trades", params=pair | {"count": str(MOST_TRADES)} | _since(since))
    interval = {"interval": str(INTERVALS.get(ask.timeframe, INTERVALS["1d"]))}
    since = str(day_start_ns(ask.start) // NANOSECONDS - 1) if ask.start else ""
    return Request(url=f"{root}/OHLC", params=pair | interval | _since(since))


def follow(answer: Answer, ask: Ask) -> Ask | None:
    """Return the ask for the trades after those of `answer`; None after the last of the range, and for other kinds."""
    if ask.kind != "trades" or ask.start is None:
        return None
    try:
        result = _ROWS.decode(answer.body).result
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    last = _nanoseconds(result.pop("last", ""))
    full = any(isinstance(rows, list) and len(rows) >= MOST_TRADES for rows in result.values())
    passed = ask.end is not None and last >= day_start_ns(ask.end + timedelta(days=1))
    if not full or passed or last <= _nanoseconds(ask.page):
        return None
    return msgspec.structs.replace(ask, page=str(last))


def old_name(symbol: str) -> str:
    """Return `symbol` ("BTC/USD") as the older interface writes it ("XBTUSD"); one without a slash is that already."""
    return "".join(OLD_NAMES.get(part, part) for part in symbol.split("/"))


def _since(mark: str) -> dict[str, str]:
    return {"since": mark} if mark else {}


def _nanoseconds(mark: object) -> int:
    text = str(mark)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0  # noqa: PLR2004 - 64 bits
