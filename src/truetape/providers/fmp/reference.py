"""Financial Modeling Prep's corporate actions and lists of symbols, read."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.schema import DECODED, empty
from truetape.providers.fmp.classify import PROVIDER, by_body
from truetape.providers.fmp.symbols import currency_of

CLASSES: Final = {"index-list": "index", "forex-list": "fx", "cryptocurrency-list": "crypto"}


class _Event(msgspec.Struct, rename="camel", gc=False):
    date: str
    symbol: str | None = None
    numerator: float | None = None
    denominator: float | None = None
    dividend: float | None = None
    adj_dividend: float | None = None
    declaration_date: str | None = None
    record_date: str | None = None
    payment_date: str | None = None
    old_symbol: str | None = None
    new_symbol: str | None = None

    @property
    def kind(self) -> str:
        """The type of action, "" where the fields do not tell it."""
        if self.numerator is not None and self.denominator is not None:
            return "split"
        if self.new_symbol is not None and self.old_symbol is not None:
            return "symbol_change"
        return "dividend" if self.value is not None else ""

    @property
    def value(self) -> float | None:
        """New shares for one old, or cash per share."""
        if self.numerator is not None and self.denominator:
            return self.numerator / self.denominator
        return self.adj_dividend if self.dividend is None else self.dividend


class _Listed(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    name: str | None = None
    company_name: str | None = None
    exchange: str | None = None
    exchange_short_name: str | None = None
    currency: str | None = None
    to_currency: str | None = None
    from_currency: str | None = None
    isin: str | None = None
    cusip: str | None = None
    cik: str | None = None
    ipo_date: str | None = None
    delisted_date: str | None = None
    is_etf: bool | None = None
    is_fund: bool | None = None
    is_actively_trading: bool | None = None


_EVENTS: Final = msgspec.json.Decoder(list[_Event])
_LISTED: Final = msgspec.json.Decoder(list[_Listed])


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return dividends, splits or changes of symbols: schema DECODED["actions"], ascending, of one symbol or of many.

    Dividends are cash as paid (basis raw); where only the adjusted one is told they are in basis split.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor actions, or a part of a split is not positive.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    events = payload.parse_or_refuse(_EVENTS, by_body)
    kinds = [one.kind for one in events]
    if "" in kinds:
        raise payload.defect(f"the action of {events[kinds.index('')].date[:40]!r} was of no known type")
    if any(kind == "split" and not (one.value or 0) > 0 for one, kind in zip(events, kinds, strict=True)):
        raise payload.defect("the numerator or denominator of a split was not positive")
    symbols = [one.symbol or one.old_symbol or ask.symbol for one in events]
    adjusted = [one.dividend is None and one.adj_dividend is not None for one in events]
    columns: dict[str, Column] = {
        "symbol": symbols,
        "ex_date": payload.dates([one.date for one in events], field="date"),
        "type": kinds,
        "value": pl.Series([one.value for one in events], dtype=pl.Float64),
        "currency": [currency_of(symbol) for symbol in symbols],
        "basis": ["split" if one else "raw" for one in adjusted],
        "declared_date": _some_dates(payload, [one.declaration_date for one in events], field="declarationDate"),
        "record_date": _some_dates(payload, [one.record_date for one in events], field="recordDate"),
        "pay_date": _some_dates(payload, [one.payment_date for one in events], field="paymentDate"),
        "new_symbol": [one.new_symbol for one in events],
    }
    return decoded("actions", columns).sort("ex_date", "symbol", "type")


def listings(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return one list of symbols, or the profile of one: schema DECODED["listings"], in the order of the body.

    The class of a list's symbols is that of the list, the page of `ask`; shares and funds are in one list, which does
    not tell them apart.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    rows = payload.parse_or_refuse(_LISTED, by_body)
    if not rows:
        return empty(DECODED["listings"])
    names = [one.name or one.company_name or _pair(one) for one in rows]
    if not any(names):
        raise payload.defect("no row had a name")
    usual = CLASSES.get(ask.page)
    columns: dict[str, Column] = {
        "symbol": [one.symbol for one in rows],
        "name": names,
        "exchange": [one.exchange_short_name or one.exchange for one in rows],
        "asset_class": [_class_of(one) or usual for one in rows],
        "currency": [one.currency or one.to_currency for one in rows],
        "status": ["delisted" if one.delisted_date or one.is_actively_trading is False else "active" for one in rows],
        "first_date": _some_dates(payload, [one.ipo_date for one in rows], field="ipoDate"),
        "last_date": _some_dates(payload, [one.delisted_date for one in rows], field="delistedDate"),
        "isin": [one.isin or None for one in rows],
        "cusip": [one.cusip or None for one in rows],
        "cik": [one.cik or None for one in rows],
    }
    return decoded("listings", columns)


def _class_of(listed: _Listed) -> str | None:
    """Return the class that a profile tells."""
    if listed.is_etf is None:
        return None
    return "etf" if listed.is_etf else "fund" if listed.is_fund else "equity"


def _pair(listed: _Listed) -> str | None:
    base, quote = listed.from_currency, listed.to_currency
    return f"{base} / {quote}" if base and quote else None


def _some_dates(payload: Payload, texts: list[str | None], *, field: str) -> pl.Series:
    """Return texts as dates; what is null or "" is null."""
    days = iter(payload.dates([text for text in texts if text], field=field))
    return pl.Series([next(days) if text else None for text in texts], dtype=pl.Date)
