"""What the providers' plans allow and cost, from the plans.toml beside each provider."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import available_timezones

import msgspec

from truetape.domain.errors import BadInput
from truetape.domain.plans import Plan, Plans
from truetape.domain.schema import DECODED
from truetape.providers import NAMES

UNLIMITED: Final = Plans(default="free", plans={"free": Plan()})  # of a provider that states no plans


@lru_cache(maxsize=64)
def plans(name: str) -> Plans:
    """Return the plans of the provider `name`; one without any limit where it states none.

    Raises:
        BadInput: The provider is unknown, or its plans.toml has an error; all errors are named.
    """
    if name not in NAMES:
        raise BadInput(parameter="provider", value=name, fix=f"Choose one of {', '.join(NAMES)}.")
    page = files(f"truetape.providers.{name}") / "plans.toml"
    return read(page.read_bytes(), name=name) if page.is_file() else UNLIMITED


def plan(name: str, *, chosen: str = "") -> Plan:
    """Return the plan `chosen` of the provider `name`, or its default plan where none is chosen.

    Raises:
        BadInput: The provider has no such plan, or `plans` refuses.
    """
    stated = plans(name)
    wanted = chosen or stated.default
    if wanted not in stated.plans:
        raise BadInput(parameter="plan", value=wanted, fix=f"{name} has the plans {', '.join(stated.plans)}.")
    return stated.plans[wanted]


def read(text: bytes, *, name: str) -> Plans:
    """Return the plans that the TOML `text` of the provider `name` states.

    Raises:
        BadInput: It is no TOML, or one of its values cannot be; all such values are named.
    """
    parameter = f"plans.toml of {name}"
    try:
        document = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(parameter=parameter, value="unreadable", fix=f"It is no TOML: {error}.") from None
    wrong = _shape_faults(document)
    if wrong:
        raise BadInput(parameter=parameter, value="wrong", fix=f"Mend it: {'; '.join(wrong)}.")
    stated = msgspec.convert(document, Plans)
    wrong = list(faults(stated))
    if wrong:
        raise BadInput(parameter=parameter, value="wrong", fix=f"Mend it: {'; '.join(wrong)}.")
    return stated


def faults(stated: Plans) -> tuple[str, ...]:
    """Return every value of `stated` that cannot be meant, each in a few words with its place."""
    wrong = [] if stated.default in stated.plans else [f"default was {stated.default!r}, no plan is called so"]
    for name, one in stated.plans.items():
        wrong += [f"{name}: {words}" for words in (*_windows(one), *_prices(one), *_kinds(one))]
    return tuple(wrong)


def _shape_faults(document: dict[str, object]) -> list[str]:
    """Return what keeps `document` from being Plans: each plan is tried by itself, so that all errors are found."""
    given = document.get("plans")
    tables = given if isinstance(given, dict) else {}
    alone = [_unreadable(table, Plan, place=f"plans.{name}") for name, table in tables.items()]
    found = [words for words in alone if words]
    frame = {**document, "plans": {}} if isinstance(given, dict) else document
    return [*([words] if (words := _unreadable(frame, Plans, place="the file")) else []), *found]


def _unreadable(value: object, kind: type[object], *, place: str) -> str:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return f"{place}: {error}"
    return ""


def _windows(one: Plan) -> list[str]:
    wrong = []
    for window in one.windows:
        if window.limit <= 0:
            wrong.append(f"a window's limit was {window.limit:g}, it must be above 0")
        if window.every < 1:
            wrong.append(f"a window's every was {window.every}, it must be at least 1")
        if not known_zone(window.zone):
            wrong.append(f"a window's zone was {window.zone!r}, no IANA zone")
    return wrong


def _prices(one: Plan) -> list[str]:
    money = {
        "price_per_month": one.price_per_month,
        "price_per_call": one.price_per_call,
        "price_per_credit": one.price_per_credit,
        **{f"weights.{endpoint}": weight for endpoint, weight in one.weights.items()},
    }
    return [f"{field} was {value:g}, it must be 0 or more" for field, value in money.items() if not value >= 0]


def _kinds(one: Plan) -> list[str]:
    named = {*one.kinds, *(kind.partition("/")[0] for kind in one.depth_days)}
    return [f"a kind was {kind!r}, known are {', '.join(DECODED)}" for kind in sorted(named - set(DECODED))]


def known_zone(zone: str) -> bool:
    """Return whether `zone` is the name of an IANA zone."""
    return zone in _zones()


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
