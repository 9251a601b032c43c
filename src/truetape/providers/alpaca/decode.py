"""Alpaca's pages, read: bars as traded, trades, quotes, exchange rates and the list of assets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, ascending, decoded, label, traded
from truetape.domain.schema import DECODED, empty
from truetape.domain.time import TIMEFRAMES
from truetape.providers.alpaca.classify import by_body

PROVIDER: Final = "alpaca"
INTRADAY: Final = ("1m", "5m", "15m", "30m", "1h")
TRUNCATIONS: Final = {"1w": "1w", "1mo": "1mo"}
FIELDS: Final = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
SIDES: Final = {"B": "buy", "S": "sell"}
NEVER_WERE: Final = ("canceled", "incorrect")  # marks of trades that were taken back
LOT: Final = 100  # shares in one unit of a size of a stock's quote
LOTS_UNTIL: Final = datetime(2025, 11, 3, tzinfo=UTC)  # from then on sizes are in shares
CLASSES: Final = {"us_equity": "equity", "us_option": "option", "crypto": "crypto"}
STATUSES: Final = {"active": "active", "inactive": "delisted"}
MICS: Final = {"NASDAQ": "XNAS", "NYSE": "XNYS", "ARCA": "ARCX", "AMEX": "XASE", "BATS": "BATS", "OTC": "OTCM"}
PAIR: Final = len("EURUSD")

Number = float | None


class _Bar(msgspec.Struct, gc=False):
    t: str
    o: Number
    h: Number
    l: Number  # noqa: E741 - the provider's name for the low
    c: Number
    v: Number = None


class _Trade(msgspec.Struct):
    t: str
    p: Number
    s: Number
    c: list[str] | str | None = None
    i: int | None = None
    x: str | None = None
    u: str | None = None
    tks: str | None = None

    @property
    def conditions(self) -> str | None:
        """The venue's codes, comma separated."""
        return ",".join(self.c) if isinstance(self.c, list) else self.c


class _Quote(msgspec.Struct, gc=False):
    t: str
    bp: Number
    ap: Number
    bs: Number = None
    ask_size: Number = msgspec.field(default=None, name="as")


class _Snapshot(msgspec.Struct, rename="camel"):
    latest_trade: _Trade | None = None
    latest_quote: _Quote | None = None
    daily_bar: _Bar | None = None
    prev_daily_bar: _Bar | None = None


class _Rate(msgspec.Struct, gc=False):
    t: str
    mp: Number
    bp: Number = None
    ap: Number = None


class _Bars(msgspec.Struct):
    bars: dict[str, list[_Bar] | _Bar] | list[_Bar] | None
    currency: str | None = None


class _Trades(msgspec.Struct):
    trades: dict[str, list[_Trade] | _Trade] | list[_Trade] | None
    currency: str | None = None


class _Quotes(msgspec.Struct):
    quotes: dict[str, list[_Quote] | _Quote] | list[_Quote] | None
    currency: str | None = None


class _Snapshots(msgspec.Struct):
    snapshots: dict[str, _Snapshot | None]


class _Rates(msgspec.Struct):
    rates: dict[str, list[_Rate] | _Rate] | None


class _Asset(msgspec.Struct):
    symbol: str
    asset_class: str = msgspec.field(name="class")
    exchange: str | None = None
    name: str | None = None
    status: str | None = None


_BARS: Final = msgspec.json.Decoder(_Bars)
_TRADES: Final = msgspec.json.Decoder(_Trades)
_QUOTES: Final = msgspec.json.Decoder(_Quotes)
_SNAPSHOTS: Final = msgspec.json.Decoder(_Snapshots)
_BARE_SNAPSHOTS: Final = msgspec.json.Decoder(dict[str, _Snapshot | None])
_RATES: Final = msgspec.json.Decoder(_Rates)
_ASSETS: Final = msgspec.json.Decoder(list[_Asset])
_ASSET: Final = msgspec.json.Decoder(_Asset)


