"""Positions and the terms of corporate actions in files, and positions back into a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

import polars as pl

from truetape.app.plain_files.columns import read_dates, read_numbers, read_symbols
from truetape.app.plain_files.sheet import Sheet
from truetape.domain.entitlements import Action, Told, election, ratio, terms
from truetape.domain.errors import BadInput
from truetape.domain.holdings import Entry, Owed, Portfolio

KINDS: Final = ("shares", "cash", "owed")
POSITIONS: Final = {"kind": pl.String(), "symbol": pl.String(), "quantity": pl.Float64(), "due": pl.Date()}
ENTRIES: Final = {
    "date": pl.Date(),
    "symbol": pl.String(),  # whose action it was
    "type": pl.String(),
    "what": pl.String(),  # the symbol or the currency that changed
    "change": pl.Float64(),
    "why": pl.String(),
}
_ANY: Final = float("-inf")
_QUANTITY_FIX: Final = "Write a number of shares or an amount; below 0 for what is sold short or borrowed."
_VALUE_FIX: Final = "Write a number above 0, or leave it blank where the type needs none."
_DECIMALS: Final = 9  # of quantities that are shown


@dataclass(frozen=True)
class _Offer:
    """One row of the actions: what is offered, and under which label; "" where there is no choice."""

    label: str
    action: Action


def read_positions(sheet: Sheet) -> Portfolio:
    """Return what the rows of `sheet` say is held.

    Columns: `symbol` (a security or a currency), `quantity`, and, where not all are shares, `kind` (shares, cash or
    owed) and `due` (when what is owed is paid). Several rows of one symbol add up.

    Raises:
        BadInput: A column is missing or a value is not usable.
    """
    kinds, symbols, dues = _texts(sheet, "kind", usual="shares"), read_symbols(sheet), _optional_dates(sheet, "due")
    quantities = read_numbers(sheet, "quantity", lowest=_ANY, inclusive=True, fix=_QUANTITY_FIX)
    held: dict[str, dict[str, Fraction]] = {"shares": {}, "cash": {}}
    owed = []
    for row, (kind, symbol, quantity, due) in enumerate(zip(kinds, symbols, quantities, dues, strict=True)):
        _refuse_blanks(sheet, row, symbol=symbol, quantity=quantity)
        number = ratio(quantity)
        if kind == "owed":
            if due is None:
                raise sheet.defect(row, column="due", value="", fix="Write the day on which it is paid.")
            owed.append(Owed(due, symbol, number))
        elif kind in held:
            held[kind][symbol] = held[kind].get(symbol, Fraction(0)) + number
        else:
            raise sheet.defect(row, column="kind", value=kind, fix=f"Write one of {', '.join(KINDS)}.")
    return Portfolio(shares=held["shares"], cash=held["cash"], owed=tuple(owed))


def read_terms(sheet: Sheet) -> list[Action]:
    """Return the corporate actions of `sheet` with their terms.

    Columns: `symbol`, `ex_date`, `type`, and where a type needs them `value`, `price`, `currency`, `new_symbol`,
    `pay_date`. Rows of one symbol and ex-date with a text in `option` are what holders choose between; the first is for
    those who choose nothing.

    Raises:
        BadInput: A column is missing or a value is not usable.
    """
    elections: dict[tuple[str, date], list[_Offer]] = {}
    actions: list[Action] = []
    for offer in _offers(sheet):
        if offer.label:
            elections.setdefault((offer.action.instrument_id, offer.action.ex_date), []).append(offer)
        else:
            actions.append(offer.action)
    return actions + [election([(one.label, one.action) for one in every]) for every in elections.values()]


def read_closes(sheet: Sheet) -> dict[tuple[str, date], Fraction]:
    """Return the close of each symbol and date of `sheet`, which has the columns `symbol`, `date` and `close`.

    Raises:
        BadInput: A column is missing or a value is not usable.
    """
    closes = read_numbers(sheet, "close", lowest=0.0, inclusive=False, fix="Write a price above 0.")
    rows = zip(read_symbols(sheet), read_dates(sheet, "date"), closes, strict=True)
    return {(symbol, day): ratio(close) for symbol, day, close in rows if close is not None}


def positions_frame(portfolio: Portfolio) -> pl.DataFrame:
    """Return `portfolio` as rows that `read_positions` reads: schema POSITIONS, shares first, by symbol."""
    rows: list[tuple[str, str, float, date | None]] = [
        ("shares", name, _shown(number), None) for name, number in sorted(portfolio.shares.items()) if number
    ]
    rows += [("cash", name, _shown(amount), None) for name, amount in sorted(portfolio.cash.items()) if amount]
    rows += [
        ("owed", one.currency, _shown(one.amount), one.due)
        for one in sorted(portfolio.owed, key=lambda one: (one.due, one.currency))
    ]
    return pl.DataFrame(rows, schema=POSITIONS, orient="row")


def entries_frame(entries: Iterable[Entry]) -> pl.DataFrame:
    """Return `entries` as a frame: schema ENTRIES, in their order."""
    rows = [(one.day, one.instrument_id, one.type, one.what, _shown(one.change), one.why) for one in entries]
    return pl.DataFrame(rows, schema=ENTRIES, orient="row")


def _offers(sheet: Sheet) -> Iterator[_Offer]:
    symbols, days, pay = read_symbols(sheet), read_dates(sheet, "ex_date"), _optional_dates(sheet, "pay_date")
    kinds = _texts(sheet, "type")
    currencies, others, labels = (_texts(sheet, name) for name in ("currency", "new_symbol", "option"))
    values, prices = (_amounts(sheet, name) for name in ("value", "price"))
    for row, symbol in enumerate(symbols):
        _refuse_blanks(sheet, row, symbol=symbol)
        told = Told(kinds[row].lower(), values[row], price=prices[row], currency=currencies[row], other=others[row])
        try:
            options = terms(told)
        except BadInput as error:
            raise BadInput(
                parameter=f"{sheet.file}, {sheet.place(row)}, {error.parameter}", value=error.value, fix=error.fix
            ) from None
        action = Action(symbol, told.type, days[row], options, currency=told.currency, pay_date=pay[row])
        yield _Offer(labels[row], action)


def _refuse_blanks(sheet: Sheet, row: int, **needed: object) -> None:
    for name, value in needed.items():
        if value in (None, ""):
            raise sheet.defect(row, column=name, value="", fix="Fill it in, or leave the row out.")


def _amounts(sheet: Sheet, name: str) -> pl.Series:
    if sheet.named(name) is None:
        return pl.Series(name, [None] * len(sheet.frame), dtype=pl.Float64())
    return read_numbers(sheet, name, lowest=0.0, inclusive=False, fix=_VALUE_FIX)


def _texts(sheet: Sheet, name: str, *, usual: str = "") -> pl.Series:
    """Return a column of texts; `usual` where there is no such column, or nothing in it."""
    if sheet.named(name) is None:
        return pl.Series(name, [usual] * len(sheet.frame), dtype=pl.String())
    return sheet.column(name).cast(pl.String).str.strip_chars().fill_null("").replace("", usual)


def _optional_dates(sheet: Sheet, name: str) -> list[date | None]:
    if sheet.named(name) is None:
        return [None] * len(sheet.frame)
    given = sheet.column(name).is_not_null().arg_true()
    days = dict(zip(given, read_dates(sheet.of_rows(given), name), strict=True)) if len(given) else {}
    return [days.get(row) for row in range(len(sheet.frame))]


def _shown(number: Fraction) -> float:
    return float(round(number, _DECIMALS))
