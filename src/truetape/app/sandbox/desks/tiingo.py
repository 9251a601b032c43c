"""Tiingo's desk: days as traded with their actions, minutes, quotes, rates, coins and the list of symbols."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import msgspec
import polars as pl

from truetape.app.sandbox import any_timeframe
from truetape.app.sandbox.dataset import Dataset, Series
from truetape.app.sandbox.desk import EARLIEST, HTML, LATEST, TEXT, Desk, Query, Reply
from truetape.app.sandbox.truth import View, last_quote, view
from truetape.domain.failures import FailureClass
from truetape.domain.pairs import is_fx
from truetape.domain.time import iso
from truetape.services.api.dialects.numbers import column

_LONG: Final = {"daily": "1d", "weekly": "1w", "monthly": "1mo"}
_SHORT: Final = {"1min": "1m", "5min": "5m", "15min": "15m", "30min": "30m", "1hour": "1h"}
_OHLC: Final = ("open", "high", "low", "close")
_EXCHANGES: Final = {"XNAS": "NASDAQ", "XNYS": "NYSE", "ARCX": "NYSE ARCA", "XASE": "AMEX"}
_ZIP: Final = "application/zip"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # of a file in an archive, so that equal lists are equal bytes
_HOURLY: Final = (
    "Error: You have run over your hourly request allocation. Please upgrade at https://api.tiingo.com/pricing "
    "to have your limits increased."
)
_MONTHLY: Final = b"You have run over your 500 symbol look up for this month. Please upgrade to look up more symbols."


def _failure(status: int, words: str) -> Reply:
    return Reply(status, msgspec.json.encode({"detail": words}))


class TiingoDesk(Desk):
    """Prices as traded beside adjusted ones; some refusals come in plain text with status 200."""

    routes = (
        "/tiingo/{endpoint:daily}/{symbol}/{rows:prices}",
        "/tiingo/{endpoint:daily}/{symbol}",
        "/iex/{symbol}/{endpoint:prices}",
        "/{endpoint:iex}/",
        "/tiingo/{market:fx|crypto}/{endpoint:top}",
        "/tiingo/fx/{symbol}/{endpoint:prices}",
        "/tiingo/crypto/{endpoint:prices}",
        "/tiingo/{endpoint:crypto}",
        "/docs/tiingo/daily/{endpoint:supported_tickers.zip}",
    )
    symbol_parameter = "tickers"
    key_parameter = "token"
    key_header = "Authorization"
    throttled = _failure(429, "Request was throttled.")
    soft = Reply(200, _MONTHLY, TEXT)
    spent = _failure(429, _HOURLY)
    drifting = "close"
    refusals = MappingProxyType(
        {
            FailureClass.THROTTLED: throttled,
            FailureClass.QUOTA: spent,
            FailureClass.ENTITLEMENT: _failure(403, "You do not have permission to access the News API"),
            FailureClass.AUTH: _failure(401, "Please supply a token"),
            FailureClass.PERMANENT: _failure(404, "Not found."),
            FailureClass.TRANSIENT: Reply(502, b"<html><h1>502 Bad Gateway</h1></html>\n", HTML),
            FailureClass.BLOCKED: Reply(403, b"<html><h1>Access Denied</h1></html>\n", HTML),
        }
    )

    def ours(self, symbol: str) -> str:
        """Return the dataset's spelling: a dot before a share class, a slash before a pair's last three letters."""
        if symbol.islower():
            return f"{symbol[:-3]}/{symbol[-3:]}".upper()
        name, dash, letter = symbol.rpartition("-")
        return f"{name}.{letter}" if dash and len(letter) == 1 else symbol

    def refusal(self, query: Query) -> Reply | None:
        """Refuse questions without a key, but for the list of symbols, and those with wrong frequencies or dates."""
        params, endpoint = query.params, query.parts["endpoint"]
        if not query.keyed and endpoint != "supported_tickers.zip":
            return self.refusals[FailureClass.AUTH]
        frequency = params.get("resampleFreq", "daily")
        known = _LONG if endpoint == "daily" else {**_SHORT, "1day": "1d", "daily": "1d"}
        if frequency not in known:
            return _failure(400, f"Error: resampleFreq was '{frequency}', choose one of {', '.join(known)}.")
        wrong = [name for name in ("startDate", "endDate") if name in params and _day(params[name]) is None]
        return _failure(400, f"Error: {wrong[0]} was '{params[wrong[0]]}', no date.") if wrong else None

    def unknown(self, query: Query) -> Reply:
        """Answer that a share is not found, and nothing of all else."""
        if query.parts["endpoint"] == "daily":
            return _failure(404, f"Error: Ticker '{query.parts['symbol']}' not found")
        return _json([])

    def data(self, truth: View, query: Query) -> Reply:
        """Answer what the path has of one symbol."""
        endpoint, symbol = query.parts["endpoint"], query.parts.get("symbol") or query.params.get("tickers", "")
        if endpoint in ("iex", "top"):
            return _json([_top(last_quote(truth), symbol, market=query.parts.get("market", "iex"))])
        if endpoint == "prices":
            return _json(_short(truth, query, symbol))
        return _json(_daily(truth, query))

    def catalogue(self, dataset: Dataset, query: Query) -> Reply | None:
        """Answer lists of symbols, what is told of one, and quotes of several."""
        endpoint = query.parts["endpoint"]
        if endpoint == "supported_tickers.zip":
            return Reply(200, _supported(dataset), _ZIP)
        asked = [ticker for ticker in query.params.get("tickers", "").split(",") if ticker]
        known = {ticker: dataset.series[self.ours(ticker)] for ticker in asked if self.ours(ticker) in dataset.series}
        if endpoint == "crypto":
            return _json([_coin(one, ticker) for ticker, one in known.items()])
        if endpoint in ("iex", "top") and len(asked) != 1:
            market = query.parts.get("market", "iex")
            return _json([_top(last_quote(view(one)), ticker, market=market) for ticker, one in known.items()])
        if endpoint == "daily" and "rows" not in query.parts:
            found = dataset.series.get(query.symbol)
            return _json(_meta(found, query.parts["symbol"])) if found else self.unknown(query)
        return None


def _json(value: object) -> Reply:
    return Reply(200, msgspec.json.encode(value))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _span(query: Query) -> tuple[date, date]:
    """Return the first and the last date asked for, both inclusive; without a start, the last day."""
    first, last = (_day(query.params.get(name, "")) for name in ("startDate", "endDate"))
    bounds = (first or query.today, last or LATEST.date())
    return max(bounds[0], EARLIEST.date()), bounds[1]


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _daily(truth: View, query: Query) -> list[dict[str, Any]]:
    """Return days with their actions, or longer bars dated with their last session."""
    timeframe = _LONG[query.params.get("resampleFreq", "daily")]
    inside = truth.between(*_span(query))
    raw, full, split = (_priced(frame, timeframe) for frame in (inside.raw, inside.full, inside.split))
    period = pl.col("ts_event").dt.truncate(timeframe).alias("period")
    last = inside.raw.group_by(period, maintain_order=True).agg(pl.col("ts_event").last())["ts_event"]
    adjusted = {f"adj{name.title()}": column(full[name]) for name in _OHLC}
    columns: dict[str, list[Any]] = {
        "date": last.dt.strftime("%Y-%m-%dT00:00:00.000Z").to_list(),
        **{name: column(raw[name]) for name in (*_OHLC, "volume")},
        **adjusted,
        "adjVolume": column(split["volume"]),
        "divCash": _told(inside, last, "dividend", none=0.0),
        "splitFactor": _told(inside, last, "split", none=1.0),
    }
    return _rows(columns)


def _priced(frame: pl.DataFrame, timeframe: str) -> pl.DataFrame:
    return frame if timeframe == "1d" else any_timeframe.longer(frame, timeframe)


def _told(inside: View, days: pl.Series, kind: str, *, none: float) -> list[float]:
    """Return the values of actions of `kind` by day, and `none` on all other days."""
    values: dict[date, float] = dict(
        inside.actions.filter(pl.col("type") == kind).select("ex_date", "value").iter_rows()
    )
    return [values.get(day, none) for day in days.dt.date()]


def _short(truth: View, query: Query, symbol: str) -> list[dict[str, Any]]:
    """Return the bars of shares below a day, or bars of any frequency of a pair."""
    timeframe = {**_SHORT, "1day": "1d"}.get(query.params.get("resampleFreq", "5min"), "1d")
    first, last = _span(query)
    frame = any_timeframe.bars(truth, timeframe=timeframe, first=first, last=last, symbol=query.symbol)
    rows: dict[str, list[Any]] = {name: column(frame[name]) for name in _OHLC}
    if not symbol.islower():
        volumes = {"volume": column(frame["volume"])} if "volume" in query.params.get("columns", "") else {}
        return _rows({"date": _dates(frame, "%Y-%m-%dT%H:%M:%S.000Z"), **rows, **volumes})
    if is_fx(query.symbol):
        return _rows({"date": _dates(frame, "%Y-%m-%dT%H:%M:%S.000Z"), "ticker": [symbol] * len(frame), **rows})
    base, _, quote = query.symbol.lower().partition("/")
    prices: dict[str, list[Any]] = {
        "date": _dates(frame, "%Y-%m-%dT%H:%M:%S+00:00"),
        **rows,
        "volume": column(frame["volume"]),
    }
    return [{"ticker": symbol, "baseCurrency": base, "quoteCurrency": quote, "priceData": _rows(prices)}]


def _dates(frame: pl.DataFrame, form: str) -> list[str]:
    dates: list[str] = frame["ts_event"].dt.strftime(form).to_list()
    return dates


def _top(quotes: pl.DataFrame, symbol: str, *, market: str) -> dict[str, Any]:
    """Return the newest price; after the close, neither bid nor ask are told of shares."""
    row, stamp = quotes.row(0, named=True), iso(quotes["ts_event"].to_physical()[0])
    sides = {"bidPrice": row["price"], "bidSize": 1.0, "askPrice": row["price"], "askSize": 1.0}
    if market == "fx":
        return {"ticker": symbol, "quoteTimestamp": stamp, "midPrice": row["price"], **sides}
    if market == "crypto":
        book = {"quoteTimestamp": stamp, "lastSaleTimestamp": stamp, "lastPrice": row["price"], **sides}
        pair = {"baseCurrency": symbol[:-3], "quoteCurrency": symbol[-3:]}
        return {"ticker": symbol, **pair, "topOfBookData": [book]}
    session = {name: row[name] for name in ("open", "high", "low", "volume")}
    closed = dict.fromkeys(("last", "lastSize", "mid", "bidPrice", "bidSize", "askPrice", "askSize"))
    times = {"timestamp": stamp, "quoteTimestamp": stamp, "lastSaleTimestamp": stamp}
    return {
        "ticker": symbol,
        **times,
        "tngoLast": row["price"],
        "prevClose": row["previous_close"],
        **session,
        **closed,
    }


def _meta(one: Series, symbol: str) -> dict[str, Any]:
    days = one.bars["ts_event"].dt.date()
    return {
        "ticker": symbol,
        "name": one.name,
        "exchangeCode": _EXCHANGES.get(one.mic, one.mic),
        "description": "",
        "startDate": days[0].isoformat(),
        "endDate": days[-1].isoformat(),
    }


def _coin(one: Series, symbol: str) -> dict[str, Any]:
    return {"ticker": symbol, "name": one.name, "baseCurrency": symbol[:-3], "quoteCurrency": symbol[-3:]}


def _supported(dataset: Dataset) -> bytes:
    """Return the list of shares as a table in an archive."""
    lines = ["ticker,exchange,assetType,priceCurrency,startDate,endDate"]
    for one in dataset.series.values():
        if "/" not in one.symbol and not one.symbol.startswith("^"):
            meta = _meta(one, one.symbol.replace(".", "-"))
            texts = (meta["ticker"], meta["exchangeCode"], "Stock", one.currency, meta["startDate"], meta["endDate"])
            lines.append(",".join(texts))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("supported_tickers.csv", date_time=_EPOCH), "\n".join(lines) + "\n")
    return buffer.getvalue()


DESK: Final = TiingoDesk()