def bars(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return one page of bars: schema DECODED["bars"], basis raw as they are asked for, ascending for each symbol.

    A day is stamped with its midnight in New York, a coin's in UTC or somewhere between: the date is that of the stamp
    in UTC. Weeks begin with their Monday. The timeframe is that of `ask`.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor bars.
    """
    payload = Payload(provider=PROVIDER, kind="bars", body=body)
    page = payload.parse_or_refuse(_BARS, by_body)
    timeframe = ask.timeframe if ask.timeframe in TIMEFRAMES else "1d"
    parts = []
    for symbol, rows in _by_symbol(page.bars, ask):
        starts = payload.moments([row.t for row in rows], field="t")
        if timeframe not in INTRADAY:
            every = TRUNCATIONS.get(timeframe)
            starts = label(starts.dt.truncate(every) if every else starts)
        values = {name: _values(rows, letter) for name, letter in FIELDS.items()}
        found = ascending(traded(pl.DataFrame({"ts_event": starts, **values})), by="ts_event")
        same = {"timeframe": timeframe, "basis": "raw", "running": False}
        parts.append(
            decoded("bars", found.to_dict(), symbol=symbol, currency=page.currency or _currency(symbol), **same)
        )
    return pl.concat(parts) if parts else empty(DECODED["bars"])


def trades(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return one page of trades: schema DECODED["trades"], ascending for each symbol, without those taken back.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor trades.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    page = payload.parse_or_refuse(_TRADES, by_body)
    parts = []
    for symbol, told in _by_symbol(page.trades, ask):
        rows = [row for row in told if row.u not in NEVER_WERE]
        columns: dict[str, Column] = {
            "ts_event": payload.moments([row.t for row in rows], field="t"),
            "price": _values(rows, "p"),
            "size": _values(rows, "s"),
            "trade_id": [None if row.i is None else str(row.i) for row in rows],
            "conditions": [row.conditions for row in rows],
            "side": [SIDES.get(row.tks or "") for row in rows],
            "venue": [row.x for row in rows],
        }
        same = {"symbol": symbol, "currency": page.currency or _currency(symbol)}
        parts.append(_by_time(decoded("trades", columns, **same)))
    return pl.concat(parts) if parts else empty(DECODED["trades"])


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return quotes: schema DECODED["quotes"], one page of best bids and asks, or a snapshot of each symbol.

    Sizes are in shares: those of stocks were sent in lots of a hundred until November 2025.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor quotes.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    if b'"quotes"' not in body:
        return _snapshots(payload)
    page = payload.parse_or_refuse(_QUOTES, by_body)
    parts = []
    for symbol, rows in _by_symbol(page.quotes, ask):
        columns = {"ts_event": payload.moments([row.t for row in rows], field="t"), **_sides(rows)}
        same = {"symbol": symbol, "currency": page.currency or _currency(symbol)}
        parts.append(_by_time(_in_shares(decoded("quotes", columns, **same))))
    return pl.concat(parts) if parts else empty(DECODED["quotes"])


def fx_rates(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body names its pairs
    """Return exchange rates: schema DECODED["fx_rates"], one page of daily ones at 00:00 UTC, or the present ones.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor rates.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    parts = []
    for pair, told in (payload.parse_or_refuse(_RATES, by_body).rates or {}).items():
        if len(pair) != PAIR:
            raise payload.defect(f"a pair was {pair[:40]!r}, no two codes of three letters")
        rows = told if isinstance(told, list) else [told]
        moments = payload.moments([row.t for row in rows], field="t")
        columns: dict[str, Column] = {
            "ts_event": label(moments) if isinstance(told, list) else moments,
            "rate": _values(rows, "mp"),
            "bid": _values(rows, "bp"),
            "ask": _values(rows, "ap"),
        }
        parts.append(decoded("fx_rates", columns, base=pair[: PAIR // 2], quote=pair[PAIR // 2 :]))
    return pl.concat(parts) if parts else empty(DECODED["fx_rates"])


def listings(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body names its symbols
    """Return assets: schema DECODED["listings"]; one that is not active any more counts as delisted.

    Funds of shares are not told from shares.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor assets.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    if body.lstrip().startswith(b"["):
        rows = payload.parse_or_refuse(_ASSETS, by_body)
    else:
        rows = [payload.parse_or_refuse(_ASSET, by_body)]
    columns: dict[str, Column] = {
        "symbol": [row.symbol for row in rows],
        "name": [row.name for row in rows],
        "exchange": [row.exchange for row in rows],
        "mic": [MICS.get(row.exchange or "") for row in rows],
        "asset_class": [CLASSES.get(row.asset_class) for row in rows],
        "currency": [_currency(row.symbol) for row in rows],
        "status": [STATUSES.get(row.status or "") for row in rows],
    }
    return decoded("listings", columns)


def _by_symbol(told: Mapping[str, Any] | Sequence[Any] | None, ask: Ask) -> Iterator[tuple[str | None, list[Any]]]:
    """Yield each symbol with its rows; rows of a question about one symbol come without its name."""
    if isinstance(told, list):
        yield ask.symbol or None, told
    elif isinstance(told, dict):
        for symbol, rows in told.items():
            yield symbol, rows if isinstance(rows, list) else [rows]


def _values(rows: Sequence[Any], field: str) -> pl.Series:
    return pl.Series(list(map(attrgetter(field), rows)), dtype=pl.Float64)


def _by_time(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` by time; a page that was asked for newest first is turned around."""
    stamps = frame["ts_event"]
    if stamps.is_sorted():
        return frame
    return frame.reverse() if stamps.is_sorted(descending=True) else frame.sort("ts_event", maintain_order=True)


def _sides(rows: Sequence[_Quote]) -> dict[str, pl.Series]:
    fields = {"bid": "bp", "bid_size": "bs", "ask": "ap", "ask_size": "ask_size"}
    return {name: _values(rows, field) for name, field in fields.items()}


def _in_shares(quotes: pl.DataFrame) -> pl.DataFrame:
    """Return `quotes` with the sizes of stocks in shares; coins and options, whose names have digits, stay."""
    stock = ~pl.col("symbol").str.contains(r"[/\d]") & (pl.col("ts_event") < LOTS_UNTIL)
    lots = pl.when(stock).then(LOT).otherwise(1)
    sizes = [(name, pl.col(name) * lots) for name in ("bid_size", "ask_size")]
    return quotes.with_columns(pl.when(size.is_finite()).then(size).alias(name) for name, size in sizes)


def _snapshots(payload: Payload) -> pl.DataFrame:
    """Return the snapshots of a body: those of coins lie a level deeper. A symbol without a trade or quote has none."""
    if b'"snapshots"' in payload.body:
        told = payload.parse_or_refuse(_SNAPSHOTS, by_body).snapshots
    else:
        told = payload.parse_or_refuse(_BARE_SNAPSHOTS, by_body)
    if any(one is not None and one == _Snapshot() for one in told.values()):
        raise payload.defect("a snapshot had no part that is known")
    known = {symbol: one for symbol, one in told.items() if one and (one.latest_trade or one.latest_quote)}
    shots = list(known.values())
    columns: dict[str, Column] = {
        "symbol": list(known),
        "ts_event": _newest(payload, shots),
        "price": [one.latest_trade.p if one.latest_trade else None for one in shots],
        "previous_close": [one.prev_daily_bar.c if one.prev_daily_bar else None for one in shots],
        "currency": [_currency(symbol) for symbol in known],
    }
    none = _Quote(t="", bp=None, ap=None)
    columns |= _sides([one.latest_quote or none for one in shots])
    for name, letter in (("open", "o"), ("high", "h"), ("low", "l"), ("volume", "v")):
        columns[name] = [getattr(one.daily_bar, letter) if one.daily_bar else None for one in shots]
    return _in_shares(decoded("quotes", columns))


def _newest(payload: Payload, shots: Sequence[_Snapshot]) -> pl.Series:
    """Return of each snapshot the moment of its trade or of its quote, whichever came last."""
    parts = [[part.t for part in (one.latest_trade, one.latest_quote) if part] for one in shots]
    moments = [payload.moments([texts[side] for texts in parts], field="t") for side in (0, -1)]
    return pl.select(pl.max_horizontal(*moments)).to_series()


def _currency(symbol: str | None) -> str | None:
    """Return what `symbol` is priced in: a coin in what follows its slash, all else in US dollars."""
    return symbol.rpartition("/")[2] if symbol and "/" in symbol else "USD" if symbol else None
