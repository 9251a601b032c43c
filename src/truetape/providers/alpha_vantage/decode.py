"""Alpha Vantage's answers, read: series as bars and actions, quotes, exchange rates, and lists of listings."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
import polars as pl

from truetape.domain import tables
from truetape.domain.asks import Ask
from truetape.domain.decoding import OHLC, Column, Payload, ascending, decoded, label, traded
from truetape.domain.drift import names_differ, words
from truetape.domain.errors import ProviderRefused
from truetape.domain.schema import DECODED, empty
from truetape.providers.alpha_vantage.classify import by_body, by_nothing
from truetape.providers.alpha_vantage.series import (
    CLOSES,
    MISSING,
    PERIODS,
    PROVIDER,
    ZONE,
    Series,
    bare,
    currency,
    numbers,
    parts_of,
    read,
    within,
)

TRUNCATIONS: Final = {"1w": "1w", "1mo": "1mo"}
QUOTE: Final = "Global Quote"
RATE: Final = "Realtime Currency Exchange Rate"
NONE: Final = ("null", "None", "-", "")  # no date
MICS: Final = {"NASDAQ": "XNAS", "NYSE": "XNYS", "NYSE ARCA": "ARCX", "NYSE MKT": "XASE", "BATS": "BATS"}
ASSETS: Final = {"Stock": "equity", "ETF": "etf"}
STATES: Final = ("active", "delisted")
LISTED: Final = ("symbol", "name", "exchange", "assetType", "ipoDate", "delistingDate", "status")


class _Event(msgspec.Struct):
    ex_dividend_date: str | None = None
    declaration_date: str | None = None
    record_date: str | None = None
    payment_date: str | None = None
    amount: str | None = None
    effective_date: str | None = None
    split_factor: str | None = None


class _Events(msgspec.Struct):
    data: list[_Event]
    symbol: str | None = None


_EVENTS: Final = msgspec.json.Decoder(_Events)
_TEXTS: Final = msgspec.json.Decoder(dict[str, str | None])


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the bars of a series: schema DECODED["bars"], ascending.

    Daily, weekly and monthly bars are in raw basis; the provider labels the longer ones with their last session, which
    becomes the Monday of the week or the first of the month. Intraday bars do not tell their basis: they are raw where
    `ask` wants just their timeframe, since our client asks for raw ones; else they are taken as the provider sends them
    unless told otherwise, adjusted for splits and dividends: basis all. Fields that the body lacks are null, but prices
    must be there. `ask` gives the symbol and the timeframe of a CSV body, which names neither.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a series.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    series = read(payload, ask)
    if series is None or not series.stamps:
        return empty(DECODED["bars"])
    missing = [name for name in OHLC if name not in series.fields]
    if missing:
        raise payload.defect(f"the field {missing[0]} was missing{words(names_differ(OHLC, series.fields))}")
    names = {**{name: name for name in OHLC}, "volume": "volume", "adj_close": "adjusted close"}
    columns = {name: numbers(payload, series, field) for name, field in names.items()}
    rows = ascending(traded(pl.DataFrame({"ts_event": _starts(payload, series), **columns})), by="ts_event")
    raw = series.timeframe in PERIODS.values() or series.timeframe == ask.timeframe
    return decoded(
        "bars",
        {**rows.to_dict(), "running": _running(series, rows)},
        symbol=series.symbol,
        timeframe=series.timeframe,
        currency=series.currency,
        basis="raw" if raw else "all",
    )


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the actions of a daily adjusted series, or of a list of dividends or splits.

    Schema DECODED["actions"], basis raw, ascending. A dividend of 0 and a split of 1 mean none. Series without those
    fields, and longer ones, whose rows do not tell the ex-date, have no actions.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a series or list of actions.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    if b'"data"' in body[:1000]:
        return _listed_actions(payload, payload.parse_or_refuse(_EVENTS, by_body), ask)
    series = read(payload, ask)
    if series is None or not series.stamps or series.timeframe != "1d":
        return empty(DECODED["actions"])
    ex_date = payload.dates(series.stamps, field="stamp")
    parts = []
    for kind, field, none in (("dividend", "dividend amount", 0.0), ("split", "split coefficient", 1.0)):
        value = numbers(payload, series, field)
        rows = pl.DataFrame({"ex_date": ex_date, "value": value}).filter(pl.col("value") != none)
        _positive(payload, rows["value"], field=field, kind=kind)
        parts.append(rows.with_columns(pl.lit(kind).alias("type")))
    found = pl.concat(parts).unique(["ex_date", "type"], keep="last").sort("ex_date", "type")
    return decoded("actions", found.to_dict(), symbol=series.symbol, currency=series.currency, basis="raw")


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return a quote, or the exchange rate of a pair, as schema DECODED["quotes"]: one row.

    A quote of shares tells its day alone: its instant is the close of New York's session, 16:00.

    Raises:
        ProviderRefused: The body is an error, or the empty quote that stands for an unknown symbol.
        UndecodablePayload: It is neither an error nor a quote.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    parts = parts_of(payload)
    if not parts:
        return empty(DECODED["quotes"])
    if RATE in parts:
        rate = _rate(payload, parts[RATE], ask)
        columns = {**rate.select("ts_event", "bid", "ask").to_dict(), "price": rate["rate"]}
        base, priced = rate["base"][0], rate["quote"][0]
        return decoded("quotes", columns, symbol=ask.symbol or f"{base}/{priced}", currency=priced)
    fields = _fields(payload, parts, QUOTE)
    day = payload.dates([fields.get("latest trading day")], field="latest trading day")
    closes = (day.dt.to_string("%Y-%m-%d") + f" {CLOSES}").to_list()
    prices = ("price", "open", "high", "low", "previous_close", "volume")
    symbol = fields.get("symbol") or ask.symbol
    told: dict[str, Column] = {name: _number(payload, fields, name.replace("_", " ")) for name in prices}
    instant = payload.wall_times(closes, zone=ZONE, field="latest trading day")
    return decoded("quotes", {"ts_event": instant, **told}, symbol=symbol or None, currency=currency(symbol))


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the exchange rate of a pair, or those of a daily series: schema DECODED["fx_rates"], ascending.

    The rate of a day is its close.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor an exchange rate.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    parts = parts_of(payload)
    if any("Time Series FX" in key for key in parts):
        return _closes(payload, ask)
    return _rate(payload, parts[_key(payload, parts, RATE)], ask) if parts else empty(DECODED["fx_rates"])


def listings(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return the active or the delisted listings of the US: schema DECODED["listings"], in the provider's order.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor the CSV of listings.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    if body[:64].lstrip()[:1] in (b"{", b"<"):
        parts = parts_of(payload)
        if parts:
            raise payload.defect(f"it was JSON with the fields {', '.join(sorted(parts))[:200]}, no CSV")
        return empty(DECODED["listings"])
    if not body.endswith(b"\n"):
        raise payload.defect("its last line was cut")
    rows = tables.rows(payload)
    missing = [name for name in LISTED if name not in rows.columns]
    if missing:
        raise payload.defect(f"the column {missing[0]} was missing{words(names_differ(LISTED, rows.columns))}")
    status = rows["status"].str.to_lowercase()
    strange = status.is_not_null() & ~status.is_in(STATES)
    if strange.any() or rows["symbol"].null_count():
        raise payload.defect("a line had no symbol, or a status other than Active and Delisted")
    exchange = _told(rows["exchange"])
    columns: dict[str, Column] = {
        "symbol": rows["symbol"],
        "name": _told(rows["name"]),
        "exchange": exchange,
        "mic": exchange.replace_strict(MICS, default=None, return_dtype=pl.String),
        "asset_class": rows["assetType"].replace_strict(ASSETS, default=None, return_dtype=pl.String),
        "status": status,
        "first_date": payload.dates(rows["ipoDate"], field="ipoDate", missing=NONE),
        "last_date": payload.dates(rows["delistingDate"], field="delistingDate", missing=NONE),
    }
    return decoded("listings", columns, currency="USD")


def _told(texts: pl.Series) -> pl.Series:
    """Return `texts` without the word null, which stands where nothing is told; tickers are never read so."""
    return texts.set(texts.is_in(list(NONE)), None)


def _listed_actions(payload: Payload, events: _Events, ask: Ask) -> pl.DataFrame:
    """Return dividends and splits of the lists that are asked for by themselves."""
    cash = [one for one in events.data if one.split_factor is None]
    splits = [one for one in events.data if one.split_factor is not None]
    factors = payload.numbers([one.split_factor for one in splits], field="split_factor")
    _positive(payload, factors, field="split_factor", kind="split")
    days = [one.ex_dividend_date for one in cash] + [one.effective_date for one in splits]
    amounts = payload.numbers([one.amount for one in cash], field="amount", missing=MISSING)
    dated = {
        name: payload.dates([getattr(one, field) for one in (*cash, *splits)], field=field, missing=NONE)
        for name, field in (
            ("declared_date", "declaration_date"),
            ("record_date", "record_date"),
            ("pay_date", "payment_date"),
        )
    }
    columns: dict[str, Column] = {
        "ex_date": payload.dates(days, field="ex-date"),
        "type": ["dividend"] * len(cash) + ["split"] * len(splits),
        "value": pl.concat([amounts, factors]),
        **dated,
    }
    symbol = events.symbol or ask.symbol
    frame = decoded("actions", columns, symbol=symbol or None, currency=currency(symbol), basis="raw")
    return frame.filter(pl.col("value").is_not_null()).sort("ex_date", "type")


def _positive(payload: Payload, values: pl.Series, *, field: str, kind: str) -> None:
    if kind == "split" and (values <= 0).any():
        raise payload.defect(f"a value of {field} was not positive")


def _closes(payload: Payload, ask: Ask) -> pl.DataFrame:
    """Return the closes of a series of a pair as its rates."""
    series = read(payload, ask)
    assert series is not None
    base, quote = series.pair
    closes = bars(payload.body, ask).filter(pl.col("close").is_not_null())
    told = {"ts_event": closes["ts_event"], "rate": closes["close"]}
    return decoded("fx_rates", told, base=base or None, quote=quote or None)


def _rate(payload: Payload, raw: msgspec.Raw, ask: Ask) -> pl.DataFrame:
    fields = {bare(name).lower(): value for name, value in within(payload, RATE, raw, _TEXTS.decode).items()}
    base, slash, priced = ask.symbol.partition("/")
    columns: dict[str, Column] = {
        "ts_event": payload.wall_times(
            [fields.get("last refreshed")], zone=fields.get("time zone") or "UTC", field="Last Refreshed"
        ),
        "rate": _number(payload, fields, "exchange rate"),
        "bid": _number(payload, fields, "bid price"),
        "ask": _number(payload, fields, "ask price"),
    }
    known = {"base": fields.get("from_currency code"), "quote": fields.get("to_currency code")}
    return decoded(
        "fx_rates", columns, base=known["base"] or base or None, quote=known["quote"] or (priced if slash else None)
    )


def _key(payload: Payload, parts: dict[str, msgspec.Raw], start: str) -> str:
    """Return the field of the body that begins with `start`: delayed data say so in the name."""
    key = next((key for key in parts if key.startswith(start)), None)
    if key is None:
        raise payload.defect(f"there was no {start} among the fields {', '.join(sorted(parts))[:200]}")
    return key


def _fields(payload: Payload, parts: dict[str, msgspec.Raw], start: str) -> dict[str, str | None]:
    key = _key(payload, parts, start)
    fields = {bare(name): value for name, value in within(payload, start, parts[key], _TEXTS.decode).items()}
    if not fields:
        raise ProviderRefused(provider=PROVIDER, failure=by_nothing())
    return fields


def _number(payload: Payload, fields: dict[str, str | None], name: str) -> pl.Series:
    return payload.numbers([fields.get(name)], field=name, missing=MISSING)


def _starts(payload: Payload, series: Series) -> pl.Series:
    if series.timeframe not in PERIODS.values():
        return _instants(payload, series)
    days = payload.dates(series.stamps, field="stamp")
    every = TRUNCATIONS.get(series.timeframe)
    return label(days.dt.truncate(every) if every else days)


def _instants(payload: Payload, series: Series) -> pl.Series:
    """Return the instants of wall-clock stamps; the hour that comes twice in autumn counts the first time."""
    texts = payload.series(series.stamps, pl.String(), field="stamp")
    payload.dates([stamp[:10] for stamp in series.stamps], field="stamp")
    walls = texts.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="ns", strict=False)
    try:
        local = walls.dt.replace_time_zone(series.zone, ambiguous="earliest", non_existent="null")
    except pl.exceptions.PolarsError:
        raise payload.defect(f"the time zone was {series.zone[:40]!r}, no IANA zone") from None
    if local.null_count():
        raise payload.defect(f"the stamp {str(texts.filter(local.is_null())[0])[:40]!r} was no time of day")
    return local.dt.convert_time_zone("UTC")


def _running(series: Series, rows: pl.DataFrame) -> pl.Series:
    """Return whether each bar was unfinished: the newest daily one, if it was refreshed before its session's close."""
    flags = pl.Series([False]).new_from_index(0, len(rows))
    day, _, time = series.refreshed.partition(" ")
    if series.timeframe == "1d" and len(rows) and time and time < series.closes:
        last: datetime = rows["ts_event"][-1]
        flags[-1] = last.date().isoformat() == day
    return flags
