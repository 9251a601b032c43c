"""The terms of an announced action as texts, and as what holders get.

Ratios and amounts are exact: `1/7` is one seventh, and `0.82` is a decimal as it was written. What holders may choose
between stands in `options`: a JSON list of objects with a `label` and the `value`, `price`, `currency` and `new_symbol`
of each; the first is for those who choose nothing, and several of one label are handed out together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

import msgspec

from truetape.domain.entitlements import Action, Told, election, terms
from truetape.domain.errors import BadInput
from truetape.domain.kinds import ACTION_TYPES

DATES: Final = ("effective_date", "declared_date", "record_date", "pay_date", "deadline")
NUMBERS: Final = ("value", "price")
FIELDS: Final = ("type", *DATES, *NUMBERS, "currency", "new_symbol", "options")
LONGEST: Final = 10_000  # characters of one field
_NUMBER: Final = re.compile(r"\d{1,30}(\.\d{1,30})?|\d{1,30}[/:]\d{1,30}")
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")
_TERMINATING: Final = (2, 5)  # prime factors of a denominator whose fraction ends as a decimal


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the options as a field holds it."""

    label: str
    type: str = ""  # of what this option hands out; "": of the action
    value: str = ""
    price: str = ""
    currency: str = ""
    new_symbol: str = ""


def exact(text: str, *, parameter: str) -> Fraction:
    """Return the fraction that `text` writes: a decimal, or two whole numbers as 1/7 or 1:7.

    Raises:
        BadInput: It is none, or not above 0.
    """
    top, _, below = text.replace(":", "/").partition("/")
    if _NUMBER.fullmatch(text) and (not below or int(below)):
        number = Fraction(top) / Fraction(below or 1)
        if number:
            return number
    raise BadInput(parameter=parameter, value=text[:60], fix="Write a number above 0, such as 0.82, or 1/7.")


def written(number: Fraction) -> str:
    """Return `number` as a decimal where one ends, else as a fraction of whole numbers: what `exact` reads."""
    rest = number.denominator
    for prime in _TERMINATING:
        while rest % prime == 0:
            rest //= prime
    if rest > 1:
        return f"{number.numerator}/{number.denominator}"
    places = 0
    while (number * 10**places).denominator > 1:
        places += 1
    digits = str(int(number * 10**places)).rjust(places + 1, "0")
    return f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}" if places else digits


def sound_fields(given: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that `given` fills, in one spelling, in the order of FIELDS.

    Raises:
        BadInput: A name is unknown, or a value cannot be what its field holds.
    """
    strange = next((name for name in given if name not in FIELDS), None)
    if strange is not None:
        raise BadInput(parameter="field", value=strange[:60], fix=f"Fields are {', '.join(FIELDS)}.")
    filled = {name: given[name].strip() for name in FIELDS if given.get(name, "").strip()}
    return {name: _sound(name, text) for name, text in filled.items()}


def _sound(name: str, text: str) -> str:
    if len(text) > LONGEST:
        raise BadInput(parameter=name, value=f"{len(text)} characters", fix=f"Write at most {LONGEST}.")
    if name in DATES:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise BadInput(parameter=name, value=text[:60], fix="Write a date as YYYY-MM-DD.") from None
    if name in NUMBERS:
        return written(exact(text, parameter=name))
    if name == "type" and text not in ACTION_TYPES:
        raise BadInput(parameter=name, value=text[:60], fix=f"Types are {', '.join(ACTION_TYPES)}.")
    if name == "currency" and not _CURRENCY.fullmatch(text):
        raise BadInput(parameter=name, value=text[:60], fix="Write an ISO 4217 code, such as USD.")
    return msgspec.json.encode(choices(text)).decode() if name == "options" else text


def choices(text: str) -> tuple[Choice, ...]:
    """Return what holders choose between, as the field `options` holds it; nothing for "".

    Raises:
        BadInput: It is no such JSON.
    """
    if not text:
        return ()
    try:
        found = msgspec.json.decode(text, type=tuple[Choice, ...])
    except (msgspec.DecodeError, RecursionError) as error:
        fix = 'Write JSON such as [{"label": "cash", "value": "0.5"}, {"label": "shares", "type": "stock_dividend", '
        fix += f'"value": "1/40"}}]. {str(error)[:100]}.'
        raise BadInput(parameter="options", value=text[:60], fix=fix) from None
    if not all(one.label.strip() for one in found):
        raise BadInput(parameter="options", value=text[:60], fix="Give each option a label.")
    return found


def entitlement(instrument: str, fields: Mapping[str, str], *, names: Mapping[str, str] | None = None) -> Action:
    """Return the action with what holders get, from its `fields`.

    Args:
        instrument: What `fields` are about.
        fields: As `sound_fields` returns them.
        names: The instruments behind new symbols, where they are known; else a symbol stands for itself.

    Raises:
        BadInput: A term that the type needs is missing.
    """
    day = fields.get("effective_date")
    if not day:
        raise BadInput(parameter="effective_date", value="", fix="It is not known yet when the action takes effect.")
    shared = Choice(label="", **{name: fields.get(name, "") for name in Choice.__struct_fields__ if name != "label"})
    parts = [(one.label, _joined(shared, one)) for one in choices(fields.get("options", ""))] or [("", shared)]
    offers = [(label, _action(instrument, fields, one, names or {})) for label, one in parts]
    return offers[0][1] if not offers[0][0] else election(offers)


def _joined(shared: Choice, one: Choice) -> Choice:
    """Return an option with what it does not say itself: the type and currency of the action."""
    return msgspec.structs.replace(one, type=one.type or shared.type, currency=one.currency or shared.currency)


def _action(instrument: str, fields: Mapping[str, str], one: Choice, names: Mapping[str, str]) -> Action:
    value, price = (
        exact(text, parameter=name) if text else None
        for name, text in zip(NUMBERS, (one.value, one.price), strict=True)
    )
    told = Told(one.type, value, price, one.currency, names.get(one.new_symbol, one.new_symbol))
    pay = fields.get("pay_date")
    return Action(
        instrument,
        fields.get("type", ""),
        date.fromisoformat(fields["effective_date"]),
        terms(told),
        currency=one.currency,
        pay_date=date.fromisoformat(pay) if pay else None,
    )
