"""What the crypto exchanges are asked, page by page."""

from __future__ import annotations

import json
from datetime import date
from types import ModuleType

import msgspec
import pytest

from truetape.domain.asks import Answer, Ask, Request
from truetape.domain.plans import Allowance
from truetape.domain.schema import DECODED
from truetape.providers import binance, coinbase, kraken

NOW = 1_710_000_030.5  # 2024-03-09 16:00:30.5 UTC, a Saturday
MARCH_8 = 1_709_856_000  # Unix seconds


class Wire:
    """An Http that keeps what it was asked and answers nothing."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        return answer(b"{}")


def answer(body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url="", status=200, content_type="", headers=named, body=body)


def bars(symbol: str, timeframe: str, start: date | None, end: date | None, page: str = "") -> Ask:
    return Ask(kind="bars", symbol=symbol, timeframe=timeframe, start=start, end=end, page=page)


def trades(symbol: str, start: date | None, end: date | None = None, page: str = "") -> Ask:
    return Ask(kind="trades", symbol=symbol, start=start, end=end, page=page)


async def asked(vendor: ModuleType, ask: Ask, **options: object) -> Request:
    """The request that a provider sends for `ask`; it carries no secret."""
    wire = Wire()
    clock = {} if vendor is kraken else {"now": lambda: NOW}
    await vendor.provider(wire, key="unused", **clock, **options).client.fetch(ask)
    request = wire.asked[0]
    assert ({}, {}) == (request.secrets, request.secret_headers)
    return request


@pytest.mark.parametrize("vendor", [coinbase, kraken, binance])
def test_a_provider_is_whole(vendor: ModuleType) -> None:
    """What is declared can be decoded, and an empty address means the provider's own."""
    provider = vendor.provider(Wire(), base_url="")
    assert set(provider.declaration.kinds) == set(provider.decode) <= set(DECODED)
    assert vendor.DECLARATION is provider.declaration
    assert ("crypto",) == provider.declaration.assets
    assert not provider.declaration.needs_key


@pytest.mark.parametrize(("vendor", "spelled"), [(coinbase, "BTC-USD"), (kraken, "BTC/USD"), (binance, "BTCUSD")])
def test_pairs_are_spelled_as_the_exchange_does(vendor: ModuleType, spelled: str) -> None:
    """Ours have a slash."""
    assert spelled == vendor.provider(Wire()).spell("BTC/USD")


@pytest.mark.parametrize(
    ("ask", "path", "params"),
    [
        (Ask(kind="listings", symbol=""), "", {}),
        (Ask(kind="quotes", symbol="BTC-USD"), "/BTC-USD/ticker", {}),
        (trades("BTC-USD", None), "/BTC-USD/trades", {"limit": "1000"}),
        (bars("../x?y", "1d", None, None), "/%2Fx%3Fy/candles", {"granularity": "86400"}),
        (bars("..", "1d", None, None), "//candles", {"granularity": "86400"}),
    ],
)
async def test_coinbase_is_asked(ask: Ask, path: str, params: dict[str, str]) -> None:
    """Requests without a User-Agent would be refused."""
    request = await asked(coinbase, ask, base_url="http://localhost:1/")
    assert (f"http://localhost:1/products{path}", params) == (request.url, request.params)
    assert {"User-Agent": "truetape"} == request.headers


