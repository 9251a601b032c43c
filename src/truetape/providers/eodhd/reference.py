"""EODHD's corporate actions and lists of symbols, read."""

from __future__ import annotations

import re
from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.schema import DECODED, empty
from truetape.providers.eodhd.classify import PROVIDER, by_body
from truetape.providers.eodhd.client import DELISTED, LISTS
from truetape.providers.eodhd.symbols import COINS, FOREX, currency_of

CLASSES: Final = {
    "bond": "bond",
    "common stock": "equity",
    "etc": "etf",
    "etf": "etf",
    "fund": "fund",
    "index": "index",
    "mutual fund": "fund",
    "preferred share": "equity",
    "preferred stock": "equity",
    "unit": "equity",
}
CLASS_OF_LIST: Final = {FOREX: "fx", COINS: "crypto"}
ISIN: Final = 12  # characters
_RATIO: Final = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)/(\d{1,12}(?:\.\d{1,12})?)")


class _Event(msgspec.Struct, rename="camel", gc=False):
    date: str
    split: str | None = None
    value: float | None = None
    unadjusted_value: float | None = None
    currency: str | None = None
    declaration_date: str | None = None
    record_date: str | None = None
    payment_date: str | None = None


class _Listed(msgspec.Struct, rename="pascal", gc=False):
    code: str
    name: str | None = None
    exchange: str | None = None
    currency: str | None = None
    type: str | None = None
    isin: str | None = None


_EVENTS: Final = msgspec.json.Decoder(list[_Event])
_LISTED: Final = msgspec.json.Decoder(list[_Listed])


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return dividends or splits: schema DECODED["actions"], ascending; the symbol is that of `ask`.

    Dividends are cash as paid (basis raw); where only the adjusted one is told they are in basis split.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor actions.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    events = payload.parse_or_refuse(_EVENTS, by_body)
    usual = currency_of(ask.symbol)
    columns: dict[str, Column] = {
        "ex_date": payload.dates([one.date for one in events], field="date"),
        "type": ["dividend" if one.split is None else "split" for one in events],
        "value": [_value(payload, one) for one in events],
        "currency": [one.currency or usual for one in events],
        "basis": ["split" if one.split is None and one.unadjusted_value is None else "raw" for one in events],
        "declared_date": _some_dates(payload, [one.declaration_date for one in events], field="declarationDate"),
        "record_date": _some_dates(payload, [one.record_date for one in events], field="recordDate"),
        "pay_date": _some_dates(payload, [one.payment_date for one in events], field="paymentDate"),
    }
    return decoded("actions", columns, symbol=ask.symbol or None).sort("ex_date", "type")


def listings(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the symbols of one exchange: schema DECODED["listings"], in the order of the body.

    The page of `ask` names the exchange that symbols end with, and says whether they are those that are gone.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    rows = payload.parse_or_refuse(_LISTED, by_body)
    if not rows:
        return empty(DECODED["listings"])
    exchange, _, delisted = (ask.page or LISTS[0]).partition("/")
    usual = CLASS_OF_LIST.get(exchange)
    columns: dict[str, Column] = {
        "symbol": [f"{one.code}.{exchange}" for one in rows],
        "name": [one.name for one in rows],
        "exchange": [one.exchange for one in rows],
        "asset_class": [usual or CLASSES.get((one.type or "").lower()) for one in rows],
        "currency": [one.currency for one in rows],
        "isin": [one.isin if one.isin and len(one.isin) == ISIN else None for one in rows],
    }
    return decoded("listings", columns, status="delisted" if delisted == DELISTED else "active")


def _value(payload: Payload, event: _Event) -> float:
    """Return new shares for one old ("4.000000/1.000000" is 4), or cash per share."""
    if event.split is None:
        cash = event.value if event.unadjusted_value is None else event.unadjusted_value
        if cash is None:
            raise payload.defect("the fields value and split were missing")
        return cash
    ratio = _RATIO.fullmatch(event.split)
    new, old = (float(ratio[1]), float(ratio[2])) if ratio else (0.0, 0.0)
    if not (new > 0 and old > 0):
        raise payload.defect(f"the field split was {event.split[:40]!r}, no ratio")
    return new / old


def _some_dates(payload: Payload, texts: list[str | None], *, field: str) -> pl.Series:
    """Return texts as dates; what is null or "" is null."""
    days = iter(payload.dates([text for text in texts if text], field=field))
    return pl.Series([next(days) if text else None for text in texts], dtype=pl.Date)
