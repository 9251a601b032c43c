"""Tiingo's rows, read: bars as traded with the actions of their day, quotes, exchange rates and the list of symbols."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Column, Payload, ascending, decoded, label, traded
from truetape.domain.drift import names_differ, words
from truetape.domain.schema import DECODED, empty
from truetape.domain.tables import rows as table
from truetape.domain.time import TIMEFRAMES
from truetape.domain.unpacking import unpacked
from truetape.providers.tiingo.classify import TABLES, by_body
from truetape.providers.tiingo.symbols import currency, halves, is_fx

PROVIDER: Final = "tiingo"
INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")
TRUNCATIONS: Final = {"1w": "1w", "1mo": "1mo"}
VALUES: Final = (*OHLC, "volume", "adj_close")
ON_THE_WIRE: Final = {"adj_close": "adjClose", "div_cash": "divCash", "split_factor": "splitFactor"}
ACTIONS: Final = (("dividend", "div_cash", 0.0), ("split", "split_factor", 1.0))  # type, field, and its none
DAY: Final = len("YYYY-MM-DD")
FRESH_DAYS: Final = 7  # a listing without a price for longer is gone
CLASSES: Final = {"Stock": "equity", "ETF": "etf", "Mutual Fund": "fund"}
RETIRED: Final = r"\(EXP(\d{8})\)$"  # behind a ticker that others use now: when its first bearer lost it
NONE: Final = ("null", "None", "")  # no date
SUPPORTED: Final = ("ticker", "exchange", "assetType", "priceCurrency", "startDate", "endDate")

Number = float | None
Columns = dict[str, pl.Series]  # of rows: `date` as text, the others as numbers


class _Row(msgspec.Struct, rename="camel", gc=False):
    date: str
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number = None
    adj_close: Number = None
    div_cash: Number = None
    split_factor: Number = None


class _Coin(msgspec.Struct, rename="camel"):
    ticker: str
    quote_currency: str
    price_data: list[_Row]


class _Top(msgspec.Struct, rename="camel", gc=False):
    timestamp: str | None = None
    quote_timestamp: str | None = None
    last_sale_timestamp: str | None = None
    last: Number = None
    last_price: Number = None
    tngo_last: Number = None
    mid_price: Number = None
    bid_price: Number = None
    bid_size: Number = None
    ask_price: Number = None
    ask_size: Number = None
    open: Number = None
    high: Number = None
    low: Number = None
    prev_close: Number = None
    volume: Number = None

    @property
    def moment(self) -> str | None:
        """When it was so."""
        return self.timestamp or self.quote_timestamp or self.last_sale_timestamp

    @property
    def price(self) -> Number:
        """The last trade; where that is not told, the provider's reference."""
        told = (self.last, self.last_price, self.tngo_last)
        return next((price for price in told if price is not None), None)


class _NamedTop(_Top, rename="camel", kw_only=True, gc=False):
    ticker: str


class _CoinTop(msgspec.Struct, rename="camel"):
    ticker: str
    quote_currency: str
    top_of_book_data: list[_Top]


class _Rate(msgspec.Struct, rename="camel", gc=False):
    ticker: str
    date: str
    close: Number


class _Meta(msgspec.Struct, rename="camel"):
    ticker: str
    name: str | None = None
    exchange_code: str | None = None
    start_date: str | None = None


class _CoinMeta(msgspec.Struct, rename="camel"):
    ticker: str
    name: str | None
    quote_currency: str


