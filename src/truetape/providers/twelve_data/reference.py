"""Twelve Data's corporate actions and lists of symbols, read."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.schema import DECODED, empty
from truetape.providers.twelve_data.classify import PROVIDER, by_body, refuse

CLASSES: Final = {
    "American Depositary Receipt": "equity",
    "Common Stock": "equity",
    "Depositary Receipt": "equity",
    "Global Depositary Receipt": "equity",
    "Limited Partnership": "equity",
    "Preferred Stock": "equity",
    "REIT": "equity",
    "Trust": "equity",
    "Unit": "equity",
    "ETF": "etf",
    "Exchange-Traded Note": "etf",
    "Bond Fund": "fund",
    "Closed-end Fund": "fund",
    "Mutual Fund": "fund",
    "Index": "index",
    "Bond": "bond",
    "Physical Currency": "fx",
    "Digital Currency": "crypto",
    "Agricultural Product": "commodity",
    "Energy Resource": "commodity",
    "Industrial Metal": "commodity",
    "Livestock": "commodity",
    "Precious Metal": "commodity",
}
CLASS_OF_LIST: Final = {"etfs": "etf", "indices": "index", "forex_pairs": "fx", "cryptocurrencies": "crypto"}
LENGTHS: Final = {"isin": 12, "cusip": 9, "figi": 12}  # another length is a remark that the plan does not include it


class _Meta(msgspec.Struct):
    symbol: str | None = None
    currency: str | None = None


class _Split(msgspec.Struct, gc=False):
    date: str
    from_factor: float
    to_factor: float
    symbol: str | None = None


class _Dividend(msgspec.Struct, gc=False):
    ex_date: str
    amount: float
    symbol: str | None = None


class _Actions(msgspec.Struct):
    meta: _Meta | None = None
    splits: list[_Split] | None = None
    dividends: list[_Dividend] | None = None


class _Listed(msgspec.Struct, gc=False):
    symbol: str
    name: str | None = None
    exchange: str | None = None
    mic_code: str | None = None
    type: str | None = None
    currency: str | None = None
    isin: str | None = None
    cusip: str | None = None
    figi_code: str | None = None
    currency_base: str | None = None
    currency_quote: str | None = None


class _Result(msgspec.Struct, rename={"rows": "list"}):
    rows: list[_Listed]


class _List(msgspec.Struct):
    data: list[_Listed] | None = None
    result: _Result | None = None


_ACTIONS: Final = msgspec.json.Decoder(_Actions)
_SPLITS: Final = msgspec.json.Decoder(list[_Split])
_DIVIDENDS: Final = msgspec.json.Decoder(list[_Dividend])
_LIST: Final = msgspec.json.Decoder(_List)


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return splits or dividends, of one symbol or of a calendar: schema DECODED["actions"], basis raw, ascending.

    A split of 4 for 1 has from_factor 4 and to_factor 1. A calendar does not tell currencies.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor actions, or a factor of a split is not positive.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    said = _said_actions(payload)
    splits, dividends = said.splits or [], said.dividends or []
    if any(split.from_factor <= 0 or split.to_factor <= 0 for split in splits):
        raise payload.defect("a factor of a split was not positive")
    meta = said.meta or _Meta()
    usual = meta.symbol or ask.symbol or None
    both: list[_Split | _Dividend] = [*splits, *dividends]
    columns: dict[str, Column] = {
        "symbol": [one.symbol or usual for one in both],
        "ex_date": payload.dates([split.date for split in splits] + [one.ex_date for one in dividends], field="date"),
        "type": ["split"] * len(splits) + ["dividend"] * len(dividends),
        "value": [split.from_factor / split.to_factor for split in splits] + [one.amount for one in dividends],
    }
    return decoded("actions", columns, currency=meta.currency, basis="raw").sort("ex_date", "symbol", "type")


def listings(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return one list of symbols: schema DECODED["listings"], in the order of the body.

    Rows that do not tell their type are of the class of the list, the page of `ask`.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    said = payload.parse_or_refuse(_LIST, by_body)
    rows = said.result.rows if said.result is not None else said.data
    if rows is None:
        refuse(body)
        raise payload.defect("the field data was missing")
    if not rows:
        return empty(DECODED["listings"])
    names = [one.name or _pair(one) for one in rows]
    if not any(names):
        raise payload.defect("no row had a name")
    usual = CLASS_OF_LIST.get(ask.page)
    columns: dict[str, Column] = {
        "symbol": [one.symbol for one in rows],
        "name": names,
        "exchange": [one.exchange for one in rows],
        "mic": [one.mic_code for one in rows],
        "asset_class": [CLASSES.get(one.type) if one.type else usual for one in rows],
        "currency": [one.currency or one.symbol.partition("/")[2] or None for one in rows],
        "isin": _of_length([one.isin for one in rows], LENGTHS["isin"]),
        "cusip": _of_length([one.cusip for one in rows], LENGTHS["cusip"]),
        "figi": _of_length([one.figi_code for one in rows], LENGTHS["figi"]),
    }
    return decoded("listings", columns, status="active")


def _said_actions(payload: Payload) -> _Actions:
    if payload.body.lstrip()[:1] == b"[":
        if b'"ex_date"' in payload.body:
            return _Actions(dividends=payload.parse(_DIVIDENDS))
        return _Actions(splits=payload.parse(_SPLITS))
    said = payload.parse_or_refuse(_ACTIONS, by_body)
    if said.splits is None and said.dividends is None:
        refuse(payload.body)
        raise payload.defect("the fields splits and dividends were missing")
    return said


def _pair(listed: _Listed) -> str | None:
    base, quote = listed.currency_base, listed.currency_quote
    return f"{base} / {quote}" if base and quote else None


def _of_length(texts: list[str | None], length: int) -> pl.Series:
    return pl.Series([text if text is not None and len(text) == length else None for text in texts], dtype=pl.String)
