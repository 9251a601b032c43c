"""Finnhub's lists, read: dividends, splits and symbols, one object for each."""

from __future__ import annotations

from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.domain.schema import DECODED, empty
from truetape.providers.finnhub.classify import by_body

PROVIDER: Final = "finnhub"
HOME: Final = "US"
NONE: Final = ("", "0000-00-00")  # no date
ASSETS: Final = {
    "common stock": "equity",
    "adr": "equity",
    "gdr": "equity",
    "preference": "equity",
    "preferred stock": "equity",
    "reit": "equity",
    "etp": "etf",
    "etf": "etf",
    "closed-end fund": "fund",
    "open-end fund": "fund",
    "mutual fund": "fund",
    "bond": "bond",
    "index": "index",
}


class _Action(msgspec.Struct, rename="camel"):
    date: str
    symbol: str | None = None
    amount: float | None = None
    currency: str | None = None
    declaration_date: str | None = None
    record_date: str | None = None
    pay_date: str | None = None
    from_factor: float | None = None
    to_factor: float | None = None


class _Symbol(
    msgspec.Struct,
    rename={"exchange_mic": "mic", "kind": "type", "name": "description"},
):
    symbol: str
    name: str | None = None
    kind: str | None = None
    exchange_mic: str | None = None
    figi: str | None = None
    currency: str | None = None
    isin: str | None = None


_ACTIONS: Final = msgspec.json.Decoder(list[_Action])
_SYMBOLS: Final = msgspec.json.Decoder(list[_Symbol])


def actions(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return dividends or splits: schema DECODED["actions"], basis raw, ascending.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor such a list.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    rows = payload.parse_or_refuse(_ACTIONS, by_body)
    if not rows:
        return empty(DECODED["actions"])
    ratios = [_ratio(payload, row) for row in rows]
    dated = {
        name: payload.dates([getattr(row, field) for row in rows], field=field, missing=NONE)
        for name, field in (
            ("declared_date", "declaration_date"),
            ("record_date", "record_date"),
            ("pay_date", "pay_date"),
        )
    }
    columns: dict[str, Column] = {
        "symbol": [row.symbol or ask.symbol or None for row in rows],
        "ex_date": payload.dates([row.date for row in rows], field="date"),
        "type": ["dividend" if ratio is None else "split" for ratio in ratios],
        "value": [row.amount if ratio is None else ratio for row, ratio in zip(rows, ratios, strict=True)],
        "currency": [row.currency or None for row in rows],
        **dated,
    }
    frame = decoded("actions", columns, basis="raw")
    return frame.filter(pl.col("value").is_not_null()).sort("ex_date", "type")


def listings(body: bytes, ask: Ask) -> pl.DataFrame:
    """Return the symbols of an exchange: schema DECODED["listings"], in the provider's order.

    The exchange is that which `ask.symbol` names, else the US.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor a list of symbols.
    """
    payload = Payload(provider=PROVIDER, kind="listings", body=body)
    rows = payload.parse_or_refuse(_SYMBOLS, by_body)
    columns: dict[str, Column] = {
        "symbol": pl.Series([row.symbol for row in rows], dtype=pl.String),
        "name": [row.name or None for row in rows],
        "mic": [row.exchange_mic or None for row in rows],
        "asset_class": [ASSETS.get((row.kind or "").lower()) for row in rows],
        "currency": [row.currency or None for row in rows],
        "isin": [row.isin or None for row in rows],
        "figi": [row.figi or None for row in rows],
    }
    return decoded("listings", columns, exchange=ask.symbol or HOME, status="active")


def _ratio(payload: Payload, row: _Action) -> float | None:
    """Return the new shares for one old, None for a dividend."""
    if row.from_factor is None and row.to_factor is None:
        return None
    if not row.from_factor or not row.to_factor or row.from_factor < 0 or row.to_factor < 0:
        raise payload.defect(f"the factors of a split were {row.from_factor} and {row.to_factor}")
    ratio = row.to_factor / row.from_factor
    if not 0 < ratio < float("inf"):
        raise payload.defect(f"the factors of a split were {row.from_factor} and {row.to_factor}")
    return ratio