@pytest.mark.parametrize(
    ("ask", "start", "end"),
    [
        pytest.param(bars("X", "1d", date(2024, 1, 1), date(2024, 3, 8)), "2024-01-01T00:00:00Z",
                     "2024-03-08T00:00:00Z", id="days, both inclusive"),
        pytest.param(bars("X", "1d", date(2024, 3, 8), date(2024, 3, 9)), "2024-03-08T00:00:00Z",
                     "2024-03-08T00:00:00Z", id="not the day that is still running"),
        pytest.param(bars("X", "1d", date(2024, 3, 9), date(2024, 3, 9)), "2024-03-08T00:00:00Z",
                     "2024-03-08T00:00:00Z", id="only the running day: the one before, which nobody asked for"),
        pytest.param(bars("X", "1d", date(2024, 3, 8), None), "2024-03-08T00:00:00Z", "2024-03-09T00:00:00Z",
                     id="without an end the running day too"),
        pytest.param(bars("X", "1h", None, date(2024, 3, 9)), "2024-02-26T04:00:00Z", "2024-03-09T15:00:00Z",
                     id="300 hours up to the last finished one"),
        pytest.param(bars("X", "1m", date(2024, 3, 8), date(2024, 3, 8)), "2024-03-08T00:00:00Z",
                     "2024-03-08T04:59:00Z", id="300 minutes at a time"),
        pytest.param(bars("X", "1m", date(2024, 3, 8), date(2024, 3, 8), str(MARCH_8 + 18_000)), "2024-03-08T05:00:00Z",
                     "2024-03-08T09:59:00Z", id="the second page"),
        pytest.param(bars("X", "1m", date(2024, 3, 8), date(2024, 3, 8), "9" * 11), "2024-03-08T23:59:00Z",
                     "2024-03-08T23:59:00Z", id="a page far beyond"),
        pytest.param(bars("X", "1d", date(1900, 1, 1), date(2024, 3, 8)), "1970-01-01T00:00:00Z",
                     "1970-10-27T00:00:00Z", id="time begins with 1970"),
    ],
)  # fmt: skip
async def test_coinbase_is_asked_for_300_candles(ask: Ask, start: str, end: str) -> None:
    """The first and the last candle of one page."""
    request = await asked(coinbase, ask)
    assert (start, end) == (request.params["start"], request.params["end"])
    assert "https://api.exchange.coinbase.com/products/X/candles" == request.url


@pytest.mark.parametrize(
    ("ask", "page"),
    [
        (bars("X", "1m", date(2024, 3, 8), date(2024, 3, 8)), str(MARCH_8 + 18_000)),
        (bars("X", "1m", date(2024, 3, 8), date(2024, 3, 8), str(MARCH_8 + 72_000)), None),  # minutes 1200 to 1439
        (bars("X", "1m", date(2024, 3, 9), None), str(MARCH_8 + 86_400 + 18_000)),
        (bars("X", "1m", date(2024, 3, 9), None, str(MARCH_8 + 86_400 + 54_000)), None),  # from 15:00, 30 s past 16:00
        (bars("X", "1d", date(2024, 3, 8), date(2024, 3, 8)), None),
        (bars("X", "1m", None, None), None),
        (Ask(kind="quotes", symbol="X"), None),
        (Ask(kind="listings", symbol=""), None),
    ],
)
def test_coinbases_candles_go_on(ask: Ask, page: str | None) -> None:
    """A page follows until the end or the present is reached, with rows in the page before or without; no error."""
    follow = coinbase.provider(Wire(), now=lambda: NOW).follow
    expected = None if page is None else msgspec.structs.replace(ask, page=page)
    assert expected == follow(answer(b"[]"), ask) == follow(answer(b"[[1709856000,1,2,1,2,5]]"), ask)
    assert follow(answer(b'{"message":"NotFound"}'), ask) is None


def fills(*trades: tuple[int, str]) -> bytes:
    return json.dumps([{"trade_id": number, "time": f"{day}T10:00:00Z"} for number, day in trades]).encode()


@pytest.mark.parametrize(
    ("page", "params"),
    [
        ("", {"limit": "1"}),
        ("seek-0-9000-9999", {"limit": "1", "after": "4501"}),
        ("read-2001-9999", {"limit": "1000", "after": "2001"}),
    ],
)
async def test_coinbase_is_asked_for_trades_of_a_day(page: str, params: dict[str, str]) -> None:
    """The newest, then one in the middle of what is left to look through, then a thousand below a number."""
    request = await asked(coinbase, trades("X", date(2024, 3, 8), page=page))
    assert params == request.params