_ROWS: Final[msgspec.json.Decoder[list[_Row]]] = msgspec.json.Decoder(list[_Row])
_COINS: Final = msgspec.json.Decoder(list[_Coin])
_TOPS: Final = msgspec.json.Decoder(list[_NamedTop])
_COIN_TOPS: Final = msgspec.json.Decoder(list[_CoinTop])
_RATES: Final = msgspec.json.Decoder(list[_Rate])
_META: Final = msgspec.json.Decoder(_Meta)
_COIN_METAS: Final = msgspec.json.Decoder(list[_CoinMeta])
_QUOTE_COLUMNS: Final = {
    "bid": "bid_price",
    "bid_size": "bid_size",
    "ask": "ask_price",
    "ask_size": "ask_size",
    "open": "open",
    "high": "high",
    "low": "low",
    "previous_close": "prev_close",
    "volume": "volume",
}


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return prices as bars: schema DECODED["bars"], basis raw, ascending for each symbol.

    `ask` tells the symbol of shares and of national currencies, and the timeframe; coins name themselves. Weekly and
    monthly rows are dated with the last day of their period, which becomes the Monday of the week or the first of the
    month. Minutes of shares are trades on IEX alone.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor prices.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    if b'"priceData"' in body:
        coins = payload.parse_or_refuse(_COINS, by_body)
        parts = [_bars(payload, _columns(coin.price_data), ask, coin.ticker, coin.quote_currency) for coin in coins]
        return pl.concat(parts) if parts else empty(DECODED["bars"])
    return _bars(payload, _daily(payload), ask, ask.symbol, currency(ask.symbol))


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the dividends and splits of daily rows: schema DECODED["actions"], basis raw, ascending.

    Cash of 0 and a factor of 1 mean none. Rows without those fields, and longer ones, whose date is not the ex-date,
    have no actions.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor prices.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    if ask.timeframe != "1d" or b'"priceData"' in body:
        return empty(DECODED["actions"])
    columns = _daily(payload)
    ex_date = _days(payload, columns)
    parts = []
    for kind, field, none in ACTIONS:
        rows = pl.DataFrame({"ex_date": ex_date, "value": columns[field]}).filter(pl.col("value") != none)
        if (rows["value"] <= 0).any():
            raise payload.defect(f"a value of {ON_THE_WIRE[field]} was not positive")
        parts.append(rows.with_columns(pl.lit(kind).alias("type")))
    found = pl.concat(parts).unique(["ex_date", "type"], keep="last").sort("ex_date", "type")
    return decoded("actions", found.to_dict(), symbol=ask.symbol or None, currency=currency(ask.symbol), basis="raw")


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their symbols
    """Return the newest prices: schema DECODED["quotes"], one row for each symbol that has any.

    The price is the last trade on IEX or, where that is not told, the provider's own reference.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor quotes, or none of them says of when it is.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    told = _told(payload)
    if told and not any(row.moment for _, _, row in told):
        raise payload.defect("no quote had a time")
    named = [one for one in told if one[2].moment]
    rows = [row for _, _, row in named]
    columns: dict[str, Column] = {
        "symbol": [ticker for ticker, _, _ in named],
        "ts_event": payload.moments([row.moment for row in rows], field="timestamp"),
        "price": [row.price for row in rows],
        "currency": [unit for _, unit, _ in named],
    }
    return decoded("quotes", columns | {name: _values(rows, field) for name, field in _QUOTE_COLUMNS.items()})


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their pair
    """Return exchange rates: schema DECODED["fx_rates"], daily closes at 00:00 UTC of their date, or present ones.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor rates of pairs of national currencies.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    if b'"quoteTimestamp"' in body:
        tops = [row for row in payload.parse_or_refuse(_TOPS, by_body) if row.quote_timestamp]
        moments = payload.moments([row.quote_timestamp for row in tops], field="quoteTimestamp")
        sides = {"bid": _values(tops, "bid_price"), "ask": _values(tops, "ask_price")}
        rate = {"ts_event": moments, "rate": _values(tops, "mid_price")}
        return decoded("fx_rates", {**_pairs(payload, [row.ticker for row in tops]), **rate, **sides})
    rows = payload.parse_or_refuse(_RATES, by_body)
    days = label(payload.dates([row.date[:DAY] for row in rows], field="date"))
    return decoded(
        "fx_rates", {**_pairs(payload, [row.ticker for row in rows]), "ts_event": days, "rate": _values(rows, "close")}
    )


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the rows name their symbols
    """Return symbols: schema DECODED["listings"]; the whole list, what is told of one share, or of some coins.

    Of the whole list a symbol without a price in the last week before the newest one is delisted. Of one share it is
    not known whether its last price was the last one.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list of symbols.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    if body.startswith(TABLES):
        return _supported(payload)
    if body.lstrip().startswith(b"["):
        coins = payload.parse_or_refuse(_COIN_METAS, by_body)
        columns: dict[str, Column] = {"symbol": [coin.ticker for coin in coins], "name": [coin.name for coin in coins]}
        columns["currency"] = [coin.quote_currency.upper() for coin in coins]
        return decoded("listings", columns, asset_class="crypto")
    meta = payload.parse_or_refuse(_META, by_body)
    first = payload.dates([meta.start_date], field="startDate") if meta.start_date else [None]
    columns = {"symbol": [meta.ticker], "name": [meta.name], "exchange": [meta.exchange_code], "first_date": first}
    return decoded("listings", columns, currency=currency(meta.ticker))


def _told(payload: Payload) -> list[tuple[str, str | None, _Top]]:
    """Return quotes with their symbol and currency; those of coins lie a level deeper."""
    if b'"topOfBookData"' not in payload.body:
        return [(row.ticker, currency(row.ticker), row) for row in payload.parse_or_refuse(_TOPS, by_body)]
    coins = payload.parse_or_refuse(_COIN_TOPS, by_body)
    return [(coin.ticker, coin.quote_currency.upper(), row) for coin in coins for row in coin.top_of_book_data]


def _daily(payload: Payload) -> Columns:
    """Return the rows of prices that the body holds, as JSON or as a table."""
    if not payload.body.startswith(TABLES):
        rows = payload.parse_or_refuse(_ROWS, by_body)
        return _columns(rows)
    frame = _table(payload, needed=("date", *OHLC))
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(frame))
    fields = {name: ON_THE_WIRE.get(name, name) for name in (*VALUES, "div_cash", "split_factor")}
    texts = {name: frame[field] if field in frame.columns else nothing for name, field in fields.items()}
    numbers = {name: payload.numbers(column, field=fields[name]) for name, column in texts.items()}
    return {"date": frame["date"], **numbers}


def _columns(rows: Sequence[_Row]) -> Columns:
    numbers = {name: _values(rows, name) for name in (*VALUES, "div_cash", "split_factor")}
    return {"date": pl.Series([row.date for row in rows], dtype=pl.String), **numbers}


def _values(rows: Sequence[Any], field: str) -> pl.Series:
    return pl.Series(list(map(attrgetter(field), rows)), dtype=pl.Float64)


def _days(payload: Payload, columns: Columns) -> pl.Series:
    return payload.dates(columns["date"].str.slice(0, DAY), field="date")


def _bars(payload: Payload, columns: Columns, ask: Ask, symbol: str, currency: str | None) -> pl.DataFrame:
    timeframe = ask.timeframe if ask.timeframe in TIMEFRAMES else "1d"
    if timeframe in INTRADAY:
        starts = payload.moments(columns["date"], field="date")
    else:
        every = TRUNCATIONS.get(timeframe)
        days = _days(payload, columns)
        starts = label(days.dt.truncate(every) if every else days)
    values = {name: columns[name] for name in VALUES}
    rows = ascending(traded(pl.DataFrame({"ts_event": starts, **values})), by="ts_event")
    return decoded(
        "bars",
        rows.to_dict(),
        symbol=symbol or None,
        timeframe=timeframe,
        currency=currency.upper() if currency else None,
        basis="raw",
        running=False,
    )


def _pairs(payload: Payload, tickers: Sequence[str]) -> dict[str, Column]:
    wrong = [ticker for ticker in tickers if not is_fx(ticker)]
    if wrong:
        raise payload.defect(f"a value of ticker was {wrong[0][:40]!r}, no pair of national currencies")
    sides = [halves(ticker) for ticker in tickers]
    return {"base": [base for base, _ in sides], "quote": [quote for _, quote in sides]}


def _supported(payload: Payload) -> pl.DataFrame:
    """Return the list of supported tickers; one without dates has no prices, and its status is not known."""
    frame = _table(payload, needed=SUPPORTED)
    if frame["ticker"].null_count():
        raise payload.defect("a line had no ticker")
    first, last = (payload.dates(frame[name], field=name, missing=NONE) for name in ("startDate", "endDate"))
    retired = frame["ticker"].str.extract(RETIRED).str.to_date("%Y%m%d", strict=False)
    age = (pl.col("last").max() - pl.col("last")).dt.total_days()
    gone = pl.DataFrame({"last": last}).select(age > FRESH_DAYS).to_series()
    gone = gone.set(retired.is_not_null(), True)
    last = last.zip_with(last.is_not_null(), retired)
    status = gone.replace_strict({True: "delisted", False: "active"}, default=None, return_dtype=pl.String)
    columns: dict[str, Column] = {
        "symbol": frame["ticker"],
        "exchange": frame["exchange"],
        "asset_class": frame["assetType"].replace_strict(CLASSES, default=None, return_dtype=pl.String),
        "currency": frame["priceCurrency"],
        "status": status,
        "first_date": first,
        "last_date": last.set(~gone, None),
    }
    return decoded("listings", columns)


def _table(payload: Payload, *, needed: tuple[str, ...]) -> pl.DataFrame:
    frame = table(unpacked(payload))
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise payload.defect(f"the field {missing[0]} was missing{words(names_differ(needed, frame.columns))}")
    return frame
