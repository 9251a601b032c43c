"""IEX Cloud's lists and quotes, read: dividends, splits, symbols, trades and exchange rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.schema import DECODED, INSTANT, empty
from truetape.providers.iex_cloud.classify import by_body

PROVIDER: Final = "iex_cloud"
VENUE: Final = "IEXG"
MILLI_NS: Final = 1_000_000
NONE: Final = ("", "0000-00-00")  # no date
MICS: Final = {
    "ASE": "XASE",
    "BATS": "BATS",
    "IEXG": "IEXG",
    "LON": "XLON",
    "MEX": "XMEX",
    "NAS": "XNAS",
    "NYS": "XNYS",
    "PSE": "ARCX",
}
ASSETS: Final = {
    "ad": "equity",
    "bo": "bond",
    "cef": "fund",
    "crypto": "crypto",
    "cs": "equity",
    "et": "etf",
    "lp": "equity",
    "oef": "fund",
    "ps": "equity",
    "re": "equity",
}
FLAGS: Final = {
    "is_iso": "ISO",
    "is_odd_lot": "OddLot",
    "is_outside_regular_hours": "OutsideRegularHours",
    "is_single_price_cross": "SinglePriceCross",
    "is_trade_through_exempt": "TradeThroughExempt",
}

Millis = Annotated[int, msgspec.Meta(ge=-5_364_662_400_000, le=7_258_118_400_000)]  # Unix, 1800 to 2199
Decimal = float | str | None  # old answers write cash as text


class _Action(msgspec.Struct, rename="camel"):
    ex_date: str | None = None
    symbol: str | None = None
    declared_date: str | None = None
    record_date: str | None = None
    payment_date: str | None = None
    amount: Decimal = None
    flag: str | None = None
    currency: str | None = None
    ratio: float | None = None
    from_factor: float | None = None
    to_factor: float | None = None


class _Quote(msgspec.Struct, rename="camel"):
    symbol: str
    latest_price: float | None = None
    latest_update: Millis | None = None
    latest_volume: float | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    previous_close: float | None = None
    iex_bid_price: float | None = None
    iex_bid_size: float | None = None
    iex_ask_price: float | None = None
    iex_ask_size: float | None = None
    bid_price: float | None = None
    bid_size: float | None = None
    ask_price: float | None = None
    ask_size: float | None = None
    currency: str | None = None


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    name: str | None = None
    exchange: str | None = None
    type: str | None = None
    currency: str | None = None
    is_enabled: bool = True
    figi: str | None = None
    cik: str | None = None


class _Trade(
    msgspec.Struct,
    rename={
        "trade_id": "tradeId",
        "is_iso": "isISO",
        "is_odd_lot": "isOddLot",
        "is_outside_regular_hours": "isOutsideRegularHours",
        "is_single_price_cross": "isSinglePriceCross",
        "is_trade_through_exempt": "isTradeThroughExempt",
    },
):
    price: float
    size: float
    timestamp: Millis
    trade_id: int | None = None
    is_iso: bool = False
    is_odd_lot: bool = False
    is_outside_regular_hours: bool = False
    is_single_price_cross: bool = False
    is_trade_through_exempt: bool = False


class _Rate(msgspec.Struct):
    symbol: str
    rate: float | None = None
    timestamp: Millis | None = None


_ACTIONS: Final = msgspec.json.Decoder(list[_Action])
_QUOTE: Final = msgspec.json.Decoder(_Quote)
_SYMBOLS: Final = msgspec.json.Decoder(list[_Symbol])
_TRADES: Final = msgspec.json.Decoder(dict[str, list[_Trade]])
_RATES: Final = msgspec.json.Decoder(list[_Rate | list[_Rate]] | None)  # rates of today, or by pair those of many days


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return dividends or splits: schema DECODED["actions"], basis raw, ascending.

    Rows without an ex-date or an amount are left out, as are dividends that are paid in shares.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a list.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    told = payload.parse_or_refuse(_ACTIONS, by_body)
    rows = [row for row in told if "stock" not in (row.flag or "").lower()]
    if not rows:
        return empty(DECODED["actions"])
    ratios = [_ratio(payload, row) for row in rows]
    fields = {
        "ex_date": "ex_date",
        "declared_date": "declared_date",
        "record_date": "record_date",
        "pay_date": "payment_date",
    }
    amounts = payload.numbers([_text(row.amount) for row in rows], field="amount", missing=NONE)
    columns: dict[str, Column] = {
        "symbol": [row.symbol or ask.symbol or None for row in rows],
        "type": [_type(row, ratio) for row, ratio in zip(rows, ratios, strict=True)],
        "value": [amount if ratio is None else ratio for amount, ratio in zip(amounts, ratios, strict=True)],
        "currency": [row.currency or "USD" for row in rows],
        **{
            name: payload.dates([getattr(row, field) for row in rows], field=field, missing=NONE)
            for name, field in fields.items()
        },
    }
    frame = decoded("actions", columns, basis="raw")
    return frame.drop_nulls(["ex_date", "value"]).sort("ex_date", "type")


def quotes(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body says all that is needed
    """Return a quote: schema DECODED["quotes"], one row, none without a last price; bids and asks of 0 are none.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a quote.
    """
    payload = Payload(provider=PROVIDER, kind="quotes", body=body)
    quote = payload.parse_or_refuse(_QUOTE, by_body)
    if quote.latest_price is None or quote.latest_update is None:
        return empty(DECODED["quotes"])
    bid, ask_price = quote.iex_bid_price or quote.bid_price, quote.iex_ask_price or quote.ask_price
    columns: dict[str, Column] = {
        "ts_event": _moments([quote.latest_update]),
        "price": [quote.latest_price],
        "bid": [bid or None],
        "bid_size": [(quote.iex_bid_size or quote.bid_size or None) if bid else None],
        "ask": [ask_price or None],
        "ask_size": [(quote.iex_ask_size or quote.ask_size or None) if ask_price else None],
        "open": [quote.open],
        "high": [quote.high],
        "low": [quote.low],
        "previous_close": [quote.previous_close],
        "volume": [quote.latest_volume],
    }
    return decoded("quotes", columns, symbol=quote.symbol, currency=quote.currency or "USD")


def listings(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return a list of symbols: schema DECODED["listings"], in the provider's order.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list of symbols.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    rows = payload.parse_or_refuse(_SYMBOLS, by_body)
    columns: dict[str, Column] = {
        "symbol": pl.Series([row.symbol for row in rows], dtype=pl.String),
        "name": [row.name or None for row in rows],
        "exchange": [row.exchange or None for row in rows],
        "mic": [MICS.get(row.exchange or "") for row in rows],
        "asset_class": [ASSETS.get(row.type or "") for row in rows],
        "currency": [row.currency or None for row in rows],
        "status": ["active" if row.is_enabled else "delisted" for row in rows],
        "figi": [row.figi or None for row in rows],
        "cik": [row.cik.zfill(10) if row.cik else None for row in rows],
    }
    return decoded("listings", columns)


def trades(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return the last trades on IEX itself: schema DECODED["trades"], by symbol, ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor trades.
    """
    payload = Payload(provider=PROVIDER, kind="trades", body=body)
    told = payload.parse_or_refuse(_TRADES, by_body)
    rows = [(symbol, trade) for symbol, trades in told.items() for trade in trades]
    columns: dict[str, Column] = {
        "symbol": pl.Series([symbol for symbol, _ in rows], dtype=pl.String),
        "ts_event": _moments([trade.timestamp for _, trade in rows]),
        "price": [trade.price for _, trade in rows],
        "size": [trade.size for _, trade in rows],
        "trade_id": [None if trade.trade_id is None else str(trade.trade_id) for _, trade in rows],
        "conditions": [
            ",".join(name for flag, name in FLAGS.items() if getattr(trade, flag)) or None for _, trade in rows
        ],
    }
    return decoded("trades", columns, venue=VENUE, currency="USD").sort("symbol", "ts_event", maintain_order=True)