@pytest.mark.parametrize(
    ("page", "body", "following"),
    [
        pytest.param("", fills((9999, "2024-03-12")), "seek-0-9999-9999", id="there are newer ones"),
        pytest.param("", fills((9999, "2024-03-08")), "seek-0-9999-9999", id="the newest is of the first day"),
        pytest.param("", fills((9999, "2024-03-07")), None, id="the newest is older than the range"),
        pytest.param("", fills((800, "2024-03-12")), "read-1001-800", id="there are less than a page"),
        pytest.param("", fills((0, "2024-03-12")), None, id="a number that is none"),
        pytest.param("", b"[]", None, id="no trades at all"),
        pytest.param("", b"[" * 50_000, None, id="nonsense"),
        pytest.param("", b'{"message":"NotFound"}', None, id="an error"),
        pytest.param("seek-0-9000-9999", fills((4500, "2024-03-08")), "seek-0-4500-9999", id="it begins below"),
        pytest.param("seek-0-9000-9999", fills((4400, "2024-03-08")), "seek-0-4400-9999", id="after a hole"),
        pytest.param("seek-0-9000-9999", fills((4500, "2024-03-07")), "seek-4500-9000-9999", id="it begins above"),
        pytest.param("seek-0-9000-9999", b"[]", "seek-4500-9000-9999", id="nothing is below"),
        pytest.param("seek-0-9000-9999", b"{}", None, id="an error while it is looked for"),
        pytest.param("seek-4500-5600-9999", fills((5050, "2024-03-08")), "read-5501-9999", id="near enough"),
        pytest.param("seek-4500-6600-9999", fills((1, "2024-03-08")), "read-5501-9999", id="below what is known"),
        pytest.param("read-5501-9999", fills((5500, "2024-03-10")), "read-6501-9999", id="the next thousand"),
        pytest.param("read-5501-9999", b"[]", "read-6501-9999", id="a page of holes"),
        pytest.param("read-5501-9999", fills((5500, "2024-03-11")), None, id="the range is over"),
        pytest.param("read-9999-9999", fills((9998, "2024-03-10")), "read-10999-9999", id="the newest is left"),
        pytest.param("read-10000-9999", fills((9999, "2024-03-10")), None, id="the newest was read"),
        pytest.param("read-5501-9999", b"<html>", None, id="an error while reading"),
    ],
)
def test_coinbases_trades_are_looked_for_and_read(page: str, body: bytes, following: str | None) -> None:
    """The first number of a day is found by halves; then pages of a thousand go on to the end or the newest."""
    ask = trades("X", date(2024, 3, 8), date(2024, 3, 10), page)
    follow = coinbase.provider(Wire(), now=lambda: NOW).follow
    expected = None if following is None else msgspec.structs.replace(ask, page=following)
    assert expected == follow(answer(body), ask)


def test_coinbases_latest_trades_are_one_page() -> None:
    """Without a first day there is nothing to look for."""
    follow = coinbase.provider(Wire(), now=lambda: NOW).follow
    assert follow(answer(fills((9999, "2024-03-08"))), trades("X", None, date(2024, 3, 8))) is None


@pytest.mark.parametrize(
    ("ask", "endpoint", "params"),
    [
        (Ask(kind="listings", symbol=""), "AssetPairs", {}),
        (Ask(kind="quotes", symbol="BTC/USD"), "Spread", {"pair": "XBTUSD"}),
        (bars("DOGE/BTC", "1h", None, None), "OHLC", {"pair": "XDGXBT", "interval": "60"}),
        (bars("ETH/EUR", "1w", date(2024, 3, 8), date(2024, 3, 9)), "OHLC",
         {"pair": "ETHEUR", "interval": "1440", "since": "1709855999"}),
        (trades("XBTUSD", None), "Trades", {"pair": "XBTUSD", "count": "1000"}),
        (trades("BTC/USD", date(2024, 3, 8)), "Trades",
         {"pair": "XBTUSD", "count": "1000", "since": "1709855999999999999"}),
        (trades("BTC/USD", date(2024, 3, 8), page="1709856000000000001"), "Trades",
         {"pair": "XBTUSD", "count": "1000", "since": "1709856000000000001"}),
    ],
)  # fmt: skip
async def test_kraken_is_asked(ask: Ask, endpoint: str, params: dict[str, str]) -> None:
    """In its older names of the coins; `since` is exclusive."""
    request = await asked(kraken, ask, base_url="http://localhost:1/")
    assert (f"http://localhost:1/0/public/{endpoint}", params) == (request.url, request.params)
    assert "https://api.kraken.com" in (await asked(kraken, ask)).url


def result(rows: int, last: object) -> bytes:
    return json.dumps({"error": [], "result": {"XXBTZUSD": [[1]] * rows, "last": last}}).encode()


