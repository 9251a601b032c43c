"""Alpaca's corporate actions, read: thirteen lists, one for each of its types, become rows of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import msgspec
import polars as pl

from truetape.domain.asks import Ask
from truetape.domain.decoding import Column, Payload, decoded
from truetape.providers.alpaca.classify import by_body

PROVIDER: Final = "alpaca"
NEEDED: Final = ("split", "dividend", "stock_dividend")  # types that are nothing without a value

Number = float | None
Text = str | None


@dataclass(frozen=True)
class Form:
    """How one of Alpaca's types is read: ours, and the fields that hold the old symbol, the value and the new one.

    The value is `over` for one `under`; without a field for it there is no value, without `under` it is for one share.
    """

    type: str
    symbol: str = "symbol"
    over: str = ""
    under: str = ""
    new_symbol: str = ""
    currency: str | None = None


FORMS: Final = {
    "forward_splits": Form("split", over="new_rate", under="old_rate"),
    "reverse_splits": Form("split", over="new_rate", under="old_rate"),
    "unit_splits": Form("unit_split", "old_symbol", "new_rate", "old_rate", "new_symbol"),
    "stock_dividends": Form("stock_dividend", over="rate"),
    "cash_dividends": Form("dividend", over="rate", currency="USD"),
    "spin_offs": Form("spin_off", "source_symbol", "new_rate", "source_rate", "new_symbol"),
    "cash_mergers": Form("merger", "acquiree_symbol", "rate", currency="USD"),
    "stock_mergers": Form("merger", "acquiree_symbol", "acquirer_rate", "acquiree_rate", "acquirer_symbol"),
    "stock_and_cash_mergers": Form("merger", "acquiree_symbol", "acquirer_rate", "acquiree_rate", "acquirer_symbol"),
    "redemptions": Form("redemption", over="rate", currency="USD"),
    "name_changes": Form("symbol_change", "old_symbol", new_symbol="new_symbol"),
    "worthless_removals": Form("worthless"),
    "rights_distributions": Form("rights", "source_symbol", "rate", new_symbol="new_symbol"),
}


class _Action(msgspec.Struct):
    process_date: Text = None
    ex_date: Text = None
    effective_date: Text = None
    record_date: Text = None
    payable_date: Text = None
    symbol: Text = None
    old_symbol: Text = None
    new_symbol: Text = None
    source_symbol: Text = None
    acquiree_symbol: Text = None
    acquirer_symbol: Text = None
    rate: Number = None
    new_rate: Number = None
    old_rate: Number = None
    source_rate: Number = None
    acquirer_rate: Number = None
    acquiree_rate: Number = None
    special: bool = False

    @property
    def day(self) -> Text:
        """The day on which it takes effect."""
        return self.ex_date or self.effective_date or self.process_date


class _Page(msgspec.Struct):
    corporate_actions: dict[str, list[_Action] | None]


_PAGE: Final = msgspec.json.Decoder(_Page)


def actions(body: bytes, ask: Ask) -> pl.DataFrame:  # noqa: ARG001 - the body names its symbols
    """Return one page of corporate actions: schema DECODED["actions"], basis raw, by date.

    The value of a merger is cash per share where no new symbol is named, else new shares for one old; of a merger for
    both the cash is not told. A name change or a removal has no value. The date is the ex-date, else the day on which
    it takes effect.

    Raises:
        ProviderRefused: The body is an error.
        UndecodablePayload: It is neither an error nor corporate actions, or one is of a type that is not known.
    """
    payload = Payload(provider=PROVIDER, kind="actions", body=body)
    told = payload.parse_or_refuse(_PAGE, by_body).corporate_actions
    unknown = [name for name, many in told.items() if many and name not in FORMS]
    if unknown:
        raise payload.defect(f"the type {unknown[0][:40]!r} is not known")
    rows = [(FORMS[name], action) for name, many in told.items() for action in many or ()]
    columns: dict[str, Column] = {
        "symbol": [_symbol(payload, form, action) for form, action in rows],
        "ex_date": payload.dates([action.day for _, action in rows], field="ex_date"),
        "type": [_type(form, action) for form, action in rows],
        "value": [_value(payload, form, action) for form, action in rows],
        "currency": [form.currency for form, _ in rows],
        "new_symbol": [getattr(action, form.new_symbol) if form.new_symbol else None for form, action in rows],
        "record_date": payload.dates([action.record_date for _, action in rows], field="record_date", missing=()),
        "pay_date": payload.dates([action.payable_date for _, action in rows], field="payable_date", missing=()),
    }
    return decoded("actions", columns, basis="raw").sort("ex_date", "symbol", "type", maintain_order=True)


def _type(form: Form, action: _Action) -> str:
    return "special_dividend" if form.type == "dividend" and action.special else form.type


def _symbol(payload: Payload, form: Form, action: _Action) -> str:
    symbol: Text = getattr(action, form.symbol)
    if symbol is None:
        raise payload.defect(f"the field {form.symbol} was missing")
    return symbol


def _value(payload: Payload, form: Form, action: _Action) -> Number:
    over: Number = getattr(action, form.over) if form.over else None
    under: Number = getattr(action, form.under) if form.under else 1.0
    value = over / under if over is not None and under else None
    if value is None and form.type not in NEEDED:
        return None
    if value is None or value <= 0 or not math.isfinite(value):
        raise payload.defect(f"a value of {form.over} was {over} for {under}, nothing positive")
    return value