def fx_rates(body: bytes, _ask: Ask) -> pl.DataFrame:
    """Return exchange rates: schema DECODED["fx_rates"], in the provider's order; pairs without a rate are left out.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor rates.
    """
    payload = Payload(provider=PROVIDER, kind="fx_rates", body=body)
    told = payload.parse_or_refuse(_RATES, by_body) or []
    every = [row for one in told for row in (one if isinstance(one, list) else [one])]
    known = [row for row in every if row.rate is not None]
    rows = [(row.symbol, row.rate, row.timestamp) for row in known if row.timestamp is not None]
    columns: dict[str, Column] = {
        "base": pl.Series([symbol[:3] for symbol, _, _ in rows], dtype=pl.String),
        "quote": [symbol[3:] for symbol, _, _ in rows],
        "ts_event": _moments([stamp for _, _, stamp in rows]),
        "rate": [rate for _, rate, _ in rows],
    }
    return decoded("fx_rates", columns)


def _moments(stamps: Sequence[int]) -> pl.Series:
    return (pl.Series(stamps, dtype=pl.Int64) * MILLI_NS).cast(INSTANT)


def _text(amount: Decimal) -> str | None:
    return amount if amount is None or isinstance(amount, str) else repr(amount)


def _type(row: _Action, ratio: float | None) -> str:
    if ratio is not None:
        return "split"
    return "special_dividend" if "special" in (row.flag or "").lower() else "dividend"


def _ratio(payload: Payload, row: _Action) -> float | None:
    """Return the new shares for one old, None for a dividend; the provider's `ratio` is old shares for one new."""
    if row.ratio is None and row.from_factor is None and row.to_factor is None:
        return None
    old, new = (row.ratio, 1.0) if not row.from_factor or not row.to_factor else (row.from_factor, row.to_factor)
    ratio = new / old if old else 0.0
    if not 0 < ratio < float("inf"):
        told = f"{row.from_factor}, {row.to_factor} and {row.ratio}"
        raise payload.defect(f"the factors and the ratio of a split were {told}")
    return ratio