@pytest.mark.parametrize(
    ("ask", "body", "page"),
    [
        pytest.param(trades("X", date(2024, 3, 8)), result(1000, "1709856000000000001"), "1709856000000000001",
                     id="a full page"),
        pytest.param(trades("X", date(2024, 3, 8), date(2024, 3, 8)), result(1000, "1709942399999999999"),
                     "1709942399999999999", id="a nanosecond of the range is left"),
        pytest.param(trades("X", date(2024, 3, 8), date(2024, 3, 8)), result(1000, "1709942400000000000"), None,
                     id="the range is over"),
        pytest.param(trades("X", date(2024, 3, 8)), result(999, "1709856000000000001"), None, id="the last page"),
        pytest.param(trades("X", date(2024, 3, 8), page="5"), result(1000, "5"), None, id="a mark again"),
        pytest.param(trades("X", date(2024, 3, 8)), result(1000, "x"), None, id="a strange mark"),
        pytest.param(trades("X", date(2024, 3, 8)), result(1000, "9" * 20), None, id="a mark beyond 64 bits"),
        pytest.param(trades("X", None), result(1000, "5"), None, id="the latest are one page"),
        pytest.param(bars("X", "1m", date(2024, 3, 8), None), result(1000, 5), None, id="candles are one page"),
        pytest.param(trades("X", date(2024, 3, 8)), b'{"error":["EService:Busy"]}', None, id="an error"),
    ],
)  # fmt: skip
def test_krakens_trades_go_on(ask: Ask, body: bytes, page: str | None) -> None:
    """From the first of the range, as long as pages are full."""
    expected = None if page is None else msgspec.structs.replace(ask, page=page)
    assert expected == kraken.provider(Wire()).follow(answer(body), ask)


@pytest.mark.parametrize(
    ("ask", "path", "params"),
    [
        (Ask(kind="listings", symbol=""), "exchangeInfo", {}),
        (Ask(kind="quotes", symbol="BTCUSDT"), "ticker/24hr", {"symbol": "BTCUSDT"}),
        (trades("BTCUSDT", None), "aggTrades", {"symbol": "BTCUSDT", "limit": "1000"}),
        (trades("BTCUSDT", date(2024, 3, 8)), "aggTrades",
         {"symbol": "BTCUSDT", "limit": "1000", "startTime": "1709856000000"}),
        (trades("BTCUSDT", date(2024, 3, 8), page="77"), "aggTrades",
         {"symbol": "BTCUSDT", "limit": "1000", "fromId": "77"}),
    ],
)  # fmt: skip
async def test_binance_is_asked(ask: Ask, path: str, params: dict[str, str]) -> None:
    """Trades begin with a time and go on by their number."""
    request = await asked(binance, ask, base_url="http://localhost:1/")
    assert (f"http://localhost:1/api/v3/{path}", params) == (request.url, request.params)


@pytest.mark.parametrize(
    ("ask", "interval", "start", "end"),
    [
        pytest.param(bars("X", "1d", date(2024, 3, 7), date(2024, 3, 8)), "1d", 1709769600000, 1709942399999,
                     id="days"),
        pytest.param(bars("X", "1d", date(2024, 3, 8), date(2024, 3, 9)), "1d", 1709856000000, 1709942399999,
                     id="not the day that is still running"),
        pytest.param(bars("X", "1d", date(2024, 3, 9), date(2024, 3, 9)), "1d", 1709942399999, 1709942399999,
                     id="only the running day: a moment in which none begins"),
        pytest.param(bars("X", "1m", date(2024, 3, 9), date(2024, 3, 9)), "1m", 1709942400000, 1709999999999,
                     id="minutes up to 15:59"),
        pytest.param(bars("X", "1w", date(2024, 2, 26), date(2024, 3, 9)), "1w", 1708905600000, 1709510399999,
                     id="weeks up to that of Monday 2024-02-26"),
        pytest.param(bars("X", "1mo", date(2024, 1, 1), date(2024, 3, 9)), "1M", 1704067200000, 1709251199999,
                     id="months up to February"),
        pytest.param(bars("X", "1h", date(2024, 3, 8), None), "1h", 1709856000000, None, id="until now"),
        pytest.param(bars("X", "4h", None, None), "1d", 0, None, id="since ever"),
        pytest.param(bars("X", "1m", date(2024, 3, 8), None, "1709999940001"), "1m", 1709999940001, None, id="a page"),
    ],
)  # fmt: skip
async def test_binance_is_asked_for_candles(ask: Ask, interval: str, start: int, end: int | None) -> None:
    """In milliseconds, both inclusive; the candle that is still running only where no end is asked for."""
    request = await asked(binance, ask)
    ends = {} if end is None else {"endTime": str(end)}
    expected = {"symbol": "X", "limit": "1000", "interval": interval, "startTime": str(start)} | ends
    assert ("https://api.binance.com/api/v3/klines", expected) == (request.url, request.params)


def klines(rows: int, last: object = 1_709_999_940_000) -> bytes:
    return json.dumps([[0, "1"]] * (rows - 1) + [[last, "1"]]).encode()


def aggregates(rows: int, number: int, stamp: int) -> bytes:
    return json.dumps([{"a": number, "T": stamp}] * rows).encode()


@pytest.mark.parametrize(
    ("ask", "body", "page"),
    [
        pytest.param(bars("X", "1m", date(2024, 3, 8), None), klines(1000), "1709999940001", id="a full page"),
        pytest.param(bars("X", "1m", None, date(2024, 3, 10)), klines(1000), "1709999940001", id="before the end"),
        pytest.param(bars("X", "1m", None, date(2024, 3, 10)), klines(1000, 1_709_999_999_999), None, id="at the end"),
        pytest.param(bars("X", "1m", None, None), klines(999), None, id="the last page"),
        pytest.param(bars("X", "1m", None, None, "1709999940001"), klines(1000), None, id="a mark again"),
        pytest.param(bars("X", "1m", None, None), klines(1000, "x"), None, id="a strange stamp"),
        pytest.param(bars("X", "1m", None, None), b"[" + b"[]," * 999 + b"[]]", None, id="empty rows"),
        pytest.param(bars("X", "1m", None, None), b"[" * 50_000, None, id="nonsense"),
        pytest.param(trades("X", date(2024, 3, 8)), aggregates(1000, 77, 5), "78", id="a full page of trades"),
        pytest.param(trades("X", date(2024, 3, 8), date(2024, 3, 8)), aggregates(1000, 77, 1_709_942_399_998), "78",
                     id="a millisecond of the range is left"),
        pytest.param(trades("X", date(2024, 3, 8), date(2024, 3, 8)), aggregates(1000, 77, 1_709_942_399_999), None,
                     id="the range is over"),
        pytest.param(trades("X", date(2024, 3, 8)), aggregates(999, 77, 5), None, id="the last page of trades"),
        pytest.param(trades("X", date(2024, 3, 8), page="78"), aggregates(1000, 77, 5), None, id="a number again"),
        pytest.param(trades("X", date(2024, 3, 8)), b'{"code":-1003}', None, id="an error"),
        pytest.param(trades("X", None), aggregates(1000, 77, 5), None, id="the latest are one page"),
        pytest.param(Ask(kind="quotes", symbol="X"), b"{}", None, id="a ticker"),
    ],
)  # fmt: skip
def test_binances_pages_go_on(ask: Ask, body: bytes, page: str | None) -> None:
    """As long as pages are full and the range is not over."""
    expected = None if page is None else msgspec.structs.replace(ask, page=page)
    assert expected == binance.provider(Wire(), now=lambda: NOW).follow(answer(body), ask)


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({"x-mbx-used-weight-1m": "1200", "x-mbx-used-weight": "1200"}, 4800.0),
        ({"x-mbx-used-weight-1m": "6001"}, 0.0),
        ({"x-mbx-used-weight-1m": "many"}, None),
        ({"x-mbx-used-weight-1m": "9" * 10}, None),
        ({}, None),
    ],
)
def test_binance_tells_what_was_used(headers: dict[str, str], left: float | None) -> None:
    """Of the 6,000 credits of a minute."""
    expected = () if left is None else (Allowance(unit="credits", period="minute", left=left, limit=6000.0),)
    assert expected == binance.provider(Wire()).allowances(headers)
